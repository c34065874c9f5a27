"""A period is divided into counted days and the rest: nothing is left out, nothing is twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from affiliate.reports import stretches
from affiliate.reports.stretches import covered

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 10 * 24 * 4).map(lambda quarters: FIRST + timedelta(minutes=15 * quarters))
days = st.sets(st.integers(0, 10).map(lambda number: FIRST.date() + timedelta(days=number)))


def whole(*days: date) -> dict[date, datetime]:
    """Days that are counted to their end."""
    return {day: stretches.begin(day + timedelta(days=1)) for day in days}


def test_whole_counted_days_are_joined_and_the_ends_are_read() -> None:
    counted = whole(date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 5))
    found = covered(FIRST + timedelta(hours=22), FIRST + timedelta(days=4, hours=3), counted=counted)
    assert found.days == [(date(2026, 3, 2), date(2026, 3, 4))]
    assert found.rest == [
        (FIRST + timedelta(hours=22), FIRST + timedelta(days=1)),
        (FIRST + timedelta(days=3), FIRST + timedelta(days=4, hours=3)),
    ]


@given(ends=st.tuples(moments, moments).map(sorted), counted=days)
def test_both_parts_together_are_the_period(ends: list[datetime], counted: set[date]) -> None:
    starts_at, ends_at = ends
    found = covered(starts_at, ends_at, counted=whole(*counted))
    of_days = [(stretches.begin(first), stretches.begin(end)) for first, end in found.days]
    parts = sorted([*of_days, *found.rest])
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert (parts[0][0], parts[-1][1]) == (starts_at, ends_at) if parts else starts_at == ends_at
    for first, end in found.days:
        assert {first + timedelta(days=number) for number in range((end - first).days)} <= counted


@given(ends=st.tuples(moments, moments).map(sorted), counted=days)
def test_with_whole_days_at_the_ends_the_period_is_both_parts_less_what_is_over(
    ends: list[datetime], counted: set[date]
) -> None:
    starts_at, ends_at = ends
    found = stretches.widened(starts_at, ends_at, counted=whole(*counted))
    of_days = [(stretches.begin(first), stretches.begin(end)) for first, end in found.days]
    held = [*of_days, *found.rest]
    for number in range(11 * 24 * 4):
        at = FIRST + timedelta(minutes=15 * number)
        times = sum(start <= at < end for start, end in held) - sum(start <= at < end for start, end in found.over)
        assert times == (starts_at <= at < ends_at)
    for first, end in found.days:
        assert {first + timedelta(days=number) for number in range((end - first).days)} <= counted
    assert all(end - start < timedelta(hours=12) for start, end in found.over)


def test_the_last_day_of_a_period_near_utc_is_added_up_and_its_last_hour_read() -> None:
    hour, last = timedelta(hours=1), FIRST + timedelta(days=2)
    counted = whole(*(FIRST.date() + timedelta(days=number) for number in range(3)))
    found = stretches.widened(FIRST - hour, last + 23 * hour, counted=counted)
    assert found.days == [(FIRST.date(), date(2026, 3, 4))]
    assert (found.rest, found.over) == ([(FIRST - hour, FIRST)], [(last + 23 * hour, last + 24 * hour)])
    today = stretches.widened(FIRST, last + 17 * hour, counted=counted | {last.date(): last + 16 * hour})
    assert (today.rest, today.over) == ([(last + 16 * hour, last + 17 * hour)], [])  # as far as it is counted


def test_a_day_that_is_counted_in_part_is_read_from_there() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    counted = whole(FIRST.date()) | {(FIRST + day).date(): FIRST + day + 17 * hour}
    found = covered(FIRST, FIRST + 2 * day, counted=counted)
    assert found.days == [(FIRST.date(), (FIRST + 2 * day).date())]
    assert found.rest == [(FIRST + day + 17 * hour, FIRST + 2 * day)]
    too_late = covered(FIRST, FIRST + day + 9 * hour, counted=counted)  # ends before what is counted does
    assert too_late.rest == [(FIRST + day, FIRST + day + 9 * hour)]


def test_a_week_stands_while_its_days_and_their_versions_do() -> None:
    monday = date(2026, 3, 2)
    days = [monday + timedelta(days=number) for number in range(-1, 9)]
    found = covered(FIRST, FIRST + timedelta(days=10), counted=whole(*days))
    versions = dict.fromkeys(days, 2)
    together = stretches.by_weeks(found, versions=versions, weeks={monday: 14})
    assert (together.weeks, together.days, together.rest) == ([monday], found.days, [])
    assert together.loose == [(days[0], monday), (days[8], days[9] + timedelta(days=1))]
    changed = versions | {monday: 3}
    assert stretches.by_weeks(found, versions=changed, weeks={monday: 14}).weeks == []
    broken = covered(FIRST, FIRST + timedelta(days=10), counted=whole(*days[:3], *days[4:]))
    assert stretches.by_weeks(broken, versions=versions, weeks={monday: 14}).weeks == []
    assert broken.loose == broken.days


def test_hours_of_counted_days_are_told_and_the_others_are_left() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    rest = [(FIRST + 22 * hour, FIRST + day), (FIRST + 4 * day, FIRST + 5 * day + 2 * hour)]
    told, left = stretches.hours(rest, counted={FIRST.date(), (FIRST + 5 * day).date()})
    assert told == [FIRST + 22 * hour, FIRST + 23 * hour, FIRST + 5 * day, FIRST + 5 * day + hour]
    assert left == [(FIRST + 4 * day, FIRST + 5 * day)]
