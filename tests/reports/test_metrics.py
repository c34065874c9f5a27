"""The dictionary of metrics: formulas, unknowns, changes."""

from decimal import Decimal

import pytest

from affiliate.money import MixedCurrencies, Money
from affiliate.reports.metrics import METRICS, Facts, Value, change_bps, total

FACTS = Facts(
    "EUR", clicks_raw=4812, clicks_valid=4530, conversions=118, revenue_minor=748_120, earned_minor=435_25,
    reversed_minor=14_75, new_customers=30, known_customers=80, margin_bps=3000, grades=3, grades_sum=1300,
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("clicks_raw", 4812),
        ("clicks_valid", 4530),
        ("conversions", 118),
        ("conversion_rate", 260),
        ("epc", Decimal("0.096")),
        ("rpc", Decimal("1.651")),
        ("aov", Money(63_40, "EUR")),
        ("revenue", Money(7481_20, "EUR")),
        ("earnings", Money(435_25, "EUR")),
        ("cost", Money(435_25, "EUR")),
        ("ecpa", Money(3_69, "EUR")),
        ("roas", 171883),
        ("roi", 161883),
        ("margin", Money(1809_11, "EUR")),
        ("reversal_rate", 328),
        ("new_share", 3750),
        ("new_customers", 30),
        ("rating", Decimal("4.33")),
    ],
)
def test_a_metric_follows_from_what_was_counted(key: str, value: Value) -> None:
    assert METRICS[key].of(FACTS) == value


def test_every_metric_is_in_the_table_above() -> None:
    assert len(METRICS) == 18
    assert all(metric.label and metric.help_text and metric.formula for metric in METRICS.values())


def test_without_clicks_a_rate_is_unknown_and_not_zero() -> None:
    quiet = Facts("EUR")
    unknown = (
        "conversion_rate",
        "epc",
        "rpc",
        "aov",
        "ecpa",
        "roas",
        "roi",
        "margin",
        "reversal_rate",
        "new_share",
        "rating",
    )
    assert [METRICS[key].of(quiet) for key in unknown] == [None] * len(unknown)
    assert METRICS["earnings"].of(quiet) == Money(0, "EUR")


def test_earnings_per_click_have_one_decimal_more_than_the_currency() -> None:
    assert METRICS["epc"].of(Facts("JPY", clicks_valid=3, earned_minor=100)) == Decimal("33.3")


def test_facts_add_up_and_currencies_do_not_mix() -> None:
    twice = total([FACTS, FACTS], currency="EUR")
    assert (twice.conversions, twice.reversed_minor, twice.new_customers, twice.known_customers) == (
        236,
        29_50,
        60,
        160,
    )
    assert twice.margin_bps == FACTS.margin_bps
    assert total([], currency="EUR") == Facts("EUR")
    with pytest.raises(MixedCurrencies):
        total([FACTS, Facts("PLN")], currency="EUR")


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (112, 100, 1200),
        (Money(90, "EUR"), Money(100, "EUR"), -1000),
        (Decimal("0.096"), Decimal("0.080"), 2000),
        (5, 0, None),
        (5, None, None),
        (None, 5, None),
        (Money(5, "EUR"), Money(-5, "EUR"), None),
    ],
)
def test_a_change_is_told_in_basis_points_of_the_earlier_value(now: Value, before: Value, change: int | None) -> None:
    assert change_bps(now, before) == change
