"""Tables of reports: what is computed beforehand so that pages stay quick, and reports that people keep and get by mail."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate import db
from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.models import ClickVerdict
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.reports.timetable import Every

LABEL_LENGTH_MAX = 100


class ProgramFigures(Base):
    """What a program's partners have in common over the last thirty days, for each of them to compare itself with."""

    __tablename__ = "program_figures"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    medians: Mapped[dict[str, Any]]  # {key of a metric: text of a number}; one that too few stand behind is not there
    validation_seconds: Mapped[int | None]  # the median time from order to approval
    creatives: Mapped[list[Any] | None]  # public ids of those that partners do well with, the best first
    computed_at: Mapped[datetime]


class VisitorKind(enum.StrEnum):
    """What is told of a visitor by a label."""

    COUNTRY = "country"
    DEVICE = "device"
    REFERRER = "referrer"


class VisitorHour(Base):
    """Clicks of a partner in a UTC hour by one thing that is told of the visitors. Computed from the clicks soon after they came."""

    __tablename__ = "visitor_hours"
    # The hour before the label: a page of thirty days reads these days, however long the history is.
    __table_args__ = db.table_of_sums("program_id", "partner_id", "kind", "hour", "label", "verdict", sums="clicks")

    program_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    kind: Mapped[VisitorKind] = mapped_column(enum_column(VisitorKind))
    hour: Mapped[datetime]
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))  # empty: unknown, or none
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    clicks: Mapped[int]


class LinkSubHour(Base):
    """Clicks of a link in a UTC hour by `sub1`; empty where there was none. Computed together with `VisitorHour`."""

    __tablename__ = "link_sub_hours"
    __table_args__ = db.table_of_sums("program_id", "partner_id", "link_id", "hour", "sub", "verdict", sums="clicks")

    program_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    link_id: Mapped[UUID]
    hour: Mapped[datetime] = mapped_column(index=True)
    sub: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    clicks: Mapped[int]


class ShopDay(Base):
    """What the whole shop sold on a day of the program's time zone, with and without partners, as the shop tells it.

    `revenue_minor` is what customers paid, with tax and shipping; `costs_minor` what of it the shop does not keep. What was
    not told is null.
    """

    __tablename__ = "shop_days"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "day"),
        sa.CheckConstraint("orders >= 0 AND revenue_minor >= 0", name="totals_not_negative"),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    day: Mapped[date] = mapped_column(sa.Date)
    currency: Mapped[str] = mapped_column(sa.String(3))
    orders: Mapped[int]
    revenue_minor: Mapped[int]
    visitors: Mapped[int | None]
    new_customers: Mapped[int | None]
    costs_minor: Mapped[int | None]
    updated_at: Mapped[datetime]


class SavedReport(Base):
    """A report that a person keeps under a name: of a partner, or (partner_id null) of the whole program.

    With `every` it also comes by mail, next at `next_at`.
    """

    __tablename__ = "saved_reports"
    __table_args__ = (
        sa.Index("ix_saved_reports_owner", "user_id", "program_id", "partner_id"),
        sa.Index(
            "ix_saved_reports_due",
            "next_at",
            postgresql_where=sa.text("next_at IS NOT NULL"),
            sqlite_where=sa.text("next_at IS NOT NULL"),
        ),
        sa.CheckConstraint("(every IS NULL) = (next_at IS NULL)", name="due_when_mailed"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    name: Mapped[str] = mapped_column(sa.String(80))
    arguments: Mapped[dict[str, Any]]  # of the page's address
    every: Mapped[Every | None] = mapped_column(enum_column(Every))
    hour: Mapped[int] = mapped_column(sa.SmallInteger, default=8)  # of the day in `time_zone`
    time_zone: Mapped[str] = mapped_column(sa.String(64))
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ReportMailing(Base):
    """A saved report was mailed for the days that end here: once, whatever runs twice."""

    __tablename__ = "report_mailings"
    __table_args__ = (sa.PrimaryKeyConstraint("report_id", "due_at"),)

    report_id: Mapped[UUID] = mapped_column(sa.ForeignKey(SavedReport.id, ondelete="CASCADE"))
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime]
