"""Whether the Redis of the streams keeps what it acknowledges: checked where a process starts, and told in `/readyz`."""

import logging
from dataclasses import dataclass
from typing import Any

import redis

from affiliate import errors, streams

KEEPS_ALL = "noeviction"
WEAK = "durability: an acknowledged event may be lost when the machine fails. Set appendonly yes, appendfsync always."

log = logging.getLogger(__name__)


class Evicts(errors.Unavailable):
    """The server may throw events out to make room, and tells nobody."""

    def __init__(self, policy: str) -> None:
        super().__init__(
            f"Redis throws out keys when it is full (maxmemory-policy {policy}), and events would be lost in silence: "
            "set maxmemory-policy noeviction."
        )


@dataclass(frozen=True, slots=True)
class Durability:
    """What a server says of itself; null where it does not let us ask."""

    eviction: str | None
    appendonly: str | None
    appendfsync: str | None

    @property
    def evicts(self) -> bool:
        """Whether an acknowledged event may vanish without a fault of anything."""
        return self.eviction not in {None, KEEPS_ALL}

    @property
    def is_full(self) -> bool:
        """Whether every acknowledged event is on disk."""
        return self.appendonly == "yes" and self.appendfsync == "always"


def of(connection: redis.Redis) -> Durability:
    """What the server says, of a cluster the weakest of those that take events."""
    servers = [connection]
    if streams.is_cluster(connection):
        cluster: Any = connection
        servers = [cluster.get_redis_connection(node) for node in cluster.get_primaries()]
    return max(map(_told, servers), key=lambda one: (one.evicts, not one.is_full))


def _told(connection: redis.Redis) -> Durability:
    """A managed server may refuse to tell."""
    said: dict[str, Any] = {}
    for pattern in ("maxmemory-policy", "append*"):
        try:
            answer: Any = connection.config_get(pattern)
            said |= answer
        except redis.ResponseError:  # the command is renamed or not allowed
            continue
    return Durability(said.get("maxmemory-policy"), said.get("appendonly"), said.get("appendfsync"))


def check() -> None:
    """What every process asks that takes or stores events, before the first one. Of a server that does not answer now, `/readyz` tells.

    Raises:
        Evicts: the server would lose events.
    """
    try:
        found = of(streams.client())
    except streams.ERRORS as error:
        log.warning("Redis does not answer: whether it keeps events, /readyz says later (%s)", type(error).__name__)
        return
    if found.evicts:
        raise Evicts(str(found.eviction))
    if not found.is_full:
        log.warning(WEAK)
