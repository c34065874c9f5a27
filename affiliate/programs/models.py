"""Tables of programs: Program, ProgramSetup, ProgramBrand, ProgramSender, ProgramDomain, AttributionPolicy, Goal."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.files import StoredFile
from affiliate.programs import signs
from affiliate.programs.rules import ValidationStart


class ProgramStatus(enum.StrEnum):
    """Where a program is: only a live one counts clicks; it goes live with at least one goal."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"


class GoalMetric(enum.StrEnum):
    """What a goal counts."""

    SALES = "sales"
    REVENUE = "revenue"
    NEW_CUSTOMERS = "new_customers"
    CLICKS = "clicks"
    SUBSCRIBERS = "subscribers"  # credited acts of the kinds in `rules.SUBSCRIBING`
    ACTIVE_PARTNERS = "active_partners"
    NEW_CUSTOMER_SHARE = "new_customer_share"  # basis points of the orders
    COST = "cost"  # a limit: commissions, bonuses and costs, minor units


class Program(Base):
    """A set of terms that partners join. One currency: commissions, ledger and payouts are kept in it."""

    __tablename__ = "programs"
    __table_args__ = (sa.Index("uq_programs_own_host", "own_host", unique=True),)

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    status: Mapped[ProgramStatus] = mapped_column(enum_column(ProgramStatus))
    currency: Mapped[str] = mapped_column(sa.String(3))
    time_zone: Mapped[str] = mapped_column(sa.String(64), default="UTC")
    shop_url: Mapped[str] = mapped_column(sa.String(500))
    allowed_hosts: Mapped[list[Any]]  # hosts that links may point to, lower case, without port unless one is meant
    fallback_url: Mapped[str | None] = mapped_column(sa.String(500))
    click_parameter: Mapped[str] = mapped_column(sa.String(40), default="aff_click")
    cookie_by_default: Mapped[bool] = mapped_column(default=False)  # whether a cookie is set without a consent signal
    channel_signs: Mapped[list[Any]] = mapped_column(default=lambda: [*signs.DEFAULT])  # of other paid channels
    landing_labels: Mapped[list[Any]] = mapped_column(default=list)  # lines of `labels`, for the shop's web analytics
    attribution_window_days: Mapped[int] = mapped_column(default=30)
    validation_days: Mapped[int] = mapped_column(default=30)
    validation_start: Mapped[ValidationStart] = mapped_column(
        enum_column(ValidationStart), default=ValidationStart.ORDER
    )
    payout_min_minor: Mapped[int] = mapped_column(default=0)
    accent: Mapped[str | None] = mapped_column(sa.String(7))  # `#rrggbb` of the public pages, dark enough to be read
    case_answer_days: Mapped[int] = mapped_column(default=3)  # within which a manager answers a case
    application_answer_days: Mapped[int] = mapped_column(default=3, server_default="3")  # the same for an application
    pixel_secret_version: Mapped[int] = mapped_column(default=1)
    postback_token_version: Mapped[int] = mapped_column(default=1)
    policy_version: Mapped[int] = mapped_column(default=1)  # counts changes of window and ladder; named in each trace
    mission: Mapped[str] = mapped_column(sa.Text, default="")
    description: Mapped[str] = mapped_column(sa.Text, default="")
    audience: Mapped[str] = mapped_column(sa.Text, default="")
    terms: Mapped[str] = mapped_column(sa.Text, default="")
    archived_at: Mapped[datetime | None]  # since when nothing new is accepted; everything stays readable
    own_host: Mapped[str | None] = mapped_column(sa.String(253))  # proved: links and pages are there (`ProgramDomain`)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class SetupWay(enum.StrEnum):
    """How a shop reports its orders, as chosen in the set-up assistant."""

    SERVER = "server"  # by API, from the shop's server
    PIXEL = "pixel"  # by an image that the shop's server signs
    TAG = "tag"  # by the tag alone: the least trusted
    POSTBACK = "postback"  # by another tracker


class ProgramSetup(Base):
    """What the set-up assistant remembers of a program beside what its settings, plans and goals tell by themselves."""

    __tablename__ = "program_setups"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    counting_kept_at: Mapped[datetime | None]  # when window and validation were looked at and kept
    way: Mapped[SetupWay | None] = mapped_column(enum_column(SetupWay))
    test_link_id: Mapped[UUID | None]  # of the program's own test partner; links stand above programs
    started_at: Mapped[datetime]


class ProgramBrand(Base):
    """How a program looks beside its colour: its logo, drawn anew."""

    __tablename__ = "program_brands"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    logo_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(StoredFile.id))
    updated_at: Mapped[datetime]


class ProgramSender(Base):
    """Whom a program's mails are from. `address` is proved; `asked_address` waits until somebody who reads it says yes."""

    __tablename__ = "program_senders"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120), default="")  # empty: the program's
    reply_to: Mapped[str | None] = mapped_column(sa.String(254))
    address: Mapped[str | None] = mapped_column(sa.String(254))
    asked_address: Mapped[str | None] = mapped_column(sa.String(254))
    asked_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class ProgramDomain(Base):
    """A host name that a program wants for its links and pages. It counts once it is proved: `Program.own_host`."""

    __tablename__ = "program_domains"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    host: Mapped[str] = mapped_column(sa.String(253), index=True)  # lower case, without a port
    asked_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None] = mapped_column(index=True)
    failures: Mapped[int] = mapped_column(default=0)  # checks in a row that found no proof
    problem: Mapped[str | None] = mapped_column(sa.String(300))  # what the last check found instead
    updated_at: Mapped[datetime]


class AttributionPolicy(Base):
    """What a program says about who gets a sale: one immutable row for each version.

    For an order counts the newest version among those in force at its moment, so that a version with an earlier start takes
    the place of all before it. `applied_at` is null until the orders attributed before it was made have been asked for again.
    """

    __tablename__ = "attribution_policies"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "version"),
        sa.Index(
            "ix_attribution_policies_waiting",
            "created_at",
            postgresql_where=sa.text("applied_at IS NULL"),
            sqlite_where=sa.text("applied_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    version: Mapped[int]
    effective_from: Mapped[datetime]
    terms: Mapped[dict[str, Any]]  # as `attribution.policy` reads them
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class Goal(Base):
    """A measurable target of a program for a period, half-open in the program's time zone. Amounts are in minor units."""

    __tablename__ = "goals"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), index=True)
    metric: Mapped[GoalMetric] = mapped_column(enum_column(GoalMetric))
    target: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
