"""Writes of clicks: rows once, repeats found, and the hourly counts moved for what was really inserted. Called by `service`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest import bulk, clickrules, queries
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.models import Click
from affiliate.tracking.codec import ClickEvent

Row = dict[str, Any]

CLICKS_IN_HAND = "clicks"
"""What a transaction announces that stores clicks and then looks for the orders they reach."""


class _Hour(NamedTuple):
    """What a row of the hourly counts counts."""

    program_id: UUID
    partner_id: UUID
    link_id: UUID
    hour: datetime
    verdict: ClickVerdict


def store(session: Session, *, events: Sequence[ClickEvent], now: datetime) -> list[Row]:
    """Store what is new of these clicks, and give it.

    1. Insert each click with the verdict it deserves by itself; what is stored already is left out of all that follows.
    2. Count the inserted ones. On PostgreSQL this queues batches that touch the same link and hour one behind the other,
    3. so that each then sees the other's clicks when it looks for repeats. A repeat moves from one count to the other.

    It is announced, so that an order that arrives meanwhile is not judged before these clicks can be seen.
    """
    if events:
        db.announce(session, CLICKS_IN_HAND)
    rows = {event.click_id: _row(event, now=now) for event in events}
    inserted = bulk.insert_new_clicks(session, [rows[click_id] for click_id in sorted(rows, key=_number)])
    new = [rows[click_id] for click_id in rows if click_id in inserted]
    _move_hours(session, Counter(_hour(row, row["verdict"]) for row in new if _counts(row)))
    _mark_repeats(session, [row for row in new if row["verdict"] == ClickVerdict.VALID])
    return new


def _counts(row: Row) -> bool:
    """Whether the click is one of somebody; those of the installation itself are in no figure."""
    return row["verdict"] is not ClickVerdict.TEST


def _number(identifier: UUID) -> int:
    return identifier.int  # a UUID compares many times slower than its number


def _row(event: ClickEvent, *, now: datetime) -> Row:
    row = {name: getattr(event, name) for name in _COPIED}
    return row | {"id": event.click_id, "received_at": now, "verdict": clickrules.verdict(event, now=now)}


_COPIED = (
    *("program_id", "partner_id", "link_id", "occurred_at", "source", "visitor_id", "subs", "landing_url", "referrer"),
    *("user_agent", "address_prefix", "address_hash"),
)


def _hour(row: Row, verdict: ClickVerdict) -> _Hour:
    hour = row["occurred_at"].replace(minute=0, second=0, microsecond=0)
    return _Hour(row["program_id"], row["partner_id"], row["link_id"], hour, verdict)


def _mark_repeats(session: Session, clicks: list[Row]) -> None:
    """Find the repeats among these and the clicks stored around them, and move them to the other count."""
    if not clicks:
        return
    found = clickrules.repeats(queries.arrivals_repeated(session, clicks=clicks))
    if not found:
        return
    table = Click.metadata.tables[Click.__tablename__]
    moved = session.execute(
        sa.update(table)
        .where(table.c.id.in_(found), table.c.verdict == ClickVerdict.VALID)
        .values(verdict=ClickVerdict.DUPLICATE)
        .returning(table.c.program_id, table.c.partner_id, table.c.link_id, table.c.occurred_at)
    )
    deltas: Counter[_Hour] = Counter()
    for row in moved.mappings():
        deltas[_hour(dict(row), ClickVerdict.VALID)] -= 1
        deltas[_hour(dict(row), ClickVerdict.DUPLICATE)] += 1
    _move_hours(session, deltas)


def _move_hours(session: Session, deltas: Counter[_Hour]) -> None:
    keys = sorted(deltas, key=lambda key: (key.link_id.int, key.hour, key.verdict))
    bulk.add_click_hours(session, [key._asdict() | {"clicks": deltas[key]} for key in keys])
