"""The rows that a run holds: commissions, clawbacks and entries by hand enter it together, and are paid or let go together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate.commissions import changed_days
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionStatus
from affiliate.commissions.takings import BooksMoved
from affiliate.ledger import postings as ledger
from affiliate.ledger.postings import Posting
from affiliate.money import Money
from affiliate.payouts import queries
from affiliate.payouts.models import Adjustment, Payout, PayoutRun
from affiliate.payouts.schedule import Due


def changed(session: Session, change: sa.Update) -> int:
    """How many rows the guarded update found in the expected state, and changed."""
    result = session.execute(change, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def enter(session: Session, *, run: PayoutRun, dues: Sequence[Due], until: datetime) -> None:
    """Lock into the run exactly the rows that its payouts are the sums of (approved by `until`); nothing is posted yet.

    Raises:
        BooksMoved: there are more or fewer than when they were added up.
    """
    paid_here = sa.select(Payout.partner_id).where(Payout.run_id == run.id)
    payout_of = sa.select(Payout.id).where(Payout.run_id == run.id)
    commissions = (
        sa.update(Commission)
        .where(queries.payable_commissions(run.program_id, until=until), Commission.partner_id.in_(paid_here))
        .values(
            status=CommissionStatus.IN_PAYOUT,
            payout_id=payout_of.where(Payout.partner_id == Commission.partner_id).scalar_subquery(),
        )
    )
    clawbacks = (
        sa.update(CommissionAdjustment)
        .where(queries.open_clawbacks(run.program_id), CommissionAdjustment.partner_id.in_(paid_here))
        .values(payout_id=payout_of.where(Payout.partner_id == CommissionAdjustment.partner_id).scalar_subquery())
    )
    entries = (
        sa.update(Adjustment)
        .where(queries.open_entries(run.program_id), Adjustment.partner_id.in_(paid_here))
        .values(payout_id=payout_of.where(Payout.partner_id == Adjustment.partner_id).scalar_subquery())
    )
    _exactly(sum(due.commissions for due in dues), changed(session, commissions))
    changed_days.note_paying(session, _held_by(payout_of))
    _exactly(sum(due.clawbacks for due in dues), changed(session, clawbacks))
    _exactly(sum(due.entries for due in dues), changed(session, entries))


def pay(session: Session, *, payouts: sa.Select[UUID], now: datetime) -> None:
    """The commissions of these payouts are paid; those that were before stay as they are."""
    paid = {"status": CommissionStatus.PAID, "paid_at": now}
    changed_days.note_paying(session, _held_by(payouts))
    changed(session, sa.update(Commission).where(_held_by(payouts)).values(paid))


def leave(session: Session, *, payouts: sa.Select[UUID]) -> list[Posting]:
    """Let everything out of payouts that will not be paid, and give the postings for it.

    What was clawed back from its commissions meanwhile was never paid, so the commissions themselves cover it: they
    come back with what is left of them, and one of which nothing is left ends.
    """
    debts = queries.debts_in(session, payouts=payouts)
    held = sa.select(Commission.id).where(_held_by(payouts))
    owed = sa.and_(CommissionAdjustment.is_clawback, CommissionAdjustment.commission_id.in_(held))
    _exactly(len(debts), changed(session, sa.update(CommissionAdjustment).where(owed).values(is_clawback=False)))
    for table in (CommissionAdjustment, Adjustment):
        changed(session, sa.update(table).where(table.payout_id.in_(payouts)).values(payout_id=None))
    changed_days.note(session, _held_by(payouts))  # one of which nothing is left ends
    changed(session, sa.update(Commission).where(_held_by(payouts)).values(status=_back(), payout_id=None))
    postings: list[Posting] = []
    for debt in debts:
        amount = Money(debt.amount_minor, debt.currency)
        whose = {"program_id": debt.program_id, "partner_id": debt.partner_id}
        postings += ledger.absorb(**whose, adjustment_id=debt.adjustment_id, amount=amount)
    return postings


def _back() -> sa.ColumnElement[str]:
    left = Commission.amount_minor > Commission.reversed_minor
    return sa.case((left, CommissionStatus.APPROVED.value), else_=CommissionStatus.REVERSED.value)


def _held_by(payouts: sa.Select[UUID]) -> sa.ColumnElement[bool]:
    """Commissions locked in payouts that have not been paid."""
    return sa.and_(Commission.payout_id.in_(payouts), Commission.status == CommissionStatus.IN_PAYOUT)


def _exactly(expected: int, found: int) -> None:
    if found != expected:
        raise BooksMoved
