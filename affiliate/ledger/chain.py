"""The chain over committed rows and its signature, as pure functions: each row's hash goes into the hash after it.

Whoever changes, adds or takes away a row that is sealed must make every later seal anew, and cannot sign it.
"""

import enum
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from affiliate import signing

START = bytes(32)
"""What stands before the first row of a chain."""

PREFIX_BYTES = 8
_PURPOSE = "ledger-seal"


class ChainName(enum.StrEnum):
    """What is chained."""

    TRANSFERS = "transfers"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a seal says, and what is signed: after so many rows of this chain, the last at this position, stands this head."""

    chain: str
    number: int
    last_position: int
    rows: int
    head: str
    sealed_at: datetime

    def text(self) -> bytes:
        """The bytes that are signed."""
        moment = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        return "|".join(map(str, (self.chain, self.number, self.last_position, self.rows, self.head, moment))).encode()


def link(head: bytes, digest: bytes) -> bytes:
    """The head after one more row."""
    return hashlib.sha256(head + digest).digest()


def signing_key(secret: str) -> Ed25519PrivateKey:
    """The key of this installation, which follows from its secret and lies nowhere."""
    return Ed25519PrivateKey.from_private_bytes(signing.derive(secret, _PURPOSE))


def public_key(secret: str) -> str:
    """The public half, in hex: what others need to check a seal."""
    return signing_key(secret).public_key().public_bytes_raw().hex()


def sign(key: Ed25519PrivateKey, statement: Statement) -> str:
    """The signature, in hex."""
    return key.sign(statement.text()).hex()


def is_signed(statement: Statement, *, public: str, signature: str) -> bool:
    """Whether this signature under this statement was made with the private half of `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), statement.text())
    except (InvalidSignature, ValueError):
        return False
    return True
