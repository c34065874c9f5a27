"""What happens to single payouts and files of a run: take out, did not arrive, export, results."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, can, given_reason, refused, show
from affiliate.console.payouts import payout_sheets
from affiliate.console.queries import money as queries
from affiliate.errors import Conflict, Forbidden, Invalid
from affiliate.imports import BadTable
from affiliate.payouts import exporting, results, service, waiting
from affiliate.payouts.exporting import Tally
from affiliate.payouts.files import FileKind, Offer
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.payouts.vault import Unreadable, Vault, vault_of
from affiliate.settings import current
from affiliate.web import orm, request_now


def vault() -> Vault:
    """The vault of this installation."""
    return vault_of(current())


def traffic(run: PayoutRun) -> dict[str, Any]:
    """The files that can be made of a run, and those that were."""
    offers: list[Offer] = []
    unreadable = False
    if run.status is PayoutStatus.APPROVED:
        try:
            offers = exporting.offers(orm.session, run_id=run.id, program_id=run.program_id, vault=vault())
        except Unreadable:
            unreadable = True
    done = queries.exports_of(orm.session, run_id=run.id)
    return {"files": payout_sheets.files(offers), "traffic": payout_sheets.traffic(done), "unreadable": unreadable}


@blueprint.get('/<slug>/payouts/<public("run"):run_id>/<public("pay"):payout_id>')
@access.console(*roles.BOOKS)
def payout(run_id: UUID, payout_id: UUID) -> str:
    """One payout of a run, with what can still become of it."""
    row, each = _found(run_id, payout_id)
    sheet = payout_sheets.one(row.PayoutRun, each)
    if not can("settle_payout", "POST"):
        sheet["acts"] = {}
    return show("payouts/payout.html", **sheet)


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/<public("pay"):payout_id>/<any(take_out, failed, paid):what>')
@access.fresh(access.console("manager", "finance"))
def settle_payout(run_id: UUID, payout_id: UUID, what: str) -> BaseResponse:
    """Take one payout out of a proposed run, or say what became of it."""
    _row, each = _found(run_id, payout_id)
    step: dict[str, Any] = {"run_id": run_id, "program_id": g.program.id, "actor": access.actor(), "now": request_now()}

    def act() -> str:
        if what == "take_out":
            service.take_out(orm.session, payout_id=payout_id, reason=given_reason(), **step)
            return str(_("%(name)s taken out. Its commissions wait for the next run.", name=each.partner))
        if what == "failed":
            service.mark_failed(orm.session, only=[payout_id], reason=given_reason(), **step)
            return str(
                _("The payout of %(name)s did not arrive. Its commissions wait for the next run.", name=each.partner)
            )
        service.mark_paid(orm.session, only=[payout_id], **step)
        return str(_("%(name)s was paid, and gets a mail.", name=each.partner))

    return acted(url_for("console.payout_run", run_id=run_id), act)


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/set-aside')
@access.console("manager", "finance")
def set_payouts_aside(run_id: UUID) -> BaseResponse:
    """Part the payouts that wait for an invoice from a proposed run, so that the others can be approved."""

    def act() -> str:
        waiting.set_aside(orm.session, run_id=run_id, program_id=g.program.id, actor=access.actor(), now=request_now())
        return str(_("What waits for invoices is in a run of its own now."))

    return acted(url_for("console.payout_run", run_id=run_id), act)


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/export')
@access.fresh(access.console("manager", "finance"))
def export_payout_run(run_id: UUID) -> BaseResponse:
    """A file of the payouts that are on their way."""
    try:
        made = exporting.export(
            orm.session, run_id=run_id, program_id=g.program.id, kind=_file_kind(), vault=vault(),
            part=request.form.get("part", 1, type=int), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except (Conflict, Forbidden, Invalid) as refusal:
        return refused(url_for("console.payout_run", run_id=run_id), refusal)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
    return Response(made.content, mimetype=made.mimetype, headers=headers)


def _file_kind() -> FileKind:
    try:
        return FileKind(request.form.get("kind", ""))
    except ValueError as wrong:
        raise access.NotHere from wrong


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/results')
@access.fresh(access.console("manager", "finance"))
def bring_results(run_id: UUID) -> BaseResponse:
    """What the bank says became of the payouts."""
    uploaded = request.files.get("file")
    content = uploaded.read(results.BYTES_MAX + 1) if uploaded else b""

    def act() -> str:
        tally = exporting.import_results(
            orm.session, run_id=run_id, program_id=g.program.id, content=content,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return _told(tally)

    back = url_for("console.payout_run", run_id=run_id)
    try:
        return acted(back, act)
    except BadTable as wrong:
        flash(_(wrong.sentence, **wrong.values), "error")
        return redirect(back, 303)


def _told(tally: Tally) -> str:
    parts = [
        _(
            "Paid: %(paid)s. Did not arrive: %(failed)s. Known before: %(known)s.",
            paid=tally.paid,
            failed=tally.failed,
            known=tally.known,
        )
    ]
    if tally.other_amount:
        parts.append(_("Another amount, left alone: %(count)s.", count=tally.other_amount))
    if tally.unknown:
        parts.append(_("Not of this run, left alone: %(count)s.", count=tally.unknown))
    return " ".join(parts)


def _found(run_id: UUID, payout_id: UUID) -> tuple[Any, Any]:
    row = queries.run(orm.session, program_id=g.program.id, run_id=run_id)
    each = queries.payout_of(orm.session, run_id=run_id, payout_id=payout_id)
    if row is None or each is None:
        raise access.NotHere
    return row, each
