"""Tables of payouts: PayoutRun (what one person proposes and another approves) and Payout (one partner's part)."""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


class PayoutStatus(enum.StrEnum):
    """Where a run or a payout is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"
    CANCELLED = "cancelled"


class PayoutRun(Base):
    """One list of payouts. The maker is not the checker: the database refuses it too."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> proposed_by_id", name="four_eyes"),
        sa.CheckConstraint("status NOT IN ('approved', 'paid') OR approved_by_id IS NOT NULL", name="approved_first"),
        sa.Index("ix_payout_runs_program", "program_id", "proposed_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[PayoutStatus] = mapped_column(enum_column(PayoutStatus))
    total_minor: Mapped[int]
    proposed_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    approved_at: Mapped[datetime | None]
    paid_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    paid_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    cancelled_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))  # why it was cancelled


class Payout(Base):
    """What one partner gets in one run: earned minus clawed back, fixed when it was proposed."""

    __tablename__ = "payouts"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "partner_id"),
        sa.CheckConstraint("amount_minor > 0", name="amount_above_zero"),
        sa.CheckConstraint("amount_minor = earned_minor - clawed_back_minor", name="amount_adds_up"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey(PayoutRun.id))
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[PayoutStatus] = mapped_column(enum_column(PayoutStatus))
    earned_minor: Mapped[int]
    clawed_back_minor: Mapped[int]
    amount_minor: Mapped[int]
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
