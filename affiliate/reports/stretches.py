"""Which part of a period UTC days that are counted already cover, by themselves and in spans, and what is left of it. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
Stretch = tuple[datetime, datetime]
"""From one instant up to, not including, another."""


Days = tuple[date, date]
"""From one day up to, not including, another."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A period of which `days` and `spans` are added up already, and `rest` is read: the stretches around and between.

    Where that is asked for, something is outside of the period and has to be taken off: `over`, to be read, and `undone`, days of the
    spans that do not stand, as they are stored. These are among the rest.
    """

    days: Sequence[Days]
    rest: Sequence[Stretch]
    over: Sequence[Stretch] = ()
    spans: Sequence[Days] = ()
    undone: Sequence[Days] = ()


def covered(starts_at: datetime, ends_at: datetime, *, counted: Mapping[date, datetime]) -> Covered:
    """The period divided: together both parts are the period, and nothing is in both. A day is `counted` up to an instant of it, or its end."""
    days: list[tuple[date, date]] = []
    rest: list[Stretch] = []
    at = starts_at.astimezone(UTC)
    while at < ends_at:
        day = at.date()
        until = counted.get(day)
        if until is not None and at == begin(day) < until <= ends_at:
            first = days.pop()[0] if days and days[-1][1] == day else day
            days.append((first, day + _DAY))
        else:
            until = min(begin(day + _DAY), ends_at)
            first_at = rest.pop()[0] if rest and rest[-1][1] == at else at
            rest.append((first_at, until))
        at = until
    return Covered(days, rest)


def widened(starts_at: datetime, ends_at: datetime, *, counted: Mapping[date, datetime]) -> Covered:
    """`covered` with the days of which the period holds more than half, if they are counted to their end. What of these is outside is `over`.

    In a zone near UTC so two hours are read where it would be a day: the first hour of the period, and the one after its last.
    """
    first, last = begin(starts_at.astimezone(UTC).date()), begin(ends_at.astimezone(UTC).date())
    found_first = first if _mostly(first, starts_at, min(ends_at, first + _DAY), counted) else starts_at
    found_last = last + _DAY if _mostly(last, max(starts_at, last), ends_at, counted) else ends_at
    found = covered(found_first, found_last, counted=counted)
    over = [stretch for stretch in ((found_first, starts_at), (ends_at, found_last)) if stretch[0] < stretch[1]]
    return replace(found, over=over)


def _mostly(day: datetime, start: datetime, end: datetime, counted: Mapping[date, datetime]) -> bool:
    return counted.get(day.date()) == day + _DAY and end - start > _DAY / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one local day, by the day's number from `starts` on; `less`: the day that has it too much already, if any."""

    start: datetime
    end: datetime
    day: int
    less: int | None = None


def by_day(found: Covered, *, starts: Sequence[datetime]) -> tuple[list[tuple[date, int]], list[Piece]]:
    """What of a period to add up as UTC days, each with the local day that has most of it, and what to read.

    Local days begin at `starts`, one after the other. Of a UTC day that lies in two of them the smaller part is read: it belongs to
    the other one.
    """
    days: list[tuple[date, int]] = []
    pieces = [piece for stretch in found.rest for piece in _cut(stretch, starts)]
    cut_short = {start.date(): start for start, _end in found.rest}  # a day may be counted up to an instant of it
    for day in (one for first, end in found.days for one in _each(first, end)):
        parts = [*_cut((begin(day), cut_short.get(day, begin(day + _DAY))), starts)]
        most = max(parts, key=lambda part: part.end - part.start).day
        days.append((day, most))
        pieces += [replace(part, less=most) for part in parts if part.day != most]
    return days, pieces


def _cut(stretch: Stretch, starts: Sequence[datetime]) -> Iterator[Piece]:
    at, until = stretch
    number = bisect_right(starts, at) - 1
    while at < until:
        end = min(until, starts[number + 1]) if number + 1 < len(starts) else until
        yield Piece(at, end, number)
        at, number = end, number + 1


def side_by_side(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days as stretches of days, in their order: from one up to, not including, another."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        first = found.pop()[0] if found and found[-1][1] == day else day
        found.append((first, day + _DAY))
    return found


def with_spans(parts: Sequence[Covered], *, spans: Iterable[Days]) -> list[Covered]:
    """What stands of several sums of one period, in the same spans: the longest that fit beside one another, and the days around them.

    A span of which more than a third would have to be taken off again, of any of the sums, is left alone.
    """
    standing = [{day for stretch in part.days for day in _each(*stretch)} for part in parts]
    chosen: list[Days] = []
    for span in sorted(spans, key=lambda one: (one[0] - one[1], one[0])):
        days = [*_each(*span)]
        apart = all(span[1] <= other[0] or other[1] <= span[0] for other in chosen)
        fits = all(
            _holds(part, span) and 3 * len({*days} - there) <= len(days)
            for part, there in zip(parts, standing, strict=True)
        )
        if apart and fits:
            chosen.append(span)
    added_up = {day for span in chosen for day in _each(*span)}
    return [
        replace(part, days=side_by_side(there - added_up), spans=sorted(chosen), undone=side_by_side(added_up - there))
        for part, there in zip(parts, standing, strict=True)
    ]


def _holds(part: Covered, span: Days) -> bool:
    """Whether the days of a span lie in the period, and in what is over: nothing is missing between the ends of its parts."""
    starts = [begin(first) for first, _end in part.days] + [start for start, _end in part.rest]
    ends = [begin(end) for _first, end in part.days] + [end for _start, end in part.rest]
    return bool(starts) and min(starts) <= begin(span[0]) and begin(span[1]) <= max(ends)


def whole_days(starts_at: datetime, ends_at: datetime, *, until: date) -> Days | None:
    """The days that a period takes as whole ones (see `widened`) when all before `until` stand; null if there are none."""
    every = _each(starts_at.astimezone(UTC).date(), min(ends_at.astimezone(UTC).date() + _DAY, until))
    found = widened(starts_at, min(ends_at, begin(until)), counted={day: begin(day + _DAY) for day in every}).days
    return found[0] if found else None


def _each(first: date, end: date) -> Sequence[date]:
    return [first + number * _DAY for number in range((end - first).days)]


def hours(rest: Sequence[Stretch], *, counted: Mapping[date, datetime]) -> tuple[list[datetime], list[Stretch]]:
    """The hours of these stretches that are counted, each by its beginning, and what is left. The stretches end at whole hours."""
    told: list[datetime] = []
    left: list[Stretch] = []
    for start, end in rest:
        at = start
        while at < end:
            until = min(begin(at.date() + _DAY), end)
            if until <= counted.get(at.date(), at):
                told += [at + number * _HOUR for number in range((until - at) // _HOUR)]
            else:
                left.append((at, until))
            at = until
    return told, left


def begin(day: date) -> datetime:
    """The instant at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)
