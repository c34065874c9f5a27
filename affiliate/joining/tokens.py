"""What stands in an applicant's addresses: one that only goes on and looks, and one that came by mail and proves the mailbox. Signed."""

import base64
import binascii
import enum
from uuid import UUID

from itsdangerous import BadSignature, Signer

from affiliate import signing
from affiliate.errors import NotFound

_ID_BYTES = 16


class Purpose(enum.StrEnum):
    """What a token opens."""

    DRAFT = "draft"  # the draft, and later the state of the application
    MAILBOX = "mailbox"  # proves that the applicant reads the mail it was sent to


class BadToken(NotFound):
    """The link is not one that this installation has written."""

    def __init__(self) -> None:
        super().__init__("This link is not complete. Open it from the mail, or copy all of it.")


def write(secret_key: str, purpose: Purpose, draft_id: UUID) -> str:
    """The token as it stands in an address."""
    packed = base64.urlsafe_b64encode(draft_id.bytes).rstrip(b"=")
    return _signer(secret_key, purpose).sign(packed).decode()


def read(secret_key: str, purpose: Purpose, text: str) -> UUID:
    """Whose draft it is.

    Raises:
        BadToken: cut, altered, of another purpose, or signed by somebody else.
    """
    try:
        packed = base64.urlsafe_b64decode(_signer(secret_key, purpose).unsign(text.encode()) + b"==")
    except (BadSignature, binascii.Error, UnicodeEncodeError) as error:
        raise BadToken from error
    if len(packed) != _ID_BYTES:
        raise BadToken
    return UUID(bytes=packed)


def _signer(secret_key: str, purpose: Purpose) -> Signer:
    return Signer(signing.derive(secret_key, "application links"), salt=purpose.value, sep=".")
