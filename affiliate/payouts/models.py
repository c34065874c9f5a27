"""Tables of payouts: PayoutRun, Payout, PayoutPolicy, PayoutMethod, PayoutBlock.

A run is what one person proposes and another approves, a payout one partner's part of it; a method says where the money goes.
"""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.schedule import Cadence
from affiliate.programs.models import Program


class PayoutStatus(enum.StrEnum):
    """Where a run or a payout is. Only a payout fails; a run is paid once none of its payouts is on its way."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PayoutRun(Base):
    """One list of payouts. The maker is not the checker: the database refuses it too."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        sa.CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> proposed_by_id OR is_single_handed", name="four_eyes"
        ),
        sa.CheckConstraint("status <> 'failed'", name="runs_do_not_fail"),
        sa.CheckConstraint("status NOT IN ('approved', 'paid') OR approved_by_id IS NOT NULL", name="approved_first"),
        sa.Index("ix_payout_runs_program", "program_id", "proposed_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[PayoutStatus] = mapped_column(enum_column(PayoutStatus))
    total_minor: Mapped[int]  # of its payouts, without those taken out
    is_single_handed: Mapped[bool] = mapped_column(default=False)  # one person did both, as the program's policy allows
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
    """What one partner gets in one run: earned minus clawed back, fixed when it was proposed, and the account it goes to."""

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
    method_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("payout_methods.id"))
    taken_out_at: Mapped[datetime | None]  # out of a proposed run, which then pays less
    failed_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))  # why it was taken out or failed


class PayoutPolicy(Base):
    """How a program pays. A program without a row pays when somebody proposes, with two people, all that is approved."""

    __tablename__ = "payout_policies"
    __table_args__ = (sa.CheckConstraint("net_days BETWEEN 0 AND 120", name="net_days_in_range"),)

    program_id: Mapped[PrimaryKey] = mapped_column(sa.ForeignKey(Program.id))
    cadence: Mapped[Cadence] = mapped_column(enum_column(Cadence))
    net_days: Mapped[int]  # a commission is paid so many days after its approval
    is_one_person: Mapped[bool]  # who proposes may approve: four eyes are knowingly switched off
    payer_name: Mapped[str | None] = mapped_column(sa.String(70))
    payer_account: Mapped[str | None] = mapped_column(sa.Text)  # the program's own IBAN, encrypted
    updated_at: Mapped[datetime]


class PayoutMethod(Base):
    """Where a partner's money goes. Never edited: a change is a new row, usable after its pause, and ends the old one."""

    __tablename__ = "payout_methods"
    __table_args__ = (
        sa.Index(
            "uq_payout_methods_current",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    kind: Mapped[MethodKind] = mapped_column(enum_column(MethodKind))
    details: Mapped[str] = mapped_column(sa.Text)  # encrypted
    masked: Mapped[str] = mapped_column(sa.String(80))
    usable_from: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class PayoutBlock(Base):
    """A manager's no to paying a partner for now, with the reason. A lifted block stays as history."""

    __tablename__ = "payout_blocks"
    __table_args__ = (
        sa.Index(
            "uq_payout_blocks_open",
            "program_id",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    reason: Mapped[str] = mapped_column(sa.String(500))
    blocked_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    blocked_at: Mapped[datetime]
    lifted_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    lifted_at: Mapped[datetime | None]
