"""What an address says of advertising: the ids that networks put into it, campaign names, the creative. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from affiliate.tracking.subs import clean

VALUE_LENGTH_MAX = 255
CREATIVE_LENGTH_MAX = 60

AD_IDS = frozenset(
    {
        "gclid", "gbraid", "wbraid", "dclid", "msclkid", "ttclid", "sccid", "twclid", "li_fat_id", "awc", "irclickid",
        "cjevent", "fbclid",
    }
)  # fmt: skip
"""The parameters by which a network knows its click again. Which of them tell of a paid channel, each program says (`signs`)."""

_UTM = "utm_"
_UTM_NAMES = frozenset({"source", "medium", "campaign", "term", "content", "id"})
_CREATIVE_NAMES = ("creative", "creative_id", "a_bid")

NAMES = AD_IDS | {*_CREATIVE_NAMES, *(f"{_UTM}{name}" for name in _UTM_NAMES)}
"""Every parameter that `facts` reads, in lower case."""


@dataclass(frozen=True, slots=True)
class AdFacts:
    """What the address says of advertising: a creative of ours, click ids of networks, campaign names without `utm_`."""

    creative: str | None
    ad_ids: dict[str, str]
    utm: dict[str, str]


NO_AD = AdFacts(None, {}, {})


def facts(parameters: Iterable[tuple[str, str]]) -> AdFacts:
    """The facts among the parameters of an address; the first of equal names counts, empty ones are left out."""
    creatives: dict[str, str] = {}
    ad_ids: dict[str, str] = {}
    utm: dict[str, str] = {}
    for name, value in parameters:
        key = name.lower()
        if key in AD_IDS:
            _keep(ad_ids, key, value, VALUE_LENGTH_MAX)
        elif key.startswith(_UTM):
            if key[len(_UTM) :] in _UTM_NAMES:
                _keep(utm, key[len(_UTM) :], value, VALUE_LENGTH_MAX)
        elif key in _CREATIVE_NAMES:
            _keep(creatives, key, value, CREATIVE_LENGTH_MAX)
    creative = next((creatives[name] for name in _CREATIVE_NAMES if name in creatives), None)
    return AdFacts(creative, ad_ids, utm)


def _keep(found: dict[str, str], name: str, value: str, length_max: int) -> None:
    if text := clean(value, length_max):
        found.setdefault(name, text)
