"""Codes of links and coupons: short random ones, and the rules for those that people choose. No I/O but the system's randomness."""

import enum
import re
import secrets

CODE_LENGTH = 7
CODE_LENGTH_MAX = 40
COUPON_LENGTH_MAX = 60

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without 0 o 1 l i: a code is also read out and typed
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])", re.ASCII)
_COUPON = re.compile(r"[A-Z0-9](?:[A-Z0-9_.-]{0,58}[A-Z0-9])?", re.ASCII)
_RESERVED = frozenset(
    {
        "admin",
        "api",
        "app",
        "apply",
        "console",
        "demo",
        "docs",
        "favicon",
        "help",
        "index",
        "login",
        "logout",
        "new",
        "none",
    }
    | {
        "null",
        "pixel",
        "portal",
        "postback",
        "preview",
        "robots",
        "root",
        "sitemap",
        "static",
        "status",
        "support",
        "test",
    }
    | {"undefined", "unknown", "www"}
)


class CodeProblem(enum.StrEnum):
    """Why a chosen code is refused."""

    SHAPE = "shape"
    RESERVED = "reserved"


def random_code() -> str:
    """Seven characters, 34 bits: enough that a stranger does not hit one by chance; the database refuses a repeat."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def code_problem(code: str) -> CodeProblem | None:
    """Why `code` (lower case) cannot be a link's code: 3 to 40 letters, digits and hyphens, not a word of the system."""
    if _CODE.fullmatch(code) is None:
        return CodeProblem.SHAPE
    return CodeProblem.RESERVED if code in _RESERVED else None


def coupon_problem(code: str) -> CodeProblem | None:
    """Why `code` (upper case) cannot be a coupon: up to 60 letters, digits, dots, hyphens and underscores."""
    return None if _COUPON.fullmatch(code) else CodeProblem.SHAPE
