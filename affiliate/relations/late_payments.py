"""What the system knows of the money that a late payment is about, kept with its case as it stood, and what was paid since.

The document names nobody and says nothing that the partner's own pages keep back: both sides read it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.commissions.models import CommissionStatus
from affiliate.errors import NotFound
from affiliate.payouts import payable, queries
from affiliate.payouts.models import PaperState, Payout, PayoutRun, PayoutStatus
from affiliate.programs.models import Program
from affiliate.relations.models import Case
from affiliate.reports import sales

N_ = str  # marks a sentence for the translators

_SENT = "payout_run.export"


class NoSuchPayout(NotFound):
    """There is no such payout, or it is somebody else's."""


def known(
    session: Session, *, program: Program, partner_id: UUID, payout_id: UUID | None, now: datetime
) -> dict[str, Any]:
    """The payout that a late payment is about, or without one how what is not in a payout yet stands: a JSON document.

    Raises:
        NoSuchPayout: it is not this partner's in this program.
    """
    if payout_id is None:
        return {"standing": _standing(session, program, partner_id, now=now)}
    found = sales.payout_of(session, program_id=program.id, partner_id=partner_id, payout_id=payout_id)
    if found is None:
        raise NoSuchPayout(N_("There is no such payout."))
    return {"payout": _payout(session, found)}


def paid_since(session: Session, case: Case) -> Payout | None:
    """What was paid after the case was opened: its payout, or of a case about none the first one that was made since."""
    mine = (Payout.program_id == case.program_id, Payout.partner_id == case.partner_id)
    later = sa.select(Payout).where(*mine, Payout.status == PayoutStatus.PAID, Payout.paid_at >= case.opened_at)
    if case.payout_id is not None:
        return session.scalar(later.where(Payout.id == case.payout_id))
    return session.scalar(later.where(Payout.created_at >= case.opened_at).order_by(Payout.paid_at).limit(1))


def _payout(session: Session, payout: Payout) -> dict[str, Any]:
    run = session.get_one(PayoutRun, payout.run_id)
    was_taken_out = payout.taken_out_at is not None
    of_run = (AuditEvent.subject_kind == "payout_run", AuditEvent.subject_id == run.id, AuditEvent.action == _SENT)
    sent_at = session.scalar(sa.select(sa.func.max(AuditEvent.occurred_at)).where(*of_run))
    return {
        "amount_minor": payout.to_pay_minor,
        "currency": payout.currency,
        "status": payout.status.value,
        "awaits_invoice": payout.status is PayoutStatus.PROPOSED and payout.paper is PaperState.AWAITED,
        "proposed_at": _told(run.proposed_at),
        "approved_at": None if was_taken_out else _told(run.approved_at),
        "sent_at": None if was_taken_out else _told(sent_at),
        "paid_at": _told(payout.paid_at),
        "failed_at": _told(payout.failed_at),
        "cancelled_at": _told(payout.taken_out_at or run.cancelled_at),
    }


def _standing(session: Session, program: Program, partner_id: UUID, *, now: datetime) -> dict[str, Any]:
    mine: dict[str, Any] = {"program_id": program.id, "partner_id": partner_id}
    piles = sales.piles(session, wanted=sales.Wanted(**mine))
    here = payable.basis(session, program=program, now=now)
    due, _reason = payable.dues_of(session, here, partner_ids=[partner_id]).get(partner_id, (None, None))
    method = queries.current_method(session, partner_id=partner_id)
    next_on = queries.next_run_on(session, program_id=program.id, today=now.date())
    waits = (Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED)
    awaited = sa.exists().where(Payout.program_id == program.id, Payout.partner_id == partner_id, *waits)
    return {
        "currency": program.currency,
        "approved_minor": piles[CommissionStatus.APPROVED].amount_minor,
        "due_minor": due.amount_minor - due.withheld_minor if due else 0,
        "minimum_minor": program.payout_min_minor,
        "next_run_on": next_on.isoformat() if next_on else None,
        "usable_from": _told(method.usable_from) if method else None,  # null: it has entered no payment details
        "is_blocked": queries.open_block(session, **mine) is not None,
        "awaits_invoice": bool(session.scalar(sa.select(awaited))),
        "lacks_profile": due is not None and due.lacks_profile,
    }


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
