"""Every write on payouts: propose, approve by a second person, settle, cancel.

Each step locks the program's books, moves the run with a guarded update, then its payouts and commissions, then the
money. Amounts are fixed when a run is proposed; what is refunded later is owed back and netted by a later run.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Forbidden, Invalid, NotFound
from affiliate.ledger import postings as ledger
from affiliate.ledger import service as ledger_service
from affiliate.ledger.postings import Posting
from affiliate.money import Money
from affiliate.payouts import holding, mails, queries
from affiliate.payouts.holding import changed
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.payouts.schedule import Due
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
REASON_LENGTH_MAX = 500


class UnknownRun(NotFound):
    """There is no such run in this program."""


class NothingToPay(Conflict):
    """No partner can be paid now; the preview says why for each."""

    code = "nothing_to_pay"


class SamePerson(Forbidden):
    """Who proposed a run cannot approve it: it needs a second person."""

    code = "same_person"


class NotAPerson(Forbidden):
    """Only a signed-in person proposes, approves, settles or cancels; keys and jobs cannot."""

    code = "not_a_person"


class WrongStatus(Conflict):
    """The run is not in the status from which this step starts: somebody was faster."""

    code = "wrong_status"

    def __init__(self, status: PayoutStatus) -> None:
        super().__init__(N_("This run has moved on in the meantime. Look at where it stands now."))
        self.status = status


def propose(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> PayoutRun:
    """Put everything that can be paid now into a run that waits for a second person.

    Raises:
        NothingToPay: nobody can be paid now.
        NotAPerson: the actor is not a person.
    """
    person_id = _person(actor)
    ledger_service.lock_books(session, program_ids=[program_id])
    schedule = queries.preview(session, program_id=program_id)
    if not schedule.payable:
        raise NothingToPay(N_("Nobody can be paid now. The list says why for each partner."))
    program = session.get_one(Program, program_id)
    run = PayoutRun(
        id=ids.new_at(now), program_id=program_id, currency=program.currency, status=PayoutStatus.PROPOSED,
        total_minor=schedule.total_minor, proposed_by_id=person_id, proposed_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    db.insert_new(session, Payout, [_payout(run, due) for due in schedule.payable])
    holding.enter(session, run=run, dues=schedule.payable)
    counts = {"partners": len(schedule.payable), "blocked": len(schedule.blocked)}
    _record(session, "payout_run.propose", run, actor, now, **counts)
    return run


def approve_run(session: Session, *, run_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """The second person's yes: the money is on its way, and what partners owed is netted.

    Raises:
        UnknownRun: not in this program.
        SamePerson: the actor proposed it.
        WrongStatus: it is not proposed any more.
        NotAPerson: the actor is not a person.
    """
    person_id = _person(actor)
    run = _locked(session, run_id, program_id)
    if run.proposed_by_id == person_id:
        raise SamePerson(N_("You proposed this run. Ask a second person to approve it."))
    _move(session, run, PayoutStatus.PROPOSED, PayoutStatus.APPROVED, approved_by_id=person_id, approved_at=now)
    postings: list[Posting] = []
    for payout in queries.payouts_of(session, run_id=run_id):
        netted = Money(payout.clawed_back_minor, payout.currency)
        postings += ledger.offset(**_whose(payout), payout_id=payout.id, amount=netted)
        postings += ledger.send(**_whose(payout), payout_id=payout.id, amount=_amount(payout))
    ledger_service.post(session, postings=postings, now=now)
    _record(session, "payout_run.approve", run, actor, now)


def mark_paid(session: Session, *, run_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """The money of an approved run has arrived; its partners get a mail.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: it is not approved, or was paid before.
        NotAPerson: the actor is not a person.
    """
    person_id = _person(actor)
    run = _locked(session, run_id, program_id)
    _move(session, run, PayoutStatus.APPROVED, PayoutStatus.PAID, paid_by_id=person_id, paid_at=now)
    holding.pay(session, run_id=run_id, now=now)
    postings: list[Posting] = []
    for payout in queries.payouts_of(session, run_id=run_id):
        postings += ledger.settle(**_whose(payout), payout_id=payout.id, amount=_amount(payout))
    ledger_service.post(session, postings=postings, now=now)
    mails.tell_paid(session, run_id=run_id, program_id=program_id, now=now)
    _record(session, "payout_run.pay", run, actor, now)


def cancel_run(session: Session, *, run_id: UUID, program_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Take back a run that was not paid: its commissions wait for a payout again, less what was refunded meanwhile.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: it is paid or cancelled.
        Invalid: there is no reason, or a very long one.
        NotAPerson: the actor is not a person.
    """
    person_id = _person(actor)
    if not 0 < len(reason.strip()) <= REASON_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    run = _locked(session, run_id, program_id)
    before = run.status
    if before not in {PayoutStatus.PROPOSED, PayoutStatus.APPROVED}:
        raise WrongStatus(before)
    cancelled = {"cancelled_by_id": person_id, "cancelled_at": now, "reason": reason.strip()}
    _move(session, run, before, PayoutStatus.CANCELLED, **cancelled)
    postings = _fail(session, run_id) if before is PayoutStatus.APPROVED else []
    ledger_service.post(session, postings=postings + holding.leave(session, run_id=run_id), now=now)
    _record(session, "payout_run.cancel", run, actor, now, reason=reason.strip())


