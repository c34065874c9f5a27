"""The editor of a newsletter: one form, so that no act loses a word, whichever button is pressed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.relations import newsletter_forms as forms
from affiliate.console.relations import newsletter_previews as previews
from affiliate.console.relations import newsletter_sheets as sheets
from affiliate.console.relations.newsletter_forms import Written
from affiliate.errors import Conflict, Invalid
from affiliate.newsletters import audiences, content, queries, service, timing
from affiliate.newsletters.audiences import Audience
from affiliate.newsletters.content import BlockKind, Draft, IssueKind
from affiliate.newsletters.models import IssueStatus, NewsletterIssue
from affiliate.newsletters.segments import Segment
from affiliate.partners import queries as partners
from affiliate.relations import care_queries
from affiliate.web import orm, request_now


@blueprint.post('/<slug>/newsletters/<public("nws"):issue_id>')
@access.console(*roles.MARKETING)
def save_newsletter(issue_id: UUID) -> BaseResponse:
    """Store what was typed, then do what the button says."""
    issue = found(issue_id)
    language = language_of(issue)
    stands = forms.stored(issue)
    typed, errors = forms.written(request.form, stands, language, _partner_id)
    if errors:
        return page(issue, typed, language, errors=errors, status=422)
    act, _colon, about = request.form.get("act", "save").partition(":")
    wanted = _with_act(typed, act, about)
    is_other_choice = wanted.has_other_readers(than=stands)
    try:
        version = _store(issue, wanted, stands)
        if act == "schedule":
            return _schedule(found(issue_id), language, version, is_other_choice=is_other_choice)
        if act == "ask":
            _ask(issue, about)
    except Conflict as refusal:
        orm.session.rollback()
        return page(found(issue_id), typed, language, moved=_(str(refusal)), status=409)
    if act == "preview":
        view = about if about in previews.VIEWS else None
        there = url_for("console.preview_newsletter", issue_id=issue.id, language=language, view=view)
        return redirect(there, 303)
    if act == "duplicate":
        here: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        return to_copy(service.duplicate(orm.session, issue_id=issue_id, **here))
    if act == "test":
        previews.send_test(found(issue_id), language)
    if act in {"save", "over"}:
        flash(_("Saved."), "success")
    there = about if act == "language" and about in content.LANGUAGES else language
    return _back(issue, there, anchor=_anchor(wanted.draft, act, about))


def page(
    issue: NewsletterIssue, written: Written, language: str, *, errors: dict[str, str] | None = None,
    schedule_errors: list[str] | None = None, moved: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """The editor, with an issue as it stands or as it was typed. Who comes back to it reads it anew: its version may be another.

    What was typed keeps the version that its writer saw, so that an issue which moved is told at every press until it is
    `moved`'s own button: that one saves over the version that the page names.
    """
    sheet = sheets.editor(
        issue, written, audience(written.segment, written.draft.language, written.kind), language, errors=errors or {},
        partner_names=_partner_names(written.draft), groups=audiences.groups(orm.session, program_id=g.program.id),
        tags=care_queries.tags_in(orm.session, program_id=g.program.id),
        choices={str(row.id): row.name for row in care_queries.segments(orm.session, program_id=g.program.id)},
    )  # fmt: skip
    choice = queries.partners_by_name(orm.session, program_id=g.program.id)
    answer = make_response(show(
        "relations/newsletter_editor.html", **sheet, subject=sheets.subject(issue), saved_at=issue.updated_at,
        partner_choice=[row.name for row in choice], schedule=forms.shown_times(request.values),
        moved=moved, over=issue.version if issue.status is IssueStatus.DRAFT else None,
        schedule_errors=schedule_errors or [], undo_minutes=timing.UNDO // timedelta(minutes=1), zone=sheets.zone(),
    ), status)  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def to_copy(made: NewsletterIssue) -> BaseResponse:
    """To a new draft that was made of another issue."""
    flash(_("This is a draft of its own. Consent to stories is asked for anew."), "success")
    return redirect(url_for("console.newsletter", issue_id=made.id), 303)


def found(issue_id: UUID) -> NewsletterIssue:
    """The issue of the address, as it stands in the database now.

    Raises:
        NoSuchIssue: not in this program.
    """
    return service.found(orm.session, issue_id=issue_id, program_id=g.program.id)


def audience(segment: Segment, language: str, kind: IssueKind) -> Audience:
    """How many people a choice of readers holds now."""
    return audiences.audience(
        orm.session, program_id=g.program.id, segment=segment, language=language, kind=kind, now=request_now()
    )


def language_of(issue: NewsletterIssue) -> str:
    """The language that the page shows: as asked for, else the issue's own."""
    wanted = request.values.get("language", "")
    return wanted if wanted in content.LANGUAGES else issue.language


