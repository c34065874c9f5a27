"""Pages of payouts: what can be paid, proposing a run, the second person's approval, marking it paid, taking it back."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, refused, show
from affiliate.console.paging import EXPORT_SIZE, every_row
from affiliate.console.payouts import payout_overview, payout_sheets, payout_steps, payout_warnings
from affiliate.console.queries import money as queries
from affiliate.console.queries import payouts as payouts_queries
from affiliate.errors import Conflict, Forbidden
from affiliate.ledger import queries as ledger_queries
from affiliate.money import Money
from affiliate.payouts import entry_queries, service
from affiliate.payouts import queries as payout_queries
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/payouts")
@access.console(*roles.BOOKS)
def payouts() -> str:
    """What can be paid now, who is left out and why, and the runs until now."""
    here: dict[str, Any] = {"program_id": g.program.id}
    now, name = request_now(), _name()
    at: dict[str, Any] = {"ready_at": cursor("ready"), "left_at": cursor("left")}
    upcoming = payouts_queries.upcoming(orm.session, program=g.program, now=now, name=name, **at)
    due = payout_queries.next_run_on(orm.session, **here, today=now.date())
    page = queries.runs(orm.session, **here, cursor=cursor())
    shown = [row.partner_id for row in upcoming.ready.rows]
    last = payouts_queries.last_paid(orm.session, **here, partner_ids=shown)
    sheet = payout_overview.sheet(upcoming, page.rows, due, last=last)
    entries = entry_queries.adjustments_waiting(orm.session, **here)
    return show(
        "payouts/payouts.html",
        name=name,
        pager=pager(page, anchor="runs"),
        ready_pager=pager(upcoming.ready, name="ready", anchor="now"),
        left_pager=pager(upcoming.left, name="left", anchor="left"),
        entries_waiting=entries,
        **sheet,
    )


@blueprint.post("/<slug>/payouts")
@access.console("manager", "finance")
def propose_payouts() -> BaseResponse:
    """Put what can be paid into a run that a second person approves."""
    back = url_for("console.payouts")
    try:
        flash(_propose(), "success")
    except service.SumChanged as changed:
        return refused(back, changed, said=_sum_changed(changed), tone="warning")
    except (Conflict, Forbidden) as refusal:
        return refused(back, refusal)
    return redirect(back, 303)


def _sum_changed(changed: service.SumChanged) -> str:
    amount = formats.money(changed.total)
    return str(
        _("The sum has changed while you looked; it is %(amount)s now. Look again, then propose.", amount=amount)
    )


def _propose() -> str:
    seen = request.form.get("total_minor", type=int)
    run = service.propose(
        orm.session, program_id=g.program.id, actor=access.actor(), now=request_now(), seen_minor=seen or 0
    )
    amount = formats.money(Money(run.total_minor, run.currency))
    if payout_queries.policy_of(orm.session, program_id=g.program.id).is_one_person:
        return str(_("Payout run of %(amount)s proposed. You may approve it yourself.", amount=amount))
    return str(_("Payout run of %(amount)s proposed. A second person must approve it.", amount=amount))


@blueprint.get('/<slug>/payouts/<public("run"):run_id>')
@access.console(*roles.BOOKS)
def payout_run(run_id: UUID) -> str:
    """One run: who gets what, what to look at, and the seats of those who decide."""
    return _run_page(_found(run_id))


@blueprint.get('/<slug>/payouts/<public("run"):run_id>.csv')
@access.console(*roles.BOOKS)
def payout_run_csv(run_id: UUID) -> BaseResponse:
    """Who gets what in a run, as a file for the bank."""
    row = _found(run_id)
    rows = every_row(lambda at: queries.payouts_page(orm.session, run_id=run_id, cursor=at, size=EXPORT_SIZE))
    lines = (payout_sheets.csv_row(each, row.PayoutRun.currency) for each in rows)
    return exports.csv_response("payout-run.csv", payout_sheets.CSV_HEAD, lines)


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/approve')
@access.fresh(access.console("manager", "finance"))
def approve_payout_run(run_id: UUID) -> BaseResponse | tuple[str, int]:
    """The second person's yes: every warning seen, the total typed."""
    row = _found(run_id)
    run = row.PayoutRun
    warnings = _warnings(run)
    errors = payout_warnings.approval_errors(request.form, run, warnings)
    if errors:
        return _run_page(row, errors=errors), 422
    return acted(_address(run_id), lambda: _approve(run))


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/paid')
@access.fresh(access.console("manager", "finance"))
def mark_payout_run_paid(run_id: UUID) -> BaseResponse:
    """The money has arrived."""
    run = _found(run_id).PayoutRun
    return acted(_address(run_id), lambda: _pay(run))


