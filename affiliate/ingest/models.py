"""Tables of what happened: Click, ChannelTouch, Conversion, ConversionRevision, OrderEvent, Refund, RejectedEvent, DeadLetter."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import ClickHour
from affiliate.tracking.codec import Trust

__all__ = [
    "ChannelTouch",
    "Click",
    "ClickHour",
    "ClickVerdict",
    "Conversion",
    "ConversionRevision",
    "DeadLetter",
    "OrderEvent",
    "OrderEventType",
    "Refund",
    "RejectReason",
    "RejectedEvent",
    "Trust",
]


class OrderEventType(enum.StrEnum):
    """What became of an order after it was placed."""

    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    AMENDED = "amended"


class RejectReason(enum.StrEnum):
    """Why an event was kept aside instead of becoming a row of its own."""

    CONFLICTING_BODY = "conflicting_body"
    LOWER_TRUST = "lower_trust"
    UNKNOWN_PROGRAM = "unknown_program"
    BAD_SIGNATURE = "bad_signature"
    BAD_FIELDS = "bad_fields"
    UNKNOWN_LINK = "unknown_link"
    PAST_RETENTION = "past_retention"


_TextsOrNull = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


LABELLED = {
    "postgresql": "subs ->> 'sub10' IS NOT NULL",
    "sqlite": "json_extract(subs, '$.sub10') IS NOT NULL",
}
"""Which clicks carry a label where newsletters write theirs: few, which an index of their own finds among millions."""


class Click(Base):
    """One arrival on a partner's link, valid or not. Addresses are truncated before they get here.

    On PostgreSQL a table for each month, by range of the id, whose head is the time (see `partitions`).
    """

    __tablename__ = "clicks"
    __table_args__ = (
        sa.Index("ix_clicks_visitor", "visitor_id", "occurred_at"),
        sa.Index("ix_clicks_partner", "program_id", "partner_id", "occurred_at"),
        sa.Index(
            "ix_clicks_labelled",
            "program_id",
            "occurred_at",
            postgresql_where=sa.text(LABELLED["postgresql"]),
            sqlite_where=sa.text(LABELLED["sqlite"]),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[PrimaryKey]  # UUIDv7 of the arrival
    program_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    link_id: Mapped[UUID]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    verdict: Mapped[ClickVerdict] = mapped_column(enum_column(ClickVerdict))
    overruled_at: Mapped[datetime | None]  # a person has decided on the verdict: no rule touches it again
    source: Mapped[str] = mapped_column(sa.String(16))  # redirect, tag, or site: known by where it came from
    visitor_id: Mapped[UUID | None]  # only with consent
    subs: Mapped[dict[str, Any]]
    landing_url: Mapped[str] = mapped_column(sa.String(2000))
    referrer: Mapped[str | None] = mapped_column(sa.String(500))
    referrer_host: Mapped[str] = mapped_column(sa.String(100), default="")  # empty: none
    user_agent: Mapped[str | None] = mapped_column(sa.String(300))
    address_prefix: Mapped[str | None] = mapped_column(sa.String(50))
    address_hash: Mapped[str | None] = mapped_column(sa.String(64))
    creative: Mapped[str | None] = mapped_column(sa.String(120))
    ad_ids: Mapped[dict[str, Any] | None] = mapped_column(_TextsOrNull)  # gclid and its like
    utm: Mapped[dict[str, Any] | None] = mapped_column(_TextsOrNull)
    country: Mapped[str] = mapped_column(sa.String(2), default="")  # empty: unknown
    network: Mapped[str | None] = mapped_column(sa.String(16))  # datacentre, tor, mobile
    consent: Mapped[str] = mapped_column(sa.String(16), default="none")  # given, refused, default, none
    fetch_dest: Mapped[str | None] = mapped_column(sa.String(32))  # what the browser says it asks for, Sec-Fetch-*
    fetch_site: Mapped[str | None] = mapped_column(sa.String(32))
    fetch_user: Mapped[str | None] = mapped_column(sa.String(32))
    fetch_mode: Mapped[str | None] = mapped_column(sa.String(32))


class ChannelTouch(Base):
    """A visitor came to the shop by another paid channel than a partner. `evidence` is the parameter that tells."""

    __tablename__ = "channel_touches"
    __table_args__ = (sa.Index("ix_channel_touches_visitor", "visitor_id", "occurred_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID]
    visitor_id: Mapped[UUID | None]
    click_id: Mapped[UUID | None] = mapped_column(index=True)  # the partner's click that the shop's page carried
    channel: Mapped[str] = mapped_column(sa.String(40))
    evidence: Mapped[str] = mapped_column(sa.String(255))
    occurred_at: Mapped[datetime]


class Conversion(Base):
    """A sale (or other act) as believed now. `revision` counts changes that call for a new attribution.

    Amounts are in minor units of `currency`; `amount_minor` is what the customer paid, with tax and shipping inside.
    """

    __tablename__ = "conversions"
    __table_args__ = (
        sa.Index("ix_conversions_order", "program_id", "order_id"),
        sa.Index(
            "ix_conversions_program_time", "program_id", "occurred_at", postgresql_include=["trust", "is_test"]
        ),  # pages count a month of orders by these
        sa.Index("ix_conversions_visitor", "visitor_id", "occurred_at"),
        *(  # the earlier and later orders of a customer
            sa.Index(
                f"ix_conversions_{column}",
                column,
                "program_id",
                "occurred_at",
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
                sqlite_where=sa.text(f"{column} IS NOT NULL"),
            )
            for column in ("customer_id", "email_hash")
        ),
        sa.Index(  # the queue of attribution: as long as what waits, not as the table
            "ix_conversions_waiting",
            "received_at",
            postgresql_where=sa.text("attributed_revision < revision"),
            sqlite_where=sa.text("attributed_revision < revision"),
        ),
    )

    id: Mapped[PrimaryKey]  # UUIDv5 of program, kind, order id
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    kind: Mapped[str] = mapped_column(sa.String(40))
    order_id: Mapped[str] = mapped_column(sa.String(120))
    trust: Mapped[int] = mapped_column(sa.SmallInteger)
    source: Mapped[str] = mapped_column(sa.String(16))  # tag, pixel, api
    is_test: Mapped[bool]
    revision: Mapped[int] = mapped_column(default=1)
    attributed_revision: Mapped[int] = mapped_column(default=0)  # the newest revision that has its attribution
    amount_minor: Mapped[int]
    tax_minor: Mapped[int] = mapped_column(default=0)
    shipping_minor: Mapped[int] = mapped_column(default=0)
    discount_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(sa.String(3))
    click_id: Mapped[UUID | None] = mapped_column(index=True)
    click_refusal: Mapped[str | None] = mapped_column(sa.String(32))  # why the click token given was not believed
    visitor_id: Mapped[UUID | None]
    coupon: Mapped[str | None] = mapped_column(sa.String(60))
    customer_id: Mapped[str | None] = mapped_column(sa.String(120))
    email_hash: Mapped[str | None] = mapped_column(sa.String(64))
    new_customer: Mapped[bool | None]
    channel: Mapped[str | None] = mapped_column(sa.String(40))
    payment_method: Mapped[str | None] = mapped_column(sa.String(40))
    items: Mapped[list[Any]]  # [{sku, name?, quantity, amount_minor, group?}]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))  # of the body at this trust level
    amended_at: Mapped[datetime | None]  # occurred_at of the newest amendment applied
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(index=True)


class ConversionRevision(Base):
    """What was believed before a higher source or an amendment replaced it, with the difference.

    `delivery_id` is of the delivery that replaced it, or the id of the amending order event.
    """

    __tablename__ = "conversion_revisions"
    __table_args__ = (sa.UniqueConstraint("conversion_id", "delivery_id"),)

    id: Mapped[PrimaryKey]
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("conversions.id"), index=True)
    delivery_id: Mapped[UUID]
    revision: Mapped[int]  # the revision that this one replaced
    trust: Mapped[int] = mapped_column(sa.SmallInteger)
    facts: Mapped[dict[str, Any]]
    differences: Mapped[dict[str, Any]]  # field: [before, after]
    replaced_at: Mapped[datetime]


class OrderEvent(Base):
    """What became of an order. It may arrive before its order."""

    __tablename__ = "order_events"
    __table_args__ = (
        sa.Index("ix_order_events_order", "program_id", "order_id"),
        sa.Index("ix_order_events_program_time", "program_id", "occurred_at"),
        sa.Index(
            "ix_order_events_waiting",
            "received_at",
            postgresql_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
            sqlite_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
        ),
    )

    id: Mapped[PrimaryKey]  # UUIDv5 of program, order id, event id
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    order_id: Mapped[str] = mapped_column(sa.String(120))
    conversion_id: Mapped[UUID] = mapped_column(index=True)  # derived from the order id; the row may come later
    event_id: Mapped[str] = mapped_column(sa.String(120))
    type: Mapped[OrderEventType] = mapped_column(enum_column(OrderEventType))
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    tax_minor: Mapped[int | None]
    shipping_minor: Mapped[int | None]
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    is_test: Mapped[bool]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    taken_at: Mapped[
        datetime | None
    ]  # set by the commission stage when it took a cancellation into account; null is its queue


class Refund(Base):
    """Money given back to a customer. It may arrive before its order. A null amount means all that is left."""

    __tablename__ = "refunds"
    __table_args__ = (
        sa.Index("ix_refunds_order", "program_id", "order_id"),
        sa.Index("ix_refunds_program_time", "program_id", "occurred_at"),
        sa.Index(
            "ix_refunds_waiting",
            "received_at",
            postgresql_where=sa.text("taken_at IS NULL"),
            sqlite_where=sa.text("taken_at IS NULL"),
        ),
        sa.Index(
            "ix_refunds_set_aside",
            "program_id",
            postgresql_where=sa.text("is_set_aside"),
            sqlite_where=sa.text("is_set_aside"),
        ),
    )

    id: Mapped[PrimaryKey]  # UUIDv5 of program, order id, refund id
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    order_id: Mapped[str] = mapped_column(sa.String(120))
    conversion_id: Mapped[UUID] = mapped_column(index=True)
    refund_id: Mapped[str] = mapped_column(sa.String(120))
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    items: Mapped[list[Any]]
    reason: Mapped[str | None] = mapped_column(sa.String(200))
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    is_test: Mapped[bool]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]  # set by the commission stage; null is its queue
    is_set_aside: Mapped[bool] = mapped_column(default=False)  # in another currency than its order, without a rate
    settled_minor: Mapped[int | None]  # what it was worth in the order's currency of then, by a manager's word
    settled_currency: Mapped[str | None] = mapped_column(sa.String(3))
    exchange: Mapped[dict[str, Any] | None] = mapped_column(_TextsOrNull)  # the rate by which it was taken first


class RejectedEvent(Base):
    """An event that was understood and refused, kept with its reason."""

    __tablename__ = "rejected_events"
    __table_args__ = (
        sa.Index(
            "ix_rejected_events_conversion",
            "conversion_id",
            postgresql_where=sa.text("conversion_id IS NOT NULL"),
            sqlite_where=sa.text("conversion_id IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]  # the delivery id
    program_id: Mapped[UUID | None] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    conversion_id: Mapped[UUID | None]  # of which order it tells; derived, the row may be missing
    reason: Mapped[RejectReason] = mapped_column(enum_column(RejectReason))
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class DeadLetter(Base):
    """An event that could not be stored, put aside with its error so that the rest flows."""

    __tablename__ = "dead_letters"
    __table_args__ = (sa.UniqueConstraint("stream", "entry_id"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID | None] = mapped_column(index=True)  # that the event names; null: it cannot be read
    stream: Mapped[str] = mapped_column(sa.String(40))
    entry_id: Mapped[str] = mapped_column(sa.String(40))
    payload: Mapped[str] = mapped_column(sa.Text)
    error: Mapped[str] = mapped_column(sa.Text)
    failed_at: Mapped[datetime]
