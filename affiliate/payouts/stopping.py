"""Pausing or banning a partner in one act: its clicks stop counting, and no run takes it along, not even one that waits for approval."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.ledger import service as ledger_service
from affiliate.partners import queries as partner_queries
from affiliate.partners import service as partners
from affiliate.payouts import service
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus, ReasonCode


def pause(session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None, now: datetime) -> int:  # fmt: skip
    """Pause an approved partner, and take it out of every run that nobody has approved; the number of these runs.

    What it earned stays its own. `partners.service.resume` undoes it: the next run takes it along again.

    Raises:
        NoSuchEnrollment: not in this program. EnrollmentMoved: it is not approved.
    """
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "reason": reason, "now": now}
    ledger_service.lock_books(session, program_ids=[program_id])  # a run that is being proposed sees it, or comes first
    partners.pause(session, enrollment_id=enrollment_id, **who)
    return _take_out(session, enrollment_id, **who)


def ban(session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None, now: datetime) -> int:  # fmt: skip
    """The same with a partner that is shut out.

    Raises:
        NoSuchEnrollment: not in this program. EnrollmentMoved: it is banned already.
    """
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "reason": reason, "now": now}
    ledger_service.lock_books(session, program_ids=[program_id])
    partners.ban(session, enrollment_id=enrollment_id, **who)
    return _take_out(session, enrollment_id, **who)


def _take_out(session: Session, enrollment_id: UUID, *, program_id: UUID, reason: str | None, **who: Any) -> int:
    enrollment = partner_queries.enrollment_in(session, enrollment_id=enrollment_id, program_id=program_id)
    if enrollment is None:
        return 0
    waiting = sa.select(Payout.run_id, Payout.id).join(PayoutRun, PayoutRun.id == Payout.run_id)
    mine = (Payout.program_id == program_id, Payout.partner_id == enrollment.partner_id)
    of_partner = waiting.where(*mine, Payout.status == PayoutStatus.PROPOSED, PayoutRun.status == PayoutStatus.PROPOSED)
    found = session.execute(of_partner).all()
    for run_id, payout_id in found:
        why = (reason or "").strip()
        code = None if why else ReasonCode.PARTNER_STOPPED
        service.take_out(
            session, run_id=run_id, payout_id=payout_id, program_id=program_id, reason=why, code=code, **who
        )
    return len(found)
