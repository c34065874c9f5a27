"""A report is due at the hour of its zone, whatever the clocks do, and is about days that are over."""

from datetime import UTC, date, datetime

import pytest

from affiliate.reports.periods import Period, Span, spanned
from affiliate.reports.timetable import Every, covered, next_at

MONDAY_NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "hour", "expected"),
    [
        (Every.DAY, 14, datetime(2026, 11, 16, 13, 0, tzinfo=UTC)),
        (Every.DAY, 13, datetime(2026, 11, 17, 12, 0, tzinfo=UTC)),  # it is 13:00 in Rome now
        (Every.WEEK, 8, datetime(2026, 11, 23, 7, 0, tzinfo=UTC)),
        (Every.MONTH, 0, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_the_first_one_after_now(every: Every, hour: int, expected: datetime) -> None:
    assert next_at(every, hour=hour, zone="Europe/Rome", after=MONDAY_NOON) == expected


def test_an_hour_that_the_clocks_leave_out_comes_one_later() -> None:
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert next_at(Every.DAY, hour=2, zone="Europe/Rome", after=before) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "first"),
    [(Every.DAY, date(2026, 2, 28)), (Every.WEEK, date(2026, 2, 22)), (Every.MONTH, date(2026, 2, 1))],
)
def test_it_is_about_days_that_are_over(every: Every, first: date) -> None:
    due_at = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)
    assert covered(every, due_at=due_at, zone="Europe/Rome") == Period(first, date(2026, 3, 1), "Europe/Rome")


def test_days_that_move_with_the_calendar_are_those_of_the_zone() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # the 1st of March in Rome
    days = {span: spanned(span, now=late, zone="Europe/Rome") for span in Span}
    assert (days[Span.TODAY].first, days[Span.TODAY].end) == (date(2026, 3, 1), date(2026, 3, 2))
    assert (days[Span.YESTERDAY].first, days[Span.YESTERDAY].end) == (date(2026, 2, 28), date(2026, 3, 1))
    assert (days[Span.LAST_MONTH].first, days[Span.LAST_MONTH].end) == (date(2026, 2, 1), date(2026, 3, 1))
    assert (days[Span.THIS_MONTH].first, days[Span.THIS_MONTH].end) == (date(2026, 3, 1), date(2026, 3, 2))
