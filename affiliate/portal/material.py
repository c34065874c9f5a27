"""A creative as plain values for the partner's pages: a card, and its code with the partner's own link in it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import ids
from affiliate.creatives import codes, disclosures, queries, words
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative
from affiliate.creatives.queries import Shown
from affiliate.links.models import Link
from affiliate.money import Money
from affiliate.portal.blueprint import settings
from affiliate.programs import addresses
from affiliate.reports.metrics import METRICS, Facts

WITH_CODE = frozenset(CreativeKind) - {CreativeKind.DOCUMENT, CreativeKind.FEED}
"""The kinds that a partner copies; the others it downloads."""
_SAYS_SO = frozenset({CreativeKind.TEXT, CreativeKind.POST, CreativeKind.MAIL, CreativeKind.VIDEO})
"""The kinds whose code says itself that it is advertising."""

_DEFAULT_LANGUAGE = "en"


def card(shown: Shown, facts: Facts | None, *, now: datetime) -> dict[str, Any]:
    """A creative of the library as a card, and as the head of its page."""
    creative, version = shown
    state = words.state(creative, now=now)
    return {
        "id": ids.public("crv", creative.id),
        "kind": creative.kind.value,
        "kind_word": words.kind(creative.kind),
        "icon": words.ICONS[creative.kind],
        "title": creative.title,
        "campaign": creative.campaign,
        "language": words.language(creative.language),
        "language_code": creative.language,
        "size": f"{version.width} × {version.height}" if version.width else "",
        "width": version.width,
        "height": version.height,
        "alt": version.alt,
        "items": version.item_count,
        "version": version.version,
        "changed_at": version.created_at,
        "starts_at": creative.starts_at,
        "is_new": creative.starts_at > now - queries.NEW_FOR,
        "sign": {"kind": state[0], "word": state[1], "icon": state[2]},
        "is_ending": creative.ends_at is not None,
        "end_note": creative.end_note,
        "reason": creative.reason,
        "url": url_for("portal.creative", creative_id=creative.id),
        "picture_url": url_for("portal.creative_file", creative_id=creative.id, v=version.version)
        if creative.kind is CreativeKind.BANNER
        else None,
        **(_numbers(facts) if facts else {}),
    }


def _numbers(facts: Facts) -> dict[str, Any]:
    return {
        "clicks": facts.clicks_valid,
        "sales": facts.conversions,
        "rate": METRICS["conversion_rate"].of(facts),
        "earned": Money(facts.earned_minor, facts.currency),
    }


def link_for(creative: Creative, link: Link) -> str:
    """The partner's link as this creative carries it."""
    address = f"{addresses.links(g.program.own_host, settings())}/r/{link.code}"
    return codes.own_link(address, creative=ids.public("crv", creative.id), landing_url=creative.landing_url)


def code(shown: Shown, link: str) -> str:
    """What the partner copies."""
    creative, version = shown
    language = creative.language or _DEFAULT_LANGUAGE
    writers: dict[CreativeKind, Callable[[], str]] = {
        CreativeKind.BANNER: lambda: codes.banner(
            link=link,
            picture_url=picture_address(shown),
            width=version.width or 0,
            height=version.height or 0,
            alt=version.alt,
        ),
        CreativeKind.TEXT: lambda: codes.text_link(link=link, words=version.body, label=label(language)),
        CreativeKind.POST: lambda: codes.post(version.body, link=link, label=label(language)),
        CreativeKind.MAIL: lambda: codes.mail(version.body, link=link, sentence=disclosures.sentence(language)),
        CreativeKind.HTML: lambda: codes.snippet(version.body, link=link),
        CreativeKind.VIDEO: lambda: (
            f"{version.address}\n\n{codes.post(version.body, link=link, label=label(language))}"
        ),
    }
    return writers[creative.kind]()


def picture_address(shown: Shown) -> str:
    """Where pages of partners load a banner from: without a version, so that they always show the present one."""
    creative, _version = shown
    return f"{settings().base_url}{url_for('site.banner', creative_id=creative.id)}"


def label(language: str) -> str:
    """How a post of this partner says that it is advertising."""
    return disclosures.for_country(g.partner.country).label(language, brand=g.program.name)


def disclosure(creative: Creative) -> dict[str, Any]:
    """What the partner's country asks for, as its page says it."""
    found, language = disclosures.for_country(g.partner.country), creative.language or _DEFAULT_LANGUAGE
    return {
        "country": found.country,
        "rule": found.rule,
        "read_on": found.read_on,
        "label": label(language),
        "sentence": disclosures.sentence(language),
        "is_inside": creative.kind in _SAYS_SO,
    }


def choices(links: Iterable[Link], chosen: Link | None) -> list[dict[str, Any]]:
    """The partner's links to choose from."""
    return [
        {
            "id": ids.public("lnk", link.id),
            "name": link.name or f"/r/{link.code}",
            "is_chosen": chosen is not None and link.id == chosen.id,
        }
        for link in links
    ]


def filters(facets: queries.Facets, wanted: queries.Wanted) -> dict[str, Any]:
    """What the list can be narrowed by, as choices of its form."""
    size = wanted.size and f"{wanted.size[0]}x{wanted.size[1]}"
    return {
        "words": wanted.words,
        "is_new": wanted.is_new,
        "languages": [(code, words.language(code), code == wanted.language) for code in facets.languages],
        "campaigns": [(name, name, name == wanted.campaign) for name in facets.campaigns],
        "sizes": [
            (f"{width}x{height}", f"{width} × {height}", f"{width}x{height}" == size) for width, height in facets.sizes
        ],
        "any": _("All"),
    }
