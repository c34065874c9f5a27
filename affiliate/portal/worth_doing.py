"""What a partner had better do now, and what is new for it, as plain values for its home page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from affiliate import formats
from affiliate.accounts import access
from affiliate.creatives import queries as creatives
from affiliate.creatives import words as creative_words
from affiliate.newsletters import labels
from affiliate.newsletters import queries as newsletters
from affiliate.papers import queries as papers
from affiliate.partners.models import PartnerNotice
from affiliate.portal import notices
from affiliate.portal.dashboard import DAYS, Who
from affiliate.portal.newsletters import subject
from affiliate.relations import words as case_words
from affiliate.relations.models import Case, CaseStatus
from affiliate.reports import breakdown, periods, popular
from affiliate.reports.home import Standing

CLICKS_MIN = 100
"""From so many valid clicks without a sale on, a link leads to the wrong page or its readers want something else."""
NEW_FOR = timedelta(days=14)
EACH_MAX = 3
NOTICES_READ = 4 * EACH_MAX
"""Of so many unread notices those are told that say something new."""
_ANSWERED = (CaseStatus.ACCEPTED, CaseStatus.DECLINED)


def tasks(session: Session, who: Who, cases: list[Case], standing: Standing) -> list[dict[str, str]]:
    """What waits for the partner, what holds its money back first; `cases` are its last ones. Ideas come where no invoice waits.

    Each is told to who may do it.
    """
    mine: dict[str, Any] = {"program_id": who.program.id, "partner_id": who.partner_id}
    found = []
    has_invoice_to_send = standing.has_invoice_to_send and access.may("portal.file_invoice", "POST")
    if has_invoice_to_send:
        awaited = papers.awaited(session, **mine, limit=EACH_MAX)
        found += [_invoice(payout) for payout, _name, filed in awaited if filed is None]
    if access.may("portal.reply_to_case", "POST"):
        found += [_question(case) for case in cases if case.status is CaseStatus.ASKED]
    is_unpayable = standing.done.has_click and not standing.has_method
    if is_unpayable and access.may("portal.change_payment_details"):  # before, it is said among the first steps, once
        found.append(_account())
    period = periods.last_days(DAYS, now=who.now, zone=who.zone)
    idle = breakdown.idle_links(session, **mine, period=period, clicks_min=CLICKS_MIN, limit=EACH_MAX)
    found += [_idle(link, clicks) for link, clicks in idle]
    return found if has_invoice_to_send else found + _ideas(session, who, standing)


def _ideas(session: Session, who: Who, standing: Standing) -> list[dict[str, str]]:
    if not standing.popular:
        return []
    reader = creatives.Reader(who.partner_id, standing.group_name)
    here: dict[str, Any] = {"program_id": who.program.id, "reader": reader, "now": who.now}
    found = popular.unused(session, **here, names=standing.popular)
    if found is None:
        return []
    note = _("Others do well with it, and you have not used it yet.")
    url = url_for("portal.creative", creative_id=found.id)
    return [{"icon": creative_words.ICONS[found.kind], "title": found.title, "note": note, "url": url}]


def _invoice(payout: Any) -> dict[str, str]:
    url = url_for("portal.payment_notice", payout_id=payout.id)
    return {"icon": "file-invoice", "title": _("Send your invoice"), "note": _("The payout waits for it."), "url": url}


def _question(case: Case) -> dict[str, str]:
    url = url_for("portal.case", case_id=case.id)
    return {"icon": "messages", "title": _("Answer the program's question"), "note": _about(case), "url": url}


def _account() -> dict[str, str]:
    note = _("Without an account nothing can be paid to you.")
    url = url_for("portal.payment_details")
    return {"icon": "building-bank", "title": _("Say where your money goes"), "note": note, "url": url}


def _idle(link: Any, clicks: int) -> dict[str, str]:
    number = formats.number(clicks)
    title = ngettext("%(count)s click, no sale", "%(count)s clicks, no sale", clicks, count=number)
    note = _("%(link)s, in 30 days. Does its page still sell what you write about?", link=link.name)
    return {"icon": "bulb", "title": title, "note": note, "url": url_for("portal.link", link_id=link.id)}


def news(session: Session, who: Who, cases: list[Case], *, user_id: Any, group: str | None) -> list[dict[str, Any]]:
    """Answers, material and newsletters of the last two weeks, the newest first. `group` decides what material is offered."""
    reader = creatives.Reader(who.partner_id, group)
    program_id, since = who.program.id, who.now - NEW_FOR
    offered = creatives.offered(
        session, program_id=program_id, reader=reader, wanted=creatives.Wanted(), now=who.now, limit=EACH_MAX
    )
    issues = newsletters.archive(session, program_id=program_id, user_id=user_id, limit=EACH_MAX)
    found = [_answer(case) for case in cases if case.status in _ANSWERED]
    found += [_material(creative) for creative, _version in offered]
    found += [_issue(issue) for issue in issues if issue.release_at is not None]
    return sorted((one for one in found if one["at"] > since), key=_newest_first)


def with_notices(
    found: list[dict[str, Any]], who: Who, unread: Sequence[PartnerNotice], *, besides: Sequence[dict[str, str]]
) -> list[dict[str, Any]]:
    """The news with the newest of these notices in their order, each with the press that makes it read.

    One that leads where other news or one of the tasks (`besides`) leads says nothing new.
    """
    said = {one["url"] for one in (*found, *besides)}
    more = [one for one in unread if one.created_at > who.now - NEW_FOR and one.path not in said][:EACH_MAX]
    return sorted([*found, *map(_notice, more)], key=_newest_first)


def _notice(one: PartnerNotice) -> dict[str, Any]:
    line = notices.told(one)
    return {name: line[name] for name in ("icon", "title", "at", "url", "act")} | {"note": line["kind"]}


def _newest_first(one: dict[str, Any]) -> float:
    at: datetime = one["at"]
    return -at.timestamp()


def _answer(case: Case) -> dict[str, Any]:
    title = f"{_about(case)}: {case_words.status(case.status)[1]}"
    url = url_for("portal.case", case_id=case.id)
    return {"icon": "messages", "title": title, "note": "", "at": case.updated_at, "url": url}


def _about(case: Case) -> str:
    return ", ".join(part for part in (case_words.kind(case.kind), case.order_id) if part)


def _material(creative: Any) -> dict[str, Any]:
    kind, url = creative_words.kind(creative.kind), url_for("portal.creative", creative_id=creative.id)
    icon = creative_words.ICONS[creative.kind]
    return {"icon": icon, "title": creative.title, "note": kind, "at": creative.starts_at, "url": url}


def _issue(issue: Any) -> dict[str, Any]:
    url = url_for("portal.newsletter", issue_id=issue.id)
    return {
        "icon": "mail",
        "title": subject(issue),
        "note": labels.kind(issue.kind),
        "at": issue.release_at,
        "url": url,
    }
