"""Every SELECT of ingest: what is already known of the things in a batch. Each takes the whole batch at once."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ids import digits
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
from affiliate.tracking.codec import ClickEvent, TouchEvent

Row = dict[str, Any]


def arrivals_around(session: Session, *, clicks: Sequence[ClickEvent]) -> list[Arrival]:
    """The stored arrivals within a term of these clicks whose visitor or address is one of theirs; without themselves.

    `clicks` are sorted by id. The head of an id is its time, so each stretch of time is a range of the primary key.
    """
    connection = session.connection()
    question = _AROUND[connection.dialect.name]
    found: dict[UUID, Arrival] = {}
    for first, last, here in _stretches(clicks):
        told = {
            "own": [digits(click.click_id.int) for click in here],
            "visitors": [digits(click.visitor_id.int) for click in here if click.visitor_id],
            "addresses": [click.address_hash for click in here if click.address_hash],
        }
        documents = {name: orjson.dumps(texts).decode() for name, texts in told.items()}
        for row in connection.execute(question, {"first": first, "last": last} | documents):
            found[row.id] = Arrival(*row)
    return list(found.values())


def _around(visitor: str, address: str, own: str) -> sa.Select[Any]:
    """Each list is a document, put into a hash table once: parameters would cost more than the question."""
    columns = Click.__table__.c
    return sa.select(*(columns[name] for name in _ARRIVAL)).where(
        columns.id.between(sa.bindparam("first"), sa.bindparam("last")),
        sa.text(f"(visitor_id IN ({visitor}) OR address_hash IN ({address}))"),
        sa.or_(*(columns.verdict == verdict for verdict in sorted(CREDITABLE))),  # SQLite asks in this order
        sa.text(f"id NOT IN ({own})"),
    )


_ARRIVAL = ("id", "link_id", "visitor_id", "address_hash", "user_agent", "occurred_at")
_SLACK_MS = 2_000  # an id may be a little younger than the moment that the event carries
_IDS = "SELECT CAST(value AS uuid) FROM json_array_elements_text(CAST(:{} AS json)) AS value"
# Made once: clicks that lie far apart, as those of a spool, ask for many stretches, and making a statement costs more than asking it.
_AROUND = {
    "postgresql": _around(
        visitor=_IDS.format("visitors"),
        address="SELECT json_array_elements_text(CAST(:addresses AS json))",
        own=_IDS.format("own"),
    ),
    "sqlite": _around(*(f"SELECT value FROM json_each(:{name})" for name in ("visitors", "addresses", "own"))),  # noqa: S608 - our names
}


def _stretches(clicks: Sequence[ClickEvent]) -> Iterator[tuple[UUID, UUID, Sequence[ClickEvent]]]:
    """The clicks by stretches of time, each with the range of ids that holds everything within a term of one of them."""
    around = REPEAT_TERM // timedelta(milliseconds=1) + _SLACK_MS
    moments = [click.click_id.int >> 80 for click in clicks]
    begins = [at for at, moment in enumerate(moments) if at == 0 or moment - moments[at - 1] > around]
    for begin, end in zip(begins, [*begins[1:], len(clicks)], strict=True):
        first, last = max(moments[begin] - around, 0), moments[end - 1] + around
        yield UUID(int=first << 80), UUID(int=(last + 1 << 80) - 1), clicks[begin:end]


class Reach(NamedTuple):
    """What tells which orders a stored click may have to do with; an event that comes in tells the same."""

    click_id: UUID | None
    program_id: UUID
    visitor_id: UUID | None
    occurred_at: datetime


def reach_of(session: Session, *, click_id: UUID) -> Reach:
    """What a stored click may have to do with."""
    columns = (Click.id, Click.program_id, Click.visitor_id, Click.occurred_at)
    return Reach(*session.execute(sa.select(*columns).where(Click.id == click_id)).one())


def conversions_reached_by(session: Session, *, reaches: Sequence[Reach | ClickEvent | TouchEvent]) -> set[UUID]:
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


def _firsts(
    reaches: Sequence[Reach | ClickEvent | TouchEvent],
) -> tuple[set[UUID], dict[tuple[UUID, UUID | None], datetime]]:
    """The clicks, and when each visitor first was there."""
    first_at: dict[tuple[UUID, UUID | None], datetime] = {}
    for reach in reaches:
        if reach.visitor_id:
            key = reach.program_id, reach.visitor_id
            first_at[key] = min(reach.occurred_at, first_at.get(key, reach.occurred_at))
    return {reach.click_id for reach in reaches if reach.click_id}, first_at


def click_labels(session: Session, *, owners: Collection[Owner]) -> dict[Owner, set[str]]:
    """The labels that count under their own name, by owner. One question for each program."""
    found: dict[Owner, set[str]] = {}
    for asked in _by_program(owners):
        for row in session.execute(sa.select(*_OWNER, ClickLabel.label).where(_is_of(session, asked))):
            found.setdefault(Owner(*row[:-1]), set()).add(row.label)
    return found


def click_label_counts(session: Session, *, owners: Collection[Owner]) -> dict[Owner, int]:
    """How many labels count under their own name, by owner; an owner without any is left out. One question for each program."""
    found: dict[Owner, int] = {}
    for asked in _by_program(owners):
        rows = session.execute(sa.select(*_OWNER, sa.func.count()).where(_is_of(session, asked)).group_by(*_OWNER))
        found |= {Owner(*row[:-1]): row[-1] for row in rows}
    return found


_OWNER = (ClickLabel.kind, ClickLabel.program_id, ClickLabel.owner_id, ClickLabel.day)


def _by_program(owners: Collection[Owner]) -> Iterator[list[Owner]]:
    for program_id in {owner.program_id for owner in owners}:
        yield [owner for owner in owners if owner.program_id == program_id]


def _is_of(session: Session, owners: Sequence[Owner]) -> sa.ColumnElement[bool]:
    """Of one of these owners in one program; where they differ in kind or day, of a few others too."""
    return sa.and_(
        ClickLabel.kind.in_({owner.kind for owner in owners}),
        ClickLabel.program_id == owners[0].program_id,
        db.among(session, ClickLabel.owner_id, {owner.owner_id for owner in owners}),
        ClickLabel.day.in_({owner.day for owner in owners}),
    )


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


def judged(session: Session, *, click_id: UUID) -> Any | None:
    """Program and verdict of a click; none if there is no such click, or no more."""
    return session.execute(sa.select(Click.program_id, Click.verdict).where(Click.id == click_id)).one_or_none()


def attribution_waits_since_before(session: Session, *, moment: datetime) -> bool:
    """Whether an order has waited for its attribution since before this instant."""
    waits = sa.select(Conversion.id).where(sa.text("attributed_revision < revision"), Conversion.received_at < moment)
    return session.scalar(sa.select(sa.exists(waits))) is True


def dead_letters(
    session: Session, *, limit: int, letter_ids: Collection[UUID] | None = None, program_id: UUID | None = None,
    until: datetime | None = None, locked: bool = False,
) -> list[DeadLetter]:  # fmt: skip
    """The oldest events put aside (of these, if some are named; of one program, if it is given; until a moment, if it is given).

    `locked` is for whoever deals with them, without those of somebody else.
    """
    letters = sa.select(DeadLetter).order_by(DeadLetter.failed_at).limit(limit)
    if program_id is not None:
        letters = letters.where(DeadLetter.program_id == program_id)
    if letter_ids is not None:
        letters = letters.where(DeadLetter.id.in_(letter_ids))
    if until is not None:
        letters = letters.where(DeadLetter.failed_at <= until)
    return list(session.scalars(letters.with_for_update(skip_locked=True) if locked else letters))


def dead_letter_count(session: Session) -> int:
    """How many events were put aside and not stored since."""
    return session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) or 0
