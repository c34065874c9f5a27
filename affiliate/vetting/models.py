"""Tables of vetting: RubricSettings and Assessment."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey
from affiliate.partners.models import Application
from affiliate.programs.models import Program


class RubricSettings(Base):
    """The rubric of a program; programs without one use the usual weights."""

    __tablename__ = "rubrics"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    weights: Mapped[dict[str, Any]]  # by criterion
    accept_from: Mapped[int]
    refuse_below: Mapped[int]
    updated_at: Mapped[datetime]


class Assessment(Base):
    """What one reviewer says of an application. `facts_digest` names the facts that were read."""

    __tablename__ = "assessments"
    __table_args__ = (sa.UniqueConstraint("application_id", "reviewer_id"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Application.id))
    reviewer_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    marks: Mapped[dict[str, Any]]  # by criterion, 0 to 4
    evidence: Mapped[dict[str, Any]]  # by criterion, in words
    note: Mapped[str] = mapped_column(sa.Text, default="")
    facts_digest: Mapped[str] = mapped_column(sa.String(16))
    updated_at: Mapped[datetime]
