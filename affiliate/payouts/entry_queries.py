"""Every SELECT of entries by hand: adjustments of what partners are owed, and what partners cost beside it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate.accounts.models import User
from affiliate.partners.models import Partner
from affiliate.payouts.models import Adjustment, AdjustmentStatus
from affiliate.payouts.queries import posted


def adjustment_of(session: Session, *, adjustment_id: UUID, program_id: UUID) -> Adjustment | None:
    """One adjustment of this program, as it stands in the database now."""
    found = sa.select(Adjustment).where(Adjustment.id == adjustment_id, Adjustment.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def adjustment_rows(program_id: UUID, *, partner_id: UUID | None = None) -> sa.Select[*tuple[Any, ...]]:
    """Adjustments of a program, or of one partner in it, with names; without order or limit."""
    entered, decided = aliased(User), aliased(User)
    rows = (
        sa.select(
            Adjustment,
            Partner.name.label("partner"),
            entered.name.label("entered_by"),
            decided.name.label("decided_by"),
        )
        .join(Partner, Partner.id == Adjustment.partner_id)
        .outerjoin(entered, entered.id == Adjustment.entered_by_id)
        .outerjoin(decided, decided.id == Adjustment.decided_by_id)
        .where(Adjustment.program_id == program_id)
    )
    return rows if partner_id is None else rows.where(Adjustment.partner_id == partner_id)


def adjustments_waiting(session: Session, *, program_id: UUID) -> int:
    """How many adjustments of a program wait for a second person."""
    waiting = (Adjustment.program_id == program_id, Adjustment.status == AdjustmentStatus.PROPOSED)
    return session.scalar(sa.select(sa.func.count()).select_from(Adjustment).where(*waiting)) or 0


def posted_adjustments(session: Session, *, program_id: UUID, partner_id: UUID, limit: int) -> Sequence[Adjustment]:
    """What a partner sees: the adjustments that count, newest first."""
    mine = (Adjustment.program_id == program_id, Adjustment.partner_id == partner_id, posted())
    rows = sa.select(Adjustment).where(*mine).order_by(Adjustment.decided_at.desc(), Adjustment.id.desc()).limit(limit)
    return session.scalars(rows).all()


def adjustments_in(session: Session, *, payout_id: UUID) -> Sequence[Adjustment]:
    """The adjustments that a payout holds."""
    rows = sa.select(Adjustment).where(Adjustment.payout_id == payout_id).order_by(Adjustment.decided_at)
    return session.scalars(rows).all()


def single_handed(session: Session, *, program_id: UUID, partner_id: UUID, since: datetime) -> int:
    """What has been posted or credited to a partner by one person alone since then, in minor units without signs."""
    counts = Adjustment.status.in_((AdjustmentStatus.POSTED, AdjustmentStatus.CREDITED))
    mine = (Adjustment.program_id == program_id, Adjustment.partner_id == partner_id, counts)
    alone = (Adjustment.is_single_handed, Adjustment.decided_at > since)
    total = sa.cast(sa.func.coalesce(sa.func.sum(sa.func.abs(Adjustment.amount_minor)), 0), sa.BigInteger)
    return session.scalar(sa.select(total).where(*mine, *alone)) or 0
