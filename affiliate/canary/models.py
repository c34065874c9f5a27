"""Table of the canary: CanaryRun."""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column


class CanaryState(enum.StrEnum):
    """How far a run has come."""

    PLANNED = "planned"  # nothing is sent yet
    ORDERED = "ordered"  # click and order are sent: the commission is awaited
    REFUNDED = "refunded"  # the refund is sent: the reversal is awaited
    PASSED = "passed"
    FAILED = "failed"


class CanaryRun(Base):
    """One test order on its way. Its rows are taken away once it has passed; the run itself stays for a month."""

    __tablename__ = "canary_runs"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    conversion_id: Mapped[UUID]
    click_id: Mapped[UUID | None]
    order_id: Mapped[str] = mapped_column(sa.String(120))
    state: Mapped[CanaryState] = mapped_column(enum_column(CanaryState))
    finding: Mapped[str | None] = mapped_column(sa.String(500))
    started_at: Mapped[datetime] = mapped_column(index=True)
    stepped_at: Mapped[datetime]  # when it came into its state
