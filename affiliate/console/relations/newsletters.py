"""Pages of newsletters: the list, an issue and what became of it, addresses that get none."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, pager, show
from affiliate.console.paging import Page
from affiliate.console.queries import newsletters as lists
from affiliate.console.relations import newsletter_editor as editor
from affiliate.console.relations import newsletter_forms as forms
from affiliate.console.relations import newsletter_sheets as sheets
from affiliate.money import divide_half_even
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
)
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import IssueStatus, NewsletterIssue
from affiliate.newsletters.results import Openings
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/newsletters")
@access.console(*roles.SEES_MARKETING)
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


@blueprint.post('/<slug>/newsletters/<public("nws"):issue_id>/duplicate')
@access.console(*roles.MARKETING)
def duplicate_newsletter(issue_id: UUID) -> BaseResponse:
    """A new draft that says the same as an issue which was ordered."""
    here: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
    return editor.to_copy(service.duplicate(orm.session, issue_id=issue_id, **here))


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>')
@access.console(*roles.SEES_MARKETING)
def newsletter(issue_id: UUID) -> ResponseReturnValue:
    """The editor of a draft; what became of an issue that was ordered. Who writes none sees a draft as its readers get it."""
    issue = editor.found(issue_id)
    if issue.status is not IssueStatus.DRAFT:
        return _results_page(issue)
    if not can("save_newsletter", "POST"):
        return redirect(url_for("console.preview_newsletter", issue_id=issue_id), 303)
    return editor.page(issue, forms.stored(issue), editor.language_of(issue))


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
        return str(_("It leaves once more: within a minute, or after the quiet hours of its reader."))

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


def _results_page(issue: NewsletterIssue) -> str:
    sheet = sheets.results(
        issue,
        queries.counts(orm.session, issue_id=issue.id),
        queries.answers(orm.session, issue_id=issue.id),
        results.sales(orm.session, issue=issue, currency=g.program.currency),
        queries.next_due(orm.session, issue_id=issue.id),
    )
    may_act = can("move_newsletter", "POST")  # else addresses, and what a server says of them, are none of the reader's
    page = lists.undelivered(orm.session, issue_id=issue.id, cursor=cursor()) if may_act else Page([], None, None)
    waits = issue.status is IssueStatus.SCHEDULED
    audience = (
        sheets.readers(editor.audience(segments.read(issue.segment), issue.language, issue.kind)) if waits else None
    )
    return show(
        "relations/newsletter.html", **sheet, audience=audience, subject=sheets.subject(issue), undelivered=sheets.undelivered(page.rows), pager=pager(page, anchor="und"),
        label=sheets.public_id(issue), sales_days=results.DAYS, may_act=may_act,
        openings=_openings(results.openings(orm.session, issue_id=issue.id)),
        clicks=sheets.opened(
            queries.links_of(orm.session, issue_id=issue.id),
            results.own_links(orm.session, issue=issue) if content.hands_out_links(service.draft_of(issue)) else None,
        ),
    )  # fmt: skip


def _openings(found: Openings) -> dict[str, str] | None:
    """How many of the readers who agreed opened an issue; null where so few had agreed that it would tell who did."""
    if not found.names_nobody:
        return None
    opened, agreed = formats.number(found.opened), formats.number(found.agreed)
    sentence = ngettext(
        "%(opened)s of %(count)s reader who agreed opened it",
        "%(opened)s of %(count)s readers who agreed opened it",
        found.agreed, opened=opened, count=agreed,
    )  # fmt: skip
    share = divide_half_even(found.opened * 100, found.agreed)  # of so few people, parts of a percent say nothing
    return {"sentence": sentence, "share": formats.percent_bps(share * 100)}
