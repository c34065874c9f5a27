"""Mails that came back: what a delivery report says (RFC 3464), and when an address gets no more newsletters. Pure."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from uuid import UUID

BYTES_MAX = 512 * 1024
DAYS = 30
"""Over how many days bounces of an address are counted."""

_DEAD = ("5.1.",)  # no such mailbox, no such host: it will not come back
_COUNTED_MAX = 3
_MESSAGE_ID = re.compile(
    rb"^message-id:\s*<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE | re.MULTILINE
)
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_TEXT_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Report:
    """A final failure: which of our deliveries, and why."""

    delivery_id: UUID
    code: str
    text: str


def read(message: bytes) -> Report | None:
    """What a report says of a newsletter of ours; None for delays, for successes and for anything else that lands in the box."""
    parsed = message_from_bytes(message[:BYTES_MAX], policy=policy.default)
    found = _MESSAGE_ID.search(_returned(parsed))
    fields = _failed(parsed)
    if found is None or fields is None:
        return None
    code = _ENHANCED.search(str(fields.get("Status", "")))
    text = " ".join(str(fields.get("Diagnostic-Code", "")).split())[:_TEXT_LENGTH_MAX]
    return Report(UUID(found[1].decode()), code[1] if code else "5.0.0", text)


def is_dead(codes: list[str]) -> bool:
    """Whether an address gets no more newsletters after bounces with these codes: one that says so, or three of any kind."""
    return any(code.startswith(_DEAD) for code in codes) or len(codes) >= _COUNTED_MAX


def code_of(reply: str) -> str | None:
    """The enhanced status code in a server's reply, if it names one."""
    found = _ENHANCED.search(reply)
    return found[1] if found else None


def _failed(parsed: EmailMessage) -> Message | None:
    """The fields of the first recipient whose delivery failed for good."""
    for part in parsed.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.iter_parts():  # the parser makes a message of each group of fields
            if str(block.get("Action", "")).strip().lower() == "failed":
                return block
    return None


def _returned(parsed: EmailMessage) -> bytes:
    """What came back of our mail: whole, or its head alone."""
    for part in parsed.walk():
        if part.get_content_type() == "message/rfc822":
            return part.as_bytes()
        if part.get_content_type() == "text/rfc822-headers":
            return part.get_payload(decode=True) or b""  # type: ignore[return-value] # bytes, because it is decoded
    return b""
