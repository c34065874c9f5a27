"""Plain values for the pages of newsletters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from affiliate import formats, ids
from affiliate.console import presenters, words
from affiliate.console.partners import care_words
from affiliate.console.relations.newsletter_forms import Written, place
from affiliate.newsletters import content, labels, queries, service
from affiliate.newsletters.audiences import Audience
from affiliate.newsletters.content import PARTS, Block, BlockKind, Draft, Problem
from affiliate.newsletters.mailroom import PREFIX
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueStatus,
    NewsletterIssue,
    NewsletterLink,
    StoryConsent,
)
from affiliate.newsletters.results import Sales
from affiliate.newsletters.segments import DAYS, STATUSES, Performance, Segment
from affiliate.partners.models import EnrollmentStatus
from affiliate.reports.momentum import Momentum
from affiliate.web import orm

N_ = str  # marks a sentence for the translators
_ROWS = {"body": 8}


def status(of: IssueStatus) -> words.Sign:
    """Where an issue is."""
    return {
        IssueStatus.DRAFT: words.Sign("", pgettext("newsletter", "Draft"), "pencil"),
        IssueStatus.SCHEDULED: words.Sign("acc", pgettext("newsletter", "Scheduled"), "calendar"),
        IssueStatus.SENDING: words.Sign("wait", pgettext("newsletter", "Being sent"), "send"),
        IssueStatus.STOPPED: words.Sign("hold", pgettext("newsletter", "Stopped"), "player-pause"),
        IssueStatus.SENT: words.Sign("good", pgettext("newsletter", "Sent")),
    }[of]


def delivery(of: DeliveryStatus) -> words.Sign:
    """Where one mail is."""
    return {
        DeliveryStatus.UNCERTAIN: words.Sign("wait", pgettext("mail", "Uncertain"), "help-circle"),
        DeliveryStatus.FAILED: words.Sign("bad", pgettext("mail", "Given up")),
        DeliveryStatus.REFUSED: words.Sign("bad", pgettext("mail", "Refused")),
    }[of]


def subject(issue: NewsletterIssue) -> str:
    """What an issue is called: its subject in its own language."""
    return str(issue.texts.get(issue.language, {}).get("subject") or _("Without a subject"))


def line(row: Any) -> dict[str, Any]:
    """An issue in the list."""
    issue: NewsletterIssue = row.NewsletterIssue
    return {
        "subject": subject(issue),
        "kind": labels.kind(issue.kind),
        "sign": status(issue.status),
        "at": issue.release_at or issue.updated_at,
        "is_over": issue.release_at is not None,
        "url": url_for("console.newsletter", issue_id=issue.id),
        "trouble": _why_not_sent(issue) or issue.trouble,
    }


def _why_not_sent(issue: NewsletterIssue) -> str:
    """That an issue does not leave because nothing is left in it, or its saved choice was deleted; empty if that is not why."""
    return str(_(issue.trouble)) if issue.trouble in {service.NOTHING_TO_SAY, service.CHOICE_DELETED} else ""


def editor(
    issue: NewsletterIssue, written: Written, audience: Audience, language: str, *,
    errors: Mapping[str, str], partner_names: Mapping[str, str], groups: Sequence[str],
    tags: Sequence[str], choices: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Everything on the page of a draft, as it stands or as it was typed."""
    draft = written.draft
    problems = content.problems(draft, allowed_hosts=g.program.allowed_hosts)
    consents = queries.consents(orm.session, issue_id=issue.id)
    beside = {problem.place: _sentence(problem) for problem in problems if _is_typed(draft, problem)} | dict(errors)
    return {
        "issue": {
            "id": issue.id,
            "version": written.version,
            "kind": written.kind.value,
            "in_archive": written.in_archive,
        },
        "language": language,
        "languages": [_language(draft, code, language) for code in content.LANGUAGES],
        "main_language": draft.language,
        "fields": [_field(draft, language, name, beside) for name in ("subject", "preheader")],
        "blocks": [_block(block, language, beside, partner_names, consents) for block in draft.blocks],
        "kinds": [{"value": kind.value, "name": labels.kind(kind)} for kind in content.IssueKind],
        "block_kinds": [{"value": kind.value, "name": labels.block(kind)} for kind in BlockKind],
        "problems": [_problem(draft, problem) for problem in problems],
        "why_not_sent": _why_not_sent(issue),
        "waiting_stories": len(draft.blocks) - len(service.shown(draft, consents).blocks),
        "segment": _segment(written.segment, groups, tags, choices),
        "audience": readers(audience),
        "known_fields": ", ".join(f"{{{name}}}" for name in content.FIELDS),
    }


def _sentence(problem: Problem) -> str:
    sentence = str(_(problem.sentence))
    return sentence % problem.values if problem.values else sentence


