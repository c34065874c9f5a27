"""What an API key looks like. The secret is shown once; we keep its SHA-256, which 256 random bits make safe without salt."""

import hashlib
import secrets
from collections.abc import Collection

SCOPES = (
    "conversions:write",
    "conversions:read",
    "links:write",
    "links:read",
    "partners:write",
    "partners:read",
    "payouts:read",
    "payouts:write",
    "reports:read",
    "admin",
)
PARTNER_SCOPES = ("links:read", "reports:read", "conversions:read", "payouts:read")
"""What a partner's own key may do: read, and nothing but the partner's rows."""

PARTNER_KEYS_MAX = 10
"""How many keys of one partner in a program work at the same time."""

_SECRET_BYTES = 32
_SHOWN_CHARACTERS = 16  # the kind and seven characters of the secret: enough to tell keys apart


def make(*, is_test: bool) -> str:
    """A fresh secret: `aff_live_…` or `aff_test_…`, so that people and secret scanners know it at sight."""
    return f"aff_{'test' if is_test else 'live'}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def fingerprint(secret: str) -> str:
    """The hex SHA-256 under which a key is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def shown(secret: str) -> str:
    """The beginning of a secret that pages show."""
    return secret[:_SHOWN_CHARACTERS]


def allows(scopes: Collection[str], wanted: str) -> bool:
    """Whether a key with these scopes may do `wanted`; `admin` may do everything, within the key's own program."""
    return wanted in scopes or "admin" in scopes
