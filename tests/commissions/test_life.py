"""What refunds and cancellations take from a commission, and where it stands afterwards."""

import itertools
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.commissions.life import (
    AdjustmentSource,
    CommissionReason,
    CommissionStatus,
    Loss,
    Taking,
    Worth,
    after,
    reversal_due,
    takings,
)

REFUND, EVENT = AdjustmentSource.REFUND, AdjustmentSource.ORDER_EVENT


def refund(amount_minor: int | None) -> Loss:
    return Loss(REFUND, uuid4(), amount_minor)


def cancelled() -> Loss:
    return Loss(EVENT, uuid4(), None)


@pytest.mark.parametrize(
    ("amount_minor", "original_minor", "losses", "due"),
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
    ],
)
def test_what_losses_take_is_a_function_of_their_sum(
    amount_minor: int, original_minor: int, losses: list[Loss], due: int
) -> None:
    assert reversal_due(amount_minor=amount_minor, original_minor=original_minor, losses=losses) == due


def test_what_goes_beyond_the_order_is_marked_from_the_refund_that_does() -> None:
    fresh = [refund(80_00), refund(30_00), refund(None)]
    taken = takings(amount_minor=10_00, reversed_minor=0, original_minor=100_00, known=[], fresh=fresh)
    assert [(one.amount_minor, one.exceeds_original) for one in taken] == [(8_00, False), (2_00, True), (0, False)]


def test_what_a_manager_took_before_is_not_taken_again() -> None:
    taken = takings(amount_minor=10_00, reversed_minor=10_00, original_minor=100_00, known=[], fresh=[refund(None)])
    assert [one.amount_minor for one in taken] == [0]


money = st.integers(min_value=0, max_value=10**15)
losses = st.lists(st.one_of(st.integers(0, 10**12), st.none()).map(refund), max_size=8)


@given(amount=money, original=money, fresh=losses, data=st.data())
def test_refunds_in_any_order_and_any_batches_take_the_same_in_the_end(
    amount: int, original: int, fresh: list[Loss], data: st.DataObject
) -> None:
    due = reversal_due(amount_minor=amount, original_minor=original, losses=fresh)
    shuffled = data.draw(st.permutations(fresh))
    cut = data.draw(st.integers(0, len(shuffled)))
    first = takings(amount_minor=amount, reversed_minor=0, original_minor=original, known=[], fresh=shuffled[:cut])
    so_far = sum(one.amount_minor for one in first)
    second = takings(
        amount_minor=amount,
        reversed_minor=so_far,
        original_minor=original,
        known=shuffled[:cut],
        fresh=shuffled[cut:],
    )
    assert so_far + sum(one.amount_minor for one in second) == due
    assert 0 <= due <= amount
    assert all(one.amount_minor >= 0 for one in first + second)


@given(amount=money, original=st.integers(1, 10**15), cuts=st.lists(st.integers(0, 10**15), max_size=8))
def test_a_full_refund_in_any_parts_negates_exactly(amount: int, original: int, cuts: list[int]) -> None:
    marks = [0, *sorted(cut % original for cut in cuts), original]
    parts = [refund(after - before) for before, after in itertools.pairwise(marks)]
    taken = takings(amount_minor=amount, reversed_minor=0, original_minor=original, known=[], fresh=parts)
    assert sum(one.amount_minor for one in taken) == amount
    assert not any(one.exceeds_original for one in taken)


def worth(status: CommissionStatus, reversed_minor: int = 0, amount_minor: int = 10_00) -> Worth:
    return Worth(status, None, amount_minor, reversed_minor)


def taking(source: AdjustmentSource, amount_minor: int) -> Taking:
    return Taking(source, UUID(int=1), amount_minor)


S, R = CommissionStatus, CommissionReason


@pytest.mark.parametrize(
    ("before", "source", "amount_minor", "status", "reason"),
    [
        (worth(S.PENDING), REFUND, 4_00, S.PENDING, None),
        (worth(S.PENDING), REFUND, 10_00, S.REVERSED, R.REFUNDED),
        (worth(S.APPROVED, 6_00), EVENT, 4_00, S.REVERSED, R.ORDER_CANCELLED),
        (worth(S.APPROVED), AdjustmentSource.ATTRIBUTION, 10_00, S.REVERSED, R.SUPERSEDED),
        (worth(S.PENDING), AdjustmentSource.MANAGER, 10_00, S.DECLINED, R.DECLINED_BY_MANAGER),
        (worth(S.UNVERIFIED), REFUND, 10_00, S.UNVERIFIED, R.REFUNDED),
        (worth(S.TEST), AdjustmentSource.ATTRIBUTION, 10_00, S.TEST, R.SUPERSEDED),
        (worth(S.IN_PAYOUT), REFUND, 10_00, S.IN_PAYOUT, R.REFUNDED),
        (worth(S.PAID), EVENT, 10_00, S.PAID, R.ORDER_CANCELLED),
        (worth(S.REVERSED, 10_00), REFUND, 0, S.REVERSED, None),  # keeps the reason for which it ended
        (worth(S.DECLINED, 10_00), AdjustmentSource.ATTRIBUTION, 0, S.DECLINED, None),
        (worth(S.PENDING, 0, 0), REFUND, 0, S.PENDING, None),  # nothing from the start: the reason stays
        (worth(S.PENDING, 0, 0), AdjustmentSource.ATTRIBUTION, 0, S.REVERSED, R.SUPERSEDED),
        (worth(S.PENDING, 0, 0), AdjustmentSource.MANAGER, 0, S.DECLINED, R.DECLINED_BY_MANAGER),
    ],
)
def test_a_commission_ends_when_nothing_is_left_unless_a_payout_holds_it(
    before: Worth, source: AdjustmentSource, amount_minor: int, status: S, reason: R | None
) -> None:
    result = after(before, taking(source, amount_minor))
    assert (result.status, result.reason) == (status, reason)
    assert result.reversed_minor == before.reversed_minor + amount_minor
