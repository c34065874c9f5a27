"""Creatives as plain values for the console: lines, the page of one, its forms."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, url_for
from flask_babel import pgettext

from affiliate import ids
from affiliate.console import presenters
from affiliate.creatives import words
from affiliate.creatives.forms import ContentForm, CreativeForm
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative, CreativeStatus, CreativeVersion
from affiliate.creatives.queries import Shown, Wanted
from affiliate.partners import queries as partners
from affiliate.reports import periods
from affiliate.reports.metrics import Facts
from affiliate.web import orm, request_now

NOTICE_DAYS = (0, 7, 14, 30)


def notice_days(typed: str) -> int:
    """After how many days something is to end; the longest notice where nothing was chosen."""
    return next((days for days in NOTICE_DAYS if str(days) == typed), NOTICE_DAYS[-1])


def wanted(asked: Mapping[str, str]) -> Wanted:
    """What a list of creatives is asked for, by the names of its filters; an unknown word asks for all."""
    kind = next((each for each in CreativeKind if each.value == asked.get("kind")), None)
    standing = next((each for each in CreativeStatus if each.value == asked.get("status")), None)
    return Wanted(kind=kind, status=standing, words=asked.get("name", "").strip()[:120])


def status(of: CreativeStatus) -> str:
    """Where creatives are, as a filter."""
    words_of: dict[CreativeStatus, str] = {
        CreativeStatus.PROPOSED: pgettext("creatives", "Proposed"),
        CreativeStatus.LIVE: pgettext("creatives", "In the library"),
        CreativeStatus.REFUSED: pgettext("creatives", "Refused"),
    }
    return words_of[of]


def lines(found: Iterable[Shown], facts: Mapping[str, Facts]) -> list[dict[str, Any]]:
    """Rows of the library with what each brought."""
    return [_line(shown, facts[ids.public("crv", shown[0].id)]) for shown in found]


def _line(shown: Shown, facts: Facts) -> dict[str, Any]:
    creative, version = shown
    state = words.state(creative, now=request_now())
    return {
        "id": ids.public("crv", creative.id),
        "title": creative.title,
        "kind": creative.kind.value,
        "kind_word": words.kind(creative.kind),
        "icon": words.ICONS[creative.kind],
        "size": f"{version.width} × {version.height}" if version.width else "",
        "language": words.language(creative.language),
        "campaign": creative.campaign,
        "sign": {"kind": state[0], "word": state[1], "icon": state[2]},
        "reason": creative.reason or creative.end_note,
        "is_proposed": creative.proposed_by_id is not None,
        "is_ending": creative.ends_at is not None,
        "version": creative.version,
        "url": url_for("console.creative", creative_id=creative.id),
        "picture_url": url_for("console.creative_file", creative_id=creative.id, v=version.version)
        if creative.kind is CreativeKind.BANNER
        else None,
        "width": version.width,
        "height": version.height,
        **presenters.figures(facts),
    }


def content(shown: Shown) -> dict[str, Any]:
    """What the present version holds."""
    creative, version = shown
    return {
        "subject": version.subject,
        "body": version.body,
        "alt": version.alt,
        "address": version.address,
        "items": version.item_count,
        "has_frame": creative.kind is CreativeKind.HTML,
        "changed_at": version.created_at,
    }


def facts_form(creative: Creative, groups: Sequence[str]) -> CreativeForm:
    """The form with what is said about it now."""
    zone = g.program.time_zone
    names = ("title", "campaign", "language", "landing_url")
    known = {name: getattr(creative, name) for name in names} | {"groups": ", ".join(groups)}
    known["first_on"] = creative.starts_at.astimezone(ZoneInfo(zone)).date()
    known["last_on"] = periods.last_day_before(creative.ends_at, zone=zone) if creative.ends_at else None
    return CreativeForm(formdata=None, data=known)


def content_form(version: CreativeVersion) -> ContentForm:
    """The form of the next version with the words of this one."""
    names = ("subject", "body", "alt", "address")
    return ContentForm(formdata=None, data={name: getattr(version, name) for name in names})


def versions(found: Iterable[CreativeVersion]) -> list[dict[str, Any]]:
    """The versions as lines."""
    return [{"number": version.version, "at": version.created_at} for version in found]


def proposer(creative: Creative) -> dict[str, str] | None:
    """The partner who proposed it."""
    if creative.proposed_by_id is None:
        return None
    partner = partners.partner_by_id(orm.session, partner_id=creative.proposed_by_id)
    return presenters.partner_link(creative.proposed_by_id, partner.name if partner else None)
