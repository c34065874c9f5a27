"""Days as people count them: whole days in one time zone, half-open, bounded. Pure."""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS_MAX = 400
"""The most days that one report covers."""
_YEAR = timedelta(weeks=52)


class BadPeriod(ValueError):  # noqa: N818 - read as a kind
    """The period is empty, runs backwards, or is longer than `DAYS_MAX` days."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to, not including, `end`, cut in `zone`."""

    first: date
    end: date
    zone: str

    def __post_init__(self) -> None:
        if not 0 < (self.end - self.first).days <= DAYS_MAX:
            raise BadPeriod(f"{self.first} to {self.end}")

    @property
    def days(self) -> list[date]:
        """Every day of the period, in order."""
        return [self.first + timedelta(days=number) for number in range((self.end - self.first).days)]

    @property
    def starts_at(self) -> datetime:
        """The instant at which the first day begins, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The instant at which the last day is over, in UTC."""
        return _midnight(self.end, self.zone)

    @property
    def stretches(self) -> list[tuple[datetime, datetime]]:
        """The whole of it as one stretch of time."""
        return [(self.starts_at, self.ends_at)]

    @property
    def before(self) -> "Period":
        """As many days, just before this period: what it is compared with."""
        return Period(self.first - (self.end - self.first), self.first, self.zone)

    @property
    def a_year_before(self) -> "Period":
        """The same days a year earlier, as many of them: 364 days, so that weekdays meet their like."""
        return Period(self.first - _YEAR, self.end - _YEAR, self.zone)

    def day_of(self, moment: datetime) -> date:
        """The day that an instant falls on, in this zone."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


def last_days(days: int, *, now: datetime, zone: str) -> Period:
    """The last `days` days up to and with today."""
    end = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return Period(end - timedelta(days=days), end, zone)


class Span(enum.StrEnum):
    """Days that move with the calendar: what a report that is kept is about."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    YEAR = "365d"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


_DAYS_OF = {Span.TODAY: 1, Span.WEEK: 7, Span.MONTH: 30, Span.QUARTER: 90, Span.YEAR: 365}


def spanned(span: Span, *, now: datetime, zone: str) -> Period:
    """The days of a span as they are at this moment."""
    if span in _DAYS_OF:
        return last_days(_DAYS_OF[span], now=now, zone=zone)
    today = last_days(1, now=now, zone=zone)
    if span is Span.YESTERDAY:
        return today.before
    of_month = Period(today.first.replace(day=1), today.end, zone)
    if span is Span.THIS_MONTH:
        return of_month
    return Period((of_month.first - timedelta(days=1)).replace(day=1), of_month.first, zone)


def start_of_year(*, now: datetime, zone: str) -> datetime:
    """The instant at which the current year began in the zone, in UTC."""
    return _midnight(now.astimezone(ZoneInfo(zone)).date().replace(month=1, day=1), zone)


def instant(day: date, hour: time, *, zone: str) -> datetime:
    """The instant at which the zone's clocks show this hour of this day, in UTC."""
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)


def start_of_day(day: date, *, zone: str) -> datetime:
    """The instant at which a day begins in the zone, in UTC."""
    return _midnight(day, zone)


def end_of_day(day: date, *, zone: str) -> datetime:
    """The instant at which a day is over in the zone, in UTC; not part of the day itself."""
    return _midnight(day + timedelta(days=1), zone)


def last_day_before(moment: datetime, *, zone: str) -> date:
    """The day in the zone to which the instant just before `moment` belongs: the last day of something that ends then."""
    return (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def _midnight(day: date, zone: str) -> datetime:
    return instant(day, time(), zone=zone)
