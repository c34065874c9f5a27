"""Which part of a period UTC days and weeks that are counted already cover, and what is left of it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

_DAY, _WEEK, _HOUR = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
Stretch = tuple[datetime, datetime]
"""From one instant up to, not including, another."""


@dataclass(frozen=True, slots=True)
class Covered:
    """`days`: from one day up to, not including, another, each counted. `rest`: the stretches around and between, each to be read.

    `weeks`: the Mondays of weeks that are added up already, where they are asked for; their days are among `days`, too.
    `over`: what of `days` is outside the period, where that is asked for: to be read, and taken off.
    """

    days: Sequence[tuple[date, date]]
    rest: Sequence[Stretch]
    weeks: Sequence[date] = ()
    over: Sequence[Stretch] = ()

    @property
    def loose(self) -> list[tuple[date, date]]:
        """The days that are in none of the weeks."""
        every = (day for first, end in self.days for day in _each(first, end))
        return side_by_side(day for day in every if day - timedelta(days=day.weekday()) not in self.weeks)


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


def side_by_side(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days as stretches of days, in their order: from one up to, not including, another."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        first = found.pop()[0] if found and found[-1][1] == day else day
        found.append((first, day + _DAY))
    return found


def by_weeks(found: Covered, *, versions: Mapping[date, int], weeks: Mapping[date, int]) -> Covered:
    """The same with the weeks that stand as one. `versions` are those of the days, `weeks` what those of a week's were in sum."""
    every = [day for first, end in found.days for day in _each(first, end)]
    there = {*every}
    whole = [
        monday
        for monday in every
        if monday in weeks
        and there.issuperset(_each(monday, monday + _WEEK))
        and weeks[monday] == sum(versions[day] for day in _each(monday, monday + _WEEK))
    ]
    return replace(found, weeks=whole)


def _each(first: date, end: date) -> Sequence[date]:
    return [first + number * _DAY for number in range((end - first).days)]


def hours(rest: Sequence[Stretch], *, counted: Collection[date]) -> tuple[list[datetime], list[Stretch]]:
    """The hours of these stretches that lie in counted days, each by its beginning, and what is left. The stretches end at whole hours."""
    told: list[datetime] = []
    left: list[Stretch] = []
    for start, end in rest:
        at = start
        while at < end:
            until = min(begin(at.date() + _DAY), end)
            if at.date() in counted:
                told += [at + number * _HOUR for number in range((until - at) // _HOUR)]
            else:
                left.append((at, until))
            at = until
    return told, left


def begin(day: date) -> datetime:
    """The instant at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)
