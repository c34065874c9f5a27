"""The system clock, read once at each edge (request, job, command) and passed down as `now`."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)
