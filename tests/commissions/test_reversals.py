"""What refunds and cancellations take: a function of their sums, by item and by amount, in any order and any parts."""

import itertools
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affiliate.commissions.life import AdjustmentSource, Loss
from affiliate.commissions.reversals import Part, due, parts_of, takings

REFUND, EVENT = AdjustmentSource.REFUND, AdjustmentSource.ORDER_EVENT


def refund(amount_minor: int | None, **items: int) -> Loss:
    return Loss(REFUND, uuid4(), amount_minor, tuple(items.items()))


def cancelled() -> Loss:
    return Loss(EVENT, uuid4(), None)


def whole(amount_minor: int, original_minor: int) -> list[Part]:
    return [Part(amount_minor, original_minor)]


SHOES_AND_SHIRT = [
    Part(12_00, 100_00, frozenset({"shoe"})),
    Part(4_00, 50_00, frozenset({"shirt", "socks"})),
    Part(0, 10_00),  # shipping: nothing is earned for it
]


@pytest.mark.parametrize(
    ("amount_minor", "original_minor", "losses", "taken"),
    [
        (10_00, 100_00, [], 0),
        (10_00, 100_00, [refund(0)], 0),
        (10_00, 100_00, [refund(50_00)], 5_00),
        (10_00, 100_00, [refund(33_33), refund(66_67)], 10_00),
        (10_00, 100_00, [refund(150_00)], 10_00),
        (10_00, 100_00, [refund(None)], 10_00),
        (10_00, 100_00, [refund(1_00), refund(None)], 10_00),
        (10_00, 100_00, [cancelled()], 10_00),
        (1, 2, [refund(1)], 0),  # half a cent, to even
        (3, 2, [refund(1)], 2),
        (5_00, 0, [refund(0)], 0),  # a lead of nothing keeps its fixed commission
        (5_00, 0, [refund(1)], 5_00),
        (5_00, 0, [cancelled()], 5_00),
        (0, 100_00, [refund(None)], 0),
        (10_00, 100_00, [refund(40_00, unknown=40_00)], 4_00),
    ],
)
def test_what_losses_take_is_a_function_of_their_sum(
    amount_minor: int, original_minor: int, losses: list[Loss], taken: int
) -> None:
    assert due(whole(amount_minor, original_minor), losses) == taken


@pytest.mark.parametrize(
    ("losses", "taken"),
    [
        ([refund(100_00, shoe=100_00)], 12_00),  # by item: its own rate, whatever the rest earns
        ([refund(50_00, shirt=50_00)], 4_00),
        ([refund(25_00, socks=25_00)], 2_00),
        ([refund(80_00)], 8_00),  # by amount: half of everything
        ([refund(110_00, shoe=100_00)], 12_00 + 67),  # the ten beside the shoe go over shirt and shipping: 4.00 × 10/60
        (
            [refund(70_00, shirt=70_00)],
            4_00 + 2_18,
        ),  # too much for the shirt: 20 over shoe and shipping: 12.00 × 20/110
        ([refund(160_00)], 16_00),
        ([refund(10_00, shoe=40_00)], 1_00),  # items beyond the refund are not believed: ten of everything
    ],
)
def test_items_are_taken_from_their_group_and_the_rest_over_what_remains(losses: list[Loss], taken: int) -> None:
    assert due(SHOES_AND_SHIRT, losses) == taken


def test_a_bonus_is_lost_only_with_the_whole_order() -> None:
    parts = [Part(10_00, 100_00), Part(5_00, 0)]
    assert due(parts, [refund(99_99)]) == 10_00
    assert due(parts, [refund(100_00)]) == 15_00


def test_what_goes_beyond_the_order_is_marked_from_the_refund_that_does() -> None:
    fresh = [refund(80_00), refund(30_00), refund(None)]
    taken = takings(whole(10_00, 100_00), reversed_minor=0, known=[], fresh=fresh)
    assert [(one.amount_minor, one.exceeds_original) for one in taken] == [(8_00, False), (2_00, True), (0, False)]


def test_what_a_manager_took_before_is_not_taken_again() -> None:
    taken = takings(whole(10_00, 100_00), reversed_minor=10_00, known=[], fresh=[refund(None)])
    assert [one.amount_minor for one in taken] == [0]


def test_an_order_amended_since_is_one_part() -> None:
    trace = {"groups": [{"amount_minor": 10_00, "original_minor": 100_00, "skus": ["shoe"]}]}
    assert parts_of(trace, amount_minor=10_00, original_minor=100_00) == [Part(10_00, 100_00, frozenset({"shoe"}))]
    assert parts_of(trace, amount_minor=10_00, original_minor=90_00) == [Part(10_00, 90_00)]
    assert parts_of({}, amount_minor=10_00, original_minor=90_00) == [Part(10_00, 90_00)]


parts = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)).map(lambda pair: pair), min_size=1, max_size=4
).map(lambda pairs: [Part(*pair, frozenset({f"sku{place}"})) for place, pair in enumerate(pairs)])


def _loss(amount: int | None, item: tuple[int, int] | None) -> Loss:
    items = {f"sku{item[0]}": min(item[1], amount)} if item and amount else {}
    return refund(amount, **items)


losses = st.lists(
    st.builds(
        _loss,
        st.one_of(st.integers(0, 10**7), st.integers(0, 10**7), st.none()),
        st.one_of(st.none(), st.tuples(st.integers(0, 5), st.integers(0, 10**7))),
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(parts=parts, fresh=losses, data=st.data())
def test_refunds_by_item_or_amount_in_any_order_and_any_batches_take_the_same_in_the_end(
    parts: list[Part], fresh: list[Loss], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(fresh))
    cut = data.draw(st.integers(0, len(shuffled)))
    first = takings(parts, reversed_minor=0, known=[], fresh=shuffled[:cut])
    so_far = sum(one.amount_minor for one in first)
    second = takings(parts, reversed_minor=so_far, known=shuffled[:cut], fresh=shuffled[cut:])
    assert so_far + sum(one.amount_minor for one in second) == due(parts, fresh)
    for size in range(len(shuffled)):  # what is taken never has to be given back
        assert due(parts, shuffled[:size]) <= due(parts, shuffled[: size + 1]) <= sum(one.amount_minor for one in parts)


@settings(max_examples=100)
@given(parts=parts, cuts=st.lists(st.integers(0, 10**15), max_size=8))
def test_a_full_refund_in_any_parts_negates_exactly(parts: list[Part], cuts: list[int]) -> None:
    original = sum(part.original_minor for part in parts)
    if not original:
        return
    marks = [0, *sorted(cut % original for cut in cuts), original]
    fresh = [refund(after - before) for before, after in itertools.pairwise(marks)]
    taken = takings(parts, reversed_minor=0, known=[], fresh=fresh)
    assert sum(one.amount_minor for one in taken) == sum(part.amount_minor for part in parts)
    assert not any(one.exceeds_original for one in taken)
