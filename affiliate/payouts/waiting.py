"""Payouts of proposed runs that wait for the partner's invoice: a run with one is not approved, and they can be set aside."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict
from affiliate.payouts.holding import changed
from affiliate.payouts.models import PaperState, Payout, PayoutRun, PayoutStatus
from affiliate.payouts.steps import WrongStatus, locked, person, record

N_ = str  # marks a sentence for the translators


class PapersMissing(Conflict):
    """Payouts of the run wait for their invoice."""

    code = "papers_missing"


class NothingWaits(Conflict):
    """No payout of the run waits, or all of them do: there is nothing to part."""

    code = "nothing_waits"


def refuse_if_any(session: Session, *, run: PayoutRun) -> None:
    """Hold a run up while one of its payouts waits for its invoice.

    Raises:
        PapersMissing: one does.
    """
    if session.scalar(sa.select(sa.exists(_waiting(run.id)))):
        raise PapersMissing(N_("Some partners have not sent their invoices yet. Wait, or set their payouts aside."))


def set_aside(session: Session, *, run_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> PayoutRun:
    """Part the payouts that wait for an invoice from a proposed run: they go into one of their own, by the same proposer.

    Their amounts and notices stay as they are, so that an invoice that is under way still fits.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: the run is not proposed any more.
        NothingWaits: none of its payouts waits, or all do.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    run = locked(session, run_id, program_id)
    if run.status is not PayoutStatus.PROPOSED:
        raise WrongStatus(run.status)
    waiting = session.execute(_waiting(run_id)).all()
    total = sum(row.amount_minor for row in waiting)
    if not waiting or total == run.total_minor:
        raise NothingWaits(N_("There is nothing to part: none of these payouts waits for an invoice, or all do."))
    apart = PayoutRun(
        id=ids.new_at(now), program_id=program_id, currency=run.currency, status=PayoutStatus.PROPOSED,
        total_minor=total, proposed_by_id=run.proposed_by_id, proposed_at=run.proposed_at,
    )  # fmt: skip
    session.add(apart)
    session.flush()
    those = sa.update(Payout).where(Payout.id.in_([row.id for row in waiting]), Payout.status == PayoutStatus.PROPOSED)
    left = sa.update(PayoutRun).where(PayoutRun.id == run_id, PayoutRun.status == PayoutStatus.PROPOSED)
    if changed(session, those.values(run_id=apart.id)) != len(waiting):
        raise WrongStatus(run.status)
    if changed(session, left.values(total_minor=run.total_minor - total)) != 1:
        raise WrongStatus(run.status)
    session.refresh(run)
    record(session, "payout_run.set_aside", run, actor, now, partners=len(waiting), apart=ids.public("run", apart.id))
    return apart


def accept_paper(session: Session, *, payout_id: UUID) -> bool:
    """The invoice of a proposed payout is right: it waits no more. False if it does not wait."""
    mine = (Payout.id == payout_id, Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED)
    return changed(session, sa.update(Payout).where(*mine).values(paper=PaperState.ACCEPTED)) == 1


def _waiting(run_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    mine = (Payout.run_id == run_id, Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED)
    return sa.select(Payout.id, Payout.amount_minor).where(*mine)
