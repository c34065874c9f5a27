"""A period is divided into counted days and the rest: nothing is left out, nothing is twice."""

from bisect import bisect_right
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from affiliate.reports import stretches
from affiliate.reports.stretches import covered

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
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


spans = st.sets(
    st.tuples(st.integers(0, 9), st.integers(1, 10)).map(
        lambda one: (FIRST.date() + one[0] * DAY, FIRST.date() + sum(one) * DAY)
    )
)


@given(ends=st.tuples(moments, moments).map(sorted), counted=st.tuples(days, days), spans=spans)
def test_in_spans_the_period_is_all_parts_less_what_is_over_and_undone(
    ends: list[datetime], counted: tuple[set[date], set[date]], spans: set[stretches.Days]
) -> None:
    starts_at, ends_at = ends
    parts = [stretches.widened(starts_at, ends_at, counted=whole(*some)) for some in counted]
    found = stretches.with_spans(parts, spans=spans)
    assert found[0].spans == found[1].spans
    for part, there in zip(found, counted, strict=True):
        more = [*map(instants, [*part.days, *part.spans]), *part.rest]
        less = [*part.over, *map(instants, part.undone)]
        for number in range(21 * 24):
            at = FIRST + timedelta(hours=number)
            times = sum(start <= at < end for start, end in more) - sum(start <= at < end for start, end in less)
            assert times == (starts_at <= at < ends_at)
        assert {*part.spans} <= spans
        for first, end in part.undone:
            assert {first + number * DAY for number in range((end - first).days)}.isdisjoint(there)


def instants(span: stretches.Days) -> stretches.Stretch:
    return stretches.begin(span[0]), stretches.begin(span[1])


def test_the_longest_spans_are_taken_and_those_of_which_too_much_does_not_stand_are_not() -> None:
    every = [FIRST.date() + number * DAY for number in range(10)]
    week, longer, rest = (every[0], every[7]), (every[1], every[9]), (every[7], every[9])
    period = stretches.widened(FIRST, FIRST + 10 * DAY, counted=whole(*every))
    (found,) = stretches.with_spans([period], spans=[week, longer, rest])
    assert (found.spans, found.days, found.rest) == ([longer], [(every[0], every[1]), (every[9], every[9] + DAY)], [])
    two = stretches.widened(FIRST, FIRST + 10 * DAY, counted=whole(*every[:3], *every[5:]))
    (found,) = stretches.with_spans([two], spans=[longer])
    assert (found.spans, found.undone, found.rest) == ([longer], [(every[3], every[5])], two.rest)
    three = stretches.widened(FIRST, FIRST + 10 * DAY, counted=whole(*every[:3], *every[6:]))
    (found,) = stretches.with_spans([three], spans=[longer])
    assert (found.spans, found.undone, found.days) == ([], [], three.days)


@given(shift=st.integers(-52, 52), counted=days, lost=st.integers(0, 9), hours=st.integers(1, 24))
def test_every_day_of_a_zone_is_its_utc_days_and_pieces_less_what_is_of_others(
    shift: int, counted: set[date], lost: int, hours: int
) -> None:
    """Clocks go back an hour before one of the days. The last of those that are counted may be so in part."""
    quarter = timedelta(minutes=15)
    starts = [FIRST + shift * quarter + number * DAY + (number >= lost) * 4 * quarter for number in range(10)]
    ends_at = starts[-1] + DAY
    until = whole(*counted)
    until |= {day: stretches.begin(day) + timedelta(hours=hours) for day in sorted(counted)[-1:]}
    found = stretches.by_day(covered(starts[0], ends_at, counted=until), starts=starts)
    for number in range(-60, 12 * 24 * 4):
        at = FIRST + number * quarter
        times = Counter(of for day, of in found[0] if stretches.begin(day) <= at < until[day])
        for piece in found[1]:
            if piece.start <= at < piece.end:
                times[piece.day] += 1
                times.subtract([] if piece.less is None else [piece.less])
        of_day = bisect_right(starts, at) - 1
        assert +times == (Counter([of_day]) if starts[0] <= at < ends_at else Counter())
        assert all(left >= 0 for left in times.values())


def test_whole_days_of_a_period_are_those_that_it_takes_and_that_are_over() -> None:
    today = FIRST.date() + 9 * DAY
    rome = stretches.whole_days(FIRST - timedelta(hours=2), FIRST + 12 * DAY - timedelta(hours=2), until=today)
    assert rome == (FIRST.date(), today)
    new_york = stretches.whole_days(FIRST + timedelta(hours=5), FIRST + 2 * DAY + timedelta(hours=5), until=today)
    assert new_york == (FIRST.date(), FIRST.date() + 2 * DAY)
    assert stretches.whole_days(FIRST + 9 * DAY, FIRST + 12 * DAY, until=today) is None
    assert stretches.whole_days(FIRST + 8 * DAY + timedelta(hours=22), FIRST + 12 * DAY, until=today) is None


def test_hours_of_counted_days_are_told_and_the_others_are_left() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    rest = [(FIRST + 22 * hour, FIRST + day), (FIRST + 4 * day, FIRST + 5 * day + 2 * hour)]
    told, left = stretches.hours(rest, counted=whole(FIRST.date(), (FIRST + 5 * day).date()))
    assert told == [FIRST + 22 * hour, FIRST + 23 * hour, FIRST + 5 * day, FIRST + 5 * day + hour]
    assert left == [(FIRST + 4 * day, FIRST + 5 * day)]
