"""Tables of links: Link, Coupon and ConfirmedSite."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column


class LinkStatus(enum.StrEnum):
    """Whether a link counts. A paused or expired one still leads the visitor on."""

    ACTIVE = "active"
    PAUSED = "paused"


class Link(Base):
    """A partner's address: `/r/<code>` leads to `landing_url`. Codes are lower case and unique in the installation.

    `coupon_id` is the partner's own coupon that is posted with it, to be copied from the same place; tracking ignores it.
    """

    __tablename__ = "links"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    landing_url: Mapped[str] = mapped_column(sa.String(2000))
    coupon_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("coupons.id"))
    subs: Mapped[dict[str, Any]]  # sub1..sub10 that this link carries unless the address says otherwise
    status: Mapped[LinkStatus] = mapped_column(enum_column(LinkStatus))
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Coupon(Base):
    """A discount code bound to a partner: an order that used it is a touch of that partner. Codes are upper case."""

    __tablename__ = "coupons"
    __table_args__ = (sa.UniqueConstraint("program_id", "code"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    status: Mapped[LinkStatus] = mapped_column(enum_column(LinkStatus))
    created_at: Mapped[datetime]


class ConfirmedSite(Base):
    """A partner's own website, confirmed by a manager: visitors from it count for the link when they carry no code.

    `host` is lower case, without `www.`; one partner has it in a program. A site taken back stays, with its moment.
    """

    __tablename__ = "confirmed_sites"
    __table_args__ = (
        sa.Index(
            "uq_confirmed_sites_host",
            "program_id",
            "host",
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
            sqlite_where=sa.text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    link_id: Mapped[UUID] = mapped_column(sa.ForeignKey("links.id"))
    host: Mapped[str] = mapped_column(sa.String(253))
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
