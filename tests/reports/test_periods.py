"""Days in a time zone."""

from datetime import UTC, date, datetime

import pytest

from affiliate.reports.periods import BadPeriod, Period, last_days, start_of_year

LATE = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)  # already the 16th in Rome


def test_the_last_days_end_with_today_in_the_zone() -> None:
    assert last_days(1, now=LATE, zone="UTC").days == [date(2026, 11, 15)]
    assert last_days(2, now=LATE, zone="Europe/Rome").days == [date(2026, 11, 15), date(2026, 11, 16)]


def test_a_period_begins_and_ends_at_midnight_of_its_zone_also_when_clocks_change() -> None:
    october = Period(date(2026, 10, 25), date(2026, 10, 26), "Europe/Rome")  # 25 hours long
    assert october.starts_at == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert october.ends_at == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)
    assert october.day_of(datetime(2026, 10, 25, 22, 59, tzinfo=UTC)) == date(2026, 10, 25)
    assert october.day_of(october.ends_at) == date(2026, 10, 26)


def test_the_period_before_is_as_long_and_ends_where_this_one_begins() -> None:
    period = last_days(30, now=LATE, zone="UTC")
    assert period.before.end == period.first
    assert len(period.before.days) == 30


@pytest.mark.parametrize("end", [date(2026, 1, 1), date(2025, 12, 31), date(2027, 6, 1)])
def test_an_empty_or_endless_period_is_refused(end: date) -> None:
    with pytest.raises(BadPeriod):
        Period(date(2026, 1, 1), end, "UTC")


def test_the_year_begins_in_the_zone() -> None:
    assert start_of_year(now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), zone="Europe/Rome") == datetime(
        2026, 12, 31, 23, 0, tzinfo=UTC
    )
