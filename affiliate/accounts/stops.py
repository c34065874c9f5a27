"""The link in a mail that stops mails of its kind: who reads, which kind. Signed, never ending; works without a sign-in."""

import base64
import binascii
from uuid import UUID

from itsdangerous import BadSignature, Signer

from affiliate import signing
from affiliate.accounts.mail_kinds import OPTIONAL, MailKind
from affiliate.errors import NotFound
from affiliate.settings import Settings

_ID_BYTES = 16
PATH = "/hooks/mails"
"""Below the machines' paths: a mail provider's button posts here without a cookie (RFC 8058)."""


class BadStop(NotFound):
    """The link is not one that this installation has written."""

    def __init__(self) -> None:
        super().__init__("This link is not complete. Open it from the mail, or copy all of it.")


def address(settings: Settings, *, user_id: UUID, kind: MailKind) -> str | None:
    """The address that stops mails of this kind to this person; none if they cannot be stopped."""
    if kind not in OPTIONAL:
        return None
    packed = base64.urlsafe_b64encode(user_id.bytes + kind.value.encode())
    return f"{settings.base_url}{PATH}/{_signer(settings.secret_key).sign(packed).decode()}"


def read(secret_key: str, token: str) -> tuple[UUID, MailKind]:
    """Who reads, and what they want no more of.

    Raises:
        BadStop: cut, altered, or signed by somebody else.
    """
    try:
        packed = base64.urlsafe_b64decode(_signer(secret_key).unsign(token.encode()))
        return UUID(bytes=packed[:_ID_BYTES]), MailKind(packed[_ID_BYTES:].decode())
    except (BadSignature, binascii.Error, ValueError) as error:
        raise BadStop from error


def _signer(secret_key: str) -> Signer:
    return Signer(signing.derive(secret_key, "mail stops"), salt="stop")
