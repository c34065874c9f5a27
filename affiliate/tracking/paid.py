"""Other paid channels: the ids that advertising networks put into an address, campaign names, and the channel they stand for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from affiliate.tracking.subs import clean

VALUE_LENGTH_MAX = 255
CREATIVE_LENGTH_MAX = 60

AD_IDS: dict[str, str | None] = {
    "gclid": "google_ads",
    "gbraid": "google_ads",
    "wbraid": "google_ads",
    "dclid": "google_ads",
    "msclkid": "microsoft_ads",
    "ttclid": "tiktok_ads",
    "sccid": "snapchat_ads",
    "twclid": "x_ads",
    "li_fat_id": "linkedin_ads",
    "awc": "awin",
    "irclickid": "impact",
    "cjevent": "cj",
    "fbclid": None,  # on every link out of Facebook, paid or not: kept, and no sign of a paid visit by itself
}
"""The parameters by which a network knows its click again, and the paid channel each stands for."""

_UTM = "utm_"
_UTM_NAMES = frozenset({"source", "medium", "campaign", "term", "content", "id"})
_PAID_MEDIA = {  # what campaigns write, and what it is
    "cpc": "search_ads",
    "ppc": "search_ads",
    "paidsearch": "search_ads",
    "paid_search": "search_ads",
    "cpm": "display",
    "display": "display",
    "banner": "display",
    "retargeting": "display",
    "paidsocial": "paid_social",
    "paid_social": "paid_social",
    "paid-social": "paid_social",
    "email": "email",
    "newsletter": "email",
    "affiliate": "affiliate",
    "affiliates": "affiliate",
}
_CREATIVE_NAMES = ("creative", "creative_id", "a_bid")

NAMES = frozenset({*AD_IDS, *_CREATIVE_NAMES, *(f"{_UTM}{name}" for name in _UTM_NAMES)})
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


def channel(ad_ids: Mapping[str, str], utm: Mapping[str, str]) -> tuple[str, str] | None:
    """The paid channel that these facts tell of, and the parameter that tells; a network's own click id is the surer sign."""
    for name, known in AD_IDS.items():
        if known and name in ad_ids:
            return known, name
    medium = _PAID_MEDIA.get(utm.get("medium", "").strip().lower())
    return (medium, "utm_medium") if medium else None


def _keep(found: dict[str, str], name: str, value: str, length_max: int) -> None:
    if text := clean(value, length_max):
        found.setdefault(name, text)
