"""When a report comes by mail, and which days it is about. Pure."""

import enum
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from affiliate.reports import periods
from affiliate.reports.periods import Period

_DAYS_LOOKED_AT = 32


class Every(enum.StrEnum):
    """How often a report comes."""

    DAY = "day"
    WEEK = "week"  # on Mondays
    MONTH = "month"  # on the 1st


def next_at(every: Every, *, hour: int, zone: str, after: datetime) -> datetime:
    """The first instant after `after` at which a report is due, in UTC. An hour that the clocks leave out comes one later."""
    first = after.astimezone(ZoneInfo(zone)).date()
    days = (first + timedelta(days=number) for number in range(_DAYS_LOOKED_AT))
    return next(
        at for day in days if _falls_on(every, day) and (at := periods.instant(day, time(hour), zone=zone)) > after
    )


def covered(every: Every, *, due_at: datetime, zone: str) -> Period:
    """The days that a report due at this instant is about: yesterday, the week or the month that just ended."""
    end = due_at.astimezone(ZoneInfo(zone)).date()
    if every is Every.DAY:
        return Period(end - timedelta(days=1), end, zone)
    if every is Every.WEEK:
        return Period(end - timedelta(days=7), end, zone)
    end = end.replace(day=1)
    return Period((end - timedelta(days=1)).replace(day=1), end, zone)


def _falls_on(every: Every, day: date) -> bool:
    return every is Every.DAY or (day.weekday() == 0 if every is Every.WEEK else day.day == 1)