@blueprint.post('/<slug>/payouts/<public("run"):run_id>/cancel')
@access.console("manager", "finance")
def cancel_payout_run(run_id: UUID) -> BaseResponse:
    """Take a run back, with a reason."""
    run = _found(run_id).PayoutRun
    return acted(_address(run_id), lambda: _cancel(run))


def _approve(run: PayoutRun) -> str:
    told = _("%(amount)s approved. It can go to the bank now.", amount=_amount(run))
    service.approve_run(
        orm.session, run_id=run.id, program_id=g.program.id, actor=access.actor(), now=request_now(),
        seen_minor=run.total_minor,
    )  # fmt: skip
    return str(told)


def _pay(run: PayoutRun) -> str:
    told = _("%(amount)s marked as paid. The partners get a mail.", amount=_amount(run))
    service.mark_paid(orm.session, run_id=run.id, program_id=g.program.id, actor=access.actor(), now=request_now())
    return str(told)


def _cancel(run: PayoutRun) -> str:
    told = _("%(amount)s taken back. The commissions wait for the next run.", amount=_amount(run))
    service.cancel_run(
        orm.session, run_id=run.id, program_id=g.program.id,
        reason=given_reason(), actor=access.actor(), now=request_now(),
    )  # fmt: skip
    return str(told)


def _run_page(row: Any, *, errors: dict[str, str] | None = None) -> str:
    run, name = row.PayoutRun, _name()
    found = queries.payouts_page(orm.session, run_id=run.id, name=name, cursor=cursor())
    sums = queries.sums_of(orm.session, run_id=run.id)
    balances = ledger_queries.program_balances(orm.session, program_id=g.program.id)
    alone = payout_queries.policy_of(orm.session, program_id=g.program.id).is_one_person
    page = payout_sheets.run_page(
        row, found.rows, sums, balances, me=current_user.id, one_person=alone, warnings=_warnings(run)
    )
    page |= payout_steps.traffic(run) | {"name": name, "pager": pager(found, anchor="who", at="console.payout_run")}
    return show("payouts/payout_run.html", errors=errors or {}, typed=request.form, **page)


def _warnings(run: PayoutRun) -> list[dict[str, str]]:
    """What the second person looks at first, of the whole run; nothing once it is decided."""
    if run.status is not PayoutStatus.PROPOSED:
        return []
    partners = sa.select(Payout.partner_id).where(Payout.run_id == run.id)
    reviews = payout_queries.under_review(orm.session, program_id=g.program.id, partner_ids=partners)
    flagged = [review.partner_id for review in reviews]
    times = payout_warnings.UNUSUAL_TIMES
    payouts = queries.unlike_before(orm.session, run_id=run.id, times=times, partner_ids=flagged)
    first = queries.first_payouts(orm.session, run_id=run.id, names_max=payout_warnings.NAMES_MAX)
    return payout_warnings.notes(payouts, run.currency, reviews, first=first)


def _name() -> str:
    """Whom a list is searched for."""
    return request.args.get("name", "").strip()[:120]


def _found(run_id: UUID) -> Any:
    row = queries.run(orm.session, program_id=g.program.id, run_id=run_id)
    if row is None:
        raise access.NotHere
    return row


def _address(run_id: UUID) -> str:
    return url_for("console.payout_run", run_id=run_id)


def _amount(run: PayoutRun) -> str:
    return formats.money(Money(run.total_minor, run.currency))
