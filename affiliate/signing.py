"""Keyed hashes and short signatures. One installation secret; a key of its own per purpose and program."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import quote
from uuid import UUID

from affiliate import ids

_CLICK = "clk"
_SIGNATURE_BYTES = 10  # 80 bits: a made-up click id is found out, and the address stays short


class BadToken(ValueError):  # noqa: N818 - read as a kind
    """The text is not a token that this installation issued for this program."""


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that one leaked signature says nothing about another."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def keyed_hash(key: bytes, text: str) -> str:
    """A hex HMAC-SHA256 that only this installation can make: for addresses, e-mail hashes, limiter keys."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def _short(key: bytes, program_id: UUID, identifier: UUID) -> str:
    signature = _keyed(key).copy()
    signature.update(program_id.bytes)
    signature.update(identifier.bytes)
    return signature.hexdigest()


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> hashlib.blake2s:
    # BLAKE2 takes a key by itself (RFC 7693): a fifth of an HMAC's time, and each click needs two of them.
    return hashlib.blake2s(key=key, digest_size=_SIGNATURE_BYTES)


def token(key: bytes, prefix: str, *, program_id: UUID, identifier: UUID) -> str:
    """A public id that a browser carries for us, and a signature for this program: `<prefix>_<id>.<signature>`."""
    return f"{ids.public(prefix, identifier)}.{_short(key, program_id, identifier)}"


def tokens(key: bytes, prefix: str, *, program_id: UUID) -> Callable[[UUID], str]:
    """What makes the tokens of many ids of one program: the same as `token`, begun once for all of them."""
    begun = _keyed(key).copy()
    begun.update(program_id.bytes)

    def of(identifier: UUID) -> str:
        signature = begun.copy()
        signature.update(identifier.int.to_bytes(16))
        return f"{ids.public(prefix, identifier)}.{signature.hexdigest()}"

    return of


def read_token(key: bytes, prefix: str, text: str, *, program_id: UUID) -> UUID:
    """The id inside a token.

    Raises:
        BadToken: not a token of this kind, or the signature is not ours for this program.
    """
    public, _, signature = text.partition(".")
    try:
        identifier = ids.parse(prefix, public)
    except ids.BadPublicId as error:
        raise BadToken(text) from error
    if not hmac.compare_digest(signature.lower().encode(), _short(key, program_id, identifier).encode()):
        raise BadToken(text)
    return identifier


def click_token(key: bytes, *, program_id: UUID, click_id: UUID) -> str:
    """What travels in the address: `clk_<id>.<signature>`."""
    return token(key, _CLICK, program_id=program_id, identifier=click_id)


def click_tokens(key: bytes, *, program_id: UUID) -> Callable[[UUID], str]:
    """What makes the click tokens of one program."""
    return tokens(key, _CLICK, program_id=program_id)


def read_click_token(key: bytes, text: str, *, program_id: UUID) -> UUID:
    """The click id inside a token.

    Raises:
        BadToken: see `read_token`.
    """
    return read_token(key, _CLICK, text, program_id=program_id)


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