def _back(issue: NewsletterIssue, language: str, *, anchor: str | None = None) -> BaseResponse:
    """To the editor again; the time that was typed goes with it, because nothing stores it before the sending is ordered."""
    here: dict[str, Any] = {"issue_id": issue.id, "language": language, **forms.kept_times(request.form)}
    return redirect(url_for("console.newsletter", **here, _anchor=anchor), 303)


def _with_act(typed: Written, act: str, about: str) -> Written:
    """What was typed after the act of the button. To save over another's version is to say which one was seen."""
    if act == "over":
        return replace(typed, version=forms.number(about))
    return replace(typed, draft=_with_blocks(typed.draft, act, about))


def _with_blocks(draft: Draft, act: str, about: str) -> Draft:
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


def _store(issue: NewsletterIssue, wanted: Written, stands: Written) -> int:
    """Store what differs from what stands, if anything does; gives the version that the person knows then.

    Raises:
        IssueMoved: what stands is not what the person saw, even if it says the same, or it is no draft any more.
    """
    if wanted == stands and issue.status is IssueStatus.DRAFT:
        return wanted.version
    service.save(
        orm.session, issue_id=issue.id, program_id=g.program.id, draft=wanted.draft, segment=wanted.segment,
        kind=wanted.kind, in_archive=wanted.in_archive, seen_version=wanted.version, now=request_now(),
    )  # fmt: skip
    return wanted.version + 1


def _schedule(issue: NewsletterIssue, language: str, version: int, *, is_other_choice: bool) -> BaseResponse:
    """Order the sending, which can be taken back for ten minutes at least. The button told how many readers it means."""
    sentence = _("The choice of readers was another one a moment ago. Look at how many they are now, then send it.")
    wrong = [sentence] if is_other_choice else _refusal(issue, version)
    if wrong:  # no status of a refusal: it would take back what has just been stored
        return page(issue, forms.stored(issue), language, schedule_errors=wrong)
    flash(_("Ordered. You can take it back until the first mail leaves."), "success")
    return redirect(url_for("console.newsletter", issue_id=issue.id), 303)


def _refusal(issue: NewsletterIssue, version: int) -> list[str]:
    """Order the sending; gives what kept it from being ordered."""
    times = forms.times(request.form, sheets.zone())
    if times is None:
        return [_("Choose a day and an hour.")]
    here: dict[str, Any] = {"issue_id": issue.id, "program_id": g.program.id, "actor": access.actor()}
    try:
        service.schedule(
            orm.session, **here, send_at=times[0], send_wall=times[1], keeps_quiet_hours="quiet" in request.form,
            seen_version=version, now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return _told(refusal)
    return []


def _ask(issue: NewsletterIssue, block_id: str) -> None:
    """Ask the partner of a story. The text stays stored if only the question cannot be asked."""
    here: dict[str, Any] = {"program": g.program, "actor": access.actor(), "now": request_now()}
    try:
        service.ask_consent(orm.session, issue_id=issue.id, block_id=block_id, **here)
    except Invalid as refusal:
        flash(" ".join(_told(refusal)), "error")


def _told(refusal: Invalid) -> list[str]:
    return [_(text) for texts in refusal.errors.values() for text in texts]


def _partner_names(draft: Draft) -> dict[str, str]:
    """What the fields for partners show: what was typed by their names, else the partners of the stories by their ids."""
    chosen = [UUID(block.partner_id) for block in draft.blocks if block.partner_id]
    names = {str(key): name for key, name in partners.partner_names(orm.session, partner_ids=chosen).items()}
    return names | {key: text for key, text in request.form.items() if key.endswith("-partner")}


def _partner_id(name: str) -> UUID | None:
    """The partner of exactly this name, or of the only name that holds it."""
    rows = queries.partners_by_name(orm.session, program_id=g.program.id, name=name, limit=2)
    if rows and (len(rows) == 1 or rows[0].name == name):
        return UUID(str(rows[0].id))
    return None
