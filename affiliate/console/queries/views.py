"""What the pages for four people show of the last days: what comes back, what arrives, what partners cost. A few statements each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import ApiKey
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Refund, Trust
from affiliate.payouts.models import CostKind, PartnerCost

SHOWN = 10


@dataclass(frozen=True, slots=True)
class OrderLife:
    """Orders and refunds of some days, tests aside, those that still wait for a trusted source, and what was told of orders."""

    orders: int
    unverified: int
    refunds: int
    events: dict[OrderEventType, int]


@dataclass(frozen=True, slots=True)
class Source:
    """What one way of reporting brought in some days."""

    source: str
    orders: int
    tests: int
    last_at: datetime


def order_life(session: Session, *, program_id: UUID, since: datetime) -> OrderLife:
    """What happened to orders since a moment."""
    unverified: Any = sa.case((Conversion.trust < Trust.SIGNED, 1), else_=0)
    orders = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(unverified), 0)).where(
        Conversion.program_id == program_id, Conversion.occurred_at >= since, ~Conversion.is_test
    )
    refunds = sa.select(sa.func.count()).where(
        Refund.program_id == program_id, Refund.occurred_at >= since, ~Refund.is_test
    )
    told = sa.select(OrderEvent.type, sa.func.count()).where(
        OrderEvent.program_id == program_id, OrderEvent.occurred_at >= since, ~OrderEvent.is_test
    )
    count, waiting = session.execute(orders).one()
    events = {row[0]: row[1] for row in session.execute(told.group_by(OrderEvent.type))}
    return OrderLife(
        count, int(waiting), session.scalar(refunds) or 0, {each: events.get(each, 0) for each in OrderEventType}
    )


def newest_refunds(session: Session, *, program_id: UUID, limit: int = SHOWN) -> Sequence[Any]:
    """The newest refunds with their order, where it is known."""
    columns = (
        Refund.id, Refund.order_id, Refund.occurred_at, Refund.amount_minor, Refund.currency, Refund.reason,
        Conversion.id.label("conversion_id"),
    )  # fmt: skip
    found = sa.select(*columns).outerjoin(Conversion, Conversion.id == Refund.conversion_id)
    mine = found.where(Refund.program_id == program_id, ~Refund.is_test)
    return session.execute(mine.order_by(Refund.occurred_at.desc(), Refund.id).limit(limit)).all()


def sources(session: Session, *, program_id: UUID, since: datetime) -> list[Source]:
    """By which ways orders were reported since a moment, the one that spoke last first."""
    tests: Any = sa.case((Conversion.is_test, 1), else_=0)
    last_at = sa.type_coerce(sa.func.max(Conversion.received_at), Conversion.received_at.type)
    counted = sa.select(Conversion.source, sa.func.count() - sa.func.sum(tests), sa.func.sum(tests), last_at).where(
        Conversion.program_id == program_id, Conversion.occurred_at >= since
    )
    rows = session.execute(counted.group_by(Conversion.source).order_by(sa.func.max(Conversion.received_at).desc()))
    return [Source(row[0], int(row[1]), int(row[2]), row[3]) for row in rows]


def working_keys(session: Session, *, program_id: UUID, limit: int = SHOWN) -> Sequence[ApiKey]:
    """The program's own keys that work, the one used last first: those of partners are theirs."""
    own = (ApiKey.program_id == program_id, ApiKey.partner_id.is_(None), ApiKey.revoked_at.is_(None))
    mine = sa.select(ApiKey).where(*own)
    return session.scalars(mine.order_by(ApiKey.last_used_at.desc().nulls_last(), ApiKey.id).limit(limit)).all()


def costs(session: Session, *, program_id: UUID, since: date, currency: str) -> dict[CostKind, int]:
    """Minor units that partners cost beside commissions since a day, by kind; every kind is there."""
    summed = sa.select(PartnerCost.kind, sa.func.sum(PartnerCost.amount_minor)).where(
        PartnerCost.program_id == program_id, PartnerCost.currency == currency, PartnerCost.removed_at.is_(None),
        PartnerCost.spent_on >= since,
    )  # fmt: skip
    found = {row[0]: int(row[1]) for row in session.execute(summed.group_by(PartnerCost.kind))}
    return {kind: found.get(kind, 0) for kind in CostKind}
