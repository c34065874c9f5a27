"""Tables of the sums of UTC days, and of spans of them: what pages of large programs add up instead of every sale and every hour of clicks.

A sum is counted from the rows themselves by the statements that pages run, and stands until a `ChangedDay` says otherwise. Numbers
that are no amounts are plain integers: PostgreSQL adds these up in half the time.
"""

import enum
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, enum_column
from affiliate.ingest.day_models import DayPart
from affiliate.programs.models import Program

LABEL_LENGTH_MAX = 120
SHOP_LABEL_LENGTH_MAX = 200
NAME_LENGTH_MAX = 200


class LabelKind(enum.StrEnum):
    """What the sales of a day are summed by, beside partners."""

    ALL = "all"
    NEW = "new"  # orders of customers whom the shop calls new
    SUBSCRIBED = "subscribed"
    QUARTER = (
        "quarter"  # of an hour: the second since 1970 at which it begins; visits by whole hours, at the first quarter
    )
    COUNTRY = "country"
    DEVICE = "device"
    REFERRER = "referrer"
    CREATIVE = "creative"
    COUPON = "coupon"  # hexadecimal digits of its id
    SKU = "sku"
    CATEGORY = "category"
    STATUS = "status"  # of all commissions in force, with their currency: as many, and what is left of them


class ShopKind(enum.StrEnum):
    """By what of the shop the sales of a day are summed."""

    SKU = "sku"
    CATEGORY = "category"
    PAGE = "page"  # on which the visit began that brought the order


class CountedDay(Base):
    """The sums of a part of a program's UTC day stand. `version` counts up with each count: of two at once, one gives way.

    `until` is the end of the day, or of its last hour that was over when its clicks were counted. `clicks` are the program's up to
    then: where there are more by now, it is out of date. Amounts are in `currency`.
    """

    __tablename__ = "counted_days"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "part", "day"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    part: Mapped[DayPart] = mapped_column(enum_column(DayPart))
    day: Mapped[date] = mapped_column(sa.Date)
    currency: Mapped[str] = mapped_column(sa.String(3))
    until: Mapped[datetime]
    clicks: Mapped[int] = mapped_column(default=0)
    version: Mapped[int]
    counted_at: Mapped[datetime]


class CountedSpan(Base):
    """Days of a program, from one up to, not including, another, that are added up by partner: weeks, and those that pages usually ask for.

    Its sums are those of the days as they are stored, whether these still hold or not: whoever stores a day moves its spans with it.
    Nobody begins to read one that is `forgotten_at`; it goes when who has begun is done.
    """

    __tablename__ = "counted_spans"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "first", "until"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    first: Mapped[date] = mapped_column(sa.Date)
    until: Mapped[date] = mapped_column(sa.Date)
    counted_at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]


class Clicked:
    """What is summed of clicks."""

    raw: Mapped[int] = mapped_column(sa.Integer, default=0)
    valid: Mapped[int] = mapped_column(sa.Integer, default=0)


class PartnerClickDay(Clicked, Base):
    """Clicks of a partner."""

    __tablename__ = "click_days_partner"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "day", "partner_id"),)

    program_id: Mapped[UUID]
    day: Mapped[date] = mapped_column(sa.Date)
    partner_id: Mapped[UUID]


class Sold:
    """What is summed of sales, as `queries.sales_of` and `with_customers` do: of orders of the days."""

    conversions: Mapped[int] = mapped_column(sa.Integer, default=0)
    revenue: Mapped[int] = mapped_column(default=0)
    earned: Mapped[int] = mapped_column(default=0)
    reversed: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(sa.Integer, default=0)
    known: Mapped[int] = mapped_column(sa.Integer, default=0)


class Visited:
    """And of visits of the day, as the funnel counts them: how many were sold to, of how many a sale is kept, of how many others one waits."""

    visits: Mapped[int] = mapped_column(sa.Integer, default=0)
    kept: Mapped[int] = mapped_column(sa.Integer, default=0)
    waiting: Mapped[int] = mapped_column(sa.Integer, default=0)


class PartnerSaleDay(Sold, Visited, Base):
    """Sales of a partner."""

    __tablename__ = "sale_days_partner"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "day", "partner_id"),)

    program_id: Mapped[UUID]
    day: Mapped[date] = mapped_column(sa.Date)
    partner_id: Mapped[UUID]


class PartnerSpan(Clicked, Sold, Base):
    """Clicks and sales of a partner in the days of a span."""

    __tablename__ = "spans_partner"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "first", "until", "partner_id"),)

    program_id: Mapped[UUID]
    first: Mapped[date] = mapped_column(sa.Date)
    until: Mapped[date] = mapped_column(sa.Date)
    partner_id: Mapped[UUID]


class PartnerActiveMonth(Base):
    """On which UTC days of a month a partner had a valid click, and a sale: a bit for each day, the lowest for the first.

    Written with the sums of a day, of which it says no more than they do: it is there to be read a month at a time.
    """

    __tablename__ = "active_months_partner"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "month", "partner_id"),)

    program_id: Mapped[UUID]
    month: Mapped[date] = mapped_column(sa.Date)  # its first day
    partner_id: Mapped[UUID]
    clicked: Mapped[int]
    sold: Mapped[int]


class LabelSaleDay(Sold, Visited, Base):
    """Sales of a program by what a page asks for. Each kind has the same sums, but orders with several products are in several of them."""

    __tablename__ = "sale_days_label"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "kind", "day", "label"),)

    program_id: Mapped[UUID]
    kind: Mapped[LabelKind] = mapped_column(enum_column(LabelKind))
    day: Mapped[date] = mapped_column(sa.Date)
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))


class ShopSaleDay(Base):
    """Sales of a program by what was bought, and by where the visit began, as `goods_queries` tells them; of pages orders and revenue alone.

    Revenue and `back` are what customers paid. `name` is the newest of the day that an order gave to a product.
    """

    __tablename__ = "sale_days_shop"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "kind", "day", "label"),)

    program_id: Mapped[UUID]
    kind: Mapped[ShopKind] = mapped_column(enum_column(ShopKind))
    day: Mapped[date] = mapped_column(sa.Date)
    label: Mapped[str] = mapped_column(sa.String(SHOP_LABEL_LENGTH_MAX))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH_MAX), default="")
    orders: Mapped[int] = mapped_column(sa.Integer)
    pieces: Mapped[int] = mapped_column(default=0)
    revenue: Mapped[int]
    earned: Mapped[int] = mapped_column(default=0)
    back: Mapped[int] = mapped_column(default=0)
    back_orders: Mapped[int] = mapped_column(sa.Integer, default=0)


class PartnerItemDay(Base):
    """Sales of a partner by product and by category, as `products.summed` has them; never by page."""

    __tablename__ = "sale_days_item"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "partner_id", "kind", "day", "label"),
        sa.Index("ix_sale_days_item_day", "program_id", "day"),
    )

    program_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    kind: Mapped[ShopKind] = mapped_column(enum_column(ShopKind))
    day: Mapped[date] = mapped_column(sa.Date)
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))
    conversions: Mapped[int] = mapped_column(sa.Integer)
    revenue: Mapped[int]
    earned: Mapped[int]
    reversed: Mapped[int]
