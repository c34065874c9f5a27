"""Noting that what was counted on some UTC days is no longer so, in the transaction of the change: their sums are counted anew."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest.day_models import ChangedDay, Doubt


def note_clicks(session: Session, days: Collection[tuple[UUID, date]]) -> None:
    """Note that clicks of these days of programs have moved from one verdict to another. New ones show by their number."""
    if days:
        rows = [
            {"program_id": program_id, "part": Doubt.CLICKS, "day": day, "moment": datetime.combine(day, time(), UTC)}
            for program_id, day in sorted(days)
        ]
        session.execute(sa.insert(ChangedDay), rows)


def note_sales(session: Session, moments: Mapping[Doubt, sa.Select[*tuple[Any, ...]]]) -> None:
    """Note that sales have changed: rows of a program and the moment of a sale, or of the visit sold to, of all these statements in one trip.

    Of each day the first moment is noted.
    """
    every = sa.union_all(
        *(rows.add_columns(sa.literal(part.value, sa.String).label("part")) for part, rows in moments.items())
    ).subquery()
    program_id, moment, part = every.c
    day = utc_day(session, moment)
    rows = sa.select(program_id, part, day, sa.func.min(moment)).group_by(program_id, part, day)
    session.execute(sa.insert(ChangedDay).from_select(["program_id", "part", "day", "moment"], rows))


def utc_day(session: Session, moment: Any) -> Any:
    """The UTC day of an instant, in the words of the database."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.type_coerce(sa.func.date(moment), sa.Date)
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date)
