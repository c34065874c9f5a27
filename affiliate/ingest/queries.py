"""Every SELECT of ingest: what is already known of the things in a batch. Each takes the whole batch at once."""

from collections.abc import Collection, Sequence
from typing import Any
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

Row = dict[str, Any]


def arrivals_repeated(session: Session, *, clicks: Sequence[Row]) -> list[Arrival]:
    """Of the visitors and addresses of these, those seen more than once from a term before the first to a term after the last.

    Almost all are seen once, so the database says first which are not; each half runs over its own index.
    """
    moments = [click["occurred_at"] for click in clicks]
    around = sa.and_(
        Click.occurred_at > min(moments) - REPEAT_TERM,
        Click.occurred_at < max(moments) + REPEAT_TERM,
        Click.verdict.in_(CREDITABLE),
    )
    wanted = []
    for who in (Click.visitor_id, Click.address_hash):
        here = {click[who.key] for click in clicks} - {None}
        counted = sa.select(who).where(db.among(session, who, here), around).group_by(who, Click.link_id)
        if again := set(session.scalars(counted.having(sa.func.count() > 1))) if here else ():
            wanted.append(db.among(session, who, again))
    if not wanted:
        return []
    arrivals = sa.select(
        *(Click.id, Click.link_id, Click.visitor_id, Click.address_hash, Click.user_agent, Click.occurred_at)
    )
    halves = sa.union(*(arrivals.where(half, around) for half in wanted))
    return [Arrival(*row) for row in session.execute(halves)]


def conversions_reached_by(session: Session, *, clicks: Sequence[Row]) -> set[UUID]:
    """The conversions that name one of these clicks, or whose visitor made one of them before the order."""
    if not clicks:
        return set()
    naming = session.scalars(
        sa.select(Conversion.id).where(db.among(session, Conversion.click_id, [click["id"] for click in clicks]))
    )
    first_at: dict[tuple[UUID, UUID], Any] = {}
    for click in sorted(clicks, key=lambda click: click["occurred_at"], reverse=True):
        if click["visitor_id"]:
            first_at[click["program_id"], click["visitor_id"]] = click["occurred_at"]
    if not first_at:
        return set(naming)
    of_visitors = session.execute(
        sa.select(Conversion.id, Conversion.program_id, Conversion.visitor_id, Conversion.occurred_at).where(
            db.among(session, Conversion.visitor_id, {visitor for _, visitor in first_at}),
            Conversion.occurred_at >= min(first_at.values()),
        )
    )
    later = {
        conversion.id
        for conversion in of_visitors
        if (conversion.program_id, conversion.visitor_id) in first_at
        and conversion.occurred_at >= first_at[conversion.program_id, conversion.visitor_id]
    }
    return set(naming) | later


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


def bodies(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """Trust and fingerprint of what is believed of these conversions now."""
    query = sa.select(Conversion.id, Conversion.trust, Conversion.fingerprint)
    rows = session.execute(query.where(db.among(session, Conversion.id, conversion_ids)))
    return {row.id: (row.trust, row.fingerprint) for row in rows}


def fingerprints(
    session: Session, *, table: type[OrderEvent] | type[Refund], row_ids: Collection[UUID]
) -> dict[UUID, str]:
    """The fingerprints of the bodies stored under these ids."""
    return {
        row.id: row.fingerprint
        for row in session.execute(sa.select(table.id, table.fingerprint).where(db.among(session, table.id, row_ids)))
    }


def dead_letters(session: Session, *, limit: int) -> list[DeadLetter]:
    """The oldest events put aside, each locked for whoever replays it."""
    return list(
        session.scalars(
            sa.select(DeadLetter).order_by(DeadLetter.failed_at).limit(limit).with_for_update(skip_locked=True)
        )
    )


def dead_letter_count(session: Session) -> int:
    """How many events were put aside and not stored since."""
    return session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) or 0
