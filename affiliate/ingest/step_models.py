"""Tables of the steps of visits: what pages told, and the exact rollups of it by the hour in which the visit began.

A visit is a click. So a step has no time of its own: the visits of an hour are followed as far as they came, whenever that was,
and no later step can be larger than the one before it for the reason that a day ended.
"""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, enum_column
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, Rollup


class VisitStepKind(enum.StrEnum):
    """How far a visit came, in the order in which one comes there."""

    PRODUCT = "product"
    CART = "cart"
    CHECKOUT = "checkout"


class VisitStep(Base):
    """A visit came to this step. The click may arrive later, and then the step counts later: `counted_at` is null until then."""

    __tablename__ = "visit_steps"
    __table_args__ = (
        sa.PrimaryKeyConstraint("click_id", "step", "is_test"),
        sa.Index(
            "ix_visit_steps_waiting",
            "click_id",
            postgresql_where=sa.text("counted_at IS NULL AND NOT is_test"),
            sqlite_where=sa.text("counted_at IS NULL AND NOT is_test"),
        ),
        sa.Index(
            "ix_visit_steps_tests",
            "program_id",
            "received_at",
            postgresql_where=sa.text("is_test"),
            sqlite_where=sa.text("is_test"),
        ),
    )

    click_id: Mapped[UUID]
    step: Mapped[VisitStepKind] = mapped_column(enum_column(VisitStepKind))
    is_test: Mapped[bool]
    program_id: Mapped[UUID]
    received_at: Mapped[datetime]
    counted_at: Mapped[datetime | None]


class ProgramStepHour(Rollup, Base):
    """Visits of a program that came to a step, by device."""

    __tablename__ = "step_hours_program"
    DIMENSIONS = ("program_id", "device", "step")
    INDEXES = (("program_id", "hour"),)

    device: Mapped[str] = mapped_column(sa.String(16))  # of `devices`; empty: unknown
    step: Mapped[VisitStepKind] = mapped_column(enum_column(VisitStepKind))


class PartnerStepHour(Rollup, Base):
    """Visits of a partner in a program that came to a step, by device."""

    __tablename__ = "step_hours_partner"
    DIMENSIONS = ("program_id", "partner_id", "device", "step")

    partner_id: Mapped[UUID]
    device: Mapped[str] = mapped_column(sa.String(16))
    step: Mapped[VisitStepKind] = mapped_column(enum_column(VisitStepKind))


class SourceStepHour(Rollup, Base):
    """Visits that came to a step, by the host of the page with the link and by partner; empty for none.

    Without a cap: only who has a click of ours can tell a step, so there are no more rows than such clicks.
    """

    __tablename__ = "step_hours_source"
    DIMENSIONS = ("program_id", "source", "partner_id", "step")

    source: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))
    partner_id: Mapped[UUID]
    step: Mapped[VisitStepKind] = mapped_column(enum_column(VisitStepKind))


STEP_ROLLUPS: tuple[type[Base], ...] = (ProgramStepHour, PartnerStepHour, SourceStepHour)
"""In the order in which they are written, after those of clicks, which is the same in every transaction."""
