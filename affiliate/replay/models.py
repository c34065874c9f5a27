"""Tables of replays: Replay, a question and how far it is answered; ReplayChange, an order that would go to somebody else."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column


class ReplayStatus(enum.StrEnum):
    """Where a replay is. A stopped one can go on from where it was."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Replay(Base):
    """A stored period under another policy, half-open. `terms` null: under the policy of then, to see that nothing changes.

    The cursor is the last order that was decided again; `totals` are the sums so far, as `queries.Totals` reads them.
    """

    __tablename__ = "replays"
    __table_args__ = (
        sa.Index(
            "ix_replays_running",
            "created_at",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        ),
        sa.Index("ix_replays_program", "program_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    status: Mapped[ReplayStatus] = mapped_column(enum_column(ReplayStatus))
    base_version: Mapped[int]  # the newest policy version when it was asked: what `terms` would follow
    terms: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    orders: Mapped[int]  # how many there are in the period
    cursor_at: Mapped[datetime | None]
    cursor_id: Mapped[UUID | None]
    totals: Mapped[dict[str, Any]]
    error: Mapped[str | None] = mapped_column(sa.String(500))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ReplayChange(Base):
    """An order that would go to somebody else. Today's trace stands with its attribution."""

    __tablename__ = "replay_changes"
    __table_args__ = (sa.PrimaryKeyConstraint("replay_id", "conversion_id"),)

    replay_id: Mapped[UUID] = mapped_column(sa.ForeignKey("replays.id"))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("conversions.id"))
    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey("attributions.id"))
    occurred_at: Mapped[datetime]
    today: Mapped[dict[str, Any]]  # minor units of commission by partner
    tomorrow: Mapped[dict[str, Any]]
    trace: Mapped[dict[str, Any]]  # of tomorrow


class FraudTrial(Base):
    """Other fraud rules tried on the orders of a half-open period, too many for a page to wait for: the last trial of each program.

    `id` is another one each time it is asked; `wanted` is a document of settings, compared with those of `base_version`.
    The cursor is the last credit that was judged; `totals` are the sums so far, as `trials.Totals` reads them.
    """

    __tablename__ = "fraud_trials"
    __table_args__ = (
        sa.Index(
            "ix_fraud_trials_running",
            "created_at",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        ),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    id: Mapped[UUID]
    status: Mapped[ReplayStatus] = mapped_column(enum_column(ReplayStatus))
    base_version: Mapped[int]
    wanted: Mapped[dict[str, Any]]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    done: Mapped[int]  # credits judged so far
    total: Mapped[int]  # how many there are in the period
    totals: Mapped[dict[str, Any]]
    cursor_at: Mapped[datetime | None]
    cursor_id: Mapped[UUID | None]
    cursor_partner_id: Mapped[UUID | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
