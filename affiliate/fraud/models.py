"""Tables of fraud: FraudSettings (versioned), FraudVerdict, FraudDecision, FraudAppeal, FraudPlace; FraudOrder and FraudDay, its sums.

Rows of the first three are never edited.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = [
    "FraudAppeal",
    "FraudDay",
    "FraudDecision",
    "FraudOrder",
    "FraudPlace",
    "FraudSettings",
    "FraudVerdict",
    "Verdict",
]


class FraudSettings(Base):
    """What a program's rules do, from a moment on. The newest version counts; without one the usual settings do, version 0."""

    __tablename__ = "fraud_settings"
    __table_args__ = (sa.UniqueConstraint("program_id", "version"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class FraudVerdict(Base):
    """What the rules, or a manager over them, said about one partner's credit under one attribution version."""

    __tablename__ = "fraud_verdicts"
    __table_args__ = (
        sa.UniqueConstraint("attribution_id", "partner_id"),
        sa.Index("ix_fraud_verdicts_order", "conversion_id", "partner_id"),
        sa.Index(
            "ix_fraud_verdicts_queue",
            "program_id",
            "answer_by",
            postgresql_where=sa.text("verdict = 'flag'"),
            sqlite_where=sa.text("verdict = 'flag'"),
        ),
        sa.Index(
            "ix_fraud_verdicts_recheck",
            "recheck_at",
            postgresql_where=sa.text("recheck_at IS NOT NULL"),
            sqlite_where=sa.text("recheck_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]  # derived from attribution and partner
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id))
    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Attribution.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    reason: Mapped[str | None] = mapped_column(sa.String(40))  # the rule that decided
    findings: Mapped[
        list[Any]
    ]  # [{rule, action, evidence}] of every rule that spoke, also when a manager overruled them
    settings_version: Mapped[int]
    decision_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("fraud_decisions.id")
    )  # the manager's word that counted
    answer_by: Mapped[datetime | None]  # while under review: until when the manager promises to decide
    recheck_at: Mapped[datetime | None]  # when an order that nobody confirmed is judged again
    judged_at: Mapped[datetime]


class FraudDecision(Base):
    """A manager's word about one partner's credit for one order. Of several the last counts, whatever the rules say."""

    __tablename__ = "fraud_decisions"
    __table_args__ = (sa.UniqueConstraint("conversion_id", "partner_id", "number"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    number: Mapped[int]  # 1, 2, 3: two managers at once cannot both be the next
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    rule: Mapped[str | None] = mapped_column(sa.String(40))  # for a flag or rejection by hand: what was found
    note: Mapped[str] = mapped_column(sa.String(500))  # the partner reads it
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    decided_at: Mapped[datetime]


class FraudAppeal(Base):
    """A partner's answer to a review or rejection. At most one is open for an order; a decision closes it.

    The relations keep a case beside it, with all that was said; this row is what the queue of orders knows of it.
    """

    __tablename__ = "fraud_appeals"
    __table_args__ = (
        sa.Index(
            "uq_fraud_appeals_open",
            "conversion_id",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("decision_id IS NULL"),
            sqlite_where=sa.text("decision_id IS NULL"),
        ),
        sa.Index("ix_fraud_appeals_program", "program_id", "decision_id"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    text: Mapped[str] = mapped_column(sa.String(2000))
    opened_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    opened_at: Mapped[datetime]
    decision_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(FraudDecision.id))


class FraudPlace(Base):
    """Over which connection the credited click of an order came, for as long as orders are compared by it, then removed.

    `connection` is the keyed hash of the address, whose key changes every month.
    """

    __tablename__ = "fraud_places"
    __table_args__ = (sa.Index("ix_fraud_places_connection", "connection", "occurred_at"),)

    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id), primary_key=True)
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    connection: Mapped[str] = mapped_column(sa.String(64))
    occurred_at: Mapped[datetime] = mapped_column(index=True)  # of the order


class FraudOrder(Base):
    """A credit in force as the rules compare it with others: one row for each judged order and partner. Tests have none.

    It follows the order: replaced when the order is attributed again, marked when something of it goes back.
    """

    __tablename__ = "fraud_orders"
    __table_args__ = (
        sa.PrimaryKeyConstraint("conversion_id", "partner_id"),
        sa.Index("ix_fraud_orders_partner", "program_id", "partner_id", "occurred_at"),
        sa.Index("ix_fraud_orders_program", "program_id", "occurred_at"),
    )

    conversion_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Conversion.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    attribution_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Attribution.id))
    occurred_at: Mapped[datetime]
    seconds: Mapped[int | None]  # from the credited click to the order; null without one
    by_code: Mapped[bool]  # a coupon alone brought it
    by_machine: Mapped[bool]  # its click came out of a data centre
    refunded: Mapped[bool]  # at least in part


class FraudDay(Base):
    """How many `FraudOrder` rows a partner has on a UTC day, moved in their transaction; with the program's id as owner, of all partners."""

    __tablename__ = "fraud_days"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "owner_id", "day"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    owner_id: Mapped[UUID]
    day: Mapped[date]
    orders: Mapped[int]
    orders_by_click: Mapped[int]
    orders_by_code: Mapped[int]
    orders_by_machine: Mapped[int]
    orders_refunded: Mapped[int]
