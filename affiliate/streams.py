"""The event streams: their names and keys in Redis, one client with deadlines, and how far ingest has come."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from affiliate import settings

CLICKS = "aff:clicks"
ORDERS = "aff:orders"  # conversions, order events, refunds, and deliveries that were refused
GROUP = "ingest"
FIELD = b"e"
"""The one field of an entry: an event packed by `tracking.codec`."""

DEADLINE_SECONDS = 0.2
"""How long an edge waits for Redis before it goes on without."""


def fingerprint_key(identifier: UUID, trust: int) -> str:
    """Where the fingerprint of a body is kept for as long as Redis answers whether it is known."""
    return f"aff:fp:{identifier}:{trust}"


def raw_log_key(program_id: UUID) -> str:
    """The capped stream of a program's last requests."""
    return f"aff:raw:{program_id}"


def client(*, deadline_seconds: float = DEADLINE_SECONDS) -> redis.Redis:
    """The client of this process for the event streams; a consumer that blocks needs a longer deadline.

    No retry: an append whose answer was cut may have happened, and doing it again would store the event twice.
    """
    return _client(settings.current().stream_url, deadline_seconds)


@lru_cache(maxsize=8)
def _client(url: str, deadline_seconds: float) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=deadline_seconds,
        socket_connect_timeout=deadline_seconds,
        retry=Retry(NoBackoff(), 0),
    )


def clicks_ingested_until(connection: redis.Redis, *, now: datetime) -> datetime:
    """Every click that arrived before this instant is a row: `now` when nothing waits, else the oldest waiting entry's time.

    A stuck entry holds this back; whoever waits for it waits no longer than a limit of its own.
    """
    waiting = _oldest_waiting(connection)
    if waiting is None:
        return now
    milliseconds = int(waiting.partition(b"-")[0])
    return min(now, datetime.fromtimestamp(milliseconds / 1000, tz=UTC))


def _oldest_waiting(connection: redis.Redis) -> bytes | None:
    """The id of the oldest entry that is delivered and not acknowledged, or not delivered yet."""
    delivered: bytes | str = b"-"
    try:
        groups: list[dict[str, Any]] = connection.xinfo_groups(CLICKS)
    except redis.ResponseError:  # no stream yet
        return None
    for group in groups:
        if group["name"] == GROUP.encode():
            pending = connection.xpending(CLICKS, GROUP)
            if pending["pending"]:
                return _bytes(pending["min"])
            delivered = b"(" + _bytes(group["last-delivered-id"])
    following: Any = connection.xrange(CLICKS, min=delivered, count=1)
    return _bytes(following[0][0]) if following else None


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
