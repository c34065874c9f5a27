"""Table of reports that a program shows to people without an account."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey
from affiliate.programs.models import Program

TITLE_LENGTH_MAX = 80


class SharedReport(Base):
    """A report of a program that whoever has its signed address may read until it ends or is taken back.

    What it shows is what was kept when it was shared; the kept report may change or go without touching it.
    """

    __tablename__ = "shared_reports"
    __table_args__ = (sa.Index("ix_shared_reports_program", "program_id", "created_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    title: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH_MAX))
    arguments: Mapped[dict[str, Any]]  # of the page's address
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    names_partners: Mapped[bool]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    views: Mapped[int]
    viewed_at: Mapped[datetime | None]  # when it was opened last
    created_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