def _is_typed(draft: Draft, problem: Problem) -> bool:
    """Whether there is something at the place of a problem: an empty field of a new draft is not red at once."""
    language, _dash, rest = problem.place.partition("-")
    block_id, _dash, name = rest.rpartition("-")
    if language not in content.LANGUAGES:
        return True
    if not block_id:
        return bool(draft.envelope(language, name))
    return any(block.id == block_id and block.text(language, name) for block in draft.blocks)


def _problem(draft: Draft, problem: Problem) -> dict[str, str]:
    language = problem.place.partition("-")[0]
    shown = language if language in content.LANGUAGES else draft.language
    return {"text": _sentence(problem), "language": shown, "name": formats.LANGUAGES[shown], "field": problem.place}


def _language(draft: Draft, code: str, here: str) -> dict[str, Any]:
    state = _("complete") if content.is_complete(draft, code) else (_("begun") if content.is_begun(draft, code) else "")
    return {"code": code, "name": formats.LANGUAGES[code], "state": state, "current": code == here}


def _field(draft: Draft, language: str, name: str, beside: Mapping[str, str]) -> dict[str, Any]:
    label = {"subject": _("Subject"), "preheader": _("Preview line")}[name]
    key = place(language, name)
    return {
        "name": key, "label": label, "value": draft.envelope(language, name), "error": beside.get(key),
        "max": content.LENGTHS_MAX[name], "optional": name == "preheader",
    }  # fmt: skip


def _block(
    block: Block, language: str, beside: Mapping[str, str], partner_names: Mapping[str, str],
    consents: Mapping[tuple[str, str], StoryConsent],
) -> dict[str, Any]:  # fmt: skip
    fields = [_block_field(block, language, name, beside, partner_names) for name in PARTS[block.kind]]
    consent = consents.get((block.partner_id, content.fingerprint(block)))
    return {
        "id": block.id, "kind": labels.block(block.kind), "key": f"{block.id}:{block.kind.value}", "fields": fields,
        "title": block.text(language, "title") or block.text(language, "body")[:60],
        "consent": _consent(consent) if block.kind is BlockKind.STORY else None,
        "may_ask": block.kind is BlockKind.STORY and consent is None,
    }  # fmt: skip


def _block_field(
    block: Block, language: str, name: str, beside: Mapping[str, str], partner_names: Mapping[str, str]
) -> dict[str, Any]:
    key = place(language, name, block)
    shared = {"url": block.url, "partner": partner_names.get(key) or partner_names.get(block.partner_id, "")}
    label, hint = _LABELS[name]
    if name == "url" and block.kind is BlockKind.OFFER:
        label, hint = _("Page of the shop"), _("Where the reader's own link leads. Empty: where it always leads.")
    return {
        "name": key, "label": str(_(label)), "hint": str(_(hint)) if hint else "", "rows": _ROWS.get(name),
        "value": shared[name] if name in shared else block.text(language, name), "error": beside.get(key),
        "max": content.LENGTHS_MAX.get(name, 120), "is_partner": name == "partner",
    }  # fmt: skip


_LABELS = {
    "title": (N_("Title"), ""),
    "body": (N_("Text"), N_("Markdown: **bold**, *italic*, lists, [words](https://…).")),
    "label": (N_("Words on the button"), N_("Empty: no button.")),
    "url": (N_("Where the button leads"), ""),
    "partner": (N_("Whose story it is"), N_("The name of a partner. It is told only with the partner's consent.")),
}


def _consent(consent: StoryConsent | None) -> dict[str, Any]:
    if consent is None:
        return {"sign": words.Sign("wait", _("Not asked yet")), "at": None}
    signs = {
        ConsentStatus.ASKED: words.Sign("wait", _("Asked, no answer yet")),
        ConsentStatus.GIVEN: words.Sign("good", _("Consent given")),
        ConsentStatus.DECLINED: words.Sign("bad", _("Consent declined")),
    }
    return {"sign": signs[consent.status], "at": consent.answered_at or consent.asked_at}


def _segment(
    segment: Segment, groups: Sequence[str], tags: Sequence[str], choices: Mapping[str, str]
) -> dict[str, Any]:
    performance = {
        Performance.ANY: _("Whatever they bring"),
        Performance.SOLD: _("With sales"),
        Performance.CLICKED: _("With clicks, without sales"),
        Performance.QUIET: _("Without clicks and sales"),
    }
    return {
        "statuses": [
            {"value": code, "name": words.enrollment(EnrollmentStatus(code)).word, "on": code in segment.statuses}
            for code in STATUSES
        ],
        "languages": [
            {"value": code, "name": name, "on": code in segment.languages} for code, name in formats.LANGUAGES.items()
        ],
        "performance": [
            {"value": one.value, "name": name, "on": one is segment.performance} for one, name in performance.items()
        ],
        "days": [{"value": days, "name": _("in %(num)s days", num=days), "on": days == segment.days} for days in DAYS],
        "groups": _ticked(groups, segment.groups),
        "tags": _ticked(tags, segment.tags),
        "choices": _choices(choices, segment.choice),
        "momentum": [
            {"value": one.value, "name": care_words.momentum(one).word, "on": one == segment.momentum}
            for one in Momentum
        ],
        "prospects": {
            "value": "1",
            "name": _("People who asked for news and are no partners"),
            "on": segment.prospects,
        },
    }


