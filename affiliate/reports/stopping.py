"""What stands in the link that stops a report's mails: which report. Signed, never ending."""

from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from affiliate import signing
from affiliate.errors import NotFound


class BadLink(NotFound):
    """The link is not one that this installation has written."""

    def __init__(self) -> None:
        super().__init__("This link is not complete. Open it from the mail, or copy all of it.")


def write(secret_key: str, report_id: UUID) -> str:
    """The token as it stands in an address."""
    token: str = _serializer(secret_key).dumps(report_id.hex)
    return token


def read(secret_key: str, text: str) -> UUID:
    """Which report.

    Raises:
        BadLink: cut, altered, or signed by somebody else.
    """
    try:
        return UUID(hex=str(_serializer(secret_key).loads(text)))
    except (BadSignature, ValueError) as error:
        raise BadLink from error


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing.derive(secret_key, "report mails"), salt="stop")
