"""Every write on runs: propose, approve by a second person, take one out, settle, cancel.

Each step locks the program's books, moves the run with a guarded update, then its payouts and commissions, then the
money. Amounts are fixed when a run is proposed; what is refunded later is owed back and netted by a later run.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.actors import Actor
from affiliate.ledger import postings as ledger
from affiliate.ledger import service as ledger_service
from affiliate.ledger.postings import Posting
from affiliate.money import Money
from affiliate.payouts import exchanging, holding, limits, notices, queries, waiting
from affiliate.payouts.holding import changed
from affiliate.payouts.models import NoticeKind, PaperState, Payout, PayoutRun, PayoutStatus, ReasonCode
from affiliate.payouts.schedule import Due
from affiliate.payouts.steps import (
    AboveLimit,
    NotAPerson,
    NothingToPay,
    PartlySettled,
    SamePerson,
    SumChanged,
    UnknownRun,
    WrongStatus,
    added,
    given,
    locked,
    move,
    move_payouts,
    of,
    person,
    record,
    said,
    sent,
    whose,
    withheld,
)
from affiliate.programs.models import Program

__all__ = [
    "AboveLimit",
    "NotAPerson",
    "NothingToPay",
    "PartlySettled",
    "SamePerson",
    "SumChanged",
    "UnknownRun",
    "WrongStatus",
    "approve_run",
    "cancel_run",
    "mark_failed",
    "mark_paid",
    "propose",
    "take_out",
]

N_ = str  # marks a sentence for the translators


def propose(
    session: Session, *, program_id: UUID, actor: Actor, now: datetime, seen_minor: int | None = None
) -> PayoutRun:
    """Put everything that can be paid now into a run that waits for a second person. `seen_minor` is the sum that the person saw.

    Raises:
        NothingToPay: nobody can be paid now.
        SumChanged: the sum is another one by now.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    ledger_service.lock_books(session, program_ids=[program_id])
    schedule = queries.preview(session, program_id=program_id, now=now)
    if not schedule.payable:
        raise NothingToPay(N_("Nobody can be paid now. The list says why for each partner."))
    program = session.get_one(Program, program_id)
    if seen_minor not in {None, schedule.total_minor}:
        raise SumChanged(Money(schedule.total_minor, program.currency))
    run = PayoutRun(
        id=ids.new_at(now), program_id=program_id, currency=program.currency, status=PayoutStatus.PROPOSED,
        total_minor=schedule.total_minor, proposed_by_id=person_id, proposed_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    payouts = exchanging.turned(session, rows=[_payout(run, due) for due in schedule.payable], now=now)
    db.insert_new(session, Payout, payouts)
    until = queries.payable_until(session, program_id=program_id, now=now)
    holding.enter(session, run=run, dues=schedule.payable, until=until)
    waiting_for_papers = [payout["id"] for payout in payouts if payout["paper"] == PaperState.AWAITED]
    notices.call_for(session, kind=NoticeKind.INVOICE_WANTED, payout_ids=waiting_for_papers)
    counts = {"partners": len(schedule.payable), "blocked": len(schedule.blocked)}
    record(session, "payout_run.propose", run, actor, now, **counts)
    return run


def approve_run(
    session: Session, *, run_id: UUID, program_id: UUID, actor: Actor, now: datetime, seen_minor: int | None = None
) -> None:
    """The second person's yes: the money is on its way, and what partners owed is netted. `seen_minor` is the sum that was typed.

    Raises:
        UnknownRun: not in this program.
        SamePerson: the actor proposed it, and the program wants two people.
        AboveLimit: more than the actor may approve.
        SumChanged: somebody was taken out since the person looked.
        PapersMissing: a payout of it waits for its invoice.
        WrongStatus: it is not proposed any more.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    run = locked(session, run_id, program_id)
    single_handed = run.proposed_by_id == person_id
    if single_handed and not queries.policy_of(session, program_id=program_id).is_one_person:
        raise SamePerson(N_("You proposed this run. Ask a second person to approve it."))
    limit = limits.approval_limit(session, user_id=person_id, program_id=program_id)
    if limit is not None and run.total_minor > limit:
        raise AboveLimit(N_("This run is above the amount that you may approve. Ask somebody with a higher limit."))
    if seen_minor not in {None, run.total_minor}:
        raise SumChanged(Money(run.total_minor, run.currency))
    waiting.refuse_if_any(session, run=run)
    facts = {"approved_by_id": person_id, "approved_at": now, "is_single_handed": single_handed}
    move(session, run, PayoutStatus.PROPOSED, PayoutStatus.APPROVED, **facts)
    postings: list[Posting] = []
    for payout in move_payouts(session, run, PayoutStatus.PROPOSED, status=PayoutStatus.APPROVED):
        netted = Money(payout.clawed_back_minor, payout.currency)
        postings += ledger.offset(**whose(payout), payout_id=payout.id, amount=netted)
        postings += ledger.add_tax(**whose(payout), payout_id=payout.id, amount=added(payout))
        postings += ledger.withhold(**whose(payout), payout_id=payout.id, amount=withheld(payout))
        postings += ledger.send(**whose(payout), payout_id=payout.id, amount=sent(payout))
    ledger_service.post(session, postings=postings, now=now)
    more = {"single_handed": True} if single_handed else {}
    record(session, "payout_run.approve", run, actor, now, **more)


def take_out(
    session: Session, *, run_id: UUID, payout_id: UUID, program_id: UUID, reason: str, actor: Actor, now: datetime,
    code: ReasonCode | None = None,
) -> None:  # fmt: skip
    """Take one payout out of a proposed run, which pays less then; its commissions wait for the next one. A `code` may stand for the reason.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: the run or the payout has moved on.
        Invalid: there is no reason, or a very long one.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    why = said(reason, code)
    run = locked(session, run_id, program_id)
    if run.status is not PayoutStatus.PROPOSED:
        raise WrongStatus(run.status)
    values = {"status": PayoutStatus.CANCELLED, "taken_out_at": now} | why
    taken = move_payouts(session, run, PayoutStatus.PROPOSED, only=[payout_id], **values)
    if not taken:
        raise WrongStatus(run.status)
    ledger_service.post(session, postings=holding.leave(session, payouts=of(run, PayoutStatus.CANCELLED)), now=now)
    less = run.total_minor - taken[0].amount_minor
    change = sa.update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.status == PayoutStatus.PROPOSED)
    empty = {"status": PayoutStatus.CANCELLED, "cancelled_by_id": actor.id, "cancelled_at": now} | why
    if changed(session, change.values({"total_minor": less} | ({} if less else empty))) != 1:
        raise WrongStatus(run.status)
    session.refresh(run)
    details = why | {"amount_minor": taken[0].amount_minor, "partner_id": str(taken[0].partner_id)}
    record(session, "payout.take_out", run, actor, now, **details)


