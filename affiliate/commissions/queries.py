"""The SELECTs of the commission stage: its queues, and where commissions stand. What rates read is in `facts`, what orders lost in `losses`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Attribution
from affiliate.commissions.life import CommissionReason, CommissionStatus, Worth
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Refund

# Written into the statement, so that the planner sees that the partial index of the queue fits.
_CANCELLED = sa.bindparam("cancelled", OrderEventType.CANCELLED, OrderEvent.type.type, literal_execute=True)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that waits for this stage: an attribution, a refund, a cancellation, or a commission that matures."""

    id: UUID
    program_id: UUID
    conversion_id: UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """What a commission is worth now, for rules and guarded updates."""

    worth: Worth
    id: UUID
    program_id: UUID
    partner_id: UUID
    conversion_id: UUID
    attribution_id: UUID
    is_live: bool
    currency: str
    trace: dict[str, Any] = field(default_factory=dict)


# --- queues


def attributions_waiting(session: Session, *, limit: int) -> list[Waiting]:
    """The oldest attributions that have not been turned into commissions."""
    facts = sa.select(Attribution.id, Conversion.program_id, Attribution.conversion_id)
    of_order = facts.join(Conversion, Conversion.id == Attribution.conversion_id)
    waiting = of_order.where(Attribution.commissioned_at.is_(None)).order_by(Attribution.decided_at).limit(limit)
    return [Waiting(*row) for row in session.execute(waiting)]


def refunds_waiting(session: Session, *, limit: int) -> list[Waiting]:
    """The oldest refunds that have not been taken from commissions."""
    facts = sa.select(Refund.id, Refund.program_id, Refund.conversion_id).where(Refund.taken_at.is_(None))
    return [Waiting(*row) for row in session.execute(facts.order_by(Refund.received_at).limit(limit))]


def cancellations_waiting(session: Session, *, limit: int) -> list[Waiting]:
    """The oldest cancellations that have not been taken from commissions."""
    facts = sa.select(OrderEvent.id, OrderEvent.program_id, OrderEvent.conversion_id)
    waiting = facts.where(OrderEvent.taken_at.is_(None), OrderEvent.type == _CANCELLED)
    return [Waiting(*row) for row in session.execute(waiting.order_by(OrderEvent.received_at).limit(limit))]


def commissions_maturing(session: Session, *, limit: int, now: datetime) -> list[Waiting]:
    """The pending commissions whose validation period is over, the one that matured first first."""
    facts = sa.select(Commission.id, Commission.program_id, Commission.conversion_id)
    pending = facts.where(Commission.status == CommissionStatus.PENDING, Commission.awaits.is_(None))
    due = pending.where(Commission.matures_at <= now)
    return [Waiting(*row) for row in session.execute(due.order_by(Commission.matures_at).limit(limit))]


def commissions_released(session: Session, *, limit: int) -> list[Waiting]:
    """Pending commissions that await what has happened to their order by now."""
    happened = sa.exists().where(
        OrderEvent.conversion_id == Commission.conversion_id,
        sa.cast(OrderEvent.type, sa.String) == sa.cast(Commission.awaits, sa.String),
        ~OrderEvent.is_test,
    )
    facts = sa.select(Commission.id, Commission.program_id, Commission.conversion_id)
    # Written into the statement, so that the planner sees that the partial index fits.
    awaiting = facts.where(Commission.awaits.is_not(None), sa.text("status = 'pending'"), happened)
    return [Waiting(*row) for row in session.execute(awaiting.limit(limit))]


# --- facts


def settled(session: Session, conversion_ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    """Conversions whose current attribution is of their present revision; the others will be attributed again first."""
    return sa.and_(
        db.among(session, Conversion.id, conversion_ids),
        Attribution.is_current,
        Attribution.conversion_revision == Conversion.revision,
    )


def _standings() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        Commission.status, Commission.reason, Commission.amount_minor, Commission.reversed_minor,
        Commission.id, Commission.program_id, Commission.partner_id, Commission.conversion_id,
        Commission.attribution_id, Commission.is_live, Commission.currency, Commission.trace,
    )  # fmt: skip


def _standing(row: Sequence[Any]) -> Standing:
    return Standing(Worth(*row[:4]), *row[4:12])


