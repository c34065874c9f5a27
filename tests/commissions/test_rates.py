"""What a credit earns: base, plan by the order's moment, one rounding, and a trace that says how."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.commissions.life import CommissionReason
from affiliate.commissions.rates import Order, Plan, PlanKind, Rated, Share, plan_in_force, plan_problems, rate

DAY = datetime(2026, 11, 16, tzinfo=UTC)


def percent(rate_bps: int, *, since: datetime = DAY) -> Plan:
    return Plan(UUID(int=rate_bps), "Standard", PlanKind.PERCENT, rate_bps, None, since)


def fixed(fixed_minor: int) -> Plan:
    return Plan(UUID(int=1), "Flat", PlanKind.FIXED, None, fixed_minor, DAY)


def order(amount_minor: int = 100_00, *, tax: int = 0, shipping: int = 0, currency: str = "EUR") -> Order:
    return Order(amount_minor, tax, shipping, currency)


def rated(order: Order, plan: Plan | None, share: Share | None = None) -> Rated:
    return rate(order=order, share=share or Share(), plan=plan, currency="EUR")


@pytest.mark.parametrize(
    ("given", "plan", "amount_minor", "exact"),
    [
        (order(100_00), percent(10_00), 10_00, "10.00"),
        (order(119_00, tax=19_00), percent(10_00), 10_00, "10.00"),
        (order(124_90, tax=19_00, shipping=5_90), percent(8_00), 8_00, "8.00"),
        (order(95_16), percent(8_00), 7_61, "7.6128"),
        (order(50), percent(1_00), 0, "0.005"),  # half a cent goes to the even neighbour, nothing
        (order(1_50), percent(1_00), 2, "0.015"),  # and here to two cents
        (order(2_50), percent(1_00), 2, "0.025"),
        (order(100_00), percent(100_00), 100_00, "100.00"),
        (order(0), fixed(5_00), 5_00, "5.00"),  # a lead costs nothing and earns all the same
        (order(100_00), fixed(5_00), 5_00, "5.00"),
    ],
)
def test_a_plan_pays_what_it_says(given: Order, plan: Plan, amount_minor: int, exact: str) -> None:
    result = rated(given, plan)
    assert (result.amount_minor, result.trace["exact"]) == (amount_minor, exact)


@pytest.mark.parametrize(
    ("given", "plan", "reason"),
    [
        (order(), None, CommissionReason.NO_PLAN),
        (order(currency="PLN"), percent(10_00), CommissionReason.OTHER_CURRENCY),
        (order(currency="PLN"), None, CommissionReason.OTHER_CURRENCY),
        (order(0), percent(10_00), CommissionReason.ZERO_BASE),
        (order(10_00, tax=4_00, shipping=6_01), percent(10_00), CommissionReason.ZERO_BASE),
        (order(1), percent(10_00), CommissionReason.SHARE_TOO_SMALL),
    ],
)
def test_a_commission_of_nothing_has_a_reason(given: Order, plan: Plan | None, reason: CommissionReason) -> None:
    result = rated(given, plan)
    assert (result.amount_minor, result.reason) == (0, reason)


def test_a_commission_of_something_has_no_reason() -> None:
    assert rated(order(), percent(10_00)).reason is None


@pytest.mark.parametrize(("currency", "exact"), [("JPY", "7.5"), ("EUR", "0.075"), ("KWD", "0.0075")])
def test_the_exact_value_has_the_decimals_of_its_currency_and_more_only_where_they_say_something(
    currency: str, exact: str
) -> None:
    given = Order(75, 0, 0, currency)
    assert rate(order=given, share=Share(), plan=percent(10_00), currency=currency).trace["exact"] == exact


def test_the_trace_names_everything_that_decided() -> None:
    trace = rated(order(124_90, tax=19_00, shipping=5_90), percent(8_00)).trace
    assert trace == {
        "share_bps": 10_000,
        "order_minor": 124_90,
        "tax_minor": 19_00,
        "shipping_minor": 5_90,
        "base_minor": 100_00,
        "plan": {
            "id": str(UUID(int=8_00)),
            "name": "Standard",
            "kind": "percent",
            "rate_bps": 8_00,
            "fixed_minor": None,
            "effective_from": "2026-11-16T00:00:00+00:00",
        },
        "exact": "8.00",
        "amount_minor": 8_00,
        "rounding": "half_even",
        "currency": "EUR",
    }


def test_the_newest_plan_in_force_at_the_orders_moment_counts_to_the_microsecond() -> None:
    old, new = percent(5_00, since=DAY), percent(9_00, since=DAY + timedelta(days=1))
    tick = timedelta(microseconds=1)
    moments = [DAY - tick, DAY, DAY + timedelta(days=1) - tick, DAY + timedelta(days=1)]
    assert [plan_in_force([new, old], at=moment) for moment in moments] == [None, old, old, new]


amounts = st.integers(min_value=0, max_value=10**15)


@given(amount=amounts, rate_bps=st.integers(1, 10_000))
def test_a_percentage_is_rounded_once_half_to_even(amount: int, rate_bps: int) -> None:
    expected = (Decimal(amount) * rate_bps / 10_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert rated(order(amount), percent(rate_bps)).amount_minor == int(expected)


@given(
    amount=amounts,
    plan=st.one_of(st.integers(1, 10_000).map(percent), amounts.filter(bool).map(fixed)),
    cuts=st.lists(st.integers(0, 10_000), max_size=6),
)
def test_shares_cut_from_one_order_add_up_to_the_whole_without_a_cent_made_or_lost(
    amount: int, plan: Plan, cuts: list[int]
) -> None:
    marks = [0, *sorted(cuts), 10_000]
    parts = [
        rated(order(amount), plan, Share(after - before, before)).amount_minor
        for before, after in itertools.pairwise(marks)
    ]
    assert sum(parts) == rated(order(amount), plan).amount_minor
    assert min(parts) >= 0


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, set()),
        ({"rate_bps": 1}, set()),
        ({"rate_bps": 10_000}, set()),
        ({"kind": PlanKind.FIXED, "rate_bps": None, "fixed_minor": 1}, set()),
        ({"kind": PlanKind.FIXED}, {"rate_bps", "fixed_minor"}),
        ({"name": "", "rate_bps": -1}, {"name", "rate_bps"}),
        ({"kind": PlanKind.FIXED, "rate_bps": None, "fixed_minor": 10**15 + 1}, {"fixed_minor"}),
    ],
)
def test_a_plan_pays_in_exactly_one_way(fields: dict[str, Any], wrong: set[str]) -> None:
    plan = {"name": "Standard", "kind": PlanKind.PERCENT, "rate_bps": 10_00, "fixed_minor": None}
    assert plan_problems(**plan | fields).keys() == wrong
