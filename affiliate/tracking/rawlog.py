"""The last requests of a program with our answers, for the shop's developer: a capped stream in Redis, without personal data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import redis

from affiliate import streams
from affiliate.tracking.subs import clean

LENGTH_MAX = 500
_SUMMARY_FIELDS = (  # who bought is nobody's business here
    "order_id", "refund_id", "event_id", "type", "kind", "amount", "currency", "click_id", "coupon", "ref", "test",
)  # fmt: skip
_VALUE_LENGTH_MAX = 120


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request and what became of it. `source` is api, pixel or tag; `what` names the kind of event."""

    received_at: datetime
    source: str
    what: str
    summary: Mapping[str, Any]
    status: int = 0
    reason: str = ""


def summary_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The part of a body that helps to find a mistake and says nothing about the customer."""
    given = {name: body[name] for name in _SUMMARY_FIELDS if body.get(name) is not None}
    return {name: clean(str(value), _VALUE_LENGTH_MAX) for name, value in given.items()}


def packed(request: RawRequest) -> bytes:
    """The request without its answer, as it is kept."""
    return orjson.dumps([request.received_at, request.source, request.what, dict(request.summary)])


def append(connection: "redis.Redis | redis.client.Pipeline", request: RawRequest, *, program_id: UUID) -> None:
    """Write a request with its answer into the log of its program; the oldest one leaves."""
    fields: dict[Any, Any] = {"e": packed(request), "s": request.status, "r": request.reason}
    connection.xadd(streams.raw_log_key(program_id), fields, maxlen=LENGTH_MAX, approximate=False)


def last(connection: redis.Redis, *, program_id: UUID, limit: int = LENGTH_MAX) -> list[RawRequest]:
    """The last requests of a program, the newest first."""
    wanted = min(limit, LENGTH_MAX)
    logs: list[Any] = [connection.xrevrange(key, count=wanted) for key in streams.raw_log_keys(program_id)]
    requests = [_unpacked(fields) for log in logs for _, fields in log]
    return sorted(requests, key=lambda request: request.received_at, reverse=True)[:wanted]


def _unpacked(fields: Mapping[bytes, bytes]) -> RawRequest:
    received_at, source, what, summary = orjson.loads(fields[b"e"])
    return RawRequest(
        received_at=datetime.fromisoformat(received_at),
        source=source,
        what=what,
        summary=summary,
        status=int(fields[b"s"]),
        reason=fields[b"r"].decode(),
    )
