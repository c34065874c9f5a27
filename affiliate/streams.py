"""The event streams: their shards and keys in Redis, one client with deadlines, and how far ingest has come.

A shard is a hash tag, so that everything one step touches lies in one slot of a cluster: the stream of a click; or the stream
of an order's events with the fingerprints of their bodies and the log of the requests that brought them.
"""

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from affiliate import settings

GROUP = "ingest"
FIELD = b"e"
"""The one field of an entry: an event packed by `tracking.codec`."""

DEADLINE_SECONDS = 0.2
"""How long an edge waits for Redis before it goes on without."""

WATERMARK_LAG_MAX = timedelta(seconds=60)
"""An entry that is older than this and still no row is stuck, and nobody waits for it any longer."""

ERRORS: tuple[type[Exception], ...] = (redis.RedisError, RedisClusterException)
"""What a server, or a cluster without one for a slot, fails with: the library's two do not share a parent."""

_CLUSTER = "+cluster://"


def click_shard(number: int) -> str:
    """The click stream of this shard."""
    return f"aff:{{c{number}}}:clicks"


def order_shard(number: int) -> str:
    """The stream of this shard for conversions, order events, refunds, and deliveries that were refused."""
    return f"aff:{{o{number}}}:orders"


@lru_cache(maxsize=4)
def _names(shards: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(click_shard(number) for number in range(shards)), tuple(order_shard(n) for n in range(shards))


def all_click_streams() -> tuple[str, ...]:
    """The click streams of every shard."""
    return _names(settings.current().stream_shards)[0]


def all_order_streams() -> tuple[str, ...]:
    """The order streams of every shard."""
    return _names(settings.current().stream_shards)[1]


def click_stream(click_id: UUID) -> str:
    """Where the event of this click goes. The end of a UUIDv7 is random, so the shards fill evenly."""
    names = all_click_streams()
    return names[click_id.int % len(names)]


def order_stream(program_id: UUID | None, order_id: str | None) -> str:
    """Where everything about this order goes; without an order id, what belongs to the program alone."""
    names = all_order_streams()
    return names[_order_number(program_id, order_id, len(names))]


def fingerprint_key(identifier: UUID, trust: int, *, program_id: UUID, order_id: str) -> str:
    """Where the fingerprint of a body is kept for as long as Redis answers whether it is known: beside the order's stream."""
    return f"aff:{_order_tag(program_id, order_id)}:fp:{identifier}:{trust}"


def raw_log_key(program_id: UUID, order_id: str | None = None) -> str:
    """The capped stream of a program's last requests about orders of this shard: beside the order's stream."""
    return f"aff:{_order_tag(program_id, order_id)}:raw:{program_id}"


def raw_log_keys(program_id: UUID) -> list[str]:
    """The logs of a program in every shard."""
    return [f"aff:{{o{number}}}:raw:{program_id}" for number in range(settings.current().stream_shards)]


def _order_tag(program_id: UUID | None, order_id: str | None) -> str:
    return f"{{o{_order_number(program_id, order_id, settings.current().stream_shards)}}}"


def _order_number(program_id: UUID | None, order_id: str | None, shards: int) -> int:
    """A number that no process start and no Python version changes, as `hash` would."""
    if shards == 1:
        return 0
    program = program_id.bytes if program_id else b""
    return zlib.crc32(program + (order_id or "").encode("utf-8", "surrogatepass")) % shards


def client(*, deadline_seconds: float = DEADLINE_SECONDS) -> redis.Redis:
    """The client of this process for the event streams; a consumer that blocks needs a longer deadline.

    No retry: an append whose answer was cut may have happened, and doing it again would store the event twice.
    """
    return _client(settings.current().stream_url, deadline_seconds)


@lru_cache(maxsize=8)
def _client(url: str, deadline_seconds: float) -> redis.Redis:
    once: dict[str, Any] = {
        "socket_timeout": deadline_seconds,
        "socket_connect_timeout": deadline_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if is_cluster_url(url):
        # The commands are the same; a step of several keys stays within a shard, a pipeline may cross them.
        return cast("redis.Redis", RedisCluster.from_url(url.replace(_CLUSTER, "://", 1), **once))
    return redis.Redis.from_url(url, **once)


def is_cluster_url(url: str) -> bool:
    """Whether the address (`redis+cluster://…`) is one node of a cluster, which tells of the others."""
    return _CLUSTER in url


def is_cluster(connection: redis.Redis) -> bool:
    """Whether commands over several shards must go one by one."""
    return isinstance(connection, RedisCluster)


def values(connection: redis.Redis, keys: Sequence[str]) -> list[bytes | None]:
    """What is kept under these keys of any shards, in their order."""
    found: Any = connection.mget_nonatomic(keys) if isinstance(connection, RedisCluster) else connection.mget(keys)
    return cast("list[bytes | None]", found)


def clicks_ingested_until(connection: redis.Redis, *, now: datetime) -> datetime:
    """Every click that arrived before this instant is a row, over all shards.

    `now` when nothing waits, else the time of the oldest waiting entry: an idle shard is up to date. An entry that
    waits longer than `WATERMARK_LAG_MAX` is stuck and holds nobody.
    """
    until = now
    for stream in all_click_streams():
        waiting = _oldest_waiting(connection, stream)
        if waiting is not None:
            milliseconds = int(waiting.partition(b"-")[0])
            until = min(until, datetime.fromtimestamp(milliseconds / 1000, tz=UTC))
    return max(until, now - WATERMARK_LAG_MAX)


def backlog(connection: redis.Redis, stream: str, *, now: datetime) -> tuple[int, float]:
    """How many events of a stream are no rows yet, and for how many seconds the oldest of them has waited.

    Ingest deletes an entry when it is a row or put aside, so that what stands in the stream is what waits.
    """
    first: Any = connection.xrange(stream, count=1)
    if not first:
        return 0, 0.0
    milliseconds = int(_bytes(first[0][0]).partition(b"-")[0])
    return int(connection.xlen(stream)), max(now.timestamp() - milliseconds / 1000, 0.0)


def _oldest_waiting(connection: redis.Redis, stream: str) -> bytes | None:
    """The id of the oldest entry that is delivered and not acknowledged, or not delivered yet."""
    delivered: bytes | str = b"-"
    try:
        groups: list[dict[str, Any]] = connection.xinfo_groups(stream)
    except redis.ResponseError:  # no stream yet
        return None
    for group in groups:
        if group["name"] == GROUP.encode():
            pending = connection.xpending(stream, GROUP)
            if pending["pending"]:
                return _bytes(pending["min"])
            delivered = b"(" + _bytes(group["last-delivered-id"])
    following: Any = connection.xrange(stream, min=delivered, count=1)
    return _bytes(following[0][0]) if following else None


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
