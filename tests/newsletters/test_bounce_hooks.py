"""Providers tell of mails that came back: only who knows the key is heard, and what each says is read."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from factories import NOW

from affiliate.newsletters import bounce_hooks
from affiliate.newsletters.bounce_hooks import Notice, Provider, Unreadable

SECRET = b"only-the-provider-and-we-know-it"
WHSEC = f"whsec_{base64.b64encode(SECRET).decode()}"
Signed = tuple[str, dict[str, str], bytes]


@lru_cache(maxsize=1)
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def generic(said: Any, now: datetime) -> Signed:
    body, moment = json.dumps(said).encode(), str(int(now.timestamp()))
    digest = hmac.digest(SECRET, f"msg_1.{moment}.".encode() + body, "sha256")
    signature = f"v1,bm90IHRoaXM= v1,{base64.b64encode(digest).decode()}"
    return WHSEC, {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": signature}, body


def mailgun(said: Any, now: datetime) -> Signed:
    moment = str(int(now.timestamp()))
    signature = hmac.new(SECRET, f"{moment}token".encode(), hashlib.sha256).hexdigest()
    signed = {"signature": {"timestamp": moment, "token": "token", "signature": signature}, "event-data": said}
    return SECRET.decode(), {}, json.dumps(signed).encode()


def sendgrid(said: Any, now: datetime) -> Signed:
    body, moment = json.dumps(said).encode(), str(int(now.timestamp()))
    signature = base64.b64encode(curve_key().sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    public = base64.b64encode(curve_key().public_key().public_bytes(*form)).decode()
    names = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")
    return public, dict(zip(names, (signature, moment), strict=True)), body


GENERIC = [
    {"message_id": "<id-1@shop.example>", "address": "Alice@Example.test", "code": "5.1.1", "text": "550 5.1.1 no"},
    {"address": "bob@example.test", "text": "552 5.2.2  over\nquota"},
]
MAILGUN = {
    "event": "failed", "severity": "permanent", "recipient": "alice@example.test",
    "delivery-status": {"code": 550, "message": "5.1.1 The mailbox does not exist", "description": ""},
    "message": {"headers": {"message-id": "id-1@shop.example"}},
}  # fmt: skip
SENDGRID = [
    {"event": "processed", "email": "bob@example.test"},
    {
        "event": "bounce",
        "email": "alice@example.test",
        "smtp-id": "<id-1@shop.example>",
        "status": "5.1.1",
        "reason": "550 no",
    },
]
CALLS = [(Provider.GENERIC, generic, GENERIC), (Provider.MAILGUN, mailgun, MAILGUN), (Provider.SENDGRID, sendgrid, SENDGRID)]  # fmt: skip


def is_genuine(provider: Provider, call: Signed, *, now: datetime = NOW, **changed: Any) -> bool:
    key, headers, body = call
    facts = {"key": key, "headers": headers, "body": body, "now": now} | changed
    return bounce_hooks.is_genuine(provider, **facts)


@pytest.mark.parametrize(("provider", "signed", "said"), CALLS, ids=[each[0].value for each in CALLS])
def test_only_who_knows_the_key_is_heard_and_only_lately(
    provider: Provider, signed: Callable[[Any, datetime], Signed], said: Any
) -> None:
    call = signed(said, NOW)
    key, headers, body = call
    assert is_genuine(provider, call)
    assert not is_genuine(provider, call, now=NOW + timedelta(days=1))
    other = key[:-6] + ("AAAAA=" if provider is not Provider.MAILGUN else "abcdef")
    assert not is_genuine(provider, call, key=other)
    if provider is not Provider.MAILGUN:  # whose signature is not over the body
        assert not is_genuine(provider, call, body=body.replace(b"alice", b"carla").replace(b"Alice", b"Carla"))
        assert not is_genuine(provider, call, headers={})
        assert not is_genuine(provider, call, headers=dict.fromkeys(headers, "é"))
    for rubbish in (b"", b"[]", b"{", b"\xff", b'{"signature": 1}'):
        assert not is_genuine(provider, call, body=rubbish)


def test_each_provider_says_which_mail_came_back_and_why() -> None:
    first = bounce_hooks.read(Provider.GENERIC, json.dumps(GENERIC).encode())
    assert first == [
        Notice("id-1@shop.example", "alice@example.test", "5.1.1", "550 5.1.1 no"),
        Notice("", "bob@example.test", "5.2.2", "552 5.2.2 over quota"),
    ]
    (second,) = bounce_hooks.read(Provider.MAILGUN, mailgun(MAILGUN, NOW)[2])
    assert (second.message_id, second.code) == ("id-1@shop.example", "5.1.1")
    (third,) = bounce_hooks.read(Provider.SENDGRID, json.dumps(SENDGRID).encode())
    assert third == Notice("id-1@shop.example", "alice@example.test", "5.1.1", "550 no")


def test_what_may_still_arrive_is_no_bounce() -> None:
    later = mailgun(MAILGUN | {"severity": "temporary"}, NOW)[2]
    assert bounce_hooks.read(Provider.MAILGUN, later) == []
    assert bounce_hooks.read(Provider.SENDGRID, b'[{"event": "deferred", "email": "a@b.test"}]') == []


def test_who_calls_a_mail_spam_is_told_apart() -> None:
    spam = {"event": "complained", "recipient": "alice@example.test", "message": {"headers": {"message-id": "id-1@x"}}}
    calls = (
        (Provider.GENERIC, b'{"address": "alice@example.test", "type": "complaint"}'),
        (Provider.MAILGUN, mailgun(spam, NOW)[2]),
        (Provider.SENDGRID, b'[{"event": "spamreport", "email": "alice@example.test"}]'),
    )
    for provider, body in calls:
        (notice,) = bounce_hooks.read(provider, body)
        assert (notice.address, notice.is_complaint) == ("alice@example.test", True)


@pytest.mark.parametrize("provider", list(Provider))
@pytest.mark.parametrize("body", [b"", b"{", b"1", b"[1]", b"null", b"\xff", b"[" * 100_000])
def test_rubbish_is_refused(provider: Provider, body: bytes) -> None:
    with pytest.raises(Unreadable):
        bounce_hooks.read(provider, body)


def test_a_body_that_is_too_deep_and_a_key_of_nothing_are_nobodys() -> None:
    deep = b"[" * 200_000
    assert not bounce_hooks.is_genuine(Provider.MAILGUN, key="k", headers={}, body=deep, now=NOW)
    _key, headers, body = generic({}, NOW)
    signed = base64.b64encode(hmac.digest(b"", f"msg_1.{headers['webhook-timestamp']}.".encode() + body, "sha256"))
    forged = headers | {"webhook-signature": f"v1,{signed.decode()}"}
    assert not bounce_hooks.is_genuine(Provider.GENERIC, key="whsec_", headers=forged, body=body, now=NOW)
