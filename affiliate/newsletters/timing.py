"""When a newsletter reaches its readers: wall clocks of their own, and quiet hours. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNDO = timedelta(minutes=10)
"""How long a sending can be taken back after it was ordered."""

QUIET_FROM, QUIET_UNTIL = time(21), time(8)
"""Nobody gets a newsletter between these hours of their own day, unless the issue says so."""

_EASTMOST = timedelta(hours=14)  # the zone whose day begins first


def release_at(*, send_at: datetime | None, send_wall: datetime | None, now: datetime) -> datetime:
    """When the readers are fixed and the first mail may leave: not before the time to think again is over."""
    first = send_at or now
    if send_wall is not None:
        first = send_wall.replace(tzinfo=UTC) - _EASTMOST
    return max(first, now + UNDO)


def due_at(
    *, send_at: datetime | None, send_wall: datetime | None, zone: str, keeps_quiet_hours: bool, not_before: datetime
) -> datetime:
    """When one reader's mail is due. A wall clock that is over already means at once."""
    place = _zone(zone)
    due = send_wall.replace(tzinfo=place).astimezone(UTC) if send_wall is not None else (send_at or not_before)
    due = max(due, not_before)
    return _after_quiet(due, place) if keeps_quiet_hours else due


def not_at_night(at: datetime, *, zone: str) -> datetime:
    """When a mail may leave that would leave at this moment: by day then, else the next morning in the reader's zone."""
    return _after_quiet(at, _zone(zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _after_quiet(due: datetime, place: ZoneInfo) -> datetime:
    local = due.astimezone(place)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return due
    day = local.date() + timedelta(days=1) if local.time() >= QUIET_FROM else local.date()
    return datetime.combine(day, QUIET_UNTIL, place).astimezone(UTC)
