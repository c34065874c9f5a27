"""Days as people count them: whole days in one time zone, half-open, bounded. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS_MAX = 400
"""The most days that one report covers."""


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
    def before(self) -> "Period":
        """As many days, just before this period: what it is compared with."""
        return Period(self.first - (self.end - self.first), self.first, self.zone)

    def day_of(self, moment: datetime) -> date:
        """The day that an instant falls on, in this zone."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


def last_days(days: int, *, now: datetime, zone: str) -> Period:
    """The last `days` days up to and with today."""
    end = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return Period(end - timedelta(days=days), end, zone)


def start_of_year(*, now: datetime, zone: str) -> datetime:
    """The instant at which the current year began in the zone, in UTC."""
    return _midnight(now.astimezone(ZoneInfo(zone)).date().replace(month=1, day=1), zone)


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
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
