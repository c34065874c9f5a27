"""DKIM (RFC 6376): a mail signed for domains of its sender, by RSA with SHA-256, canonicalized relaxed/relaxed.

The library that checks these signatures in our tests counts with integers of Python when it signs: twenty milliseconds a mail,
where OpenSSL takes one.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"list-unsubscribe", b"list-unsubscribe-post", b"list-id")  # fmt: skip
"""Also the ways to unsubscribe, as RFC 8058 asks."""

_BLANKS = re.compile(rb"[ \t]+")
_BLANKS_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_LINE_LENGTH = 72


class Signer:
    """Signs with one key, which it reads once, for every domain that publishes it."""

    def __init__(self, *, selector: str, pem: bytes) -> None:
        """Take a private RSA key in PEM, PKCS #1 or #8, without a password.

        Raises:
            ValueError: it is none.
        """
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("DKIM_KEY_FILE holds no RSA key")  # noqa: TRY004 - a wrong file, like one that cannot be read
        self._key = key
        self._selector = selector

    def signed(self, message: bytes, *, domains: Sequence[str], now: datetime) -> bytes:
        """The message, its lines ending in CR and LF, with a signature for each domain in front."""
        return b"".join(self._signature(message, domain, now) for domain in domains) + message

    def _signature(self, message: bytes, domain: str, now: datetime) -> bytes:
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in _SIGNED if name in fields]
        body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest())
        about = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={self._selector};"
        said = b"\r\n\t".join(
            [about.encode(), b"t=%d; h=%s;" % (now.timestamp(), b":".join(names)), b"bh=%s;" % body_hash, b"b="]
        )
        covered = b"".join(b"%s:%s\r\n" % (name, fields[name]) for name in names)
        covered += b"dkim-signature:" + _relaxed(said)
        signature = base64.b64encode(self._key.sign(covered, padding.PKCS1v15(), hashes.SHA256()))
        lines = [signature[at : at + _LINE_LENGTH] for at in range(0, len(signature), _LINE_LENGTH)]
        return b"DKIM-Signature: " + said + b"\r\n\t ".join(lines) + b"\r\n"


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Relaxed values by their lower-case names; each name that we sign stands once in our mails."""
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
    parts = (line.partition(b":") for line in unfolded.split(b"\r\n"))
    return {name.strip().lower(): _relaxed(value) for name, _, value in parts}


def _relaxed(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip()


def _relaxed_body(body: bytes) -> bytes:
    body = _BLANKS.sub(b" ", _BLANKS_AT_END.sub(b"", body)).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
