"""What stands in a newsletter's links to stop it: who reads, of which program, in which mail. Signed, never ending."""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, Signer

from affiliate import signing
from affiliate.errors import NotFound

_IDS = 3
_ID_BYTES = 16
NO_DELIVERY = UUID(int=0)
"""For previews and tests, which belong to no delivery."""


class BadToken(NotFound):
    """The link is not one that this installation has written."""

    def __init__(self) -> None:
        super().__init__("This link is not complete. Open it from the mail, or copy all of it.")


@dataclass(frozen=True, slots=True)
class ReaderToken:
    """Who reads, of which program, in which mail."""

    user_id: UUID
    program_id: UUID
    delivery_id: UUID


def write(secret_key: str, token: ReaderToken) -> str:
    """The token as it stands in an address."""
    packed = token.user_id.bytes + token.program_id.bytes + token.delivery_id.bytes
    return _signer(secret_key).sign(base64.urlsafe_b64encode(packed)).decode()


def read(secret_key: str, text: str) -> ReaderToken:
    """Who reads.

    Raises:
        BadToken: cut, altered, or signed by somebody else.
    """
    try:
        packed = base64.urlsafe_b64decode(_signer(secret_key).unsign(text.encode()))
    except (BadSignature, binascii.Error, UnicodeEncodeError) as error:
        raise BadToken from error
    if len(packed) != _IDS * _ID_BYTES:
        raise BadToken
    parts = (UUID(bytes=packed[at : at + _ID_BYTES]) for at in range(0, len(packed), _ID_BYTES))
    return ReaderToken(*parts)


def _signer(secret_key: str) -> Signer:
    return Signer(signing.derive(secret_key, "newsletter links"), salt="reader")
