"""Acts on many partners, commissions, orders or creatives: how far one is, whom it refused and why, stopping it, and leading there."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, cursor, is_manager, pager, refused, show
from affiliate.console.queries import lists
from affiliate.console.words import Sign
from affiliate.errors import Conflict, Invalid
from affiliate.relations import bulk, bulk_queries
from affiliate.relations import service as cases
from affiliate.relations.bulk_models import OF_COMMISSIONS, OF_CREATIVES, OF_ORDERS, BulkAct, BulkKind, BulkStatus
from affiliate.web import orm, request_now

PICKED_MAX = 2_000
_CSV_HEAD = ["partner", "id", "order", "commission", "outcome", "reason", "amount", "currency"]
_CSV_HEAD_OF_CREATIVES = ["creative", "id", "outcome", "reason"]


def begin(
    back: str,
    kind: BulkKind,
    arguments: Mapping[str, str],
    chosen: list[bulk.Chosen] | sa.Select[*tuple[Any, ...]],
    *,
    told: Callable[[BulkAct], str],
    none_done: Conflict | None = None,
) -> BaseResponse:
    """Begin an act. If all of it is done at once it leads back with a sentence; else, or with refusals, to the act's page.

    `none_done` is the refusal where an act that is through changed nothing; then nothing is written. An appeal that came in
    between is another reason, which the act's page tells of each order.
    """
    try:
        act = bulk.start(
            orm.session, program_id=g.program.id, kind=kind, arguments=arguments, chosen=chosen,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return refused(back, refusal)
    if act.status is BulkStatus.DONE and not act.changed and none_done is not None and not _is_appealed(act):
        return refused(back, none_done)
    if act.status is BulkStatus.DONE and not bulk_queries.refusal_count(orm.session, act_id=act.id):
        flash(told(act), "success")
        return redirect(back, 303)
    return redirect(url_for("console.bulk_act", act_id=act.id), 303)


@blueprint.get('/<slug>/acts/<public("blk"):act_id>')
@access.console(*roles.MARKETING)
def bulk_act(act_id: UUID) -> str:
    """How far an act is, and whom it refused."""
    act = _found(act_id)
    g.section = _section(act.kind)
    found = lists.refusals(orm.session, act_id=act.id, cursor=cursor())
    count = bulk_queries.refusal_count(orm.session, act_id=act.id)
    earlier = bulk_queries.newest(orm.session, program_id=g.program.id, kinds=_seen_kinds())
    return show(
        "work/bulk_act.html",
        act=_told(act) | _counted(act) | {"refused": count, "same": act.done - act.changed - count},
        refusals=[_refusal(one) for one in found.rows],
        pager=pager(found),
        stop_url=url_for("console.stop_bulk_act", act_id=act.id) if act.status is BulkStatus.RUNNING else None,
        csv_url=url_for("console.bulk_act_csv", act_id=act.id),
        earlier=[_told(one) for one in earlier if one.id != act.id],
    )  # fmt: skip


@blueprint.get('/<slug>/acts/<public("blk"):act_id>.csv')
@access.console(*roles.MARKETING)
def bulk_act_csv(act_id: UUID) -> BaseResponse:
    """What became of each, as a file."""
    act = _found(act_id)
    outcomes = bulk_queries.outcomes(orm.session, act_id=act.id)
    if act.kind in OF_CREATIVES:
        return exports.csv_response("act.csv", _CSV_HEAD_OF_CREATIVES, map(_csv_row_of_creative, outcomes))
    return exports.csv_response("act.csv", _CSV_HEAD, map(_csv_row, outcomes))


@blueprint.post('/<slug>/acts/<public("blk"):act_id>/stop')
@access.console(*roles.MARKETING)
def stop_bulk_act(act_id: UUID) -> BaseResponse:
    """Do nothing more of an act."""
    _found(act_id)

    def do() -> str:
        act = bulk.stop(orm.session, act_id=act_id, program_id=g.program.id, actor=access.actor(), now=request_now())
        return ngettext("Stopped. %(num)d was done before.", "Stopped. %(num)d were done before.", act.done)

    return acted(url_for("console.bulk_act", act_id=act_id), do)


def _is_appealed(act: BulkAct) -> bool:
    """Whether an appeal that nobody had read kept an order of this act, which did not outgrow its first batch."""
    refusals = bulk_queries.refusals(orm.session, act_id=act.id, limit=bulk.BATCH)
    return any(one.refusal == cases.TALKED for one in refusals)


def _found(act_id: UUID) -> BulkAct:
    act = bulk_queries.act_in(orm.session, act_id=act_id, program_id=g.program.id)
    if act is None or act.kind not in _seen_kinds():
        raise access.NotHere
    return act


def _seen_kinds() -> frozenset[BulkKind]:
    """The kinds of act that the person may do with one: who has not the whole program sees those on creatives."""
    return frozenset(BulkKind) if is_manager() else OF_CREATIVES


def _section(kind: BulkKind) -> str:
    if kind in OF_CREATIVES:
        return "creatives"
    return "commissions" if kind in OF_COMMISSIONS else "fraud" if kind in OF_ORDERS else "partners"


def _refusal(one: Any) -> dict[str, Any]:
    """Whom or what was refused, with its page and the reason."""
    if one.commission_id is not None:
        url = url_for("console.commission", commission_id=one.commission_id)
    elif one.conversion_id is not None:
        url = url_for("console.fraud_case", conversion_id=one.conversion_id, partner_id=one.partner_id)
    elif one.creative_id is not None:
        url = url_for("console.creative", creative_id=one.creative_id)
    else:
        url = url_for("console.partner", partner_id=one.partner_id)
    why = _(one.refusal) if one.refusal else ""
    about = ids.public("crv", one.creative_id) if one.creative_id else ids.public("ptn", one.partner_id)
    named = {"name": one.partner_name or one.creative_title or about, "partner": None}
    if one.order_id is not None:
        named = {"name": one.order_id, "partner": one.partner_name}
    return named | {"why": why, "url": url}


def _csv_row(one: bulk_queries.Outcome) -> list[Any]:
    amount = None if one.amount_minor is None else presenters.amount(one.amount_minor)
    return [
        one.partner_name, ids.public("ptn", one.partner_id) if one.partner_id else "", one.order_id or "",
        ids.public("com", one.commission_id) if one.commission_id else "", _outcome(one), one.refusal or "",
        amount if amount is not None else "", amount.currency if amount is not None else "",
    ]  # fmt: skip


def _csv_row_of_creative(one: bulk_queries.Outcome) -> list[Any]:
    name = ids.public("crv", one.creative_id) if one.creative_id else ""
    return [one.creative_title, name, _outcome(one), one.refusal or ""]


def _outcome(one: bulk_queries.Outcome) -> str:
    if one.changed is None:
        return "not_done"
    return "changed" if one.changed else "refused" if one.refusal else "as_before"


def _told(act: BulkAct) -> dict[str, Any]:
    return {
        "title": _title(act.kind, act.arguments),
        "sign": _sign(act.status),
        "at": act.created_at,
        "done": act.done,
        "total": act.total,
        "changed": act.changed,
        "is_running": act.status is BulkStatus.RUNNING,
        "url": url_for("console.bulk_act", act_id=act.id),
    }


def _counted(act: BulkAct) -> dict[str, Any]:
    """What the act is about, in words, with where one comes from."""
    if act.kind in OF_COMMISSIONS:
        chosen = ngettext("%(num)s commission was chosen.", "%(num)s commissions were chosen.", act.total)
        amount = presenters.amount(bulk_queries.changed_minor(orm.session, act_id=act.id))
        return {"chosen": chosen, "list": (_("Commissions"), url_for("console.commissions")), "amount": amount}
    if act.kind in OF_ORDERS:
        chosen = ngettext("%(num)s order was chosen.", "%(num)s orders were chosen.", act.total)
        return {"chosen": chosen, "list": (_("Fraud"), url_for("console.fraud")), "amount": None}
    if act.kind in OF_CREATIVES:
        chosen = ngettext("%(num)s creative was chosen.", "%(num)s creatives were chosen.", act.total)
        return {"chosen": chosen, "list": (_("Creatives"), url_for("console.creatives")), "amount": None}
    chosen = ngettext("%(num)s partner was chosen.", "%(num)s partners were chosen.", act.total)
    return {"chosen": chosen, "list": (_("Partners"), url_for("console.partners")), "amount": None}


def _title(kind: BulkKind, arguments: Mapping[str, str]) -> str:
    return {
        BulkKind.TAG: lambda: _("Tag: %(tag)s", tag=arguments.get("tag", "")),
        BulkKind.UNTAG: lambda: _("Tag taken off: %(tag)s", tag=arguments.get("tag", "")),
        BulkKind.GROUP: lambda: _("Group: %(group)s", group=arguments.get("group", "") or "–"),
        BulkKind.LEAD: lambda: _("Another lead"),
        BulkKind.APPROVE: lambda: _("Approve applications"),
        BulkKind.REJECT: lambda: _("Refuse applications"),
        BulkKind.PAUSE: lambda: _("Pause partners"),
        BulkKind.RESUME: lambda: _("Let partners go on"),
        BulkKind.APPROVE_COMMISSIONS: lambda: _("Approve commissions"),
        BulkKind.DECLINE_COMMISSIONS: lambda: _("Decline commissions"),
        BulkKind.CLEAR_ORDERS: lambda: _("Let orders pass"),
        BulkKind.REJECT_ORDERS: lambda: _("Reject orders"),
        BulkKind.RETIRE_CREATIVES: lambda: _("Let creatives end"),
        BulkKind.GROUP_CREATIVES: lambda: _("Groups: %(groups)s", groups=arguments.get("groups", "") or "–"),
        BulkKind.MOVE_CREATIVES: lambda: _("Campaign: %(campaign)s", campaign=arguments.get("campaign", "") or "–"),
    }[kind]()


def _sign(status: BulkStatus) -> Sign:
    return {
        BulkStatus.RUNNING: Sign("acc", _("Running"), "refresh"),
        BulkStatus.STOPPED: Sign("hold", _("Stopped"), "player-pause"),
        BulkStatus.DONE: Sign("good", _("Done")),
    }[status]
