"""Whether the Redis of the streams keeps what it acknowledges: checked before the servers start, and told in `/readyz`."""

from dataclasses import dataclass
from typing import Any

import redis

from affiliate import errors, streams

KEEPS_ALL = "noeviction"


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
    """What the server says. A managed one may refuse to tell."""
    said: dict[str, Any] = {}
    for pattern in ("maxmemory-policy", "append*"):
        try:
            answer: Any = connection.config_get(pattern)
            said |= answer
        except redis.ResponseError:  # the command is renamed or not allowed
            continue
    return Durability(said.get("maxmemory-policy"), said.get("appendonly"), said.get("appendfsync"))


def refuse_eviction() -> None:
    """Stop before the first event is accepted.

    Raises:
        Evicts: the server would lose events.
    """
    found = of(streams.client())
    if found.evicts:
        raise Evicts(str(found.eviction))
