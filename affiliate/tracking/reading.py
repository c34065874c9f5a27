"""What the query of a link's address says: sub ids, consent, a deep link, advertising, and what travels on. Pure."""

from urllib.parse import parse_qsl, quote_plus

import msgspec

from affiliate.tracking import consent as consents
from affiliate.tracking import paid
from affiliate.tracking.eventtypes import Consent
from affiliate.tracking.subs import ALIASES, normalised

QUERY_LENGTH_MAX = 8_000
TEST_PARAMETER = "aff_test"
"""Marks a click as a test of the installation itself."""

_FIELDS_MAX = 100
_OURS = frozenset({"url", "cons", TEST_PARAMETER})  # beside the aliases
_NAMED = _OURS | consents.NAMES


class Query(msgspec.Struct, frozen=True, gc=False):  # made by C code: a click pays for each that Python makes
    """What the parameters of an address say."""

    subs: dict[str, str]
    deep_link: str | None
    consent: Consent  # without the program's default
    test_mark: str | None
    ad: paid.AdFacts
    passed_on: list[tuple[str, str]]  # a name as it was sent, and the pair as it is written


def query(text: str, click_parameter: str) -> Query:
    """The parameters of the address, sorted by what they are for. Each click pays for this: a look-up in a set decides."""
    if not text:
        return _NOTHING
    named: dict[str, str] = {}
    subs, ads, passed_on = [], [], []
    for pair in parameters_of(text[:QUERY_LENGTH_MAX]):
        name, value = pair
        key = name.lower()
        if key in ALIASES:
            subs.append(pair)
            continue
        if name in _NAMED:
            named.setdefault(name, value)  # the first of equal names counts
        if key not in _OURS and name != click_parameter:
            passed_on.append((name, f"{quote_plus(name)}={quote_plus(value)}"))
            if key in paid.NAMES:
                ads.append(pair)
    return Query(
        normalised(subs) if subs else {},
        named.get("url") or None,
        consents.state(named, has_opted_out=False, default=False) if named else "none",
        named.get(TEST_PARAMETER),
        paid.facts(ads) if ads else paid.NO_AD,
        passed_on,
    )


_NOTHING = Query({}, None, "none", None, paid.NO_AD, [])  # nobody changes what a query says


def parameters_of(text: str) -> list[tuple[str, str]]:
    """Names and values in their order; none where there are more than anybody needs."""
    if "%" in text or "+" in text:
        try:
            return parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            return []
    if text.count("&") >= _FIELDS_MAX:
        return []
    # The library takes four times as long, and most queries hold nothing to decode.
    return [(name, value) for part in text.split("&") if part for name, _, value in [part.partition("=")]]
