"""Tables of steering: KpiWatch and PartnerMomentum."""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.reports.momentum import Momentum, Reason
from affiliate.steering.thresholds import Side


class WatchState(enum.StrEnum):
    """What the last look at a figure found."""

    QUIET = "quiet"
    ALARM = "alarm"
    TOO_LITTLE = "too_little"  # less volume than the watch asks for: nothing is said


class KpiWatch(Base):
    """A threshold on a figure of the program, looked at over the last whole days. It mails once when an alarm begins.

    `key` names a metric of `reports.metrics` or a figure of `reports.risks`; `threshold` is in its unit: minor units, basis
    points, or things. `volume_min` counts valid clicks and sales together.
    """

    __tablename__ = "kpi_watches"
    __table_args__ = (
        sa.Index("ix_kpi_watches_program", "program_id", "removed_at"),
        sa.CheckConstraint("look_back_days BETWEEN 1 AND 90", name="look_back"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    key: Mapped[str] = mapped_column(sa.String(40))
    side: Mapped[Side] = mapped_column(enum_column(Side))
    threshold: Mapped[int]
    look_back_days: Mapped[int]
    volume_min: Mapped[int]
    state: Mapped[WatchState] = mapped_column(enum_column(WatchState))
    value: Mapped[int | None]  # what the last look found, in the unit of the threshold
    since: Mapped[datetime]  # of the state
    checked_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class PartnerMomentum(Base):
    """The momentum of an approved partner as the last look found it; `since` is when it became so."""

    __tablename__ = "partner_momentum"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "partner_id"),
        sa.Index("ix_partner_momentum_state", "program_id", "momentum", "weight_minor"),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    momentum: Mapped[Momentum] = mapped_column(enum_column(Momentum))
    reason: Mapped[Reason] = mapped_column(enum_column(Reason))
    now: Mapped[int]
    before: Mapped[int]
    weight_minor: Mapped[int]  # the revenue of the span before: what is at stake
    earned_minor: Mapped[int | None]  # the commission of both spans: by it the list of partners is ordered
    since: Mapped[datetime]
    seen_at: Mapped[datetime | None]  # when a manager has looked after it in this state
    computed_at: Mapped[datetime]
