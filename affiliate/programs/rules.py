"""What the settings of a program and its goals may be. Pure: values in, a sentence about each wrong one out.

Sentences are English sources marked with `N_`; a page translates them, the API gives them as they are.
"""

import enum
import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from affiliate import days, money
from affiliate.programs import labels, signs

N_ = str  # marks a sentence for the translators

SETTINGS = (
    "name", "time_zone", "shop_url", "allowed_hosts", "fallback_url", "click_parameter", "cookie_by_default",
    "channel_signs", "landing_labels", "accent", "validation_days", "validation_start", "payout_min_minor", "case_answer_days",
    "application_answer_days", "mission", "description", "audience", "terms",
)  # fmt: skip
"""What can be changed later. The slug stands in addresses and the currency in the books: both stay. Who gets a sale is said
by the attribution policy, in versions."""


class ValidationStart(enum.StrEnum):
    """From where the validation period of an order runs."""

    ORDER = "order"
    PAYMENT = "payment"
    SHIPPING = "shipping"
    DELIVERY = "delivery"


SUBSCRIBING = ("subscriber", "subscription", "signup", "newsletter", "lead")
"""Kinds of act by which somebody leaves an address or begins a subscription: what a goal of subscribers counts."""

DAYS_MAX = 365
ANSWER_DAYS_MAX = 30
HOSTS_MAX = 50
GOAL_DAYS_MAX = 400
TEXT_MAX = 10_000
ACCENT_CONTRAST_MIN = 4.5
_TINT = 0.12

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[0-9]{1,5})?"
)
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{1,39}")
_ACCENT = re.compile(r"#[0-9a-f]{6}")
_ADDRESS_LENGTH_MAX = 500
_NAME_LENGTH_MAX = 120


def clean_host(text: str) -> str:
    """A host as it is stored: trimmed, lower case, without a last dot; international names in their ASCII form."""
    host = text.strip().lower()
    name, colon, port = host.partition(":")
    try:
        return name.rstrip(".").encode("idna").decode() + colon + port
    except UnicodeError:
        return host


def clean(name: str, value: Any) -> Any:
    """A setting as it is stored, from what was typed."""
    if name == "allowed_hosts":
        return list(dict.fromkeys(clean_host(host) for host in value))
    if name == "channel_signs":
        return list(dict.fromkeys(filter(None, map(signs.clean, value))))
    if name == "landing_labels":
        return list(dict.fromkeys(filter(None, map(labels.clean, value))))
    if name == "accent":
        return value.strip().lower() or None if value else None
    return (value.strip() or (None if name == "fallback_url" else "")) if isinstance(value, str) else value


def host_problem(host: str) -> str | None:
    """What is wrong with a host that links may point to, or nothing."""
    if _HOST.fullmatch(host):
        return None
    return N_("Write the host alone, without https:// and without a path, for example shop.example.")


def slug_problem(slug: str) -> str | None:
    """What is wrong with the program's name in addresses, or nothing."""
    if _SLUG.fullmatch(slug):
        return None
    return N_("Use up to 60 small letters, digits and hyphens, for example casa-ondera.")


def currency_problem(currency: str) -> str | None:
    """What is wrong with a currency code, or nothing."""
    return None if currency in money.currencies() else N_("Use a currency code of ISO 4217, for example EUR.")


def address_problem(address: str) -> str | None:
    """What is wrong with a full address of a page, or nothing."""
    sentence = N_("This is not a full address. Start with https:// and a host, for example https://shop.example.")
    if len(address) > _ADDRESS_LENGTH_MAX or re.search(r"[\s\\\x00-\x1f]", address):
        return sentence
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return sentence
    fine = parts.scheme in {"http", "https"} and "@" not in parts.netloc and host_problem(clean_host(host)) is None
    return None if fine else sentence


