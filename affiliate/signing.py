"""Keyed hashes and short signatures. One installation secret; a key of its own per purpose and program."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote
from uuid import UUID

from affiliate import ids

_BLOCK_BYTES = 64  # of SHA-256
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # base32 of RFC 4648, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time
_SIGNATURE_BYTES = 10  # 80 bits: a made-up click id is found out, and the address stays short


class BadClickToken(ValueError):  # noqa: N818 - read as a kind
    """The text is not a click token that this installation issued for this program."""


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that one leaked signature says nothing about another."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def keyed_hash(key: bytes, text: str) -> str:
    """A hex HMAC-SHA256 that only this installation can make: for addresses, e-mail hashes, limiter keys."""
    return keyed_digest(key, text.encode()).hex()


def keyed_digest(key: bytes, message: bytes) -> bytes:
    """An HMAC-SHA256. Each click needs three: the halves that depend on the key alone are kept."""
    kept_inner, kept_outer = _halves(key)
    inner, outer = kept_inner.copy(), kept_outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=256)
def _halves(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """SHA-256 after the key's inner and outer block, as RFC 2104 has them."""
    block = (key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    return inner, outer


def _short(key: bytes, program_id: UUID, click_id: UUID) -> str:
    number = int.from_bytes(keyed_digest(key, program_id.bytes + click_id.bytes)[:_SIGNATURE_BYTES])
    pairs, high, low = _PAIRS, number >> 40, number & (1 << 40) - 1  # small integers are cheaper to shift
    return (
        f"{pairs[high >> 30]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}"
        f"{pairs[low >> 30]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


def click_token(key: bytes, *, program_id: UUID, click_id: UUID) -> str:
    """What travels in the address: `clk_<id>.<signature>`."""
    return f"{ids.public('clk', click_id)}.{_short(key, program_id, click_id)}"


def read_click_token(key: bytes, token: str, *, program_id: UUID) -> UUID:
    """The click id inside a token.

    Raises:
        BadClickToken: not a token, or the signature is not ours for this program.
    """
    public, _, signature = token.partition(".")
    try:
        click_id = ids.parse("clk", public)
    except ids.BadPublicId as error:
        raise BadClickToken(token) from error
    if not hmac.compare_digest(signature.lower().encode(), _short(key, program_id, click_id).encode()):
        raise BadClickToken(token)
    return click_id


def canonical_parameters(parameters: Mapping[str, str]) -> bytes:
    """The bytes a pixel signature covers: percent-encoded `name=value`, sorted by name, without `sig`."""
    pairs = (
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(parameters.items()) if name != "sig"
    )
    return "&".join(pairs).encode()


def pixel_signature(secret: str, parameters: Mapping[str, str]) -> str:
    """Hex HMAC-SHA256 over the canonical parameters, made by the shop's server with the program's pixel secret."""
    return hmac.new(secret.encode(), canonical_parameters(parameters), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Constant-time comparison of two texts."""
    return hmac.compare_digest(left.encode(), right.encode())
