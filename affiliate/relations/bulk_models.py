"""Tables of acts on many at once: BulkAct, what was asked and how far it is; BulkSubject, what became of each partner, commission, order or creative."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission
from affiliate.creatives.models import Creative
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

REFUSAL_LENGTH_MAX = 300


class BulkKind(enum.StrEnum):
    """What is done with each partner, commission, order under review or creative."""

    TAG = "tag"
    UNTAG = "untag"
    GROUP = "group"
    LEAD = "lead"
    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    APPROVE_COMMISSIONS = "approve_commissions"
    DECLINE_COMMISSIONS = "decline_commissions"
    CLEAR_ORDERS = "clear_orders"
    REJECT_ORDERS = "reject_orders"
    RETIRE_CREATIVES = "retire_creatives"
    GROUP_CREATIVES = "group_creatives"
    MOVE_CREATIVES = "move_creatives"  # to another campaign


OF_COMMISSIONS = frozenset({BulkKind.APPROVE_COMMISSIONS, BulkKind.DECLINE_COMMISSIONS})
OF_ORDERS = frozenset({BulkKind.CLEAR_ORDERS, BulkKind.REJECT_ORDERS})
OF_CREATIVES = frozenset({BulkKind.RETIRE_CREATIVES, BulkKind.GROUP_CREATIVES, BulkKind.MOVE_CREATIVES})
"""Kinds of act that are not about partners: their subjects name commissions, orders under review, or creatives."""


class BulkStatus(enum.StrEnum):
    """Where the act is."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class BulkAct(Base):
    """One act on many. The first `done` subjects have their outcome; `changed` of them were changed."""

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
    arguments: Mapped[dict[str, Any]]  # the tag, the group, the lead, the reason, the notice in days, the campaign
    status: Mapped[BulkStatus] = mapped_column(enum_column(BulkStatus))
    total: Mapped[int]
    done: Mapped[int]
    changed: Mapped[int]
    created_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BulkSubject(Base):
    """A partner of a bulk act, or a commission or order of it, or a creative, by its place. A refusal says why nothing changed.

    `changed` null: its turn has not come. `seen` is the number of decisions on the order that the person saw.
    `amount_minor` is what was approved or declined.
    """

    __tablename__ = "bulk_subjects"
    __table_args__ = (
        sa.PrimaryKeyConstraint("act_id", "place"),
        sa.CheckConstraint("(partner_id IS NULL) <> (creative_id IS NULL)", name="one_subject"),
    )

    act_id: Mapped[UUID] = mapped_column(sa.ForeignKey(BulkAct.id))
    place: Mapped[int]
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    creative_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Creative.id))
    conversion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Conversion.id))
    commission_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Commission.id))
    seen: Mapped[int | None]
    changed: Mapped[bool | None]
    refusal: Mapped[str | None] = mapped_column(sa.String(REFUSAL_LENGTH_MAX))
    amount_minor: Mapped[int | None]
