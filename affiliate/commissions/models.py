"""Tables of commissions: CommissionPlan, Commission, CommissionAdjustment."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.life import AdjustmentSource, CommissionReason, CommissionStatus
from affiliate.commissions.rates import PlanKind
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = [
    "AdjustmentSource",
    "Commission",
    "CommissionAdjustment",
    "CommissionPlan",
    "CommissionReason",
    "CommissionStatus",
    "PlanKind",
]


class CommissionPlan(Base):
    """What a program pays, from a day on. The newest plan in force at the order's date counts."""

    __tablename__ = "commission_plans"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "effective_from"),
        sa.CheckConstraint(
            "(kind = 'percent' AND rate_bps BETWEEN 1 AND 10000 AND fixed_minor IS NULL)"
            " OR (kind = 'fixed' AND fixed_minor > 0 AND rate_bps IS NULL)",
            name="pays_one_way",
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[PlanKind] = mapped_column(enum_column(PlanKind))
    rate_bps: Mapped[int | None]
    fixed_minor: Mapped[int | None]
    effective_from: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class Commission(Base):
    """What a partner earns for one conversion under one attribution version.

    `amount_minor` never changes; `reversed_minor` is the sum of its adjustments; what counts is the difference.
    """

    __tablename__ = "commissions"
    __table_args__ = (
        sa.Index("uq_commissions_source", "credit_id", "level", unique=True),
        sa.Index(
            "uq_commissions_live",
            "conversion_id",
            "partner_id",
            "plan_id",
            "level",
            unique=True,
            postgresql_where=sa.text("is_live"),
            sqlite_where=sa.text("is_live"),
        ),
        sa.Index("ix_commissions_partner", "program_id", "partner_id", "earned_at"),
        sa.Index("ix_commissions_maturing", "status", "matures_at"),
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
    level: Mapped[int] = mapped_column(sa.SmallInteger, default=1)
    is_live: Mapped[bool] = mapped_column(default=True)  # false once superseded
    status: Mapped[CommissionStatus] = mapped_column(enum_column(CommissionStatus))
    reason: Mapped[CommissionReason | None] = mapped_column(enum_column(CommissionReason))
    currency: Mapped[str] = mapped_column(sa.String(3))
    base_minor: Mapped[int]
    amount_minor: Mapped[int]
    reversed_minor: Mapped[int] = mapped_column(default=0)
    trace: Mapped[dict[str, Any]]  # base, plan, rate, rounding
    earned_at: Mapped[datetime]  # the order's moment
    matures_at: Mapped[datetime]  # end of the validation period
    approved_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    payout_id: Mapped[UUID | None] = mapped_column(index=True)  # a commission enters at most one payout
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
    note: Mapped[str | None] = mapped_column(sa.String(500))  # what the manager wrote to the partner
    created_at: Mapped[datetime]
