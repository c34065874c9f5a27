"""Tables of acts on many partners at once: BulkAct, what was asked and how far it is; BulkSubject, what became of each partner."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

REFUSAL_LENGTH_MAX = 300


class BulkKind(enum.StrEnum):
    """What is done with each partner."""

    TAG = "tag"
    UNTAG = "untag"
    GROUP = "group"
    LEAD = "lead"
    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"


class BulkStatus(enum.StrEnum):
    """Where the act is."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class BulkAct(Base):
    """One act on many partners. The first `done` subjects have their outcome; `changed` of them were changed."""

    __tablename__ = "bulk_acts"
    __table_args__ = (
        sa.Index(
            "ix_bulk_acts_running",
            "created_at",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        ),
        sa.Index("ix_bulk_acts_program", "program_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[BulkKind] = mapped_column(enum_column(BulkKind))
    arguments: Mapped[dict[str, Any]]  # the tag, the group, the lead, the reason
    status: Mapped[BulkStatus] = mapped_column(enum_column(BulkStatus))
    total: Mapped[int]
    done: Mapped[int]
    changed: Mapped[int]
    created_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BulkSubject(Base):
    """A partner of a bulk act, by its place; `changed` null: its turn has not come. A refusal says why nothing changed."""

    __tablename__ = "bulk_subjects"
    __table_args__ = (sa.PrimaryKeyConstraint("act_id", "place"),)

    act_id: Mapped[UUID] = mapped_column(sa.ForeignKey(BulkAct.id))
    place: Mapped[int]
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    changed: Mapped[bool | None]
    refusal: Mapped[str | None] = mapped_column(sa.String(REFUSAL_LENGTH_MAX))
