"""Pages of newsletters: the list, the editor, the sending and what became of it, addresses that get none."""

import re
from datetime import timedelta
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, cursor, pager, show
from affiliate.console.queries import newsletters as lists
from affiliate.console.relations import newsletter_forms as forms
from affiliate.console.relations import newsletter_sheets as sheets
from affiliate.errors import Conflict, Invalid
from affiliate.newsletters import (
    audiences,
    content,
    delivering,
    labels,
    preferences,
    queries,
    results,
    segments,
    service,
    timing,
)
from affiliate.newsletters.audiences import Audience
from affiliate.newsletters.content import BlockKind, Draft, IssueKind
from affiliate.newsletters.models import IssueStatus, NewsletterIssue
from affiliate.newsletters.segments import Segment
from affiliate.relations import care_queries
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/newsletters")
@access.console(*roles.MARKETING)
def newsletters() -> str:
    """All issues, and the way to a new one."""
    status = presenters.chosen(IssueStatus)
    page = lists.issues(orm.session, program_id=g.program.id, status=status, cursor=cursor())
    chips = [presenters.chip(_("All"), current=status is None, status=None)]
    chips += [
        presenters.chip(sheets.status(each).word, current=each is status, status=each.value) for each in IssueStatus
    ]
    kinds = [{"value": kind.value, "name": labels.kind(kind)} for kind in IssueKind]
    return show(
        "relations/newsletters.html",
        rows=[sheets.line(row) for row in page.rows],
        pager=pager(page),
        chips=chips,
        kinds=kinds,
    )


@blueprint.post("/<slug>/newsletters")
@access.console(*roles.MARKETING)
def add_newsletter() -> BaseResponse:
    """A new draft in the manager's language."""
    kind, language = request.form.get("kind"), request.form.get("language", "en")
    issue = service.create_issue(
        orm.session, program_id=g.program.id, kind=IssueKind(kind) if kind in list(IssueKind) else IssueKind.NEWS,
        language=language if language in content.LANGUAGES else "en", actor=access.actor(), now=request_now(),
    )  # fmt: skip
    return redirect(url_for("console.newsletter", issue_id=issue.id), 303)


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>')
@access.console(*roles.MARKETING)
def newsletter(issue_id: UUID) -> str:
    """The editor of a draft; what became of an issue that was ordered."""
    issue = _found(issue_id)
    if issue.status is not IssueStatus.DRAFT:
        return _results_page(issue)
    return _editor_page(issue, service.draft_of(issue), segments.read(issue.segment), _language(issue))


@blueprint.post('/<slug>/newsletters/<public("nws"):issue_id>')
@access.console(*roles.MARKETING)
def save_newsletter(issue_id: UUID) -> Answer:
    """Store what was typed, then do what the button says: everything is one form, so that no act loses a word."""
    issue = _found(issue_id)
    language = _language(issue)
    draft, errors = forms.draft(request.form, service.draft_of(issue), language, _partner_id)
    segment = forms.segment(request.form)
    if errors:
        return _editor_page(issue, draft, segment, language, errors=errors), 422
    act, _colon, about = request.form.get("act", "save").partition(":")
    draft = _with_act(draft, act, about)
    try:
        _store(issue, draft, segment)
        if act == "ask":
            service.ask_consent(
                orm.session,
                issue_id=issue.id,
                program=g.program,
                block_id=about,
                actor=access.actor(),
                now=request_now(),
            )
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _editor_page(_found(issue_id), draft, segment, language), 409
    except Invalid as refusal:  # the text is stored all the same: only the question could not be asked
        flash(" ".join(_(text) for texts in refusal.errors.values() for text in texts), "error")
    if act == "save":
        flash(_("Saved."), "success")
    there = about if act == "language" and about in content.LANGUAGES else language
    return redirect(
        url_for("console.newsletter", issue_id=issue.id, language=there, _anchor=_anchor(draft, act, about)), 303
    )


