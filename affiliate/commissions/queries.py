"""The SELECTs of the commission stage: its queues, where commissions stand, what was lost. What rates read is in `facts`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate.attribution.models import Attribution
from affiliate.commissions.life import AdjustmentSource, CommissionReason, CommissionStatus, Loss, Worth
from affiliate.commissions.models import Commission, CommissionAdjustment, Reduction
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Refund
from affiliate.money import divide_half_even, exponent
from affiliate.programs.models import Program

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


def settled(conversion_ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    """Conversions whose current attribution is of their present revision; the others will be attributed again first."""
    return sa.and_(
        Conversion.id.in_(conversion_ids),
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
    live = _standings().where(Commission.conversion_id.in_(conversion_ids), Commission.is_live)
    return [_standing(row) for row in session.execute(live.order_by(Commission.id))]


def superseded(session: Session, *, conversion_ids: Collection[UUID]) -> list[tuple[Standing, UUID]]:
    """Live commissions of these conversions under an attribution no longer in force, each with the id of the one that is."""
    old = sa.select(*_standings().selected_columns, Attribution.id).join(
        Conversion, Conversion.id == Commission.conversion_id
    )
    newer = sa.and_(Attribution.conversion_id == Conversion.id, Attribution.id != Commission.attribution_id)
    rows = session.execute(old.join(Attribution, newer).where(settled(conversion_ids), Commission.is_live))
    return [(_standing(row), row[-1]) for row in rows]


def declined_pairs(session: Session, *, conversion_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """(conversion, partner) pairs for which a manager has declined a commission."""
    pairs = sa.select(Commission.conversion_id, Commission.partner_id).where(
        Commission.conversion_id.in_(conversion_ids),
        Commission.status == CommissionStatus.DECLINED,
        Commission.reason.is_distinct_from(CommissionReason.REJECTED),  # that is judged anew each time
        Commission.reinstated_at.is_(None),
    )
    return {(row[0], row[1]) for row in session.execute(pairs)}


def ended_pairs(session: Session, *, conversion_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """(conversion, partner) pairs whose commission a manager has declined or a fraud verdict rejected, and nobody gave back."""
    pairs = sa.select(Commission.conversion_id, Commission.partner_id).where(
        Commission.conversion_id.in_(conversion_ids),
        Commission.status == CommissionStatus.DECLINED,
        Commission.reinstated_at.is_(None),
    )
    return {(row[0], row[1]) for row in session.execute(pairs)}


def losses_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, list[Loss]]:
    """Refunds, cancellations and reductions of these conversions in the order they happened. Those of tests stay with tests.

    A refund in another currency than its order cannot be a part of it: it takes nothing.
    A cancellation that came before the order was reinstated is void.
    """
    rows = [
        (AdjustmentSource.REFUND, *row[:3], *_in_order(*row[3:])) for row in session.execute(_refunds(conversion_ids))
    ]
    rows += [(AdjustmentSource.ORDER_EVENT, *row) for row in session.execute(_cancellations(conversion_ids))]
    rows += [(AdjustmentSource.VALIDATION, *row) for row in session.execute(_reductions(conversion_ids))]
    found: defaultdict[UUID, list[Loss]] = defaultdict(list)
    for kind, conversion_id, _, source_id, amount_minor, items in sorted(rows, key=lambda row: row[2:4]):
        given = tuple((item["sku"], item["amount_minor"]) for item in items or ())
        found[conversion_id].append(Loss(kind, source_id, amount_minor, given))
    return found


def _refunds(conversion_ids: Collection[UUID]) -> sa.Select[*tuple[Any, ...]]:
    given = (Refund.amount_minor, Refund.items, Refund.currency)
    return (
        sa.select(Refund.conversion_id, Refund.occurred_at, Refund.id, *given, Conversion.currency, Program.currency)
        .join(Conversion, sa.and_(Conversion.id == Refund.conversion_id, Conversion.is_test == Refund.is_test))
        .join(Program, Program.id == Refund.program_id)
        .where(Refund.conversion_id.in_(conversion_ids))
    )


def _in_order(
    amount_minor: int | None, items: list[dict[str, Any]] | None, said: str | None, of_order: str, of_program: str
) -> tuple[int | None, list[dict[str, Any]] | None]:
    """What was given back, in minor units of the order; where no currency was said it was written with the program's decimals."""
    if amount_minor is None or said == of_order:
        return amount_minor, items
    if said is not None:
        return 0, None
    more = exponent(of_order) - exponent(of_program)
    if not more:
        return amount_minor, items

    def meant(minor: int) -> int:
        return minor * 10**more if more > 0 else divide_half_even(minor, 10**-more)

    return meant(amount_minor), [item | {"amount_minor": meant(item["amount_minor"])} for item in items or ()]


def _cancellations(conversion_ids: Collection[UUID]) -> sa.Select[*tuple[Any, ...]]:
    reinstated = sa.exists().where(
        Reduction.conversion_id == OrderEvent.conversion_id,
        Reduction.is_reinstatement,
        Reduction.created_at >= OrderEvent.received_at,
    )
    return (
        sa.select(OrderEvent.conversion_id, OrderEvent.occurred_at, OrderEvent.id, sa.null(), sa.null())
        .join(Conversion, sa.and_(Conversion.id == OrderEvent.conversion_id, Conversion.is_test == OrderEvent.is_test))
        .where(OrderEvent.conversion_id.in_(conversion_ids), OrderEvent.type == OrderEventType.CANCELLED, ~reinstated)
    )


def _reductions(conversion_ids: Collection[UUID]) -> sa.Select[*tuple[Any, ...]]:
    columns = (Reduction.conversion_id, Reduction.created_at, Reduction.id, Reduction.amount_minor, sa.null())
    later = aliased(Reduction)
    void = sa.exists().where(
        later.conversion_id == Reduction.conversion_id, later.is_reinstatement, later.created_at > Reduction.created_at
    )
    return sa.select(*columns).where(Reduction.conversion_id.in_(conversion_ids), ~Reduction.is_reinstatement, ~void)


def sources_taken(session: Session, *, commission_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The refunds, cancellations and other causes already taken from each of these commissions."""
    pairs = sa.select(CommissionAdjustment.commission_id, CommissionAdjustment.source_id).where(
        CommissionAdjustment.commission_id.in_(commission_ids)
    )
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for commission_id, source_id in session.execute(pairs):
        found[commission_id].add(source_id)
    return found


def original_amounts(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, int]:
    """What the customers paid, in minor units."""
    amounts = sa.select(Conversion.id, Conversion.amount_minor).where(Conversion.id.in_(conversion_ids))
    return {row[0]: row[1] for row in session.execute(amounts)}


def has_commission_since(session: Session, *, program_id: UUID, since: datetime) -> bool:
    """Whether an order from this moment on already earned something in the program."""
    earned = sa.exists().where(Commission.program_id == program_id, Commission.earned_at >= since)
    return bool(session.scalar(sa.select(earned)))
