"""Tables of the exact rollups: clicks by UTC hour and verdict, one table for each dimension that a page asks for.

One table of the finest grain would make the page of a month read all of it. Every table counts every click once, so that each
has the same sums; that of creatives counts the clicks that came by one. Who reads adds up the rows of all `shard`s.
"""

import datetime as dt
import enum
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from affiliate import db
from affiliate.db import Base, enum_column
from affiliate.ingest.clickrules import ClickVerdict

OTHER = "other"
"""The label of all that came after a day's labels were used up."""
LABEL_LENGTH_MAX = 100
SHARD = 0
"""The rows that ingest adds to. Consumers once had rows of their own, which stand beside these."""


class Rollup:
    """What all rollups have in common. `DIMENSIONS` are the columns before the hour, from the widest."""

    DIMENSIONS: ClassVar[tuple[str, ...]]
    NAMED_BY: ClassVar[str | None] = None  # a dimension whose empty label is not counted: most clicks have none
    INDEXES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    IS_BY_HOUR: ClassVar[bool] = (
        False  # the hour before the last dimension: what lies together is of one time, not of one label
    )

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - declared_attr gives the class
        name = cls.__tablename__  # type: ignore[attr-defined]
        indexes = [sa.Index(f"ix_{name}_{columns[-1]}", *columns) for columns in cls.INDEXES]
        *first, last = cls.DIMENSIONS
        key = (*first, "hour", last) if cls.IS_BY_HOUR else (*first, last, "hour")
        return db.table_of_sums(*key, "verdict", "shard", sums="clicks", indexes=indexes)

    program_id: Mapped[UUID]
    hour: Mapped[datetime]
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    shard: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    clicks: Mapped[int]


class ProgramClickHour(Rollup, Base):
    """Clicks of a program."""

    __tablename__ = "click_hours_program"
    DIMENSIONS = ("program_id",)


class PartnerClickHour(Rollup, Base):
    """Clicks of a partner in a program."""

    __tablename__ = "click_hours_partner"
    DIMENSIONS = ("program_id", "partner_id")
    INDEXES = (("program_id", "hour"),)

    partner_id: Mapped[UUID]


class ClickHour(Rollup, Base):
    """Clicks of a link."""

    __tablename__ = "click_hours_link"
    DIMENSIONS = ("program_id", "partner_id", "link_id")

    partner_id: Mapped[UUID]
    link_id: Mapped[UUID]


class SubClickHour(Rollup, Base):
    """Clicks of a partner by `sub1`; empty where there was none, OTHER beyond the cap of partner and day."""

    __tablename__ = "click_hours_sub"
    DIMENSIONS = ("program_id", "partner_id", "sub")
    IS_BY_HOUR = True  # many labels, and nobody asks for one of them alone

    partner_id: Mapped[UUID]
    sub: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))


class CountryClickHour(Rollup, Base):
    """Clicks of a program by country; empty where it is unknown."""

    __tablename__ = "click_hours_country"
    DIMENSIONS = ("program_id", "country")

    country: Mapped[str] = mapped_column(sa.String(2))


class ReferrerClickHour(Rollup, Base):
    """Clicks of a program by the host of the page they came from; empty for none, OTHER beyond the cap of program and day."""

    __tablename__ = "click_hours_referrer"
    DIMENSIONS = ("program_id", "referrer_host")

    referrer_host: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))


class CreativeClickHour(Rollup, Base):
    """Clicks of a partner that came by a creative, as the address named it; OTHER beyond the cap of partner and day."""

    __tablename__ = "click_hours_creative"
    DIMENSIONS = ("program_id", "partner_id", "creative")
    INDEXES = (("program_id", "creative"),)
    NAMED_BY = "creative"

    partner_id: Mapped[UUID]
    creative: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))


ROLLUPS: tuple[type[Base], ...] = (
    ProgramClickHour,
    PartnerClickHour,
    ClickHour,
    SubClickHour,
    CountryClickHour,
    ReferrerClickHour,
    CreativeClickHour,
)
"""In the order in which they are written, which is the same in every transaction."""


class LabelKind(enum.StrEnum):
    """What a label is of."""

    SUB = "sub"  # of a partner
    REFERRER = "referrer"  # of a program
    CREATIVE = "creative"  # of a partner


class Owner(NamedTuple):
    """Whose labels are capped together: on this day, of a partner in a program, or of the program itself."""

    kind: LabelKind
    program_id: UUID
    owner_id: UUID
    day: dt.date


class ClickLabel(Base):
    """A label that counts under its own name on this UTC day; the owner's others count under OTHER."""

    __tablename__ = "click_labels"
    __table_args__ = (sa.PrimaryKeyConstraint("kind", "program_id", "owner_id", "day", "label"),)

    kind: Mapped[LabelKind] = mapped_column(enum_column(LabelKind))
    program_id: Mapped[UUID]
    owner_id: Mapped[UUID]  # the partner, or the program itself
    day: Mapped[dt.date] = mapped_column(sa.Date, index=True)
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH_MAX))