def _with_act(draft: Draft, act: str, about: str) -> Draft:
    if act == "add":
        kind = request.form.get("block_kind")
        return content.with_block(draft, BlockKind(kind) if kind in list(BlockKind) else BlockKind.TEXT, ids.new().hex)
    if act in {"up", "down"}:
        return content.moved(draft, about, -1 if act == "up" else 1)
    return content.without_block(draft, about) if act == "remove" else draft


def _anchor(draft: Draft, act: str, about: str) -> str | None:
    if act == "add" and draft.blocks:
        return f"block-{draft.blocks[-1].id}"
    return f"block-{about}" if act in {"up", "down", "ask"} else None


def _store(issue: NewsletterIssue, draft: Draft, segment: Segment) -> None:
    kind, version = request.form.get("kind"), request.form.get("version", "")
    service.save(
        orm.session, issue_id=issue.id, program_id=g.program.id, draft=draft, segment=segment,
        kind=IssueKind(kind) if kind in list(IssueKind) else issue.kind, in_archive="in_archive" in request.form,
        seen_version=_number(version), now=request_now(),
    )  # fmt: skip


@blueprint.post('/<slug>/newsletters/<public("nws"):issue_id>/schedule')
@access.console(*roles.MARKETING)
def schedule_newsletter(issue_id: UUID) -> Answer:
    """Order the sending; it can be taken back for ten minutes at least."""
    issue = _found(issue_id)
    times = forms.times(request.form, sheets.zone())
    wrong = [] if times else [_("Choose a day and an hour.")]
    if times:
        try:
            ordered = service.schedule(
                orm.session, issue_id=issue.id, program_id=g.program.id, send_at=times[0], send_wall=times[1],
                keeps_quiet_hours="quiet" in request.form, seen_version=_number(request.form.get("version", "")),
                actor=access.actor(), now=request_now(),
            )  # fmt: skip
        except Invalid as refusal:
            wrong = [_(text) for texts in refusal.errors.values() for text in texts]
        except Conflict as refusal:
            orm.session.rollback()
            flash(_(str(refusal)), "error")
            return redirect(url_for("console.newsletter", issue_id=issue_id), 303)
        else:
            flash(_("Ordered. You can take it back until the first mail leaves."), "success")
            return redirect(url_for("console.newsletter", issue_id=ordered.id), 303)
    draft, segment = service.draft_of(issue), segments.read(issue.segment)
    return _editor_page(issue, draft, segment, _language(issue), schedule_errors=wrong), 422


