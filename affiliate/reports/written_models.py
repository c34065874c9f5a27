"""Tables of what managers write down beside the figures: campaigns and their parts, notes on days, service quality; and cohorts, computed beforehand."""

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
from affiliate.reports.service_measures import ServiceMeasure

NAME_LENGTH_MAX = 120
TEXT_LENGTH_MAX = 500


class Campaign(Base):
    """A named span of days with what belongs to it. Without parts it is about the whole program."""

    __tablename__ = "campaigns"
    __table_args__ = (
        sa.Index("ix_campaigns_program", "program_id", "starts_on"),
        sa.CheckConstraint("ends_on > starts_on", name="ends_after_start"),
        sa.CheckConstraint("cost_minor >= 0", name="cost_not_negative"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH_MAX))
    note: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH_MAX))  # what is done, and what is hoped for
    starts_on: Mapped[date] = mapped_column(sa.Date)  # in the program's time zone, as its other days
    ends_on: Mapped[date] = mapped_column(sa.Date)  # the day after its last one
    cost_minor: Mapped[int]  # what it cost beside commissions and what is written down with partners
    currency: Mapped[str] = mapped_column(sa.String(3))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class PartKind(enum.StrEnum):
    """What can belong to a campaign."""

    PARTNER = "partner"
    LINK = "link"
    COUPON = "coupon"
    CREATIVE = "creative"


class CampaignPart(Base):
    """Something that belongs to a campaign: what came by any of its parts is the campaign's."""

    __tablename__ = "campaign_parts"
    __table_args__ = (sa.PrimaryKeyConstraint("campaign_id", "kind", "thing_id"),)

    campaign_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Campaign.id))
    kind: Mapped[PartKind] = mapped_column(enum_column(PartKind))
    thing_id: Mapped[UUID]  # of a partner, link, coupon or creative of the program


class Annotation(Base):
    """What happened on a day, in a few words: a mark on every chart that shows the day."""

    __tablename__ = "annotations"
    __table_args__ = (sa.Index("ix_annotations_program", "program_id", "day"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    day: Mapped[date] = mapped_column(sa.Date)  # as the charts cut days
    text: Mapped[str] = mapped_column(sa.String(NAME_LENGTH_MAX))
    about: Mapped[str | None] = mapped_column(sa.String(32))  # a `strengths.Topic` that it is the reason for
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ServiceEntry(Base):
    """How good a partner's service was in some days, or (partner null) the program's own: a figure or a grade, with its source.

    `number` is in the unit of `service_measures`. One that was wrong is removed and written anew.
    """

    __tablename__ = "service_entries"
    __table_args__ = (
        sa.Index("ix_service_entries_program", "program_id", "starts_on"),
        sa.Index("ix_service_entries_partner", "partner_id", "starts_on"),
        sa.CheckConstraint("ends_on > starts_on", name="ends_after_start"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    measure: Mapped[ServiceMeasure] = mapped_column(enum_column(ServiceMeasure))
    number: Mapped[int]
    starts_on: Mapped[date] = mapped_column(sa.Date)
    ends_on: Mapped[date] = mapped_column(sa.Date)  # the day after the last one
    note: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH_MAX))
    source: Mapped[str] = mapped_column(sa.String(NAME_LENGTH_MAX))  # where the number comes from
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class CountedGrid(Base):
    """Cohorts or margins of a program as they were counted last: pages read the result, for the count reads many orders."""

    __tablename__ = "counted_grids"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "kind"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[str] = mapped_column(sa.String(20))  # of `cohort_metrics.Kind`, or “margin” and a month
    grid: Mapped[dict[str, Any]]
    computed_at: Mapped[datetime]


class ProductMargin(Base):
    """What the shop keeps of what a category of products costs net; without a category: of all others."""

    __tablename__ = "product_margins"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "category"),
        sa.CheckConstraint("margin_bps BETWEEN 0 AND 10000", name="margin_is_a_share"),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    category: Mapped[str] = mapped_column(sa.String(100))  # as orders name it; empty: all others
    margin_bps: Mapped[int]
    updated_at: Mapped[datetime]