def standing(session: Session, *, commission_id: UUID, program_id: UUID) -> Standing | None:
    """One commission of this program."""
    wanted = _standings().where(Commission.id == commission_id, Commission.program_id == program_id)
    row = session.execute(wanted).one_or_none()
    return None if row is None else _standing(row)


def standings_of(session: Session, *, conversion_ids: Collection[UUID]) -> list[Standing]:
    """The live commissions of these conversions."""
    live = _standings().where(db.among(session, Commission.conversion_id, conversion_ids), Commission.is_live)
    return [_standing(row) for row in session.execute(live.order_by(Commission.id))]


def superseded(session: Session, *, conversion_ids: Collection[UUID]) -> list[tuple[Standing, UUID]]:
    """Live commissions of these conversions under an attribution no longer in force, each with the id of the one that is."""
    old = sa.select(*_standings().selected_columns, Attribution.id).join(
        Conversion, Conversion.id == Commission.conversion_id
    )
    newer = sa.and_(Attribution.conversion_id == Conversion.id, Attribution.id != Commission.attribution_id)
    rows = session.execute(old.join(Attribution, newer).where(settled(session, conversion_ids), Commission.is_live))
    return [(_standing(row), row[-1]) for row in rows]


def declined_pairs(session: Session, *, conversion_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """(conversion, partner) pairs for which a manager has declined a commission."""
    pairs = sa.select(Commission.conversion_id, Commission.partner_id).where(
        db.among(session, Commission.conversion_id, conversion_ids),
        Commission.status == CommissionStatus.DECLINED,
        Commission.reason.is_distinct_from(CommissionReason.REJECTED),  # that is judged anew each time
        Commission.reinstated_at.is_(None),
    )
    return {(row[0], row[1]) for row in session.execute(pairs)}


def ended_pairs(session: Session, *, conversion_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """(conversion, partner) pairs whose commission a manager has declined or a fraud verdict rejected, and nobody gave back."""
    pairs = sa.select(Commission.conversion_id, Commission.partner_id).where(
        db.among(session, Commission.conversion_id, conversion_ids),
        Commission.status == CommissionStatus.DECLINED,
        Commission.reinstated_at.is_(None),
    )
    return {(row[0], row[1]) for row in session.execute(pairs)}


def sources_taken(session: Session, *, commission_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The refunds, cancellations and other causes already taken from each of these commissions."""
    pairs = sa.select(CommissionAdjustment.commission_id, CommissionAdjustment.source_id).where(
        db.among(session, CommissionAdjustment.commission_id, commission_ids)
    )
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for commission_id, source_id in session.execute(pairs):
        found[commission_id].add(source_id)
    return found


def original_amounts(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, int]:
    """What the customers paid, in minor units."""
    amounts = sa.select(Conversion.id, Conversion.amount_minor).where(db.among(session, Conversion.id, conversion_ids))
    return {row[0]: row[1] for row in session.execute(amounts)}


def has_commission_since(session: Session, *, program_id: UUID, since: datetime) -> bool:
    """Whether an order from this moment on already earned something in the program."""
    earned = sa.exists().where(Commission.program_id == program_id, Commission.earned_at >= since)
    return bool(session.scalar(sa.select(earned)))


def left_of(session: Session, *, program_id: UUID, commission_ids: Collection[UUID]) -> dict[UUID, int]:
    """Minor units of what is left of these commissions, as far as they are of this program."""
    left = (Commission.amount_minor - Commission.reversed_minor).label("left")
    mine = (db.among(session, Commission.id, commission_ids), Commission.program_id == program_id)
    return {row.id: row.left for row in session.execute(sa.select(Commission.id, left).where(*mine))}


def reckoned(
    session: Session, *, program_id: UUID, pairs: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], int]:
    """What the commissions in force of these orders were reckoned at, in minor units of the program's currency."""
    if not pairs:
        return {}
    mine = (Commission.program_id == program_id, Commission.is_live, Commission.level == 1)
    rows = session.execute(
        sa.select(Commission.conversion_id, Commission.partner_id, Commission.amount_minor).where(
            *mine, db.among(session, Commission.conversion_id, {conversion_id for conversion_id, _ in pairs})
        )
    )
    return {(row[0], row[1]): row[2] for row in rows if (row[0], row[1]) in pairs}