@blueprint.post('/<slug>/newsletters/<public("nws"):issue_id>/<any(undo, stop, resume):act>')
@access.console(*roles.MARKETING)
def move_newsletter(issue_id: UUID, act: str) -> BaseResponse:
    """Take a sending back, stop it, or let it go on."""

    def move() -> str:
        here = {"issue_id": issue_id, "program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        getattr(service, act)(orm.session, **here)
        sentences: dict[str, str] = {
            "undo": _("Taken back. It is a draft again, and nobody got it."),
            "stop": _("Stopped. What has left cannot be fetched back; nothing more leaves."),
            "resume": _("It goes on."),
        }
        return sentences[act]

    return acted(url_for("console.newsletter", issue_id=issue_id), move)


@blueprint.post("/<slug>/newsletters/deliveries/<uuid:delivery_id>/resend")
@access.console(*roles.MARKETING)
def resend_newsletter(delivery_id: UUID) -> BaseResponse:
    """Send one mail again whose fate is unknown or that was not taken."""
    delivery = queries.delivery_in(orm.session, delivery_id=delivery_id, program_id=g.program.id)
    if delivery is None:
        raise access.NotHere

    def resend() -> str:
        here = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        delivering.resend(orm.session, delivery_id=delivery_id, **here)
        return str(_("It leaves once more within a minute."))

    return acted(url_for("console.newsletter", issue_id=delivery.issue_id), resend)


@blueprint.get("/<slug>/newsletters/suppressed")
@access.console(*roles.MARKETING)
def suppressed_addresses() -> str:
    """Addresses that get no newsletters because their mail comes back."""
    return show("relations/suppressed.html", rows=audiences.suppressed(orm.session, program_id=g.program.id))


@blueprint.post("/<slug>/newsletters/suppressed")
@access.console(*roles.MARKETING)
def lift_suppression() -> BaseResponse:
    """Write to an address again."""
    address = request.form.get("address", "")
    here = audiences.suppressed(orm.session, program_id=g.program.id)
    if address not in {row.address for row in here}:
        raise access.NotHere
    preferences.lift(orm.session, address=address, program_id=g.program.id, actor=access.actor(), now=request_now())
    flash(_("%(address)s gets newsletters again.", address=address), "success")
    return redirect(url_for("console.suppressed_addresses"), 303)


def _editor_page(
    issue: NewsletterIssue, draft: Draft, segment: Segment, language: str, *,
    errors: dict[str, str] | None = None, schedule_errors: list[str] | None = None,
) -> str:  # fmt: skip
    audience = _audience(issue, segment, draft.language)
    partners = queries.partners_by_name(orm.session, program_id=g.program.id)
    names = {str(row.id): row.name for row in partners} | {
        key: text for key, text in request.form.items() if key.endswith("-partner")
    }
    sheet = sheets.editor(
        issue, draft, segment, audience, language, errors=errors or {}, partner_names=names,
        groups=audiences.groups(orm.session, program_id=g.program.id),
        tags=care_queries.tags_in(orm.session, program_id=g.program.id),
    )  # fmt: skip
    schedule = forms.shown_times(request.form if schedule_errors else {})
    return show(
        "relations/newsletter_editor.html", **sheet, subject=sheets.subject(issue), saved_at=issue.updated_at,
        partner_choice=[row.name for row in partners], schedule=schedule, schedule_errors=schedule_errors or [],
        undo_minutes=timing.UNDO // timedelta(minutes=1), zone=sheets.zone(),
    )  # fmt: skip


def _audience(issue: NewsletterIssue, segment: Segment, language: str) -> Audience:
    return audiences.audience(
        orm.session, program_id=g.program.id, segment=segment, language=language, kind=issue.kind, now=request_now()
    )


def _results_page(issue: NewsletterIssue) -> str:
    sheet = sheets.results(
        issue,
        queries.counts(orm.session, issue_id=issue.id),
        queries.answers(orm.session, issue_id=issue.id),
        results.sales(orm.session, issue=issue, currency=g.program.currency),
        queries.next_due(orm.session, issue_id=issue.id),
    )
    rows = sheets.undelivered(queries.undelivered(orm.session, issue_id=issue.id))
    waits = issue.status is IssueStatus.SCHEDULED
    audience = sheets.readers(_audience(issue, segments.read(issue.segment), issue.language)) if waits else None
    return show(
        "relations/newsletter.html", **sheet, audience=audience, subject=sheets.subject(issue), undelivered=rows, shown_max=queries.SHOWN_MAX,
        label=sheets.public_id(issue), sales_days=results.DAYS,
        clicks=[{"url": link.url, "clicks": link.clicks} for link in queries.links_of(orm.session, issue_id=issue.id)],
    )  # fmt: skip


def _found(issue_id: UUID) -> NewsletterIssue:
    return service.found(orm.session, issue_id=issue_id, program_id=g.program.id)


def _language(issue: NewsletterIssue) -> str:
    wanted = request.values.get("language", "")
    return wanted if wanted in content.LANGUAGES else issue.language


def _partner_id(name: str) -> UUID | None:
    """The partner of exactly this name, or of the only name that holds it."""
    found = queries.partners_by_name(orm.session, program_id=g.program.id, name=name, limit=2)
    if found and (len(found) == 1 or found[0].name == name):
        return UUID(str(found[0].id))
    return None


def _number(text: str) -> int:
    """The version that the person saw; anything odd is none that there was."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
