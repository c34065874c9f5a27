"""Signatures that an independent checker takes, and that a changed mail breaks."""

import base64
from functools import lru_cache

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from factories import NOW

from affiliate.newsletters.signatures import Signer
from affiliate.senders import signing_domains

HEAD = b"From: Casa <news@shop.example>\r\nTo:  alice@example.test \r\nSubject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\nList-Unsubscribe: <https://shop.example/x>\r\n"
BODIES = [b"", b"\r\n\r\n", b"Hello  \t world \t\r\n.\r\n\r\n\r\n", b"no line end", b" \r\n"]
PEM, PKCS8, PKCS1 = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.PrivateFormat.TraditionalOpenSSL,
)


@lru_cache(maxsize=1)
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(form: serialization.PrivateFormat = PKCS8) -> bytes:
    return key().private_bytes(PEM, form, serialization.NoEncryption())


def record(name: bytes, **_more: object) -> bytes:
    assert name in {b"autumn._domainkey.shop.example.", b"autumn._domainkey.casa.example."}
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(key().public_key().public_bytes(*form))


def is_good(message: bytes) -> bool:
    return bool(dkim.verify(message, dnsfunc=record))


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("form", [PKCS8, PKCS1], ids=["PKCS8", "PKCS1"])
def test_an_independent_checker_takes_it(body: bytes, form: serialization.PrivateFormat) -> None:
    signer = Signer(selector="autumn", pem=pem(form))
    assert is_good(signer.signed(HEAD + b"\r\n" + body, domains=["shop.example"], now=NOW))


def test_nobody_can_change_the_words_the_reader_or_the_way_to_stop() -> None:
    signed = Signer(selector="autumn", pem=pem()).signed(HEAD + b"\r\nHello.\r\n", domains=["shop.example"], now=NOW)
    assert is_good(signed)
    for old, new in (
        (b"Hello", b"Hullo"),
        (b"alice", b"alica"),
        (b"shop.example/x", b"shop.example/y"),
        (b"q?a?", b"q?c?"),
    ):
        assert old in signed
        assert not is_good(signed.replace(old, new))


@pytest.mark.parametrize(
    ("address", "domains"),
    [
        ("news@shop.example", ["shop.example"]),
        ("news@mail.Shop.example", ["shop.example"]),
        ("news@workshop.example", ["shop.example", "workshop.example"]),
        ("news@casa.example", ["shop.example", "casa.example"]),
    ],
)
def test_a_sender_of_another_domain_has_a_signature_of_its_own(address: str, domains: list[str]) -> None:
    assert list(signing_domains("Shop <partners@shop.example>", address)) == domains


def test_both_signatures_hold_where_both_domains_publish_the_key() -> None:
    both = ("shop.example", "casa.example")
    signed = Signer(selector="autumn", pem=pem()).signed(HEAD + b"\r\nHello.\r\n", domains=both, now=NOW)
    for at, domain in enumerate(both):
        found = dkim.DKIM(signed)
        assert found.verify(idx=at, dnsfunc=record)
        assert found.domain == domain.encode()


def test_another_kind_of_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, serialization.NoEncryption())
    with pytest.raises(ValueError, match="no RSA key"):
        Signer(selector="autumn", pem=other)
