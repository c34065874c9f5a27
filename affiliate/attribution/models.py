"""Tables of outcomes: Attribution (versioned, never edited) and Credit; ChannelLoss; ManualCredit, a manager's word about who brought an order."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.attribution.touches import Unattributed
from affiliate.db import Base, PrimaryKey, enum_column

__all__ = ["Attribution", "ChannelLoss", "Credit", "ManualCredit", "Unattributed"]


class Attribution(Base):
    """The outcome for one conversion at one of its revisions. One version is current; older ones stay."""

    __tablename__ = "attributions"
    __table_args__ = (
        sa.UniqueConstraint("conversion_id", "version"),
        sa.UniqueConstraint("conversion_id", "conversion_revision"),
        sa.Index(
            "uq_attributions_current",
            "conversion_id",
            unique=True,
            postgresql_where=sa.text("is_current"),
            sqlite_where=sa.text("is_current"),
        ),
        sa.Index(
            "ix_attributions_waiting",
            "decided_at",
            postgresql_where=sa.text("commissioned_at IS NULL"),
            sqlite_where=sa.text("commissioned_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("conversions.id"))
    conversion_revision: Mapped[int]
    version: Mapped[int]
    is_current: Mapped[bool]
    model: Mapped[str] = mapped_column(sa.String(32))
    policy_version: Mapped[int]
    is_new_customer: Mapped[bool | None]  # by the program's orders or the shop's word; null: not known
    reason: Mapped[Unattributed | None] = mapped_column(enum_column(Unattributed))  # null when there are credits
    trace: Mapped[dict[str, Any]]
    decided_at: Mapped[datetime]
    commissioned_at: Mapped[datetime | None]  # set by the commission stage; null is its queue


class Origin:
    """Where a sale came from: the click, link and coupon, and what the click told (`ingest.origins`; empty for nothing).

    Reports need no click for it, and still know it when clicks are past their term.
    """

    link_id: Mapped[UUID | None]
    coupon_id: Mapped[UUID | None]
    click_id: Mapped[UUID | None]
    clicked_at: Mapped[datetime | None]
    sub1: Mapped[str] = mapped_column(sa.String(100), default="", server_default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="", server_default="")
    device: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    referrer_host: Mapped[str] = mapped_column(sa.String(100), default="", server_default="")
    creative: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")


ORIGIN = tuple(Origin.__annotations__)
"""The columns of an origin."""


class Credit(Origin, Base):
    """A partner's share of a conversion, in basis points; the shares of an attribution add up to 10,000."""

    __tablename__ = "credits"
    __table_args__ = (sa.UniqueConstraint("attribution_id", "partner_id"),)

    id: Mapped[PrimaryKey]
    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey("attributions.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    link_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("links.id"), index=True)
    coupon_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("coupons.id"), index=True)
    share_bps: Mapped[int]


class ChannelLoss(Base):
    """A sale that a partner would have had, and that another paid channel took because the customer came through it last."""

    __tablename__ = "channel_losses"
    __table_args__ = (sa.PrimaryKeyConstraint("attribution_id", "partner_id"),)

    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey("attributions.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    channel: Mapped[str] = mapped_column(sa.String(40))


class ManualCredit(Base):
    """A manager's word that this partner brought an order. Of several words about an order the newest counts."""

    __tablename__ = "manual_credits"

    id: Mapped[PrimaryKey]
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("conversions.id"), index=True)
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    note: Mapped[str] = mapped_column(sa.String(500))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
