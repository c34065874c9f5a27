"""The tables of where visits to a program begin, and with what."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, enum_column
from affiliate.ingest.clickrules import ClickVerdict

PAGE_LENGTH_MAX = 200
DEVICE_LENGTH_MAX = 20


class LandingHour(Base):
    """Clicks of a program in a UTC hour by the page of the shop to which they led. Computed from the clicks soon after they came."""

    __tablename__ = "landing_hours"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "hour", "page", "verdict"),
        sa.Index("ix_landing_hours_hour", "hour"),
    )

    program_id: Mapped[UUID]
    hour: Mapped[datetime]
    page: Mapped[str] = mapped_column(sa.String(PAGE_LENGTH_MAX))  # host and path; OTHER beyond the cap of an hour
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    clicks: Mapped[int]


class DeviceHour(Base):
    """Clicks of a program in a UTC hour by device. Computed together with `LandingHour`."""

    __tablename__ = "device_hours"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "hour", "device", "verdict"),
        sa.Index("ix_device_hours_hour", "hour"),
    )

    program_id: Mapped[UUID]
    hour: Mapped[datetime]
    device: Mapped[str] = mapped_column(
        sa.String(DEVICE_LENGTH_MAX)
    )  # one of `devices.NAMES`; empty where it is unknown
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    clicks: Mapped[int]
