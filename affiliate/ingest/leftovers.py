"""Entries that a consumer took and did not finish: found by idle time, claimed in ever smaller batches, at last one by one.

Whoever was killed is gone because of the machine, or because of an event. Redis counts how often an entry was delivered, so an
entry that comes back again and again is tried in smaller company, and in the end alone. One that was tried alone and took the
process down each time is put aside: no event can stop the others.
"""

from collections.abc import Sequence
from typing import Any

import redis

from affiliate import streams
from affiliate.ingest.taking import Entry

_SMALLER = 10
_ROUNDS_MAX = 3  # another consumer may be quicker, and an entry may have been deleted
ALONE_MAX = 2  # so often may the process end over one entry before it is put aside


def claim(
    connection: redis.Redis, stream: str, *, name: str, idle_seconds: float, limit: int, own: bool = False
) -> list[Entry]:
    """Claim the oldest entries that nobody worked on for so long (with `own`: those still under this very name).

    At most `limit` of an entry's first delivery, a tenth of that for each delivery before. Who asks at the same time gets others.
    """
    idle_ms = int(idle_seconds * 1000)
    for _ in range(_ROUNDS_MAX):
        waiting: Any = connection.xpending_range(
            stream, streams.GROUP, "-", "+", limit, consumername=name if own else None, idle=idle_ms
        )
        if not waiting:
            return []
        keys, deliveries = _alike(waiting, limit)
        claimed: Any = connection.xclaim(stream, streams.GROUP, name, min_idle_time=idle_ms, message_ids=keys)
        if found := entries(stream, claimed, deliveries=deliveries + 1):
            return found
    return []


def _alike(waiting: list[dict[str, Any]], limit: int) -> tuple[list[Any], int]:
    """The first of these that were delivered equally often, as many as may be tried together, and how often it was."""
    deliveries = waiting[0]["times_delivered"]
    company = max(1, limit // _SMALLER**deliveries)
    alike = []
    for entry in waiting[:company]:
        if entry["times_delivered"] != deliveries:
            break
        alike.append(entry["message_id"])
    return alike, deliveries


def entries(
    stream: str, found: Sequence[tuple[bytes, dict[bytes, bytes] | None]], *, deliveries: int = 1
) -> list[Entry]:
    """What a reading command gave. One without fields was deleted before it was acknowledged: there is nothing left to do."""
    return [
        Entry(stream, key, fields.get(streams.FIELD, b""), deliveries) for key, fields in found if fields is not None
    ]


def begin_alone(connection: redis.Redis, entry: Entry) -> int:
    """Note that this entry is about to be tried by itself; how often that was noted and never ended."""
    tries: Any = connection.hincrby(_alone_key(entry.stream), entry.entry_id.decode(), 1)
    return int(tries)


def end_alone(connection: redis.Redis, entry: Entry) -> None:
    """The process lived through it."""
    connection.hdel(_alone_key(entry.stream), entry.entry_id.decode())


def _alone_key(stream: str) -> str:
    return f"{stream}:alone"  # the tag of the stream, and so its slot
