"""Tables of creatives: Creative, CreativeVersion, CreativeGroup, FeedAddress."""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.creatives.kinds import CreativeKind
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.files import StoredFile
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = ["Creative", "CreativeGroup", "CreativeKind", "CreativeStatus", "CreativeVersion", "FeedAddress"]


class CreativeStatus(enum.StrEnum):
    """Where a creative is. A live one is offered from its start to its end; one that has ended stays, with its numbers."""

    PROPOSED = "proposed"  # by a partner, and nobody has decided
    LIVE = "live"
    REFUSED = "refused"


class Creative(Base):
    """One piece of material. What it says is in its versions; `version` is the one that is offered.

    `landing_url` is a page of the shop, empty for the page of the partner's link. With `only_partner_id` that partner alone
    sees it, with groups (CreativeGroup) only theirs, else everybody in the program.
    """

    __tablename__ = "creatives"
    __table_args__ = (sa.Index("ix_creatives_program", "program_id", "status", "starts_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[CreativeKind] = mapped_column(enum_column(CreativeKind))
    status: Mapped[CreativeStatus] = mapped_column(enum_column(CreativeStatus))
    title: Mapped[str] = mapped_column(sa.String(120))
    campaign: Mapped[str] = mapped_column(sa.String(60), default="")
    language: Mapped[str] = mapped_column(sa.String(5), default="")  # empty: without words, or for all
    landing_url: Mapped[str] = mapped_column(sa.String(2000), default="")
    version: Mapped[int] = mapped_column(default=1)
    only_partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    proposed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    told_end_at: Mapped[datetime | None]  # the end that its users were told by mail: another one is told anew
    end_note: Mapped[str] = mapped_column(sa.String(500), default="")
    reason: Mapped[str] = mapped_column(sa.String(500), default="")  # why it was refused
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CreativeVersion(Base):
    """What a creative says or shows, once and for ever; another version is another row. Width and height are pixels."""

    __tablename__ = "creative_versions"
    __table_args__ = (sa.UniqueConstraint("creative_id", "version"),)

    id: Mapped[PrimaryKey]
    creative_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Creative.id))
    version: Mapped[int]
    subject: Mapped[str] = mapped_column(sa.String(150), default="")
    body: Mapped[str] = mapped_column(sa.Text, default="")
    alt: Mapped[str] = mapped_column(sa.String(200), default="")
    address: Mapped[str] = mapped_column(sa.String(500), default="")
    file_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(StoredFile.id))
    width: Mapped[int | None]
    height: Mapped[int | None]
    item_count: Mapped[int | None]  # products of a feed
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class CreativeGroup(Base):
    """A group of partners that a creative is for. Groups are named as commission plans name them."""

    __tablename__ = "creative_groups"
    __table_args__ = (sa.PrimaryKeyConstraint("creative_id", "group_name"),)

    creative_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Creative.id))
    group_name: Mapped[str] = mapped_column(sa.String(40))


class FeedAddress(Base):
    """That a partner has an address of its own for a product feed, which programs fetch without signing in.

    The address is read again and again in the portal, so a hash would not do. `code` is random and no secret by itself: the
    address holds a signature beside it, by the installation's key (`feed_addresses`). Another code is another address.
    """

    __tablename__ = "feed_addresses"
    __table_args__ = (sa.PrimaryKeyConstraint("partner_id", "creative_id"),)

    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    creative_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Creative.id), index=True)
    code: Mapped[UUID] = mapped_column(unique=True)
    made_at: Mapped[datetime]
