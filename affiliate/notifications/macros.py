"""The words in braces of a postback address: which there are, what is wrong with an address, and what it becomes. Pure.

Values are percent-encoded, so that nothing a customer or a partner typed can add a parameter or another host. No macro
tells who bought: there is none for addresses, names or customer numbers.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

URL_LENGTH_MAX = 1_000
EXPANDED_LENGTH_MAX = 8_000
_MACRO = re.compile(r"\{([^{}]*)\}")

MACROS = frozenset(
    {
        "transaction_id", "click_id", "clickid", "offer_id", "affiliate_id", "aff_sub", "source", "source_id",
        "externalid", "sale_amount", "amount", "payout", "payout_amount", "currency", "order_id", "txid", "event_id",
        "event_name", "goal_id", "status", "coupon_code", "country", "datetime", "date", "unix", "random",
    }
    | {f"aff_sub{number}" for number in range(2, 6)}
    | {f"sub{number}" for number in range(1, 11)}
)  # fmt: skip
"""Every macro, as it is written: case counts."""

PRIVATE = frozenset({"ip", "user_ip", "user_agent", "customer_id", "email"})
"""What other trackers hand out and we do not: it is the customer's."""


class Problem(enum.StrEnum):
    """Why an address is refused."""

    TOO_LONG = "too_long"
    NOT_HTTPS = "not_https"
    NO_HOST = "no_host"
    HAS_PASSWORD = "has_password"  # noqa: S105 - a reason, not a secret
    HAS_FRAGMENT = "has_fragment"
    NOT_PRINTABLE = "not_printable"
    MACRO_IN_HOST = "macro_in_host"
    UNKNOWN_MACRO = "unknown_macro"
    PRIVATE_MACRO = "private_macro"
    STRAY_BRACE = "stray_brace"


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong, and with which words."""

    problem: Problem
    words: str = ""


def normalised(address: str) -> str:
    """The address with plain braces: browsers write them as %7B and %7D when an address is copied."""
    return re.sub("%7D", "}", re.sub("%7B", "{", address.strip(), flags=re.IGNORECASE), flags=re.IGNORECASE)


def check(address: str, *, plain: bool = False) -> Refused | None:
    """What is wrong with a normalised address, or nothing. `plain`: http will do (this machine, in tests)."""
    if len(address) > URL_LENGTH_MAX:
        return Refused(Problem.TOO_LONG)
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return Refused(Problem.NOT_PRINTABLE)
    return _check_place(address, plain=plain) or _check_macros(address)


def _check_place(address: str, *, plain: bool) -> Refused | None:
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return Refused(Problem.NO_HOST)
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        return Refused(Problem.NOT_HTTPS)
    if "{" in parts.netloc or "}" in parts.netloc:
        return Refused(Problem.MACRO_IN_HOST)
    if not host:
        return Refused(Problem.NO_HOST)
    if "@" in parts.netloc:
        return Refused(Problem.HAS_PASSWORD)
    return Refused(Problem.HAS_FRAGMENT) if parts.fragment else None


def _check_macros(address: str) -> Refused | None:
    names = _MACRO.findall(address)
    if private := sorted(PRIVATE.intersection(names)):
        return Refused(Problem.PRIVATE_MACRO, _braced(private))
    if unknown := sorted(set(names) - MACROS):
        return Refused(Problem.UNKNOWN_MACRO, _braced(unknown))
    rest = _MACRO.sub("", address)
    return Refused(Problem.STRAY_BRACE) if "{" in rest or "}" in rest else None


def _braced(names: list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def expand(address: str, values: Mapping[str, str]) -> str:
    """The address with each macro replaced by its percent-encoded value; one without a value becomes nothing."""
    return _MACRO.sub(lambda found: quote(values.get(found[1], ""), safe=""), address)[:EXPANDED_LENGTH_MAX]
