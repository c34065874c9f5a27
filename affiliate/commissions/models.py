"""Tables of commissions: plans with their examples and simulations, Commission, CommissionAdjustment, validation."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.attribution.models import ORIGIN, Attribution, Credit, Origin
from affiliate.commissions.life import AdjustmentSource, CommissionReason, CommissionStatus, DeclineReason
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.validation import Verdict, Word
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner, PartnerTerms
from affiliate.programs.models import Program

__all__ = [
    "AdjustmentSource",
    "Commission",
    "CommissionAdjustment",
    "CommissionPlan",
    "CommissionReason",
    "CommissionStatus",
    "DeclineReason",
    "OrderVerification",
    "PartnerTerms",
    "PlanExample",
    "PlanSimulation",
    "Reduction",
    "ValidationFile",
    "ValidationLine",
]


class CommissionPlan(Base):
    """What a program pays, from a day on. The newest plan in force at the order's moment counts.

    A draft has no start. Once published, nothing of it changes any more.
    """

    __tablename__ = "commission_plans"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "effective_from"),
        sa.CheckConstraint("(published_at IS NULL) = (effective_from IS NULL)", name="starts_when_published"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[str] = mapped_column(sa.String(120))
    terms: Mapped[dict[str, Any]]  # a document of `schemas.TermsSchema`
    effective_from: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PlanExample(Base):
    """An order with the commission that every plan of the program must pay for it; a plan that does not is not published."""

    __tablename__ = "plan_examples"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    order: Mapped[dict[str, Any]]  # amounts in minor units, items as a conversion has them
    expected_minor: Mapped[int]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class Commission(Origin, Base):
    """What a partner earns for one conversion under one attribution version.

    `amount_minor` never changes; `reversed_minor` is the sum of its adjustments; what counts is the difference.
    The origin is that of its credit, which never changes: reports add up a partner's sales by it out of one index.
    """

    __tablename__ = "commissions"
    __table_args__ = (
        sa.Index("uq_commissions_source", "credit_id", "level", "turn", unique=True),
        sa.Index(
            "uq_commissions_live",
            "conversion_id",
            "partner_id",
            "plan_id",
            unique=True,
            postgresql_where=sa.text("is_live AND level = 1"),
            sqlite_where=sa.text("is_live AND level = 1"),
        ),
        sa.Index(  # levels above the first: one recruiter may have recruited several of the partners who share an order
            "uq_commissions_live_recruiter",
            "credit_id",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("is_live AND level > 1"),
            sqlite_where=sa.text("is_live AND level > 1"),
        ),
        sa.Index(
            "ix_commissions_awaiting",
            "awaits",
            "conversion_id",
            postgresql_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
            sqlite_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
        ),
        sa.Index(
            "ix_commissions_partner",
            *("program_id", "partner_id", "earned_at"),
            # All that a partner's reports add up: rows are wide, for their traces, and a partner's lie far apart.
            postgresql_include=[
                *("is_live", "status", "currency", "conversion_id", "attribution_id"),
                *("revenue_minor", "amount_minor", "reversed_minor"),
                *ORIGIN,
            ],
        ),
        sa.Index("ix_commissions_program", "program_id", "earned_at"),
        sa.Index(
            "ix_commissions_clicked",
            "program_id",
            "clicked_at",
            postgresql_where=sa.text("clicked_at IS NOT NULL"),
            sqlite_where=sa.text("clicked_at IS NOT NULL"),
        ),
        sa.Index("ix_commissions_maturing", "status", "matures_at"),
        # What pages sum of those that wait, for validation or for a payout, with the amounts: rows are wide, for their traces.
        sa.Index(
            "ix_commissions_pending",
            "program_id",
            "matures_at",
            postgresql_include=["amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'pending' AND is_live"),
            sqlite_where=sa.text("status = 'pending' AND is_live"),
        ),
        sa.Index(
            "ix_commissions_payable",
            "program_id",
            "partner_id",
            postgresql_include=["approved_at", "currency", "amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'approved'"),
            sqlite_where=sa.text("status = 'approved'"),
        ),
        # Those of the last days, which a program that pays later takes off what lies on its partners' accounts.
        sa.Index(
            "ix_commissions_approved",
            "program_id",
            "approved_at",
            postgresql_include=["partner_id", "currency", "amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'approved'"),
            sqlite_where=sa.text("status = 'approved'"),
        ),
        sa.CheckConstraint("reversed_minor >= 0 AND reversed_minor <= amount_minor", name="reversed_within_amount"),
        sa.CheckConstraint("(status IN ('in_payout', 'paid')) = (payout_id IS NOT NULL)", name="payout_when_in_one"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id), index=True)
    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Attribution.id), index=True)
    credit_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Credit.id))
    plan_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(CommissionPlan.id))
    level: Mapped[int] = mapped_column(
        sa.SmallInteger, default=1
    )  # 2: the recruiter's share, 3: its own recruiter's, …
    turn: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # counts reinstatements after a rejection
    is_live: Mapped[bool] = mapped_column(default=True)  # false once superseded
    status: Mapped[CommissionStatus] = mapped_column(enum_column(CommissionStatus))
    reason: Mapped[CommissionReason | None] = mapped_column(enum_column(CommissionReason))
    currency: Mapped[str] = mapped_column(sa.String(3))
    base_minor: Mapped[int]
    revenue_minor: Mapped[int] = mapped_column(default=0)  # paid for the credit by the customer; zero above level 1
    amount_minor: Mapped[int]
    reversed_minor: Mapped[int] = mapped_column(default=0)
    counted_currency: Mapped[str] = mapped_column(sa.String(3))  # the plan's, in which steps and caps count
    counted_base_minor: Mapped[int]
    counted_minor: Mapped[int]  # what is left of the commission
    trace: Mapped[dict[str, Any]]  # base, plan, rate, rounding
    earned_at: Mapped[datetime]  # the order's moment
    matures_at: Mapped[datetime]  # end of the validation period; while it awaits something, when that is expected
    awaits: Mapped[Milestone | None] = mapped_column(enum_column(Milestone))  # before it can mature
    approved_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    payout_id: Mapped[UUID | None] = mapped_column(index=True)  # a commission enters at most one payout
    reinstated_at: Mapped[datetime | None]  # when a later turn took the place of this ended one
    created_at: Mapped[datetime]


class CommissionAdjustment(Base):
    """What one event took from one commission (zero is an outcome too).

    With `is_clawback` the commission was already in a payout: the partner owes the amount until a payout nets it.
    """

    __tablename__ = "commission_adjustments"
    __table_args__ = (
        sa.UniqueConstraint("commission_id", "source_kind", "source_id"),
        sa.CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    commission_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Commission.id))
    source_kind: Mapped[AdjustmentSource] = mapped_column(enum_column(AdjustmentSource))
    source_id: Mapped[UUID] = mapped_column(index=True)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    exceeds_original: Mapped[bool] = mapped_column(default=False)
    is_clawback: Mapped[bool] = mapped_column(default=False)
    payout_id: Mapped[UUID | None] = mapped_column(index=True)  # the payout that took a clawback into account
    decline_reason: Mapped[DeclineReason | None] = mapped_column(enum_column(DeclineReason))  # where somebody declined
    note: Mapped[str | None] = mapped_column(sa.String(500))  # what the manager wrote to the partner
    created_at: Mapped[datetime]


class Reduction(Base):
    """The validation found that an order was worth less than was reported: a loss of the order, as a refund is.

    With `is_reinstatement` it found that an ended order counts after all: cancellations and reductions before are void.
    """

    __tablename__ = "order_reductions"
    __table_args__ = (sa.CheckConstraint("amount_minor >= 0", name="amount_not_negative"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id), index=True)
    amount_minor: Mapped[int]
    is_reinstatement: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(sa.String(500))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class OrderVerification(Base):
    """A manager's word for an order that no trusted source has confirmed; its worth is in the program's currency."""

    __tablename__ = "order_verifications"
    __table_args__ = (sa.Index("ix_order_verifications_program", "program_id", "verified_at"),)

    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id), primary_key=True)
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    amount_minor: Mapped[int]
    note: Mapped[str] = mapped_column(sa.String(500))
    verified_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    verified_at: Mapped[datetime]


class ValidationFile(Base):
    """A shop's list of what became of its orders, or one that a filter gathered, and how far the work on it has come."""

    __tablename__ = "validation_files"
    __table_args__ = (
        sa.Index("ix_validation_files_program", "program_id", "uploaded_at"),
        sa.Index(
            "ix_validation_files_open",
            "uploaded_at",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[str] = mapped_column(sa.String(200))
    lines_total: Mapped[int]
    lines_checked: Mapped[int]  # of which it is known what they would do
    lines_done: Mapped[int]  # since the confirmation
    uploaded_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    uploaded_at: Mapped[datetime]
    confirmed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]  # every line is done


class ValidationLine(Base):
    """A line as it was read, and what it would do; once it is done, what it did."""

    __tablename__ = "validation_lines"
    __table_args__ = (sa.PrimaryKeyConstraint("file_id", "number"),)

    file_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ValidationFile.id))
    number: Mapped[int]  # its place in the file, from zero
    order_id: Mapped[str] = mapped_column(sa.String(120))
    word: Mapped[Word | None] = mapped_column(enum_column(Word))  # null where it cannot be understood
    amount_minor: Mapped[int | None]
    reason: Mapped[str] = mapped_column(sa.String(500))
    is_repeated: Mapped[bool]  # an earlier line speaks of the same order
    verdict: Mapped[Verdict | None] = mapped_column(enum_column(Verdict))


class PlanSimulation(Base):
    """A plan tried on a program's own history: how far it has come, and what came of it so far."""

    __tablename__ = "plan_simulations"
    __table_args__ = (
        sa.Index(
            "ix_plan_simulations_open",
            "created_at",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    plan_name: Mapped[str] = mapped_column(sa.String(120))
    terms: Mapped[dict[str, Any]]  # as they stood when it was asked for
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[dict[str, Any]]  # sums by partner, counters, and where to go on
    orders_done: Mapped[int]
    orders_total: Mapped[int]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
