"""Tables of what is agreed with partners and kept about them: PartnerCare, PartnerTag, PartnerNote, Duty, PartnerGoal, PartnerGoalNote, PartnerSegment."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import GoalMetric, Program
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence

TAG_LENGTH_MAX = 40


class PartnerCare(Base):
    """Who looks after a partner in a program, and its trial while there is one (`trial_ends_on` is the first day after it)."""

    __tablename__ = "partner_care"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "partner_id"),
        sa.CheckConstraint("lead_id <> deputy_id", name="two_people"),
        sa.Index("ix_partner_care_lead", "program_id", "lead_id"),
        sa.Index(
            "ix_partner_care_trial", "program_id", "trial_ends_on",
            postgresql_where=sa.text("trial_ends_on IS NOT NULL"), sqlite_where=sa.text("trial_ends_on IS NOT NULL"),
        ),
    )  # fmt: skip

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    lead_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    deputy_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    trial_scope: Mapped[str] = mapped_column(sa.String(500), default="")
    trial_starts_on: Mapped[date | None]
    trial_ends_on: Mapped[date | None]
    trial_orders_min: Mapped[int] = mapped_column(default=0)
    trial_orders_max: Mapped[int] = mapped_column(default=0)  # zero: no limit
    graduated_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class PartnerTag(Base):
    """A word that managers put on a partner of their program."""

    __tablename__ = "partner_tags"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "partner_id", "tag"),
        sa.Index("ix_partner_tags_tag", "program_id", "tag"),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    tag: Mapped[str] = mapped_column(sa.String(TAG_LENGTH_MAX))


class PartnerNote(Base):
    """What a manager notes about a partner: a call, a visit, an impression. The partner does not read it."""

    __tablename__ = "partner_notes"
    __table_args__ = (sa.Index("ix_partner_notes_partner", "program_id", "partner_id", "id"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    text: Mapped[str] = mapped_column(sa.Text)
    by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    noted_at: Mapped[datetime]


class DutyStatus(enum.StrEnum):
    """Where a duty is."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    ON_TRACK = "on_track"
    DONE = "done"  # over: done for good, or given up


class Duty(Base):
    """A line of the table of responsibilities: a task, who does it, when, and how it stands.

    `side` says whether the partner or the program does it; a person of the program may be named. `due_on` is the present
    round's day in the program's time zone, null for what is continuous or over. `rounds` are the last outcomes, and
    `settled_on` is the day on which the last of them was due: for what is to be done once and was missed, it is due still.
    """

    __tablename__ = "duties"
    __table_args__ = (
        sa.Index("ix_duties_partner", "program_id", "partner_id"),
        sa.Index(
            "ix_duties_due", "due_on",
            postgresql_where=sa.text("due_on IS NOT NULL"), sqlite_where=sa.text("due_on IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    task: Mapped[str] = mapped_column(sa.String(200))
    side: Mapped[Side] = mapped_column(enum_column(Side))
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    cadence: Mapped[Cadence] = mapped_column(enum_column(Cadence))
    first_on: Mapped[date | None]
    due_on: Mapped[date | None]
    status: Mapped[DutyStatus] = mapped_column(enum_column(DutyStatus))
    rounds: Mapped[list[Any]] = mapped_column(default=list)
    settled_on: Mapped[date | None]
    reminded_on: Mapped[date | None]  # the due day about which somebody was reminded
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GoalStatus(enum.StrEnum):
    """Where a shared goal is: both sides must agree."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    ENDED = "ended"


class PartnerGoal(Base):
    """A goal that program and partner share, for a period half-open in the program's time zone. It counts once both agreed.

    A change of an agreed one is a goal of its own that `replaces` it: the one before stays in force until the other side agrees.
    """

    __tablename__ = "partner_goals"
    __table_args__ = (
        sa.Index("ix_partner_goals_partner", "program_id", "partner_id", "status"),
        sa.Index(  # one change at a time
            "uq_partner_goals_change", "replaces_id", unique=True,
            postgresql_where=sa.text("status = 'proposed'"), sqlite_where=sa.text("status = 'proposed'"),
        ),
    )  # fmt: skip

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    metric: Mapped[GoalMetric] = mapped_column(enum_column(GoalMetric))
    target: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    status: Mapped[GoalStatus] = mapped_column(enum_column(GoalStatus))
    proposed_by: Mapped[Side] = mapped_column(enum_column(Side))
    replaces_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("partner_goals.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PartnerGoalNote(Base):
    """What one side said at a review of a shared goal, and what was reached then. Both sides read it."""

    __tablename__ = "partner_goal_notes"
    __table_args__ = (sa.Index("ix_partner_goal_notes_goal", "goal_id", "id"),)

    id: Mapped[PrimaryKey]
    goal_id: Mapped[UUID] = mapped_column(sa.ForeignKey(PartnerGoal.id))
    side: Mapped[Side] = mapped_column(enum_column(Side))
    text: Mapped[str] = mapped_column(sa.Text)
    reached: Mapped[int]
    by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    said_at: Mapped[datetime]


class PartnerSegment(Base):
    """A choice of partners that was saved under a name: the filters of the list, as its address has them."""

    __tablename__ = "partner_segments"
    __table_args__ = (sa.UniqueConstraint("program_id", "name"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[str] = mapped_column(sa.String(60))
    filters: Mapped[dict[str, Any]]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
