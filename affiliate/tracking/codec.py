"""The one packed field that carries an event through the stream.

`encode` makes the bytes of a stream entry, `decode` reads them back or says why it cannot. The bytes are a JSON list
`[version, kind, field, …]` in the order of the event's fields: compact, and an operator can read it.
A change of any field needs a new version; a reader keeps reading the old ones for as long as a stream may hold them.

Version 1 had clicks without what came after their address, and no touches. A kind that is new needs none: a reader that does
not know it puts the event aside, and takes it up when it has learned.
"""

import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

import orjson
import uuid_utils

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
_KIND_OF = {event_type: kind for kind, event_type in _KINDS.items()}
_INSTANTS = {
    event_type: tuple(at for at, hint in enumerate(typing.get_type_hints(event_type).values()) if hint is datetime)
    for event_type in _KIND_OF
}
_CLICK_FIELDS_1 = 17
_HEAD = 2  # version and kind
_SHAPES_MAX = 4096
_REPEATED_IDS = frozenset({"program_id", "partner_id", "link_id"})
_REPEATED_IDS_MAX = 65_536
_TEXT = {str}

_Reader = Callable[[Any], Any]


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
    return orjson.dumps([VERSION, _KIND_OF[event_type], *fields])


def decode(payload: bytes) -> Event:
    """The event behind the bytes.

    Raises:
        BadEvent: anything but an event of a known version with every field of its type.
    """
    if len(payload) > EVENT_BYTES_MAX:
        raise BadEvent(f"{len(payload)} bytes are too many for an event")
    try:
        document = orjson.loads(payload)
    except ValueError as error:
        raise BadEvent(f"not a list of version, kind and fields: {error}") from error
    if type(document) is not list or len(document) < _HEAD:
        raise BadEvent("not a list of version, kind and fields")
    layout = _layout(document[0], document[1])
    if b"\\" in payload and b"\\u0000" in payload and _has_nul(document):
        raise BadEvent("NUL in a text")
    return layout.read(document[_HEAD:])


class _Layout:
    """How the fields of one kind are written in one version.

    What can be is compared at once, with events that were found right before: the JSON types of all fields, of which
    a stream repeats a few dozen patterns, and all words of closed sets.
    """

    def __init__(self, event_type: type[Event], *, length: int | None = None) -> None:
        """`length`: the fields that an old version had; those after them have their defaults."""
        hints = list(typing.get_type_hints(event_type).items())[:length]
        self._event_type: Any = event_type
        self._allowed = [_json_types(hint) for _, hint in hints]
        self._readers = [(at, read) for at, (name, hint) in enumerate(hints) if (read := _reader_of(name, hint))]
        self._words = {at: words for at, (_, hint) in enumerate(hints) if (words := _words_of(hint))}
        self._texts = [at for at, (_, hint) in enumerate(hints) if hint == dict[str, str]]
        self._words_in: Callable[[list[Any]], Any] = itemgetter(*self._words) if self._words else _nothing
        self._known: set[tuple[type, ...]] = set()
        self._known_words: set[Any] = set()

    def read(self, values: list[Any]) -> Event:
        """The event with these fields."""
        shape = tuple(map(type, values))
        if shape not in self._known:
            self._learn(shape, values)
        if self._words_in(values) not in self._known_words:
            self._learn_words(values)
        for position in self._texts:
            if values[position] and set(map(type, values[position].values())) != _TEXT:
                raise BadEvent("a wrong field: sub ids are texts by name")
        try:
            for position, read in self._readers:
                value = values[position]
                if value is not None:
                    values[position] = read(value)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BadEvent(f"a wrong field: {error}") from error
        event: Event = self._event_type(*values)
        return event

    def _learn(self, shape: tuple[type, ...], values: list[Any]) -> None:
        if len(values) != len(self._allowed):
            raise BadEvent(f"{len(values)} fields instead of {len(self._allowed)}")
        for value, kind, allowed in zip(values, shape, self._allowed, strict=True):
            if kind not in allowed:  # JSON's `true` is no integer
                wanted = " or ".join(sorted(each.__name__ for each in allowed))
                raise BadEvent(f"a wrong field: {value!r:.60} is no {wanted}")
        if len(self._known) < _SHAPES_MAX:
            self._known.add(shape)

    def _learn_words(self, values: list[Any]) -> None:
        """As many as the words can be combined, and no more."""
        for position, words in self._words.items():
            if values[position] not in words:
                raise BadEvent(f"a wrong field: {values[position]!r:.60} is none of {', '.join(filter(None, words))}")
        self._known_words.add(self._words_in(values))


def _nothing(_values: list[Any]) -> None:
    """The words of an event without any."""


def _layout(version: Any, kind: Any) -> _Layout:
    layouts = _LAYOUTS.get(version) if type(version) is int else None
    if layouts is None:
        raise BadEvent(f"unknown version {version!r:.60}")
    layout = layouts.get(kind) if type(kind) is str else None
    if layout is None:
        raise BadEvent(f"unknown kind {kind!r:.60}")
    return layout


def _has_nul(value: Any) -> bool:
    """Whether any text inside holds a NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_has_nul(inner) for inner in value)


def _json_types(hint: Any) -> frozenset[type]:
    """What JSON makes of a field, from its annotation."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return frozenset().union(*map(_json_types, arguments))
    if origin is Literal or hint in {UUID, datetime}:
        return frozenset({str})
    return frozenset({origin or hint})


def _reader_of(name: str, hint: Any) -> _Reader | None:
    """What makes a field of its JSON, from its annotation; nothing where it is one already."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return _reader_of(name, next(part for part in arguments if part is not types.NoneType))
    if origin is list:
        return _documents
    if hint is UUID:
        return _repeated_id if name in _REPEATED_IDS else _id
    return _instant if hint is datetime else None


def _id(value: str) -> UUID:
    return UUID(int=uuid_utils.UUID(value).int)  # half of what the standard library takes to read its text


_repeated_id = lru_cache(maxsize=_REPEATED_IDS_MAX)(UUID)  # ids are most of what reading a click costs


def _words_of(hint: Any) -> tuple[str | None, ...]:
    """The closed set that a field is from; nothing where any text will do."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        found = _words_of(next(part for part in arguments if part is not types.NoneType))
        return (*found, None) if found else ()
    return arguments if origin is Literal else ()


def _instant(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC)


def _documents(value: list[Any]) -> list[dict[str, Any]]:
    for document in value:
        if type(document) is not dict:
            raise TypeError("items are a list of documents")
    return value


_LAYOUTS: dict[int, dict[str, _Layout]] = {
    1: {kind: _Layout(event_type) for kind, event_type in _KINDS.items() if kind not in {"touch", "step"}}
    | {"click": _Layout(ClickEvent, length=_CLICK_FIELDS_1)},
    2: {kind: _Layout(event_type) for kind, event_type in _KINDS.items()},
}