def _person(actor: Actor) -> UUID:
    if actor.kind != "user" or actor.id is None:
        raise NotAPerson(N_("Only a signed-in person can do this."))
    return actor.id


def _locked(session: Session, run_id: UUID, program_id: UUID) -> PayoutRun:
    ledger_service.lock_books(session, program_ids=[program_id])
    run = queries.run_of(session, run_id=run_id, program_id=program_id)
    if run is None:
        raise UnknownRun(N_("There is no such payout run."))
    return run


def _payout(run: PayoutRun, due: Due) -> dict[str, Any]:
    return {
        "id": ids.new_at(run.proposed_at),
        "run_id": run.id,
        "program_id": run.program_id,
        "partner_id": due.partner_id,
        "currency": due.currency,
        "status": PayoutStatus.PROPOSED,
        "earned_minor": due.earned_minor,
        "clawed_back_minor": due.clawed_back_minor,
        "amount_minor": due.amount_minor,
        "created_at": run.proposed_at,
    }


def _fail(session: Session, run_id: UUID) -> list[Posting]:
    postings: list[Posting] = []
    for payout in queries.payouts_of(session, run_id=run_id):
        netted = Money(payout.clawed_back_minor, payout.currency)
        postings += ledger.fail(**_whose(payout), payout_id=payout.id, sent=_amount(payout), netted=netted)
    return postings


def _move(session: Session, run: PayoutRun, before: PayoutStatus, status: PayoutStatus, **facts: Any) -> None:
    """Move a run and its payouts to the next status, if and only if the run is still where it was.

    Raises:
        WrongStatus: it is not.
    """
    guarded = sa.update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.status == before)
    if changed(session, guarded.values(status=status, **facts)) != 1:
        raise WrongStatus(run.status)
    payouts = sa.update(Payout).where(Payout.run_id == run.id, Payout.status == before).values(status=status)
    changed(session, payouts.values(paid_at=facts.get("paid_at")))
    session.refresh(run)


def _whose(payout: Payout) -> dict[str, UUID]:
    return {"program_id": payout.program_id, "partner_id": payout.partner_id}


def _amount(payout: Payout) -> Money:
    return Money(payout.amount_minor, payout.currency)


def _record(session: Session, action: str, run: PayoutRun, actor: Actor, now: datetime, **details: Any) -> None:
    facts = {"total_minor": run.total_minor, "currency": run.currency} | details
    audit.record(
        session, actor=actor, action=action, subject_kind="payout_run", subject_id=run.id,
        program_id=run.program_id, details=facts, now=now,
    )  # fmt: skip