def contrast_on_tint(accent: str) -> float:
    """The contrast of a colour `#rrggbb` with its own tint, 12 % of it in white, by the formula of WCAG 2.

    The tint is the darkest light ground that our pages put the colour on: what can be read there is fine on white,
    and white text is fine on the colour.
    """
    channels = [int(accent[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return (_luminance([1 - _TINT * (1 - c) for c in channels]) + 0.05) / (_luminance(channels) + 0.05)


def _luminance(channels: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004 - WCAG's own numbers
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def readable_accent(accent: str) -> str:
    """The nearest darker shade of the colour that can be read."""
    channels = [int(accent[at : at + 2], 16) for at in (1, 3, 5)]
    while contrast_on_tint(shade := "#" + "".join(f"{c:02x}" for c in channels)) < ACCENT_CONTRAST_MIN:
        channels = [max(c - max(c // 20, 1), 0) for c in channels]
    return shade


def is_colour(text: str) -> bool:
    """Whether the text is a colour as we store it."""
    return _ACCENT.fullmatch(text) is not None


def accent_problem(accent: str) -> str | None:
    """What is wrong with the colour of the program's pages, or nothing."""
    if not is_colour(accent):
        return N_("Write the colour as # and six hexadecimal digits, for example #0a5a6e.")
    if contrast_on_tint(accent) < ACCENT_CONTRAST_MIN:
        return N_("Text in this colour could not be read. Choose a darker one.")
    return None


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """One sentence for each wrong setting among `values`; empty when all may be stored."""
    checked = {name: _CHECKS[name](value) for name, value in values.items() if name in _CHECKS}
    found = {name: sentence for name, sentence in checked.items() if sentence}
    if not found and _shop_is_foreign(values):
        found["allowed_hosts"] = N_("The shop's own host is missing: links could not lead to the shop.")
    return found


def goal_problems(*, target: int, starts_on: date, ends_on: date, is_share: bool = False) -> dict[str, str]:
    """One sentence for each wrong part of a goal. The period is half-open: `ends_on` is the first day after it."""
    found = {}
    if not 0 < target <= money.AMOUNT_MINOR_MAX:
        found["target"] = N_("A goal needs a target above zero.")
    elif is_share and target > money.BPS_PER_UNIT:
        found["target"] = N_("A share is 100 percent at most.")
    if ends_on <= starts_on:
        found["ends_on"] = N_("The period ends before it begins. Choose a later end.")
    elif (ends_on - starts_on).days > GOAL_DAYS_MAX:
        found["ends_on"] = N_("A goal covers at most 400 days. Choose an earlier end.")
    for name, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if not days.is_ours(day):
            found[name] = N_("Choose a day.")
    return found


def _shop_is_foreign(values: Mapping[str, Any]) -> bool:
    if "shop_url" not in values or "allowed_hosts" not in values:
        return False
    parts = urlsplit(values["shop_url"])
    return not {clean_host(parts.netloc), clean_host(parts.hostname or "")} & set(values["allowed_hosts"])


def _hosts(hosts: list[str]) -> str | None:
    if not hosts:
        return N_("Name at least one host that links may lead to.")
    if len(hosts) > HOSTS_MAX:
        return N_("At most 50 hosts can be named.")
    return next((sentence for sentence in map(host_problem, hosts) if sentence), None)


def _signs(lines: list[str]) -> str | None:
    if len(lines) > signs.SIGNS_MAX:
        return N_("At most 100 lines can be named.")
    if all(map(signs.is_sign, lines)):
        return None
    return N_("Write one sign a line, for example gclid: google_ads or utm_medium=cpc: search_ads.")


def _labels(lines: list[str]) -> str | None:
    if len(lines) > labels.LABELS_MAX or len(set(labels.names(lines))) < len(lines):
        return N_("At most ten labels, each name once.")
    if any(map(labels.unknown, lines)):
        return N_("This macro is not known. Those that are: {program}, {partner}, {link}, {sub1} to {sub10}.")
    if all(map(labels.is_label, lines)):
        return None
    return N_(
        "Write one label a line, each macro once, for example utm_source={program}. Names begin with utm_, mtm_, pk_ or at_."
    )


def _days(days: int) -> str | None:
    return None if 1 <= days <= DAYS_MAX else N_("Choose from 1 to 365 days.")


def _answer_days(days: int) -> str | None:
    return None if 1 <= days <= ANSWER_DAYS_MAX else N_("Choose from 1 to 30 days.")


def _validation_days(days: int) -> str | None:
    return None if 0 <= days <= DAYS_MAX else N_("Choose from 0 to 365 days.")


def _name(name: str) -> str | None:
    return None if 0 < len(name.strip()) <= _NAME_LENGTH_MAX else N_("Write a name of at most 120 characters.")


def _text(text: str) -> str | None:
    return None if len(text) <= TEXT_MAX else N_("This text is too long: 10,000 characters are the limit.")


def _minimum(amount_minor: int) -> str | None:
    return None if 0 <= amount_minor <= money.AMOUNT_MINOR_MAX else N_("Write an amount of zero or more.")


def _parameter(name: str) -> str | None:
    return None if _PARAMETER.fullmatch(name) else N_("Use small letters, digits and _, beginning with a letter.")


def _zone(name: str) -> str | None:
    return None if name in available_timezones() else N_("Choose a time zone such as Europe/Rome.")


_CHECKS: dict[str, Any] = {
    "slug": slug_problem,
    "currency": currency_problem,
    "name": _name,
    "time_zone": _zone,
    "shop_url": address_problem,
    "fallback_url": lambda address: address_problem(address) if address else None,
    "allowed_hosts": _hosts,
    "click_parameter": _parameter,
    "channel_signs": _signs,
    "landing_labels": _labels,
    "accent": lambda accent: accent_problem(accent) if accent else None,
    "attribution_window_days": _days,
    "validation_days": _validation_days,
    "case_answer_days": _answer_days,
    "application_answer_days": _answer_days,
    "payout_min_minor": _minimum,
    "mission": _text,
    "description": _text,
    "audience": _text,
    "terms": _text,
}
