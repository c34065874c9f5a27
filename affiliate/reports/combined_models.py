"""Tables of combined reports: Combination, a question and how far it is answered; CombinationRow, a line of the answer."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


class CombinationStatus(enum.StrEnum):
    """Where a combined report is. A stopped one can go on from where it was."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Combination(Base):
    """Clicks and sales by several things at once, of a partner or (partner_id null) of the whole program, both days included.

    `days_done` is the cursor: so many days from the first are in the rows.
    """

    __tablename__ = "combinations"
    __table_args__ = (
        sa.Index(
            "ix_combinations_running",
            "created_at",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        ),
        sa.Index("ix_combinations_owner", "program_id", "partner_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    status: Mapped[CombinationStatus] = mapped_column(enum_column(CombinationStatus))
    dimensions: Mapped[list[Any]]  # of `By`, in the order of the columns
    first: Mapped[date] = mapped_column(sa.Date)
    last: Mapped[date] = mapped_column(sa.Date)
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    days_done: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(sa.String(500))
    asked_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class CombinationRow(Base):
    """One line: its labels in the order of the columns, and its counts. Amounts are minor units of the program's currency."""

    __tablename__ = "combination_rows"
    __table_args__ = (sa.PrimaryKeyConstraint("combination_id", "key"),)

    combination_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Combination.id, ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 of the labels
    labels: Mapped[list[Any]]
    clicks_raw: Mapped[int]
    clicks_valid: Mapped[int]
    conversions: Mapped[int]
    revenue_minor: Mapped[int]
    earned_minor: Mapped[int]
    reversed_minor: Mapped[int]
