"""The events of the tracker, and the one packed field that carries each of them through the stream.

An event is a frozen value; `encode` makes the bytes of a stream entry, `decode` reads them back or says why it cannot.
The bytes are a JSON list `[version, kind, field, …]` in the order of the dataclass: compact, and an operator can read it.
A change of any field needs a new version; a reader keeps reading the old ones for as long as a stream may hold them.
"""

import enum
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import orjson

VERSION = 1
EVENT_BYTES_MAX = 1024 * 1024
"""No event that we write comes near; what is larger was not written by us."""

ClickSource = Literal["redirect", "tag"]
LinkState = Literal["active", "link_paused", "link_expired", "partner_inactive", "program_inactive"]


class BadEvent(ValueError):  # noqa: N818 - read as a kind
    """The bytes are no event of a version we know; the message says why, for the dead letter."""


class Trust(enum.IntEnum):
    """How far the source of a conversion is believed."""

    OPEN = 1  # unsigned tag or pixel
    SIGNED = 2  # signed pixel, postback with token
    SERVER = 3  # API, store webhook, import, a manager


@dataclass(frozen=True, slots=True)
class ClickEvent:
    """An arrival on a partner's link, with the facts from which ingest decides whether it counts.

    The address is truncated and hashed before it gets here; `visitor_id` exists only with consent.
    """

    click_id: UUID
    program_id: UUID
    partner_id: UUID
    link_id: UUID
    occurred_at: datetime
    source: ClickSource
    link_state: LinkState
    method: str
    purpose: str | None  # Sec-Purpose, Purpose or X-Moz: prefetch, prerender, preview
    fetch_dest: str | None  # Sec-Fetch-Dest
    visitor_id: UUID | None
    subs: dict[str, str]
    landing_url: str
    referrer: str | None
    user_agent: str | None
    address_prefix: str | None
    address_hash: str | None


@dataclass(frozen=True, slots=True)
class ConversionEvent:
    """One delivery of a sale. Amounts are minor units of `currency`; `fingerprint` is of the body at this trust."""

    delivery_id: UUID
    conversion_id: UUID
    program_id: UUID
    kind: str
    order_id: str
    trust: int
    source: str
    is_test: bool
    amount_minor: int
    tax_minor: int
    shipping_minor: int
    discount_minor: int
    currency: str
    click_id: UUID | None
    click_refusal: str | None
    visitor_id: UUID | None
    coupon: str | None
    customer_id: str | None
    email_hash: str | None
    new_customer: bool | None
    channel: str | None
    payment_method: str | None
    items: list[dict[str, Any]]
    fingerprint: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OrderStageEvent:
    """What became of an order. `amended` carries new totals in minor units; null means unchanged."""

    delivery_id: UUID
    order_event_id: UUID
    conversion_id: UUID
    program_id: UUID
    order_id: str
    event_id: str
    type: str
    amount_minor: int | None
    currency: str | None
    tax_minor: int | None
    shipping_minor: int | None
    fingerprint: str
    is_test: bool
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RefundEvent:
    """Money given back to a customer, in minor units. A null amount means all that is left."""

    delivery_id: UUID
    refund_uuid: UUID
    conversion_id: UUID
    program_id: UUID
    order_id: str
    refund_id: str
    amount_minor: int | None
    currency: str | None
    items: list[dict[str, Any]]
    reason: str | None
    fingerprint: str
    is_test: bool
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """A delivery that was understood and refused, kept with its reason and without personal data."""

    delivery_id: UUID
    program_id: UUID | None
    kind: str
    reason: str
    payload: dict[str, Any]
    received_at: datetime


Event = ClickEvent | ConversionEvent | OrderStageEvent | RefundEvent | RejectedEvent

_KINDS: dict[str, type[Event]] = {
    "click": ClickEvent,
    "conversion": ConversionEvent,
    "order": OrderStageEvent,
    "refund": RefundEvent,
    "rejected": RejectedEvent,
}
_KIND_OF = {event_type: kind for kind, event_type in _KINDS.items()}
_NAMES = {event_type: tuple(field.name for field in fields(event_type)) for event_type in _KIND_OF}

_Reader = Callable[[Any], Any]


def encode(event: Event) -> bytes:
    """The bytes of a stream entry.

    Raises:
        TypeError: a naive instant or text that is not Unicode; the edge lets neither in.
    """
    event_type = type(event)
    values = [getattr(event, name) for name in _NAMES[event_type]]
    if any(isinstance(value, datetime) and value.tzinfo is None for value in values):
        raise TypeError("a naive datetime cannot be sent")
    return orjson.dumps([VERSION, _KIND_OF[event_type], *values])


def decode(payload: bytes) -> Event:
    """The event behind the bytes.

    Raises:
        BadEvent: anything but an event of a known version with every field of its type.
    """
    if len(payload) > EVENT_BYTES_MAX:
        raise BadEvent(f"{len(payload)} bytes are too many for an event")
    try:
        version, kind, *values = orjson.loads(payload)
    except (TypeError, ValueError) as error:
        raise BadEvent(f"not a list of version, kind and fields: {error}") from error
    if version != VERSION or type(version) is not int:
        raise BadEvent(f"unknown version {version!r}")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadEvent(f"unknown kind {kind!r}")
    if b"\\u0000" in payload and _has_nul(values):
        raise BadEvent("NUL in a text")
    return _build(_KINDS[kind], values)


def _build(event_type: type[Event], values: list[Any]) -> Event:
    readers = _READERS[event_type]
    if len(values) != len(readers):
        raise BadEvent(f"{len(values)} fields instead of {len(readers)}")
    try:
        return event_type(*[read(value) for read, value in zip(readers, values, strict=True)])
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadEvent(f"a wrong field: {error}") from error


def _has_nul(value: Any) -> bool:
    """Whether any text inside holds a NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_has_nul(inner) for inner in value)


def _exactly(wanted: type) -> _Reader:
    """A reader that takes this very type: JSON's `true` is no integer."""

    def read(value: Any) -> Any:
        if type(value) is not wanted:
            raise TypeError(f"{value!r:.60} is no {wanted.__name__}")
        return value

    return read


def _one_of(words: tuple[str, ...]) -> _Reader:
    def read(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{value!r:.60} is none of {', '.join(words)}")
        return value

    return read


def _or_null(inner: _Reader) -> _Reader:
    return lambda value: None if value is None else inner(value)


def _instant(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC)


def _texts(value: Any) -> dict[str, str]:
    if type(value) is not dict or not all(type(text) is str for text in value.values()):
        raise TypeError("sub ids are texts by name")
    return value


def _documents(value: Any) -> list[dict[str, Any]]:
    if type(value) is not list or not all(type(document) is dict for document in value):
        raise TypeError("items are a list of documents")
    return value


def _reader_of(hint: Any) -> _Reader:
    """The reader of a field, from its annotation."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _or_null(_reader_of(next(part for part in arguments if part is not types.NoneType)))
    if origin is Literal:
        return _one_of(arguments)
    if origin is dict:
        return _texts if arguments[1] is str else _exactly(dict)
    if origin is list:
        return _documents
    special: dict[Any, _Reader] = {UUID: UUID, datetime: _instant}
    return special.get(hint) or _exactly(hint)


_READERS: dict[type[Event], tuple[_Reader, ...]] = {
    event_type: tuple(_reader_of(hint) for hint in typing.get_type_hints(event_type).values())
    for event_type in _KIND_OF
}
