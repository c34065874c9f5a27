"""The table of days whose sums are out of date."""

import enum
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, enum_column


class DayPart(enum.StrEnum):
    """What of a day is counted together."""

    CLICKS = "clicks"
    SALES = "sales"


class ChangedDay(Base):
    """Something that was counted on this UTC day has changed since. Only added and deleted: two transactions never want one row."""

    __tablename__ = "changed_days"
    __table_args__ = (sa.Index("ix_changed_days_day", "program_id", "part", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    part: Mapped[DayPart] = mapped_column(enum_column(DayPart))
    day: Mapped[date] = mapped_column(sa.Date)
