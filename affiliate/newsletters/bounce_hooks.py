"""Mails that came back or were called spam, told by a mail provider's call: whose call it is, and what it says. Pure.

Three forms: our own, signed as Standard Webhooks says; Mailgun's; SendGrid's event webhook.
"""

import base64
import enum
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from affiliate.newsletters import bounces

EVENTS_MAX = 1_000
_FRESH_FOR = timedelta(minutes=5)
_MAILGUN_FRESH_FOR = timedelta(hours=12)  # it tries again for eight hours
_NUMBER_DIGITS_MAX = 12
_ADDRESS_LENGTH_MAX = 255
_TEXT_LENGTH_MAX = 500


class Provider(enum.StrEnum):
    """Whose calls we take."""

    GENERIC = "generic"
    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"


class Unreadable(ValueError):  # noqa: N818 - read as a kind
    """The body is not what this provider sends."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A final failure: the Message-ID of the mail where it is named, its address, a code like `5.1.1` and the server's words.

    `is_complaint`: the mail arrived, and its reader called it spam.
    """

    message_id: str
    address: str
    code: str
    text: str
    is_complaint: bool = False


def is_genuine(provider: Provider, *, key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether who knows the key has made this call, lately. It is checked over the bytes as they came."""
    try:
        return _CHECKS[provider](key, headers, body, now)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):  # what cannot be read is nobody's
        return False


def _generic(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    message_id, moment = headers["webhook-id"], headers["webhook-timestamp"]
    secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    if not secret:  # everybody knows that one
        return False
    digest = hmac.digest(secret, f"{message_id}.{moment}.".encode() + body, "sha256")
    wanted = f"v1,{base64.b64encode(digest).decode()}"
    given = headers["webhook-signature"].split()
    return _is_fresh(moment, now, _FRESH_FOR) and any(
        hmac.compare_digest(wanted.encode(), each.encode()) for each in given
    )


def _mailgun(key: str, _headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    said = json.loads(body)["signature"]
    moment, token, signature = (str(said[name]) for name in ("timestamp", "token", "signature"))
    digest = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    return _is_fresh(moment, now, _MAILGUN_FRESH_FOR) and hmac.compare_digest(digest.encode(), signature.encode())


def _sendgrid(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    from cryptography.exceptions import InvalidSignature  # here: few installations are told so
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    moment = headers["x-twilio-email-event-webhook-timestamp"]
    signature = base64.b64decode(headers["x-twilio-email-event-webhook-signature"], validate=True)
    public = serialization.load_der_public_key(base64.b64decode(key, validate=True))
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        public.verify(signature, moment.encode() + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return _is_fresh(moment, now, _FRESH_FOR)


_CHECKS: Mapping[Provider, Callable[[str, Mapping[str, str], bytes, datetime], bool]] = {
    Provider.GENERIC: _generic,
    Provider.MAILGUN: _mailgun,
    Provider.SENDGRID: _sendgrid,
}


def _is_fresh(moment: str, now: datetime, term: timedelta) -> bool:
    is_number = moment.isascii() and moment.isdigit() and len(moment) <= _NUMBER_DIGITS_MAX
    return is_number and abs(now - datetime.fromtimestamp(int(moment), UTC)) <= term


def read(provider: Provider, body: bytes) -> list[Notice]:
    """The final failures and complaints in a call; everything else that a provider tells is left out.

    Raises:
        Unreadable: the body is something else.
    """
    try:
        said = json.loads(body)
        found = list(_READERS[provider](said))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if len(found) > EVENTS_MAX:
        raise Unreadable(f"more than {EVENTS_MAX} events")
    return found


def _read_generic(said: Any) -> Iterator[Notice]:
    for each in said if isinstance(said, list) else [said]:
        notice = _notice(each.get("message_id"), each.get("address"), each.get("code"), each.get("text"))
        yield replace(notice, is_complaint=each.get("type") == "complaint")


def _read_mailgun(said: Any) -> Iterator[Notice]:
    event = said["event-data"]
    is_complaint = event.get("event") == "complained"
    if not is_complaint and (event.get("event"), event.get("severity")) != ("failed", "permanent"):
        return
    status = event.get("delivery-status") or {}
    text = status.get("message") or status.get("description")
    code = status.get("enhanced-code") or bounces.code_of(str(text)) or status.get("code")
    headers = (event.get("message") or {}).get("headers") or {}
    yield replace(_notice(headers.get("message-id"), event.get("recipient"), code, text), is_complaint=is_complaint)


def _read_sendgrid(said: Any) -> Iterator[Notice]:
    for event in said:
        if event.get("event") in {"bounce", "spamreport"}:
            notice = _notice(event.get("smtp-id"), event.get("email"), event.get("status"), event.get("reason"))
            yield replace(notice, is_complaint=event["event"] == "spamreport")


_READERS: Mapping[Provider, Callable[[Any], Iterator[Notice]]] = {
    Provider.GENERIC: _read_generic,
    Provider.MAILGUN: _read_mailgun,
    Provider.SENDGRID: _read_sendgrid,
}


def _notice(message_id: Any, address: Any, code: Any, text: Any) -> Notice:
    words = " ".join(str(text or "").replace("\0", "").split())[:_TEXT_LENGTH_MAX]
    found = bounces.code_of(str(code or "")) or bounces.code_of(words) or "5.0.0"
    where = str(address or "").replace("\0", "").strip().lower()[:_ADDRESS_LENGTH_MAX]
    return Notice(str(message_id or "").strip().strip("<>"), where, found, words)


def configured(text: str) -> tuple[Provider, str] | None:
    """Provider and key of the setting `bounce_webhook`, `provider:key`; none if it is empty."""
    name, _colon, key = text.partition(":")
    return (Provider(name), key) if key else None