def mark_paid(
    session: Session, *, run_id: UUID, program_id: UUID, actor: Actor, now: datetime, only: Sequence[UUID] | None = None
) -> int:
    """The money of an approved run (or of `only` these payouts of it) has arrived; a job tells its partners. Gives the number of payouts.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: it is not approved, or none of these payouts is on its way any more.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    run = locked(session, run_id, program_id)
    paid = _settled(session, run, only, status=PayoutStatus.PAID, paid_at=now)
    holding.pay(session, payouts=of(run, PayoutStatus.PAID), now=now)
    postings: list[Posting] = []
    for payout in paid:
        postings += ledger.settle(**whose(payout), payout_id=payout.id, amount=sent(payout))
    ledger_service.post(session, postings=postings, now=now)
    notices.call_for(session, kind=NoticeKind.PAID, payout_ids=[payout.id for payout in paid])
    record(session, "payout_run.pay", run, actor, now, partners=len(paid))
    _end_if_settled(session, run, actor, now)
    return len(paid)


def mark_failed(
    session: Session, *, run_id: UUID, program_id: UUID, only: Sequence[UUID], reason: str, actor: Actor, now: datetime,
    code: ReasonCode | None = None,
) -> int:  # fmt: skip
    """The bank sent these payouts back: their commissions wait for a payout again. Gives the number of payouts. A `code` may stand for the reason.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: the run is not approved, or none of these payouts is on its way any more.
        Invalid: there is no reason, or a very long one.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    why = said(reason, code)
    run = locked(session, run_id, program_id)
    failed = _settled(session, run, only, status=PayoutStatus.FAILED, failed_at=now, **why)
    postings = _fail(failed) + holding.leave(session, payouts=of(run, PayoutStatus.FAILED))
    ledger_service.post(session, postings=postings, now=now)
    record(session, "payout_run.fail", run, actor, now, **why, partners=len(failed))
    _end_if_settled(session, run, actor, now)
    return len(failed)


