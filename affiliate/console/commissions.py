"""Pages of commissions: the list with its filters, one commission explained, approving and declining one or many."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.commissions import service
from affiliate.commissions.models import CommissionStatus, DeclineReason
from affiliate.console import commission_sheets, presenters, roles
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, show
from affiliate.console.paging import PAGE_SIZE, Page
from affiliate.console.queries import money as queries
from affiliate.errors import Conflict, NotFound
from affiliate.reports import evidence, explanation
from affiliate.reports.touches import Audience
from affiliate.web import orm, request_now

SELECTED_MAX = 200


@blueprint.get("/<slug>/commissions")
@access.console(*roles.EVERYBODY)
def commissions() -> str:
    """Commissions in force, newest first."""
    page = _page(PAGE_SIZE)
    totals = queries.totals(orm.session, program_id=g.program.id, partner_id=_partner_id())
    return show("commissions.html", pager=pager(page), **commission_sheets.table(page.rows, totals))


@blueprint.get("/<slug>/commissions.csv")
@access.console(*roles.EVERYBODY)
def commissions_csv() -> BaseResponse:
    """The same list as a file, up to the limit of exports."""
    rows = map(commission_sheets.csv_row, _page(exports.ROWS_MAX).rows)
    return exports.csv_response("commissions.csv", commission_sheets.CSV_HEAD, rows)


@blueprint.get('/<slug>/commissions/<public("com"):commission_id>')
@access.console(*roles.EVERYBODY)
def commission(commission_id: UUID) -> str:
    """Why a commission is what it is, down to the click and the rule."""
    found = evidence.of_commission(orm.session, program=g.program, commission_id=commission_id)
    if found is None:
        raise access.NotHere
    told = explanation.explain(found, audience=Audience.MANAGER, now=request_now())
    return show("commission.html", told=told, **commission_sheets.page(found))


@blueprint.post("/<slug>/commissions/<any(approve, decline):act>")
@access.console("manager")
def decide_commissions(act: str) -> BaseResponse:
    """Approve or decline the selected commissions; each stands for itself, and what was refused is said."""
    back, chosen = _back(), _selected()
    if not chosen:
        flash(_("Select at least one commission first."), "error")
    elif act == "decline" and not given_reason():
        flash(_("Write why you decline: the partner reads it."), "error")
    else:
        return acted(back, lambda: _decide(act, chosen))
    return redirect(back, 303)


def _decide(act: str, chosen: list[UUID]) -> str:
    left = queries.left_of(orm.session, program_id=g.program.id, commission_ids=chosen)
    done = [commission_id for commission_id in chosen if _moved(_ACTS[act], commission_id)]
    left_minor = sum(left[commission_id] for commission_id in done)
    return commission_sheets.decided(act, done=len(done), left_minor=left_minor, missed=len(chosen) - len(done))


def _moved(act: Callable[[UUID], None], commission_id: UUID) -> bool:
    """Whether the commission could still be decided; a refusal undoes only itself."""
    try:
        with orm.session.begin_nested():
            act(commission_id)
    except (Conflict, NotFound):
        return False
    return True


def _approve(commission_id: UUID) -> None:
    service.approve(
        orm.session, commission_id=commission_id, program_id=g.program.id, actor=access.actor(), now=request_now()
    )


def _decline(commission_id: UUID) -> None:
    service.decline(
        orm.session, commission_id=commission_id, program_id=g.program.id,
        reason=given_reason(), why=presenters.chosen_in_form(DeclineReason, "why", DeclineReason.OTHER), actor=access.actor(), now=request_now(),
    )  # fmt: skip


_ACTS: dict[str, Callable[[UUID], None]] = {"approve": _approve, "decline": _decline}


def _selected() -> list[UUID]:
    """The ticked commissions, without doubles; what is no id of ours was not on the page."""
    found: dict[UUID, None] = {}
    for text in request.form.getlist("commission")[:SELECTED_MAX]:
        try:
            found[ids.parse("com", text)] = None
        except ids.BadPublicId:
            continue
    return list(found)


def _partner_id() -> UUID | None:
    try:
        return ids.parse("ptn", request.args.get("partner", ""))
    except ids.BadPublicId:
        return None


def _page(size: int) -> Page:
    return queries.commissions(
        orm.session,
        program_id=g.program.id,
        status=presenters.chosen(CommissionStatus),
        partner_id=_partner_id(),
        due_before=commission_sheets.due_before(),
        cursor=cursor(),
        size=size,
    )


def _back() -> str:
    """Where the form stood: the list with its filters, or a commission's own page."""
    if request.form.get("from") == "commission" and (chosen := _selected()):
        return url_for("console.commission", commission_id=chosen[0])
    kept = {name: request.form[name] for name in ("status", "partner", "due", "page") if request.form.get(name)}
    return url_for("console.commissions", **dict[str, Any](kept))
