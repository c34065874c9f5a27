"""The table of days whose sums are out of date."""

import enum
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, enum_column


class DayPart(enum.StrEnum):
    """What of a day is counted together."""

    CLICKS = "clicks"
    SALES = "sales"


class Doubt(enum.StrEnum):
    """Which sums of a day something has made wrong: those of clicks, of sales, or of visits that were sold to."""

    CLICKS = "clicks"
    SALES = "sales"
    VISITS = "visits"


class ChangedDay(Base):
    """Something that was counted on this UTC day has changed since. Only added and deleted: two transactions never want one row.

    `moment` is that of the sale or of the visit: sums that end before it hold. Of clicks it is the beginning of the day.
    """

    __tablename__ = "changed_days"
    __table_args__ = (sa.Index("ix_changed_days_moment", "program_id", "part", "day", "moment"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    part: Mapped[Doubt] = mapped_column(enum_column(Doubt))
    day: Mapped[date] = mapped_column(sa.Date)
    moment: Mapped[datetime]
