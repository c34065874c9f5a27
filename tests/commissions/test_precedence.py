"""Which rule pays: one ordered list, most specific first, whatever the order in which the rules are written."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from marshmallow import ValidationError

from affiliate.commissions import documents
from affiliate.commissions.orders import Item, Order
from affiliate.commissions.precedence import choose, months_between
from affiliate.commissions.terms import read

PARTNER, LINK, COUPON = (UUID(int=number) for number in (1, 2, 3))
ITEM = Item("boot-42", "shoes", 100_00)
ORDER = Order(
    100_00, 0, 0, "EUR", items=(ITEM,), kind="lead", partner_id=PARTNER, partner_group="gold", link_id=LINK,
    coupon_id=COUPON, is_new_customer=True, customer_since=datetime(2026, 1, 31, tzinfo=UTC),
    placed_at=datetime(2026, 3, 1, tzinfo=UTC),
)  # fmt: skip

LADDER: list[dict[str, Any]] = [
    {"kind": "lead", "coupon": str(COUPON)},
    {"kind": "lead"},
    {"coupon": str(COUPON), "skus": ["boot-42"]},
    {"coupon": str(COUPON)},
    {"link": str(LINK)},
    {"partner": str(PARTNER), "skus": ["boot-42"]},
    {"partner": str(PARTNER), "categories": ["shoes"], "customer": "new"},
    {"partner": str(PARTNER), "categories": ["shoes"]},
    {"partner": str(PARTNER)},
    {"group": "gold", "skus": ["boot-42"]},
    {"group": "gold"},
    {"skus": ["boot-42"]},
    {"categories": ["shoes"], "customer": "new"},
    {"categories": ["shoes"]},
    {"customer": "new", "customer_months_max": 3},
    {"customer": "new"},
    {"customer_months_max": 3},
    {"customer_months_max": 12},
    {},
]
"""Rules that all apply to the item, the most specific first."""


def rules(conditions: list[dict[str, Any]]) -> Any:
    return read({"rules": [{"when": when, "rate_bps": 1} for when in conditions]}).rules


def chosen(conditions: list[dict[str, Any]], order: Order = ORDER, item: Item | None = ITEM) -> dict[str, Any] | None:
    choice = choose(rules(conditions), order=order, item=item)
    return None if choice is None else conditions[choice.index]


@pytest.mark.parametrize("place", range(len(LADDER) - 1))
def test_each_rule_goes_before_all_that_follow(place: int) -> None:
    rest = LADDER[place:]
    assert chosen(rest) == chosen(rest[::-1]) == LADDER[place]


def test_the_order_in_which_rules_are_written_does_not_matter() -> None:
    for some in permutations(LADDER[6:10]):
        assert chosen(list(some)) == LADDER[6]


@pytest.mark.parametrize(
    "when",
    [
        {"kind": "sale"},
        {"coupon": str(UUID(int=9))},
        {"link": str(UUID(int=9))},
        {"partner": str(UUID(int=9))},
        {"group": "silver"},
        {"skus": ["boot-41"]},
        {"categories": ["shirts"]},
        {"customer": "returning"},
        {"customer_months_max": 1},
    ],
)
def test_a_rule_of_which_anything_does_not_hold_does_not_apply(when: dict[str, Any]) -> None:
    assert chosen([when, {}]) == {}
    assert chosen([when]) is None


def test_what_is_no_item_is_not_of_a_category() -> None:
    assert chosen([{"categories": ["shoes"]}, {"skus": ["boot-42"]}], item=None) is None


@pytest.mark.parametrize("is_new", [None, False])
def test_a_customer_of_whom_nobody_knows_is_neither_new_nor_returning(is_new: bool | None) -> None:
    order = Order(1, 0, 0, "EUR", is_new_customer=is_new)
    found = [chosen([{"customer": word}], order=order) is not None for word in ("new", "returning")]
    assert found == [False, is_new is False]


def test_months_are_full_months() -> None:
    since = datetime(2026, 1, 31, 12, tzinfo=UTC)
    ends = [datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 31, 12, tzinfo=UTC)]
    assert [months_between(since, end) for end in ends] == [0, 1, 12]


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"rules": []}, "rules"),
        ({"rules": [{}]}, "rules"),
        ({"rules": [{"rate_bps": 10_001}]}, "rules"),
        ({"rules": [{"rate_bps": -1}]}, "rules"),
        ({"rules": [{"rate_bps": 8.5}]}, "rules"),
        ({"rules": [{"rate_bps": 1, "colour": "red"}]}, "rules"),
        ({"rules": [{"rate_bps": 1}, {"rate_bps": 2}]}, "rules"),
        ({"rules": [{"rate_bps": 1, "when": {"skus": ["a", "b"]}}, {"rate_bps": 2, "when": {"skus": ["b"]}}]}, "rules"),
        ({"rules": [{"rate_bps": 1, "when": {"partner": str(PARTNER), "group": "gold"}}]}, "rules"),
        ({"rules": [{"rate_bps": 1}], "caps": {"order_minor": 0}}, "caps"),
        ({"rules": [{"rate_bps": 1}], "bonuses": [{"orders": 1, "amount_minor": 1}] * 2}, "bonuses"),
        ({"rules": [{"rate_bps": 1}], "recruiter_bps": 0}, "recruiter_bps"),
        (
            {"rules": [{"rate_bps": 1, "tiers": {"counts": "orders", "period": "month", "mode": "all", "steps": [{"above": 2, "rate_bps": 1}, {"above": 2, "rate_bps": 2}]}}]},
            "rules",
        ),
    ],
)  # fmt: skip
def test_a_document_that_nobody_could_pay_by_is_refused(document: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        documents.clean(document)
    assert set(documents.sentences(refusal.value)) == {wrong}


def test_a_document_is_stored_without_what_it_does_not_say() -> None:
    said: dict[str, Any] = {
        "rules": [{"rate_bps": 0, "fixed_minor": None, "when": {"customer": None, "skus": []}}],
        "caps": {},
    }
    assert documents.clean(said) == {"rules": [{"rate_bps": 0}]}


def test_rules_that_cannot_meet_may_be_equally_specific() -> None:
    one, other = {"when": {"categories": ["shoes"]}, "rate_bps": 1}, {"when": {"categories": ["hats"]}, "rate_bps": 2}
    assert len(documents.clean({"rules": [one, other]})["rules"]) == 2
