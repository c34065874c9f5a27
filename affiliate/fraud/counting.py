"""Keeping the orders that the rules compare, and their sums by partner and day: both move in one transaction.

Called under the lock of the programs' books, so that nobody else moves them meanwhile.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution.models import Attribution
from affiliate.fraud.facts import DATACENTRE
from affiliate.fraud.models import FraudDay, FraudOrder
from affiliate.fraud.queries import CreditRow
from affiliate.ingest.models import Click, Conversion, Refund

COUNTED = ("orders", "orders_by_click", "orders_by_code", "orders_by_machine", "orders_refunded")
_KEY = ("program_id", "owner_id", "day")
_ROW = (
    *(FraudOrder.conversion_id, FraudOrder.partner_id, FraudOrder.program_id, FraudOrder.attribution_id),
    *(FraudOrder.occurred_at, FraudOrder.seconds, FraudOrder.by_code, FraudOrder.by_machine, FraudOrder.refunded),
)
Key = tuple[UUID, UUID, date]
"""A program, the owner (a partner, or the program itself), and a UTC day."""

Moves = defaultdict[Key, Counter[str]]
"""What is added to each, or taken where below zero, by name of what is counted."""


def keep(session: Session, *, conversion_ids: Collection[UUID], credits_: Sequence[CreditRow]) -> None:
    """Let the rows of these orders be `credits_`, their credits in force; one that will be attributed again stays as it is."""
    stored = _stored(session, conversion_ids)
    known = {(row["attribution_id"], row["partner_id"]) for row in stored}
    wanted = {(row.attribution_id, row.partner_id) for row in credits_}
    gone = [row for row in stored if row["is_settled"] and (row["attribution_id"], row["partner_id"]) not in wanted]
    _remove(session, gone)
    fresh = [row for row in credits_ if (row.attribution_id, row.partner_id) not in known]
    rows = _rows(session, fresh)
    if rows:
        session.execute(sa.insert(FraudOrder), rows, execution_options={"render_nulls": True})  # one statement for all
    moves: Moves = defaultdict(Counter)
    for new in rows:
        _count(moves, new, by=1)
    for old in gone:
        _count(moves, old, by=-1)
    _move(session, moves)


def note_refunds(session: Session, *, conversion_ids: Collection[UUID]) -> None:
    """Mark these orders as sent back, at least in part; those that are not judged yet will be when they are."""
    if not conversion_ids:
        return
    unmarked = sa.and_(db.among(session, FraudOrder.conversion_id, conversion_ids), FraudOrder.refunded.is_(False))
    marked = sa.update(FraudOrder).where(unmarked).values(refunded=True).returning(*_ROW)
    moves: Moves = defaultdict(Counter)
    for row in session.execute(marked, execution_options={"synchronize_session": False}).mappings():
        for key in _keys(row):
            moves[key]["orders_refunded"] += 1
    _move(session, moves)


def _stored(session: Session, conversion_ids: Collection[UUID]) -> Sequence[sa.RowMapping]:
    is_settled = sa.exists().where(
        Attribution.conversion_id == Conversion.id,
        Attribution.is_current,
        Attribution.conversion_revision == Conversion.revision,
    )
    stored = sa.select(*_ROW, is_settled.label("is_settled")).join(
        Conversion, Conversion.id == FraudOrder.conversion_id
    )
    return session.execute(stored.where(db.among(session, FraudOrder.conversion_id, conversion_ids))).mappings().all()


def _remove(session: Session, gone: Sequence[sa.RowMapping]) -> None:
    """Whole attributions go: no partner of one stays when another goes."""
    if not gone:
        return
    orders = db.among(session, FraudOrder.conversion_id, {row["conversion_id"] for row in gone})
    replaced = db.among(session, FraudOrder.attribution_id, {row["attribution_id"] for row in gone})
    session.execute(sa.delete(FraudOrder).where(orders, replaced), execution_options={"synchronize_session": False})


def _rows(session: Session, credits_: Sequence[CreditRow]) -> list[dict[str, Any]]:
    if not credits_:
        return []
    sent_back = _sent_back(session, {row.conversion_id for row in credits_})
    machines = _of_machines(session, {row.click_id for row in credits_ if row.click_id})
    return [
        {
            "conversion_id": row.conversion_id,
            "partner_id": row.partner_id,
            "program_id": row.program_id,
            "attribution_id": row.attribution_id,
            "occurred_at": row.occurred_at,
            "seconds": seconds_between(row.click_id, row.occurred_at) if row.click_id else None,
            "by_code": row.click_id is None and row.coupon_id is not None,
            "by_machine": row.click_id in machines,
            "refunded": row.conversion_id in sent_back,
        }
        for row in credits_
    ]


def _sent_back(session: Session, conversion_ids: Collection[UUID]) -> set[UUID]:
    told = sa.select(Refund.conversion_id).where(db.among(session, Refund.conversion_id, conversion_ids))
    return set(session.scalars(told))


def _of_machines(session: Session, click_ids: Collection[UUID]) -> set[UUID]:
    told = sa.select(Click.id).where(db.among(session, Click.id, click_ids), Click.network == DATACENTRE)
    return set(session.scalars(told))


def seconds_between(click_id: UUID, occurred_at: datetime) -> int:
    """How long after the click the order came; the click's id carries its moment."""
    return max(int((occurred_at - ids.moment_of(click_id)).total_seconds()), 0)


def _count(moves: Moves, row: Any, *, by: int) -> None:
    counted = {
        "orders": True,
        "orders_by_click": row["seconds"] is not None,
        "orders_by_code": row["by_code"],
        "orders_by_machine": row["by_machine"],
        "orders_refunded": row["refunded"],
    }
    for key in _keys(row):
        moves[key].update({name: by for name, found in counted.items() if found})


def _keys(row: Any) -> list[Key]:
    """The partner's day, and the day of the whole program."""
    day = row["occurred_at"].astimezone(UTC).date()
    return [(row["program_id"], owner_id, day) for owner_id in (row["partner_id"], row["program_id"])]


def _move(session: Session, moves: Moves) -> None:
    """Add to the sums, in the order of their keys."""
    rows = [
        dict(zip(_KEY, key, strict=True)) | {name: moves[key][name] for name in COUNTED}
        for key in sorted(moves)
        if any(moves[key].values())
    ]
    if not rows:
        return
    insert = db.insert_into(session, FraudDay)
    added = {name: getattr(FraudDay, name) + insert.excluded[name] for name in COUNTED}
    session.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=added), rows)
