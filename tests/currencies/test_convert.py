"""From one currency to another: which day counts, and that nothing is rounded."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from affiliate.currencies.convert import DayRates, Rates

FRIDAY, MONDAY = date(2026, 10, 30), date(2026, 11, 2)
KNOWN = Rates(
    [
        DayRates(FRIDAY, "ecb", {"USD": "1.1172", "PLN": "4.4038", "JPY": "175.68", "KWD": "0.3400"}),
        DayRates(MONDAY, "ecb", {"USD": "1.1200", "PLN": "4.4000"}),
    ]
)


def at(day: int, hour: int = 12, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [(at(2, 23), FRIDAY), (at(3, 0), MONDAY), (at(31, month=10), FRIDAY), (at(20), MONDAY)],
)
def test_the_newest_day_before_the_order_counts(moment: datetime, day: date) -> None:
    found = KNOWN.exchange(currency="USD", to="EUR", at=moment)
    assert found is not None
    assert found.day == day


@pytest.mark.parametrize(
    ("currency", "moment"),
    [
        ("USD", at(30, 23, month=10)),  # nothing is known before
        ("USD", at(3, month=12)),  # a month old
        ("XAU", at(3)),
    ],
)
def test_without_a_rate_that_is_fresh_enough_there_is_none(currency: str, moment: datetime) -> None:
    assert KNOWN.exchange(currency=currency, to="EUR", at=moment) is None


def test_a_day_that_lacks_one_of_the_two_is_passed_over() -> None:
    found = KNOWN.exchange(currency="JPY", to="PLN", at=at(5))
    assert found is not None
    assert found.day == FRIDAY


@pytest.mark.parametrize(
    ("currency", "to", "factor"),
    [
        ("USD", "EUR", Fraction(10_000, 11_172)),
        ("USD", "PLN", Fraction(44_038, 11_172)),
        ("JPY", "EUR", Fraction(100 * 100, 17_568)),  # a yen has no decimals
        ("EUR", "KWD", Fraction(34, 100) * 10),  # a dinar has three
    ],
)
def test_minor_units_become_minor_units_exactly(currency: str, to: str, factor: Fraction) -> None:
    found = KNOWN.exchange(currency=currency, to=to, at=at(1))
    assert found is not None
    assert found.factor == factor


def test_what_was_done_is_told_with_rate_day_and_source() -> None:
    found = KNOWN.exchange(currency="USD", to="EUR", at=at(1))
    assert found is not None
    assert found.told() == {
        "from": "USD", "to": "EUR", "rate": "0.89509488", "exact": "2500/2793", "day": "2026-10-30", "source": "ecb",
    }  # fmt: skip
