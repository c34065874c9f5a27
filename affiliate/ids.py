"""Identifiers: time-ordered UUIDs, ids derived from their content, and the public form `prefix_base32`.

The same thing always has the same id, so that SQL uniqueness deduplicates for ever.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID, SafeUUID

import uuid_utils.compat

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time
_DECODE = {c: i for i, c in enumerate(_ALPHABET)} | {"o": 0, "i": 1, "l": 1}
_LENGTH = 26
_UUID_BITS = 128
_MILLISECOND = timedelta(milliseconds=1)
_NANOSECONDS = 1_000_000  # in a millisecond
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATOR = "\x1f"  # cannot stand in an order id, so two parts never run into one another
_UNKNOWN = SafeUUID.unknown  # asked of the enumeration each time, it takes longer than all the rest of an id
_made, _put = object.__new__, object.__setattr__


class BadPublicId(ValueError):  # noqa: N818 - read as a kind
    """The text is not a public id of the wanted prefix."""


def new() -> UUID:
    """A fresh UUIDv7: unique, and ordered by the moment it was made."""
    return uuid_utils.compat.uuid7()


def random() -> UUID:
    """A fresh UUIDv4, which says nothing about when it was made."""
    return _of(uuid_utils.uuid4().int)


def new_at(moment: datetime) -> UUID:
    """A fresh UUIDv7 that carries `moment` instead of the present (imports, simulated clocks)."""
    milliseconds = (moment - _EPOCH) // _MILLISECOND  # floats would lose one now and then
    return _of(uuid_utils.uuid7(nanoseconds=milliseconds * _NANOSECONDS).int)


def _of(number: int) -> UUID:
    """The id with this number, as `UUID(int=number)` makes it in three times as long: each click needs two."""
    identifier = _made(UUID)
    _put(identifier, "int", number)
    _put(identifier, "is_safe", _UNKNOWN)
    return identifier


def moment_of(identifier: UUID) -> datetime:
    """The millisecond that a UUIDv7 carries, in UTC."""
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)


def conversion(*, program_id: UUID, kind: str, order_id: str) -> UUID:
    """The id of a conversion, derived from what it is: the same order always has the same id."""
    return derived(program_id, "conversion", kind, order_id)


def refund(*, program_id: UUID, order_id: str, refund_id: str) -> UUID:
    """The id of a refund, derived from the shop's own ids."""
    return derived(program_id, "refund", order_id, refund_id)


def order_event(*, program_id: UUID, order_id: str, event_id: str) -> UUID:
    """The id of an order event, derived from the shop's own ids."""
    return derived(program_id, "order_event", order_id, event_id)


def derived(base: UUID, *parts: str) -> UUID:
    """An id that follows from `base` and `parts`: ledger accounts, transfers, anything that must exist once."""
    return uuid_utils.compat.uuid5(base, _SEPARATOR.join(parts))  # as the standard library's, in half the time


def digits(number: int) -> str:
    """The 32 hexadecimal digits of an id's number, as both databases take them; a driver makes them slower from a UUID."""
    return f"{number:032x}"


repeated_digits = lru_cache(maxsize=65_536)(digits)
"""The same for an id that comes again and again."""


def public(prefix: str, identifier: UUID) -> str:
    """The public form, for example `clk_01jd8v6b3hezq8m4tat2rk5wxy`."""
    number, pairs = identifier.int, _PAIRS
    high, low = number >> 60, number & (1 << 60) - 1  # small integers are cheaper to shift
    return (
        f"{prefix}_{pairs[high >> 60 & 1023]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}"
        f"{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


def parse(prefix: str, text: str) -> UUID:
    """The UUID behind a public id. Case and the look-alikes o, i, l are forgiven.

    Raises:
        BadPublicId: other prefix, length or alphabet.
    """
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _LENGTH:
        raise BadPublicId(text)
    number = 0
    for character in body.lower():
        if character not in _DECODE:
            raise BadPublicId(text)
        number = number * 32 + _DECODE[character]
    if number >= 1 << _UUID_BITS:
        raise BadPublicId(text)
    return UUID(int=number)


def read(prefix: str, text: str) -> UUID | None:
    """The same of what somebody typed or an address holds; null for what is no such id."""
    try:
        return parse(prefix, text)
    except BadPublicId:
        return None
