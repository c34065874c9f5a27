"""By what a shop's address tells that a visitor came through another paid channel: a program's signs, one line each. Pure.

A line is `parameter: channel`, or `parameter=value: channel` where only this value counts; a `*` at the end of a value
stands for any rest. The first line that fits decides, so what is surer stands further up.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

SIGNS_MAX = 100
LINE_LENGTH_MAX = 160

AD_IDS = (  # a network's own click id is the surest sign; the tag reports these and all of utm_… by itself
    "gclid: google_ads", "gbraid: google_ads", "wbraid: google_ads", "dclid: google_ads", "msclkid: microsoft_ads",
    "ttclid: tiktok_ads", "sccid: snapchat_ads", "twclid: x_ads", "li_fat_id: linkedin_ads", "awc: awin",
    "irclickid: impact", "cjevent: cj",
)  # fmt: skip
MEDIA = (  # what campaigns write, and what it is
    "utm_medium=cpc: search_ads", "utm_medium=ppc: search_ads", "utm_medium=paidsearch: search_ads",
    "utm_medium=paid_search: search_ads", "utm_medium=cpm: display", "utm_medium=display: display",
    "utm_medium=banner: display", "utm_medium=retargeting: display", "utm_medium=paidsocial: paid_social",
    "utm_medium=paid_social: paid_social", "utm_medium=paid-social: paid_social", "utm_medium=email: email",
    "utm_medium=newsletter: email", "utm_medium=affiliate: affiliate", "utm_medium=affiliates: affiliate",
)  # fmt: skip
DEFAULT: tuple[str, ...] = AD_IDS + MEDIA
"""What a program begins with. `fbclid` is no sign: every link out of Facebook has one, paid or not."""

_SPACES = re.compile(r"\s+")
_LINE = re.compile(
    r"(?P<parameter>[a-z][a-z0-9_.-]{0,39})(?:=(?P<value>[^=:&#\x00-\x1f]{1,80}))?: (?P<channel>[a-z][a-z0-9_]{0,39})"
)


class Sign(NamedTuple):
    """A line as it is looked for: `value` is null where any counts, `has_rest` where it only begins so."""

    parameter: str
    value: str | None
    has_rest: bool
    channel: str


def clean(line: str) -> str:
    """A line as it is stored: lower case, one space after the colon and nowhere else around what it parts."""
    head, colon, channel = _SPACES.sub(" ", line.strip().lower()).rpartition(":")
    parameter, equals, value = head.partition("=")
    return f"{parameter.strip()}{equals}{value.strip()}{colon}{' ' if colon else ''}{channel.strip()}"


def is_sign(line: str) -> bool:
    """Whether a cleaned line can be read."""
    return len(line) <= LINE_LENGTH_MAX and _LINE.fullmatch(line) is not None


def channel(parameters: Mapping[str, str], lines: tuple[str, ...]) -> tuple[str, str] | None:
    """The paid channel that an address tells of, and the parameter that tells. Names of parameters are in lower case."""
    for sign in _read(lines):
        given = parameters.get(sign.parameter)
        if given and _fits(given, sign):
            return sign.channel, sign.parameter
    return None


def foreign(lines: Iterable[str]) -> list[str]:
    """The parameters among these lines that the tag does not report by itself."""
    known = {sign.parameter for sign in _read(AD_IDS)}
    names = dict.fromkeys(sign.parameter for sign in _read(tuple(lines)))
    return [name for name in names if name not in known and not name.startswith("utm_")]


def _fits(given: str, sign: Sign) -> bool:
    if sign.value is None:
        return True
    text = given.strip().lower()
    return text.startswith(sign.value) if sign.has_rest else text == sign.value


@lru_cache(maxsize=1_024)
def _read(lines: tuple[str, ...]) -> tuple[Sign, ...]:
    """The signs; a line that cannot be read is none."""
    return tuple(_sign(found) for found in map(_LINE.fullmatch, lines) if found)


def _sign(found: re.Match[str]) -> Sign:
    value = found["value"]
    has_rest = value is not None and value.endswith("*")
    return Sign(found["parameter"], value[:-1] if has_rest else value, has_rest, found["channel"])
