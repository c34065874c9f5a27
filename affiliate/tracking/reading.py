"""What the query of a link's address says: sub ids, consent, a deep link, advertising, and what travels on. Pure."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote_plus

from affiliate.tracking import consent as consents
from affiliate.tracking import paid
from affiliate.tracking.eventtypes import Consent
from affiliate.tracking.subs import ALIASES, normalised

QUERY_LENGTH_MAX = 8_000
TEST_PARAMETER = "aff_test"
"""Marks a click as a test of the installation itself."""

_KEPT_MAX = 8_192  # readings in memory
_KEPT_LENGTH_MAX = 500
_FIELDS_MAX = 100
_OURS = frozenset({*ALIASES, "url", "cons", TEST_PARAMETER})


class Query(NamedTuple):
    """What the parameters of an address say. Nobody changes it: it is kept for the next click with the same ones."""

    subs: dict[str, str]
    deep_link: str | None
    consent: Consent  # without the program's default
    test_mark: str | None
    ad: paid.AdFacts
    passed_on: tuple[tuple[str, str], ...]  # a name as it was sent, and the pair as it is written


_NO_QUERY = Query({}, None, "none", None, paid.NO_AD, ())


def query(text: str, click_parameter: str) -> Query:
    """The parameters of the address. Clicks of one campaign carry the same ones, so the last readings are kept."""
    if not text:
        return _NO_QUERY
    return (_read if len(text) <= _KEPT_LENGTH_MAX else _read.__wrapped__)(text, click_parameter)


@lru_cache(maxsize=_KEPT_MAX)
def _read(text: str, click_parameter: str) -> Query:
    """The parameters of the address, sorted by what they are for."""
    parameters = parameters_of(text[:QUERY_LENGTH_MAX])
    if not parameters:
        return _NO_QUERY
    named = dict(reversed(parameters))  # the first of equal names counts
    foreign = [pair for pair in parameters if pair[0].lower() not in _OURS and pair[0] != click_parameter]
    return Query(
        subs=normalised(parameters),
        deep_link=named.get("url") or None,
        consent=consents.state(named, has_opted_out=False, default=False),
        test_mark=named.get(TEST_PARAMETER),
        ad=paid.facts(parameters),
        passed_on=tuple((name, f"{quote_plus(name)}={quote_plus(value)}") for name, value in foreign),
    )


def parameters_of(text: str) -> list[tuple[str, str]]:
    """Names and values in their order; none where there are more than anybody needs."""
    if "%" in text or "+" in text:
        try:
            return parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            return []
    # The library takes four times as long, and most queries hold nothing to decode.
    pairs = [part.partition("=") for part in text.split("&") if part]
    return [(name, value) for name, _, value in pairs] if len(pairs) <= _FIELDS_MAX else []