def _ticked(offered: Sequence[str], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """What is offered, and what is chosen though nobody has it any more: left out, it would be taken away by the next press."""
    return [{"value": name, "name": name, "on": name in chosen} for name in sorted({*offered, *chosen})]


def _choices(offered: Mapping[str, str], chosen: str) -> list[dict[str, Any]]:
    """The saved choices; one that was deleted stays chosen until somebody chooses another, for without it everybody would be meant."""
    gone = {chosen: _("A choice that was deleted")} if chosen and chosen not in offered else {}
    return [{"value": key, "name": name, "on": key == chosen} for key, name in {**offered, **gone}.items()]


def readers(audience: Audience) -> dict[str, Any]:
    """To how many an issue goes, as a sum; `lacks_choice` says why to nobody where its saved choice was deleted."""
    rows = [
        {"label": _("Match the choice"), "amount": formats.number(audience.matching)},
        {"label": _("Do not want newsletters of this kind"), "amount": formats.number(-audience.refusing)},
        {"label": _("Mail to them comes back"), "amount": formats.number(-audience.suppressed)},
    ]
    total = formats.number(audience.readers)
    lacking = str(_(service.CHOICE_DELETED)) if audience.lacks_choice else ""
    sentence = ngettext("%(count)s reader", "%(count)s readers", audience.readers, count=total)
    return {"rows": rows, "total": total, "sentence": sentence, "readers": audience.readers, "lacks_choice": lacking}


def results(
    issue: NewsletterIssue, counts: Mapping[DeliveryStatus, int], answers: tuple[int, int], sold: Sales,
    next_due: datetime | None,
) -> dict[str, Any]:  # fmt: skip
    """What became of an issue."""
    total = sum(counts.values())
    open_ones = counts[DeliveryStatus.WAITING] + counts[DeliveryStatus.CLAIMED]
    unsubscribed, bounced = answers
    return {
        "issue": {"id": issue.id, "language": issue.language, "is_released": issue.released_at is not None},
        "status": issue.status.value,
        "sign": status(issue.status),
        "kind": labels.kind(issue.kind),
        "release_at": issue.release_at,
        "send_wall": issue.send_wall.replace("T", " ") if issue.send_wall else None,
        "keeps_quiet_hours": issue.keeps_quiet_hours,
        "next_due": next_due,
        "trouble": issue.trouble,
        "why_not_sent": _why_not_sent(issue),
        "lacks_choice": issue.trouble == service.CHOICE_DELETED,
        "total": total,
        "done": total - open_ones,
        "tiles": [
            {"label": _("Sent"), "value": counts[DeliveryStatus.SENT]},
            {"label": _("Waiting"), "value": open_ones},
            {"label": _("Not delivered"), "value": counts[DeliveryStatus.REFUSED] + counts[DeliveryStatus.FAILED]},
            {"label": _("Uncertain"), "value": counts[DeliveryStatus.UNCERTAIN]},
            {"label": _("Skipped"), "value": counts[DeliveryStatus.SKIPPED]},
            {"label": _("Unsubscribed"), "value": unsubscribed},
            {"label": _("Came back"), "value": bounced},
        ],
        "sales": [
            {"label": _("Sales"), "value": sold.conversions},
            {"label": _("Revenue"), "value": presenters.amount(sold.revenue_minor)},
            {"label": _("Partners earn"), "value": presenters.amount(sold.earned_minor)},
        ],
    }


def opened(links: Sequence[NewsletterLink], own: int | None) -> list[dict[str, Any]]:
    """How often the addresses of an issue were opened; `own` are the clicks on links of readers, null where it hands out none."""
    rows = [{"url": link.url, "clicks": link.clicks} for link in links]
    return rows if own is None else [{"url": "", "name": _("Readers' own links"), "clicks": own}, *rows]


def undelivered(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Mails that a manager should look at."""
    return [
        {
            "name": row.name, "email": row.email, "partner": row.partner_name, "error": row.NewsletterDelivery.error,
            "sign": delivery(row.NewsletterDelivery.status), "id": row.NewsletterDelivery.id.hex,
            "is_uncertain": row.NewsletterDelivery.status is DeliveryStatus.UNCERTAIN,
            "url": url_for("console.resend_newsletter", delivery_id=row.NewsletterDelivery.id),
        }
        for row in rows
    ]  # fmt: skip


def public_id(issue: NewsletterIssue) -> str:
    """The label on the links of an issue, as reports show it."""
    return ids.public(PREFIX, issue.id)


def zone() -> str:
    """The zone in which a manager types times: the program's."""
    return str(g.program.time_zone)