def cancel_run(session: Session, *, run_id: UUID, program_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Take back a run that was not paid: its commissions wait for a payout again, less what was refunded meanwhile.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: it is paid or cancelled.
        PartlySettled: some of its payouts have arrived.
        Invalid: there is no reason, or a very long one.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    why = given(reason)
    run = locked(session, run_id, program_id)
    before = run.status
    if before not in {PayoutStatus.PROPOSED, PayoutStatus.APPROVED}:
        raise WrongStatus(before)
    if session.scalar(sa.select(sa.exists(of(run, PayoutStatus.PAID)))):
        raise PartlySettled(N_("Some of this run has arrived. Mark what has not as failed, one by one."))
    move(session, run, before, PayoutStatus.CANCELLED, cancelled_by_id=person_id, cancelled_at=now, reason=why)
    back = move_payouts(session, run, before, status=PayoutStatus.CANCELLED)
    postings = _fail(back) if before is PayoutStatus.APPROVED else []
    postings += holding.leave(session, payouts=of(run, PayoutStatus.CANCELLED))
    ledger_service.post(session, postings=postings, now=now)
    record(session, "payout_run.cancel", run, actor, now, reason=why)


def _payout(run: PayoutRun, due: Due) -> dict[str, Any]:
    return {
        "id": ids.new_at(run.proposed_at),
        "run_id": run.id,
        "program_id": run.program_id,
        "partner_id": due.partner_id,
        "method_id": due.method_id,
        "currency": due.currency,
        "status": PayoutStatus.PROPOSED,
        "earned_minor": due.earned_minor,
        "clawed_back_minor": due.clawed_back_minor,
        "vat_minor": due.vat_minor,
        "stamp_minor": due.stamp_minor,
        "amount_minor": due.amount_minor,
        "withheld_minor": due.withheld_minor,
        "paper": due.paper,
        "notice": due.notice,
        "created_at": run.proposed_at,
    }


def _settled(session: Session, run: PayoutRun, only: Sequence[UUID] | None, **values: Any) -> Sequence[Any]:
    if run.status is not PayoutStatus.APPROVED:
        raise WrongStatus(run.status)
    rows = move_payouts(session, run, PayoutStatus.APPROVED, only=only, **values)
    if not rows:
        raise WrongStatus(run.status)
    return rows


def _end_if_settled(session: Session, run: PayoutRun, actor: Actor, now: datetime) -> None:
    """A run none of whose payouts is on its way is over: paid if any arrived, else cancelled."""
    if session.scalar(sa.select(sa.exists(of(run, PayoutStatus.APPROVED)))):
        return
    if session.scalar(sa.select(sa.exists(of(run, PayoutStatus.PAID)))):
        move(session, run, PayoutStatus.APPROVED, PayoutStatus.PAID, paid_by_id=actor.id, paid_at=now)
    else:
        facts = {"cancelled_by_id": actor.id, "cancelled_at": now, "reason_code": ReasonCode.ALL_FAILED}
        move(session, run, PayoutStatus.APPROVED, PayoutStatus.CANCELLED, **facts)


def _fail(payouts: Sequence[Any]) -> list[Posting]:
    postings: list[Posting] = []
    for payout in payouts:
        netted = Money(payout.clawed_back_minor, payout.currency)
        postings += ledger.fail(
            **whose(payout), payout_id=payout.id, sent=sent(payout), netted=netted,
            withheld=withheld(payout), added=added(payout),
        )  # fmt: skip
    return postings
