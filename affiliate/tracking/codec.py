"""The one packed field that carries an event through the stream.

`encode` makes the bytes of a stream entry, `decode` reads them back or says why it cannot. The bytes are a JSON list
`[version, kind, field, …]` in the order of the event's fields: compact, and an operator can read it.
A change of any field needs a new version; a reader keeps reading the old ones for as long as a stream may hold them.

Version 1 had clicks without what came after their address, and no touches. A kind that is new needs none: a reader that does
not know it puts the event aside, and takes it up when it has learned.
"""

import re
import types
import typing
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson

from affiliate.tracking.eventtypes import (
    ClickEvent,
    ClickSource,
    Consent,
    ConversionEvent,
    Event,
    LinkState,
    Network,
    OrderStageEvent,
    RefundEvent,
    RejectedEvent,
    Step,
    StepEvent,
    TouchEvent,
    Trust,
)

__all__ = [
    "EVENT_BYTES_MAX",
    "VERSION",
    "BadEvent",
    "ClickEvent",
    "ClickSource",
    "Consent",
    "ConversionEvent",
    "Event",
    "LinkState",
    "Network",
    "OrderStageEvent",
    "RefundEvent",
    "RejectedEvent",
    "Step",
    "StepEvent",
    "TouchEvent",
    "Trust",
    "decode",
    "encode",
]

VERSION = 2
EVENT_BYTES_MAX = 1024 * 1024
"""No event that we write comes near; what is larger was not written by us."""

_KINDS: dict[str, type[Event]] = {
    "click": ClickEvent,
    "touch": TouchEvent,
    "step": StepEvent,
    "conversion": ConversionEvent,
    "order": OrderStageEvent,
    "refund": RefundEvent,
    "rejected": RejectedEvent,
}
_HEADS = {event_type: (VERSION, kind) for kind, event_type in _KINDS.items()}
_INSTANTS = {
    event_type: tuple(at for at, hint in enumerate(typing.get_type_hints(event_type).values()) if hint is datetime)
    for event_type in _HEADS
}
_VERSIONS = (1, 2)
_CLICK_FIELDS_1 = 17
_HEAD = 2  # version and kind
_SHORTEST_HEAD = len(b"[1,")
_INSTANT = Annotated[datetime, msgspec.Meta(tz=True)]
_PLACE = re.compile(r"\$\[(\d+)\]")


class BadEvent(ValueError):  # noqa: N818 - read as a kind
    """The bytes are no event of a version we know; the message says why, for the dead letter."""


def encode(event: Event) -> bytes:
    """The bytes of a stream entry.

    Raises:
        TypeError: a naive instant or text that is not Unicode; the edge lets neither in.
    """
    event_type = type(event)
    fields: tuple[Any, ...] = event
    for position in _INSTANTS[event_type]:
        if fields[position].tzinfo is None:
            raise TypeError("a naive datetime cannot be sent")
    return orjson.dumps(_HEADS[event_type] + fields)


def decode(payload: bytes) -> Event:
    """The event behind the bytes.

    Raises:
        BadEvent: anything but an event of a known version with every field of its type.
    """
    if len(payload) > EVENT_BYTES_MAX:
        raise BadEvent(f"{len(payload)} bytes are too many for an event")
    layout = _LAYOUTS.get(payload[: payload.find(b",", _SHORTEST_HEAD)]) or _layout(payload)
    event = layout.read(payload)
    if b"\\" in payload and b"\\u0000" in payload and _has_nul(event):
        raise BadEvent("NUL in a text")
    return event


class _Layout:
    """How the fields of one kind are written in one version, version and kind before them."""

    def __init__(self, event_type: type[Event], *, length: int | None = None) -> None:
        """`length`: the fields that an old version had; those after them have their defaults."""
        hints = dict(list(typing.get_type_hints(event_type).items())[:length])
        self._event_type: Any = event_type
        self._names = tuple(hints)
        self._instants = [at for at, hint in enumerate(hints.values()) if hint is datetime]
        fields = [_INSTANT if hint is datetime else hint for hint in hints.values()]
        self._decoder = msgspec.json.Decoder(types.GenericAlias(tuple, (int, str, *fields)))

    def read(self, payload: bytes) -> Event:
        """The event in these bytes."""
        try:
            values = self._decoder.decode(payload)[_HEAD:]
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise BadEvent(f"a wrong field: {_PLACE.sub(self._name, str(error))}") from error
        event: Event = self._event_type(*values)
        for at in self._instants:
            if values[at].tzinfo is not UTC:
                changed: dict[str, Any] = {self._names[at]: _in_utc(values[at])}
                event = event._replace(**changed)
        return event

    def _name(self, place: re.Match[str]) -> str:
        at = int(place[1]) - _HEAD
        return self._names[at] if 0 <= at < len(self._names) else place[0]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadEvent(f"a wrong field: {moment.isoformat()} is in no year of UTC") from error


def _layout(payload: bytes) -> _Layout:
    """The layout of what does not begin as we write it.

    Raises:
        BadEvent: there is none.
    """
    try:
        document = orjson.loads(payload)
    except ValueError as error:
        raise BadEvent(f"not a list of version, kind and fields: {error}") from error
    if type(document) is not list or len(document) < _HEAD:
        raise BadEvent("not a list of version, kind and fields")
    version, kind = document[:_HEAD]
    if type(version) is not int or version not in _VERSIONS:
        raise BadEvent(f"unknown version {version!r:.60}")
    layout = _LAYOUTS.get(orjson.dumps([version, kind])[:-1])
    if layout is None:
        raise BadEvent(f"unknown kind {kind!r:.60}")
    return layout


def _has_nul(value: Any) -> bool:
    """Whether any text inside holds a NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list | tuple) and any(_has_nul(inner) for inner in value)


_LAYOUTS: dict[bytes, _Layout] = {
    f'[{version},"{kind}"'.encode(): _Layout(event_type)
    for version in _VERSIONS
    for kind, event_type in _KINDS.items()
    if version > 1 or kind not in {"touch", "step"}
} | {b'[1,"click"': _Layout(ClickEvent, length=_CLICK_FIELDS_1)}
"""By the bytes that come before the fields."""
