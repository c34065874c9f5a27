"""What stands in a newsletter's links to stop it: who reads, of which program, in which mail. Signed, never ending.

And in the link by which somebody who is no partner confirms an address, and in the address of the picture by which a mail
tells that it was opened.
"""

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from itsdangerous import BadSignature, Signer

from affiliate import signing
from affiliate.errors import NotFound

_IDS = 3
_ID_BYTES = 16
_PROSPECT = b"p"
NO_DELIVERY = UUID(int=0)
"""For previews and tests, which belong to no delivery."""


class BadToken(NotFound):
    """The link is not one that this installation has written."""

    def __init__(self) -> None:
        super().__init__("This link is not complete. Open it from the mail, or copy all of it.")


@dataclass(frozen=True, slots=True)
class ReaderToken:
    """Who reads, of which program, in which mail. `reader_id` is a user's, or a prospect's."""

    reader_id: UUID
    program_id: UUID
    delivery_id: UUID
    is_prospect: bool = False


def write(secret_key: str, token: ReaderToken) -> str:
    """The token as it stands in an address."""
    packed = token.reader_id.bytes + token.program_id.bytes + token.delivery_id.bytes
    return _signed(secret_key, "reader", packed + _PROSPECT if token.is_prospect else packed)


def read(secret_key: str, text: str) -> ReaderToken:
    """Who reads.

    Raises:
        BadToken: cut, altered, or signed by somebody else.
    """
    packed = _unsigned(secret_key, "reader", text)
    ids, kind = packed[: _IDS * _ID_BYTES], packed[_IDS * _ID_BYTES :]
    if len(ids) != _IDS * _ID_BYTES or kind not in {b"", _PROSPECT}:
        raise BadToken
    reader_id, program_id, delivery_id = (UUID(bytes=ids[at : at + _ID_BYTES]) for at in range(0, len(ids), _ID_BYTES))
    return ReaderToken(reader_id, program_id, delivery_id, is_prospect=bool(kind))


def write_confirmation(secret_key: str, prospect_id: UUID) -> str:
    """What proves that its holder reads the mailbox that asked for news."""
    return _signed(secret_key, "confirm", prospect_id.bytes)


def read_confirmation(secret_key: str, text: str) -> UUID:
    """Whose address is confirmed.

    Raises:
        BadToken: as above.
    """
    return _one_id(secret_key, "confirm", text)


def write_opening(secret_key: str, delivery_id: UUID) -> str:
    """What the picture of a mail is called, so that nobody but its reader can tell that it was opened."""
    return _signed(secret_key, "opening", delivery_id.bytes)


def read_opening(secret_key: str, text: str) -> UUID:
    """Which mail was opened.

    Raises:
        BadToken: as above.
    """
    return _one_id(secret_key, "opening", text)


def _one_id(secret_key: str, purpose: str, text: str) -> UUID:
    packed = _unsigned(secret_key, purpose, text)
    if len(packed) != _ID_BYTES:
        raise BadToken
    return UUID(bytes=packed)


def _signed(secret_key: str, purpose: str, packed: bytes) -> str:
    return _signer(secret_key, purpose).sign(base64.urlsafe_b64encode(packed)).decode()


def _unsigned(secret_key: str, purpose: str, text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(_signer(secret_key, purpose).unsign(text.encode()))
    except (BadSignature, binascii.Error, UnicodeEncodeError) as error:
        raise BadToken from error


@lru_cache(maxsize=4)
def _signer(secret_key: str, purpose: str) -> Signer:
    return Signer(signing.derive(secret_key, "newsletter links"), salt=purpose)
