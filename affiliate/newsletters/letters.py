"""A mail as bytes, ready for the server: a head in single lines, a text and an HTML part in base64.

Written out here, because the standard library's writer takes two milliseconds for each mail, most of the whole way of a
newsletter, and every reader gets the same few fields and parts. Folds are left out: one would break the long address of
List-Unsubscribe.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime, formataddr
from uuid import UUID

from affiliate.newsletters.rendering import Mail

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LINE_LENGTH = 76
_PLAIN_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is the same for every reader of an issue. `domain` is that of the sender's address."""

    sender_name: str
    sender_address: str
    list_id: str
    reply_to: str | None = None

    def head(self) -> bytes:
        """The fields that do not change."""
        sender = formataddr((" ".join(self.sender_name.split()), self.sender_address))
        fields = {
            "From": sender, "List-Id": f"<{self.list_id}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "MIME-Version": "1.0",
        }  # fmt: skip
        return _lines(fields | ({"Reply-To": self.reply_to} if self.reply_to else {}))

    @property
    def domain(self) -> str:
        """Where message ids live."""
        return self.sender_address.partition("@")[2]


def written(
    mail: Mail, *, head: bytes, domain: str, delivery_id: UUID, recipient: str, one_click: str, now: datetime
) -> bytes:
    """The message of one delivery.

    Raises:
        ValueError: the recipient's address is none.
    """
    boundary = f"=_{delivery_id.hex}"  # which base64 cannot hold
    own = {
        "Subject": mail.subject if mail.subject.isascii() else Header(mail.subject, "utf-8").encode(linesep="\r\n"),
        "To": recipient if _PLAIN_ADDRESS.fullmatch(recipient) else _checked(recipient),
        "Date": format_datetime(now),
        "Message-ID": f"<{delivery_id}@{domain}>",
        "List-Unsubscribe": f"<{one_click}>",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    mark = f"--{boundary}".encode()
    parts = b"".join(mark + b"\r\n" + _part(*each) for each in (("plain", mail.text), ("html", mail.html)))
    return head + _lines(own) + b"\r\n" + parts + mark + b"--\r\n"


def _checked(address: str) -> str:
    """An address in any other spelling that there may be, or an error."""
    try:
        return str(Address(addr_spec=address))
    except (IndexError, ValueError, MessageError) as error:  # the library's parser trips over some that are none
        raise ValueError("this is no address") from error


def _lines(fields: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()


def _part(subtype: str, text: str) -> bytes:
    encoded = base64.b64encode(text.encode())
    lines = b"\r\n".join(encoded[at : at + _LINE_LENGTH] for at in range(0, len(encoded), _LINE_LENGTH))
    head = {"Content-Type": f'text/{subtype}; charset="utf-8"', "Content-Transfer-Encoding": "base64"}
    return _lines(head) + b"\r\n" + lines + b"\r\n"
