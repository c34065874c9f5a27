"""Acts on many partners: chosen one by one or all that a list shows, done in the background, with progress and every refusal."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.console import partner_list
from affiliate.console.applications import AGAIN_DAYS
from affiliate.console.blueprint import acted, blueprint, given_reason, refused, show
from affiliate.console.queries import partners as queries
from affiliate.console.words import Sign
from affiliate.errors import Invalid
from affiliate.partners.models import EnrollmentStatus
from affiliate.relations import bulk, bulk_queries
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkStatus
from affiliate.web import orm, request_now

PICKED_MAX = 2_000
REFUSALS_SHOWN = 200
_LISTS = {"partners": "console.partners", "applications": "console.applications"}
_PLACE = (*partner_list.KEPT, "page")


@blueprint.post("/<slug>/partners/act/<kind>")
@access.console("manager")
def act_on_partners(kind: str) -> BaseResponse:
    """Begin an act on the chosen partners. A small one is through at once; a large one goes on while one does other things."""
    if kind not in set(BulkKind):
        raise access.NotHere
    try:
        act = bulk.start(
            orm.session, program_id=g.program.id, kind=BulkKind(kind), arguments=_arguments(), partner_ids=_chosen(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return refused(_back(), refusal)
    if act.status is BulkStatus.DONE and not bulk_queries.refusal_count(orm.session, act_id=act.id):
        flash(ngettext("Changed: %(num)d partner.", "Changed: %(num)d partners.", act.changed), "success")
        return redirect(_back(), 303)
    return redirect(url_for("console.bulk_act", act_id=act.id), 303)


@blueprint.get('/<slug>/partners/acts/<public("blk"):act_id>')
@access.console("manager")
def bulk_act(act_id: UUID) -> str:
    """How far an act is, and whom it refused."""
    act = _found(act_id)
    refusals = bulk_queries.refusals(orm.session, act_id=act.id, limit=REFUSALS_SHOWN)
    count = bulk_queries.refusal_count(orm.session, act_id=act.id)
    earlier = bulk_queries.newest(orm.session, program_id=g.program.id)
    return show(
        "bulk_act.html",
        act=_told(act) | {"refused": count, "same": act.done - act.changed - count},
        refusals=[
            {"name": one.partner_name, "why": _(one.refusal) if one.refusal else "", "url": url_for("console.partner", partner_id=one.partner_id)}
            for one in refusals
        ],
        more=count - len(refusals),
        stop_url=url_for("console.stop_bulk_act", act_id=act.id) if act.status is BulkStatus.RUNNING else None,
        csv_url=url_for("console.bulk_act_csv", act_id=act.id),
        earlier=[_told(one) for one in earlier if one.id != act.id],
    )  # fmt: skip


@blueprint.get('/<slug>/partners/acts/<public("blk"):act_id>.csv')
@access.console("manager")
def bulk_act_csv(act_id: UUID) -> BaseResponse:
    """What became of each partner, as a file."""
    act = _found(act_id)
    rows = (
        [one.partner_name, ids.public("ptn", one.partner_id), _outcome(one), one.refusal or ""]
        for one in bulk_queries.outcomes(orm.session, act_id=act.id)
    )
    return exports.csv_response("partners-act.csv", ["partner", "id", "outcome", "reason"], rows)


@blueprint.post('/<slug>/partners/acts/<public("blk"):act_id>/stop')
@access.console("manager")
def stop_bulk_act(act_id: UUID) -> BaseResponse:
    """Do nothing more of an act."""

    def do() -> str:
        act = bulk.stop(orm.session, act_id=act_id, program_id=g.program.id, actor=access.actor(), now=request_now())
        return ngettext(
            "Stopped. %(num)d partner was done before.", "Stopped. %(num)d partners were done before.", act.done
        )

    return acted(url_for("console.bulk_act", act_id=act_id), do)


def _found(act_id: UUID) -> BulkAct:
    act = bulk_queries.act_in(orm.session, act_id=act_id, program_id=g.program.id)
    if act is None:
        raise access.NotHere
    return act


def _arguments() -> dict[str, str]:
    typed = {name: request.form.get(name, "").strip()[:120] for name in ("tag", "group", "lead")}
    again = request.form.get("again", "")
    typed["again_days"] = again if again in {str(days) for days in AGAIN_DAYS} else ""
    return {name: value for name, value in (typed | {"reason": given_reason()}).items() if value}


def _chosen() -> list[UUID]:
    """The ticked partners, or all that the list shows with its filters."""
    if request.form.get("all") != "yes":
        return list(_picked())
    kept = _kept()
    if request.form.get("from") == "applications":
        status = kept.get("status", "")
        known = EnrollmentStatus(status) if status in set(EnrollmentStatus) else EnrollmentStatus.PENDING
        asked: dict[str, Any] = {"program_id": g.program.id, "statuses": [known]}
    else:
        asked = partner_list.asked(kept)
    return list(queries.matching(orm.session, **asked, limit=bulk.PARTNERS_MAX + 1))


def _picked() -> Iterator[UUID]:
    for text in request.form.getlist("partner")[:PICKED_MAX]:
        with suppress(ids.BadPublicId):
            yield ids.parse("ptn", text)


def _kept() -> dict[str, str]:
    return {name: value for name in _PLACE if (value := request.form.get(f"keep-{name}", "")[:120])}


def _back() -> str:
    """The list as it stood: its filters and its page."""
    kept: dict[str, Any] = {**_kept()}
    return url_for(_LISTS.get(request.form.get("from", ""), "console.partners"), **kept)


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
    }[kind]()


def _sign(status: BulkStatus) -> Sign:
    return {
        BulkStatus.RUNNING: Sign("acc", _("Running"), "refresh"),
        BulkStatus.STOPPED: Sign("hold", _("Stopped"), "player-pause"),
        BulkStatus.DONE: Sign("good", _("Done")),
    }[status]
