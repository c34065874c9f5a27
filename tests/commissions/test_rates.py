"""What a credit earns: base, plan by the order's moment, one rounding, and a trace that says how."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affiliate.commissions.counters import Tally
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.orders import Item
from affiliate.commissions.rates import Order, Rated, Share, exchanges, plan_in_force, rate, recruiters_share
from affiliate.commissions.terms import Period, Plan, read, simple
from affiliate.currencies.convert import DayRates, Exchange, Rates
from affiliate.money import divide_half_even, exponent

DAY = datetime(2026, 11, 16, tzinfo=UTC)


def percent(rate_bps: int, *, since: datetime = DAY) -> Plan:
    return Plan(UUID(int=rate_bps), "Standard", read(simple(rate_bps=rate_bps)), since)


def fixed(fixed_minor: int) -> Plan:
    return Plan(UUID(int=1), "Flat", read(simple(fixed_minor=fixed_minor)), DAY)


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
        (order(currency="PLN"), percent(10_00), CommissionReason.NO_EXCHANGE_RATE),
        (order(currency="PLN"), None, CommissionReason.NO_PLAN),
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
        "discount_minor": 0,
        "base": {"with_tax": False, "with_shipping": False, "before_discount": False},
        "base_minor": 100_00,
        "plan": {
            "id": str(UUID(int=8_00)),
            "name": "Standard",
            "effective_from": "2026-11-16T00:00:00+00:00",
        },
        "whole_minor": 8_00,
        "exact": "8.00",
        "rounding": "half_even",
        "currency": "EUR",
        "paid_in": "EUR",
        "plan_in": "EUR",
        "counted_minor": 8_00,
        "groups": [
            {
                "skus": [],
                "base_minor": 100_00,
                "original_minor": 124_90,
                "rule": 0,
                "why": ["everybody"],
                "categories": [],
                "portions": [{"base_minor": 100_00, "above": 0, "rate_bps": 8_00, "fixed_minor": None}],
                "amount_minor": 8_00,
            }
        ],
        "caps": [],
        "counted": {},
        "amount_minor": 8_00,
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


# --- rules


def plan(*rules: dict[str, Any], **more: Any) -> Plan:
    return Plan(UUID(int=1), "Autumn", read({"rules": list(rules), **more}), DAY)


def basket(*lines: tuple[str, str, int], amount: int | None = None, **facts: Any) -> Order:
    items = tuple(Item(sku, category, minor) for sku, category, minor in lines)
    values: dict[str, Any] = {"tax_minor": 0, "shipping_minor": 0, "currency": "EUR", "items": items} | facts
    return Order(amount_minor=sum(item.amount_minor for item in items) if amount is None else amount, **values)


SHOES = {"when": {"categories": ["shoes"]}, "rate_bps": 12_00}
EVERYBODY = {"rate_bps": 8_00}


def groups(result: Rated) -> list[tuple[int, int, list[str]]]:
    return [(one["base_minor"], one["amount_minor"], one.get("why", [])) for one in result.trace["groups"]]


def test_a_basket_is_split_and_each_part_paid_by_its_rule() -> None:
    result = rated(basket(("a", "shoes", 100_00), ("b", "shirts", 50_00)), plan(EVERYBODY, SHOES))
    assert groups(result) == [(100_00, 12_00, ["category"]), (50_00, 4_00, ["everybody"])]
    assert result.amount_minor == 16_00


def test_items_with_tax_in_them_share_the_base_without_it() -> None:
    result = rated(basket(("a", "shoes", 119_00), ("b", "shirts", 119_00), tax_minor=38_00), plan(EVERYBODY, SHOES))
    assert groups(result) == [(100_00, 12_00, ["category"]), (100_00, 8_00, ["everybody"])]


def test_what_no_item_accounts_for_is_paid_by_the_widest_rule() -> None:
    result = rated(basket(("a", "shoes", 40_00), amount=100_00), plan(EVERYBODY, SHOES))
    assert groups(result) == [(40_00, 4_80, ["category"]), (60_00, 4_80, ["everybody"])]


def test_two_lines_of_one_article_stay_together() -> None:
    result = rated(basket(("a", "shoes", 40_00), ("a", "sale", 60_00)), plan(EVERYBODY, SHOES))
    assert groups(result) == [(100_00, 12_00, ["category"])]


def test_shipping_beside_the_items_earns_no_second_fixed_amount() -> None:
    both = {"rate_bps": 10_00, "fixed_minor": 1_00}
    assert rated(basket(("a", "x", 100_00), amount=105_00, shipping_minor=5_00), plan(both)).amount_minor == 11_00


def test_zero_is_an_answer_and_nothing_said_is_none() -> None:
    books = {"when": {"categories": ["books"]}, "rate_bps": 0}
    order = basket(("a", "books", 100_00))
    assert (rated(order, plan(EVERYBODY, books)).amount_minor, rated(order, plan(books)).reason) == (
        0,
        CommissionReason.PAYS_NOTHING,
    )
    fixed_only = {"when": {"categories": ["books"]}, "fixed_minor": 2_00}
    assert rated(order, plan(EVERYBODY, fixed_only)).amount_minor == 2_00  # its percentage is not the other rule's


def test_no_rule_for_an_order_is_a_reason_of_its_own() -> None:
    assert rated(basket(("a", "shirts", 1_00)), plan(SHOES)).reason is CommissionReason.NO_RULE


@pytest.mark.parametrize(
    ("base", "base_minor"),
    [
        ({}, 95_00),
        ({"with_tax": True}, 114_00),
        ({"with_shipping": True}, 100_00),
        ({"before_discount": True}, 105_00),
        ({"with_tax": True, "with_shipping": True, "before_discount": True}, 129_00),
    ],
)
def test_the_base_is_what_the_plan_says(base: dict[str, bool], base_minor: int) -> None:
    given = Order(119_00, 19_00, 5_00, "EUR", discount_minor=10_00)
    assert rated(given, plan(EVERYBODY, base=base)).base_minor == base_minor


def with_counts(given: Order, terms: Plan, **tally: int) -> Rated:
    before = dict.fromkeys(Period, Tally(**tally))
    return rate(order=given, share=Share(), plan=terms, currency="EUR", before=before)


def tiered(counts: str, mode: str, *steps: dict[str, Any]) -> Plan:
    return plan(EVERYBODY | {"tiers": {"counts": counts, "period": "month", "mode": mode, "steps": list(steps)}})


@pytest.mark.parametrize(
    ("terms", "tally", "amount_minor"),
    [
        (tiered("orders", "above", {"above": 10, "rate_bps": 10_00}), {"orders": 9}, 8_00),
        (tiered("orders", "above", {"above": 10, "rate_bps": 10_00}), {"orders": 10}, 10_00),
        (tiered("amount", "above", {"above": 500_00, "rate_bps": 10_00}), {"base_minor": 0}, 8_00),
        (tiered("amount", "above", {"above": 500_00, "rate_bps": 10_00}), {"base_minor": 450_00}, 9_00),  # 4.00 + 5.00
        (tiered("amount", "above", {"above": 500_00, "rate_bps": 10_00}), {"base_minor": 500_00}, 10_00),
        (tiered("amount", "all", {"above": 500_00, "rate_bps": 10_00}), {"base_minor": 450_00}, 10_00),
        (tiered("amount", "all", {"above": 500_00, "rate_bps": 10_00}), {"base_minor": 400_00}, 8_00),
        (
            tiered("amount", "above", {"above": 20_00, "rate_bps": 10_00}, {"above": 50_00, "rate_bps": 20_00}),
            {},
            1_60 + 3_00 + 10_00,
        ),
    ],
)
def test_volume_steps_pay_more_above_them(terms: Plan, tally: dict[str, int], amount_minor: int) -> None:
    result = with_counts(order(), terms, **tally)
    assert result.amount_minor == amount_minor
    portions = [portion for group in result.trace["groups"] for portion in group["portions"]]
    assert sum(portion["base_minor"] for portion in portions) == 100_00


def test_the_groups_of_one_order_climb_the_steps_one_after_the_other() -> None:
    steps = {"counts": "amount", "period": "month", "mode": "above", "steps": [{"above": 100_00, "rate_bps": 20_00}]}
    terms = plan(EVERYBODY | {"tiers": steps}, SHOES)
    result = with_counts(basket(("a", "shirts", 60_00), ("b", "shoes", 60_00)), terms, base_minor=80_00)
    assert groups(result) == [(60_00, 1_60 + 8_00, ["everybody"]), (60_00, 7_20, ["category"])]


@pytest.mark.parametrize(
    ("caps", "tally", "amount_minor", "bit"),
    [
        ({"order_minor": 5_00}, {}, 5_00, ["order_minor"]),
        ({"order_minor": 8_00}, {}, 8_00, []),
        ({"month_minor": 50_00}, {"earned_minor": 45_00}, 5_00, ["month_minor"]),
        ({"month_minor": 50_00}, {"earned_minor": 60_00}, 0, ["month_minor"]),
        ({"day_orders": 3}, {"orders": 2}, 8_00, []),
        ({"day_orders": 3}, {"orders": 3}, 0, ["day_orders"]),
        ({"total_minor": 9_00, "month_minor": 3_00}, {"earned_minor": 2_00}, 1_00, ["month_minor"]),
    ],
)
def test_caps_bite_where_they_are_reached_and_say_so(
    caps: dict[str, int], tally: dict[str, int], amount_minor: int, bit: list[str]
) -> None:
    result = with_counts(order(), plan(EVERYBODY, caps=caps), **tally)
    assert (result.amount_minor, [one["cap"] for one in result.trace["caps"]]) == (amount_minor, bit)
    assert (result.reason is CommissionReason.CAPPED) is (amount_minor == 0)


def test_bonuses_come_with_the_order_that_earns_them() -> None:
    terms = plan(EVERYBODY, bonuses=[{"orders": 1, "amount_minor": 5_00}, {"orders": 10, "amount_minor": 50_00}])
    earned = [with_counts(order(), terms, orders=before).amount_minor for before in (0, 1, 8, 9, 10)]
    assert earned == [13_00, 8_00, 8_00, 58_00, 8_00]


def test_a_recruiter_gets_a_part_of_the_partners_commission_group_by_group() -> None:
    terms = plan(EVERYBODY, SHOES, recruiter_bps=5_00)
    own = rated(basket(("a", "shoes", 100_00), ("b", "shirts", 50_00)), terms)
    share = recruiters_share(own, plan=terms)
    assert share is not None
    assert (share.amount_minor, [one["amount_minor"] for one in share.trace["groups"]]) == (80, [60, 20])
    assert recruiters_share(own, plan=plan(EVERYBODY)) is None


lines = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["shoes", "shirts", "books"]), st.integers(0, 10**7)),
    max_size=6,
)  # fmt: skip


@given(
    lines=lines,
    amount=st.integers(0, 10**8),
    tax=st.integers(0, 10**7),
    cap=st.one_of(st.none(), st.integers(1, 10**6)),
    cuts=st.lists(st.integers(0, 10_000), max_size=3),
)
def test_the_parts_of_any_order_add_up_and_no_item_counts_twice(
    lines: list[tuple[str, str, int]], amount: int, tax: int, cap: int | None, cuts: list[int]
) -> None:
    terms = plan(
        EVERYBODY | {"fixed_minor": 25}, SHOES, {"when": {"skus": ["b"]}, "rate_bps": 33_33},
        caps={"order_minor": cap} if cap else {},
    )  # fmt: skip
    given = basket(*lines, amount=amount, tax_minor=tax)
    result = rated(given, terms)
    found = result.trace["groups"]
    assert sum(group["base_minor"] for group in found) == result.base_minor
    assert sum(group["original_minor"] for group in found) == amount
    assert sum(group["amount_minor"] for group in found) == result.amount_minor
    assert min(group["amount_minor"] for group in found) >= 0
    skus = [sku for group in found for sku in group["skus"]]
    assert sorted(skus) == sorted({item.sku for item in given.items})
    marks = [0, *sorted(cuts), 10_000]
    shares = [rated(given, terms, Share(after - before, before)) for before, after in itertools.pairwise(marks)]
    assert sum(share.amount_minor for share in shares) == result.amount_minor


# --- another currency


def dollars(rate: Fraction, currency: str = "USD") -> Exchange:
    return Exchange(currency, "EUR", date(2026, 11, 13), "ecb", rate)


@pytest.mark.parametrize(
    ("given", "plan", "rate_", "amount_minor", "exact"),
    [
        (order(100_00, currency="USD"), percent(10_00), Fraction(9, 10), 9_00, "9.00"),
        (order(33_33, currency="USD"), percent(10_00), Fraction(2500, 2793), 2_98, "2.9833512352"),  # rounded once, at the end
        (order(100_00, currency="USD"), fixed(5_00), Fraction(9, 10), 5_00, "5.00"),  # a plan's amounts are in its program's
        (order(1_000, currency="JPY"), percent(10_00), Fraction(1, 160), 62, "0.625"),  # half a cent, to the even neighbour
        (order(1_000, currency="KWD"), percent(10_00), Fraction(3), 30, "0.30"),
    ],
)  # fmt: skip
def test_an_order_in_another_currency_is_paid_in_the_programs(
    given: Order, plan: Plan, rate_: Fraction, amount_minor: int, exact: str
) -> None:
    result = rate(order=given, share=Share(), plan=plan, currency="EUR", exchange=dollars(rate_, given.currency))
    assert (result.amount_minor, result.trace["exact"], result.reason) == (amount_minor, exact, None)
    assert (result.trace["currency"], result.trace["paid_in"]) == (given.currency, "EUR")
    assert (result.trace["exchange"]["day"], result.trace["exchange"]["source"]) == ("2026-11-13", "ecb")


def test_steps_by_amount_are_in_the_programs_currency_and_the_portions_in_the_orders() -> None:
    steps = {"counts": "amount", "period": "month", "mode": "above", "steps": [{"above": 90_00, "rate_bps": 20_00}]}
    plan = Plan(UUID(int=7), "Steps", read({"rules": [{"rate_bps": 10_00, "tiers": steps}]}), DAY)
    before = {Period.MONTH: Tally(1, 45_00, 4_50)}
    given = order(100_00, currency="USD")  # 90.00 in euros: half of it below the step
    result = rate(
        order=given, share=Share(), plan=plan, currency="EUR", before=before, exchange=dollars(Fraction(9, 10))
    )
    portions = result.trace["groups"][0]["portions"]
    assert [(one["base_minor"], one["above"]) for one in portions] == [(50_00, 0), (50_00, 90_00)]
    assert (result.base_minor, result.amount_minor) == (90_00, 4_50 + 9_00)


def fixing(yen: str, dinars: str, dollars: str = "1.25") -> Rates:
    """Rates of the day before, for a euro: currencies of no, three and two decimals."""
    return Rates([DayRates(date(2026, 11, 15), "ecb", {"JPY": yen, "KWD": dinars, "USD": dollars})])


def plan_in(currency: str | None, *rules: dict[str, Any], **more: Any) -> Plan:
    return Plan(UUID(int=7), "Abroad", read({"rules": list(rules), "currency": currency, **more}), DAY)


def abroad(given: Order, plan: Plan, *, paid_in: str = "EUR", known: Rates | None = None, **more: Any) -> Rated:
    """Rated as production does it: by the rates of the day before the order."""
    placed = replace(given, placed_at=DAY)
    how = exchanges(known or fixing("160", "0.25"), order=placed, plan=plan, currency=paid_in)
    return rate(order=placed, share=more.pop("share", Share()), plan=plan, currency=paid_in, **how, **more)


@pytest.mark.parametrize(
    ("given", "plan", "paid_in", "amount_minor", "exact"),
    [
        (order(100_00), plan_in("USD", {"fixed_minor": 5_00}), "EUR", 4_00, "4.00"),  # five dollars
        (order(100_00), plan_in("USD", {"rate_bps": 10_00, "fixed_minor": 5_00}), "EUR", 14_00, "14.00"),
        (order(125_00, currency="USD"), plan_in("USD", {"rate_bps": 10_00}), "EUR", 10_00, "10.00"),
        (order(1_000, currency="JPY"), plan_in("KWD", {"rate_bps": 10_00}), "EUR", 62, "0.625"),  # rounded once, at the end
        (order(100_00), plan_in("JPY", {"fixed_minor": 1_000}), "KWD", 1_562, "1.5625"),
        (order(100_00), plan_in("KWD", {"fixed_minor": 5}), "JPY", 3, "3.2"),
        (order(100_00), plan_in("USD", {"rate_bps": 50_00}, caps={"order_minor": 10_00}), "EUR", 8_00, "8.00"),
        (order(33_33), plan_in("JPY", {"rate_bps": 10_00}), "EUR", 3_33, "3.333"),  # out and back by one day's rates: the same
    ],
)  # fmt: skip
def test_a_plan_in_another_currency_is_paid_in_the_programs(
    given: Order, plan: Plan, paid_in: str, amount_minor: int, exact: str
) -> None:
    result = abroad(given, plan, paid_in=paid_in)
    assert (result.amount_minor, result.trace["exact"], result.reason) == (amount_minor, exact, None)
    assert (result.trace["plan_in"], result.trace["paid_in"]) == (plan.terms.currency, paid_in)
    assert (result.trace["paid_by"]["from"], result.trace["paid_by"]["day"]) == (plan.terms.currency, "2026-11-15")


def test_caps_counters_and_bonuses_are_in_the_plans_currency() -> None:
    bonus = [{"orders": 3, "amount_minor": 10_00}]
    plan = plan_in("USD", {"rate_bps": 10_00}, caps={"month_minor": 30_00}, bonuses=bonus)
    before = {Period.MONTH: Tally(2, 200_00, 15_00), Period.LIFETIME: Tally(2, 200_00, 15_00)}
    result = abroad(order(100_00), plan, before=before)  # 12.50 and 10.00 in dollars, of which 15.00 are left
    assert result.amount_minor == 12_00
    assert result.trace["caps"] == [{"cap": "month_minor", "limit": 30_00, "before": 15_00}]
    assert (result.counted.currency, result.counted.base_minor, result.counted.amount_minor) == ("USD", 125_00, 15_00)


def test_without_a_rate_out_of_the_plans_currency_nothing_is_paid_and_the_reason_says_so() -> None:
    result = abroad(order(100_00), plan_in("PLN", {"rate_bps": 10_00}))
    assert (result.amount_minor, result.reason) == (0, CommissionReason.NO_EXCHANGE_RATE)


_CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])  # two decimals, none, three
_RATES = st.integers(1, 10**6).map(lambda number: f"{number / 1000:.3f}")


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=6),
    st.tuples(st.integers(0, 100_00), st.integers(0, 10**4), st.integers(0, 100_00)),
    st.tuples(_CURRENCIES, _CURRENCIES, _CURRENCIES),
    st.builds(fixing, _RATES, _RATES),
)
def test_whatever_the_currencies_and_rates_the_parts_of_an_order_add_up_and_are_rounded_once(
    amounts: list[int], numbers: tuple[int, int, int], named: tuple[str, str, str], known: Rates
) -> None:
    (bps, fixed_minor, cut_at), (ordered_in, written_in, paid_in) = numbers, named
    items = tuple(Item(f"s{place}", None, minor) for place, minor in enumerate(amounts))
    given = Order(sum(amounts), 0, 0, ordered_in, items=items)
    rules = [{"rate_bps": bps, "fixed_minor": fixed_minor}, {"rate_bps": bps // 2, "when": {"skus": ["s0", "s2"]}}]
    plan = plan_in(written_in, *rules)
    shares = [Share(cut_at, 0), Share(10_000 - cut_at, cut_at)]
    parts = [abroad(given, plan, paid_in=paid_in, known=known, share=one) for one in shares]
    whole = abroad(given, plan, paid_in=paid_in, known=known)
    assert sum(part.amount_minor for part in parts) == whole.amount_minor
    groups = whole.trace["groups"]
    assert sum(group["amount_minor"] for group in groups) == whole.amount_minor
    assert sum(group["original_minor"] for group in groups) == given.amount_minor
    assert all(sum(one["base_minor"] for one in group["portions"]) == group["base_minor"] for group in groups if group["portions"])  # fmt: skip
    day = known.days[0]
    into, out = (_of(day, written_in) / _of(day, ordered_in), _of(day, paid_in) / _of(day, written_in))
    percent = sum(minor * (bps // 2 if place in {0, 2} else bps) for place, minor in enumerate(amounts))
    pays_fixed = len(amounts) > 1  # there is an article that the second rule does not pay
    exact = Fraction(percent, 10_000) * into * out + (fixed_minor * out if pays_fixed else 0)
    assert whole.amount_minor == divide_half_even(exact.numerator, exact.denominator)


def _of(day: DayRates, currency: str) -> Fraction:
    """Minor units of the currency for a euro."""
    found = day.of(currency)
    assert found is not None
    return found * 10 ** exponent(currency)


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    st.integers(1, 10**5),
    st.tuples(_CURRENCIES, _CURRENCIES),
    st.builds(fixing, _RATES, _RATES),
)
def test_a_cap_in_any_currency_holds_over_any_orders(
    amounts: list[int], cap: int, named: tuple[str, str], known: Rates
) -> None:
    """To the half of a minor unit for each order, by which what was paid is rounded back into the plan's currency."""
    written_in, paid_in = named
    plan = plan_in(written_in, {"rate_bps": 50_00}, caps={"total_minor": cap})
    tally, paid = Tally(), 0
    for minor in amounts:
        result = abroad(order(minor), plan, paid_in=paid_in, known=known, before={Period.LIFETIME: tally})
        tally = tally.plus(base_minor=result.counted.base_minor, earned_minor=result.counted.amount_minor)
        paid += result.amount_minor
    out = _of(known.days[0], paid_in) / _of(known.days[0], written_in)
    assert paid <= (cap + Fraction(len(amounts), 2)) * out
    assert tally.earned_minor <= cap


def test_each_level_of_recruiters_has_its_own_share_and_levels_must_be_switched_on() -> None:
    one_level = Plan(UUID(int=1), "One", read({"rules": [{"rate_bps": 10_00}], "recruiter_bps": 10_00}), DAY)
    more = {"rules": [{"rate_bps": 10_00}], "recruiter_bps": 10_00, "further_recruiters_bps": [5_00, 1_00]}
    three = Plan(UUID(int=2), "Three", read(more), DAY)

    def shares(plan: Plan) -> list[int | None]:
        found = [recruiters_share(rated(order(), plan), plan=plan, level=level) for level in (1, 2, 3, 4)]
        return [share and share.amount_minor for share in found]

    assert shares(one_level) == [1_00, None, None, None]
    assert shares(three) == [1_00, 50, 10, None]
