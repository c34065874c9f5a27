"""Pages of commissions: the list with its filters, one commission explained, approving and declining one or many."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus, DeclineReason
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, cursor, given_reason, pager, refused, show
from affiliate.console.money import commission_sheets
from affiliate.console.paging import EXPORT_SIZE, PAGE_SIZE, Cursor, Page, every_row
from affiliate.console.queries import money as queries
from affiliate.console.queries import named
from affiliate.console.work import bulk_acts
from affiliate.errors import Invalid
from affiliate.relations import bulk, bulk_queries
from affiliate.relations.bulk_models import BulkKind
from affiliate.reports import evidence, explanation, statuses
from affiliate.reports.touches import Audience
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/commissions")
@access.console(*roles.EVERYBODY)
def commissions() -> str:
    """Commissions in force, newest first."""
    page = _page(PAGE_SIZE, cursor(), _narrowed(request.args))
    totals = statuses.totals(orm.session, program_id=g.program.id, partner_id=_partner_id())
    return show("money/commissions.html", pager=pager(page), **commission_sheets.table(page.rows, totals))


@blueprint.get("/<slug>/commissions.csv")
@access.console(*roles.EVERYBODY)
def commissions_csv() -> BaseResponse:
    """The whole list as a file."""
    narrowed = _narrowed(request.args)
    rows = map(commission_sheets.csv_row, every_row(lambda at: _page(EXPORT_SIZE, at, narrowed)))
    return exports.csv_response("commissions.csv", commission_sheets.CSV_HEAD, rows)


@blueprint.get('/<slug>/commissions/<public("com"):commission_id>')
@access.console(*roles.EVERYBODY)
def commission(commission_id: UUID) -> str:
    """Why a commission is what it is, down to the click and the rule."""
    found = evidence.of_commission(orm.session, program=g.program, commission_id=commission_id)
    if found is None:
        raise access.NotHere
    told = explanation.explain(found, audience=Audience.MANAGER, now=request_now())
    return show("money/commission.html", told=told, **commission_sheets.page(found))


@blueprint.post("/<slug>/commissions/<any(approve, decline):act>")
@access.console("manager")
def decide_commissions(act: str) -> BaseResponse:
    """Approve or decline the selected commissions, or all that the list shows; each stands for itself, and each refusal is told."""
    back, chosen = _back(), _chosen(act)
    moved = commission_sheets.AllMoved(commission_sheets.all_moved())
    is_none = isinstance(chosen, list) and not chosen
    if is_none and (_selected() or request.form.get("all") == "yes"):
        return refused(back, moved)
    if is_none:
        return refused(back, Invalid({"commission": [_("Select at least one commission first.")]}))
    if act == "decline" and not given_reason():
        return refused(back, Invalid({"reason": [_("Write why you decline: the partner reads it.")]}))
    return bulk_acts.begin(
        back, _KINDS[act], _arguments(act), chosen,
        told=lambda done: commission_sheets.decided(
            act, done=done.changed, left_minor=bulk_queries.changed_minor(orm.session, act_id=done.id)
        ),
        none_done=moved,
    )  # fmt: skip


_KINDS = {"approve": BulkKind.APPROVE_COMMISSIONS, "decline": BulkKind.DECLINE_COMMISSIONS}


def _arguments(act: str) -> dict[str, str]:
    if act == "approve":
        return {}
    why = presenters.chosen_in_form(DeclineReason, "why", DeclineReason.OTHER)
    return {"reason": given_reason(), "why": why.value}


def _chosen(act: str) -> list[bulk.Chosen] | sa.Select[*tuple[Any, ...]]:
    """The ticked commissions, or all of the list that could be decided so: these may be very many, and are found by the database."""
    if request.form.get("all") != "yes":
        found = queries.these(orm.session, program_id=g.program.id, commission_ids=_selected())
        return [_named(one) for one in found]
    statuses = {CommissionStatus.PENDING} if act == "approve" else commission_sheets.DECIDABLE
    shown = request.form.get("status", "")
    wanted = {each for each in statuses if not shown or each.value == shown}
    every = queries.decidable(program_id=g.program.id, statuses=wanted, **_narrowed(request.form))
    return every if queries.is_any(orm.session, every) else []


def _named(one: queries.Decidable) -> bulk.Chosen:
    return bulk.Chosen(one.partner_id, conversion_id=one.conversion_id, commission_id=one.commission_id)


def _selected() -> list[UUID]:
    """The ticked commissions, without doubles; what is no id of ours was not on the page."""
    ticked = request.form.getlist("commission")[: bulk_acts.PICKED_MAX]
    return list(dict.fromkeys(found for text in ticked if (found := ids.read("com", text)) is not None))


def _partner_id(typed: Mapping[str, str] | None = None) -> UUID | None:
    return ids.read("ptn", (request.args if typed is None else typed).get("partner", ""))


def _narrowed(typed: Mapping[str, str]) -> dict[str, Any]:
    """What the list is narrowed to beside its status, by the address or by a form that was sent from it."""
    name = typed.get("name", "").strip()[:120]
    return {
        "partner_id": _partner_id(typed),
        "due_before": commission_sheets.due_before(typed),
        "order_id": typed.get("order", "").strip()[:120],
        "partner_ids": named.partners_like(orm.session, program_id=g.program.id, text=name) if name else None,
    }


def _page(size: int, at: Cursor | None, narrowed: Mapping[str, Any]) -> Page:
    status = presenters.chosen(CommissionStatus)
    return queries.commissions(orm.session, program_id=g.program.id, status=status, cursor=at, size=size, **narrowed)


def _back() -> str:
    """Where the form stood: the list with its filters, or a commission's own page."""
    if request.form.get("from") == "commission" and (chosen := _selected()):
        return url_for("console.commission", commission_id=chosen[0])
    kept = {name: request.form[name] for name in commission_sheets.FILTERS if request.form.get(name)}
    return url_for("console.commissions", **dict[str, Any](kept))
