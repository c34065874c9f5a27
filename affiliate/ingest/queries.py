"""Every SELECT of ingest: what is already known of the things in a batch. Each takes the whole batch at once."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest.clickrules import CREDITABLE, REPEAT_TERM, Arrival
from affiliate.ingest.models import (
    Click,
    Conversion,
    ConversionRevision,
    DeadLetter,
    OrderEvent,
    OrderEventType,
    Refund,
)
from affiliate.ingest.rollup_models import ClickLabel, Owner

Row = dict[str, Any]


def arrivals_repeated(session: Session, *, click_ids: Collection[UUID]) -> list[Arrival]:
    """Of the visitors and addresses on a link, those seen more than once in the terms before and after these clicks.

    The head of a click's id is its time, so each stretch of time is a range of the primary key. Almost all are seen once,
    so the database says first which are not.
    """
    connection = session.connection()
    arrivals: dict[UUID, Arrival] = {}
    for first, last in _stretches(click_ids):
        for repeated in _REPEATED:
            for row in connection.execute(repeated, {"first": first, "last": last}):
                arrivals[row.id] = Arrival(*row)
    return list(arrivals.values())


def _repeated(name: str) -> sa.Select[Any]:
    """The arrivals of whoever is seen more than once between the ids `first` and `last`."""
    columns = Click.__table__.c
    who = columns[name]
    here = sa.and_(
        columns.id.between(sa.bindparam("first"), sa.bindparam("last")),
        sa.or_(*(columns.verdict == verdict for verdict in sorted(CREDITABLE))),
    )
    seen = sa.select(columns.link_id, who).where(here, who.is_not(None)).group_by(columns.link_id, who)
    # Put together once: in a table without statistics (a new month, a server that crashed) it was computed for every row.
    often = seen.having(sa.func.count() > 1).cte("often").prefix_with("MATERIALIZED", dialect="postgresql")
    same = sa.and_(columns.link_id == often.c.link_id, who == often.c[name])
    return sa.select(*(columns[name] for name in _ARRIVAL)).join(often, same).where(here)


_ARRIVAL = ("id", "link_id", "visitor_id", "address_hash", "user_agent", "occurred_at")
# Made once: clicks that lie far apart, as those of a spool, ask for many stretches, and making a statement costs more than asking it.
_REPEATED = (_repeated("visitor_id"), _repeated("address_hash"))
_SLACK_MS = 2_000  # an id may be a little younger than the moment that the event carries


def _stretches(click_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """The ranges of ids that hold everything within a term of one of these; clicks long past make stretches of their own."""
    around = REPEAT_TERM // timedelta(milliseconds=1) + _SLACK_MS
    stretches: list[list[int]] = []
    for moment in sorted({click_id.int >> 80 for click_id in click_ids}):
        if stretches and moment - around <= stretches[-1][1]:
            stretches[-1][1] = moment + around
        else:
            stretches.append([moment - around, moment + around])
    return [(UUID(int=max(first, 0) << 80), UUID(int=(last + 1 << 80) - 1)) for first, last in stretches]


class Reach(NamedTuple):
    """What tells which orders a click, or a touch of another channel, may have to do with."""

    click_id: UUID | None
    program_id: UUID
    visitor_id: UUID | None
    occurred_at: datetime


def reach_of(session: Session, *, click_id: UUID) -> Reach:
    """What a stored click may have to do with."""
    columns = (Click.id, Click.program_id, Click.visitor_id, Click.occurred_at)
    return Reach(*session.execute(sa.select(*columns).where(Click.id == click_id)).one())


def conversions_reached_by(session: Session, *, reaches: Sequence[Reach]) -> set[UUID]:
    """The conversions that name one of these clicks, or whose visitor was there before the order.

    An order is received after the clicks that led to it. So the few that came since the first of these are looked at one by
    one; only where clicks come so late that many orders did, the database compares all with all.
    """
    if not reaches:
        return set()
    since = min(reach.occurred_at for reach in reaches) - _CLOCKS_APART_MAX
    columns = (Conversion.id, Conversion.program_id, Conversion.click_id, Conversion.visitor_id, Conversion.occurred_at)
    later = sa.select(*columns).where(Conversion.received_at >= since)
    orders = session.execute(later.limit(_ORDERS_ONE_BY_ONE_MAX + 1)).all()
    if len(orders) > _ORDERS_ONE_BY_ONE_MAX:
        told = ((name, {getattr(reach, name) for reach in reaches} - {None}) for name in ("click_id", "visitor_id"))
        halves = [later.where(db.among(session, getattr(Conversion, name), among)) for name, among in told if among]
        orders = session.execute(sa.union(*halves)).all() if halves else []
    if not orders:
        return set()
    click_ids, first_at = _firsts(reaches)
    return {
        order.id
        for order in orders
        if order.click_id in click_ids
        or order.occurred_at >= first_at.get((order.program_id, order.visitor_id), _NEVER)
    }


_CLOCKS_APART_MAX = timedelta(hours=1)
_ORDERS_ONE_BY_ONE_MAX = 2_000
_NEVER = datetime.max.replace(tzinfo=UTC)


def _firsts(reaches: Sequence[Reach]) -> tuple[set[UUID], dict[tuple[UUID, UUID | None], datetime]]:
    """The clicks, and when each visitor first was there."""
    first_at: dict[tuple[UUID, UUID | None], datetime] = {}
    for reach in reaches:
        if reach.visitor_id:
            key = reach.program_id, reach.visitor_id
            first_at[key] = min(reach.occurred_at, first_at.get(key, reach.occurred_at))
    return {reach.click_id for reach in reaches if reach.click_id}, first_at


def click_labels(session: Session, *, owners: Sequence[Owner]) -> dict[Owner, set[str]]:
    """The labels that count under their own name, by owner."""
    key = (ClickLabel.kind, ClickLabel.program_id, ClickLabel.owner_id, ClickLabel.day)
    found: dict[Owner, set[str]] = {}
    for start in range(0, len(owners), _OWNERS_AT_ONCE):
        asked = owners[start : start + _OWNERS_AT_ONCE]
        for row in session.execute(sa.select(*key, ClickLabel.label).where(sa.tuple_(*key).in_(asked))):
            found.setdefault(Owner(*row[:-1]), set()).add(row.label)
    return found


_OWNERS_AT_ONCE = 500


def click_label_counts(session: Session, *, owners: Sequence[Owner]) -> dict[Owner, int]:
    """How many labels count under their own name, by owner; an owner without any is left out. One question for each program."""
    found: dict[Owner, int] = {}
    for program_id in {owner.program_id for owner in owners}:
        here = [owner for owner in owners if owner.program_id == program_id]
        key = (ClickLabel.kind, ClickLabel.program_id, ClickLabel.owner_id, ClickLabel.day)
        rows = session.execute(
            sa.select(*key, sa.func.count())
            .where(
                ClickLabel.kind.in_({owner.kind for owner in here}),
                ClickLabel.program_id == program_id,
                db.among(session, ClickLabel.owner_id, {owner.owner_id for owner in here}),
                ClickLabel.day.in_({owner.day for owner in here}),
            )
            .group_by(*key)
        )
        found |= {Owner(*row[:-1]): row[-1] for row in rows}
    return found


def conversions_locked(session: Session, *, conversion_ids: Collection[UUID]) -> list[Row]:
    """These conversions, all columns, locked until the transaction ends, in the order that keeps two batches from a deadlock."""
    table = Conversion.__table__
    rows = session.execute(
        sa.select(table).where(db.among(session, table.c.id, conversion_ids)).order_by(table.c.id).with_for_update()
    )
    return [dict(row) for row in rows.mappings()]


def amendments_of(session: Session, *, conversion_ids: Collection[UUID]) -> list[Row]:
    """All amendments of these orders, whenever they arrived."""
    if not conversion_ids:
        return []
    rows = session.execute(
        sa.select(
            *(OrderEvent.id, OrderEvent.conversion_id, OrderEvent.program_id, OrderEvent.occurred_at),
            *(OrderEvent.amount_minor, OrderEvent.tax_minor, OrderEvent.shipping_minor, OrderEvent.currency),
            OrderEvent.received_at,
        ).where(db.among(session, OrderEvent.conversion_id, conversion_ids), OrderEvent.type == OrderEventType.AMENDED)
    )
    return [dict(row) for row in rows.mappings()]


def replaced_bodies(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, set[tuple[int, str]]]:
    """Trust and fingerprint of what was believed of these conversions before."""
    found: dict[UUID, set[tuple[int, str]]] = {}
    query = sa.select(ConversionRevision.conversion_id, ConversionRevision.trust, ConversionRevision.facts)
    for revision in session.execute(query.where(db.among(session, ConversionRevision.conversion_id, conversion_ids))):
        found.setdefault(revision.conversion_id, set()).add((revision.trust, revision.facts["fingerprint"]))
    return found


def fingerprints(
    session: Session, *, table: type[OrderEvent] | type[Refund], row_ids: Collection[UUID]
) -> dict[UUID, str]:
    """The fingerprints of the bodies stored under these ids."""
    return {
        row.id: row.fingerprint
        for row in session.execute(sa.select(table.id, table.fingerprint).where(db.among(session, table.id, row_ids)))
    }


def attribution_waits_since_before(session: Session, *, moment: datetime) -> bool:
    """Whether an order has waited for its attribution since before this instant."""
    waits = sa.select(Conversion.id).where(sa.text("attributed_revision < revision"), Conversion.received_at < moment)
    return session.scalar(sa.select(sa.exists(waits))) is True


def dead_letters(session: Session, *, limit: int, letter_ids: Collection[UUID] | None = None) -> list[DeadLetter]:
    """The oldest events put aside (of these, if some are named), each locked for whoever deals with it."""
    letters = sa.select(DeadLetter).order_by(DeadLetter.failed_at).limit(limit)
    if letter_ids is not None:
        letters = letters.where(DeadLetter.id.in_(letter_ids))
    return list(session.scalars(letters.with_for_update(skip_locked=True)))


def dead_letter_count(session: Session) -> int:
    """How many events were put aside and not stored since."""
    return session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) or 0
