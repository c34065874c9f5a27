"""Noting that what was counted on some UTC days is no longer so, in the transaction of the change: their sums are counted anew."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest.day_models import ChangedDay, DayPart


def note_clicks(session: Session, days: Collection[tuple[UUID, date]]) -> None:
    """Note that clicks of these days of programs have moved from one verdict to another. New ones show by their number."""
    if days:
        rows = [{"program_id": program_id, "part": DayPart.CLICKS, "day": day} for program_id, day in sorted(days)]
        session.execute(sa.insert(ChangedDay), rows)


def note_sales(session: Session, *days: sa.Select[Any]) -> None:
    """Note that sales have changed: rows of a program and a `utc_day` each, of all these statements in one trip."""
    found = sa.union(*days).subquery()
    program_id, day = found.c
    rows = sa.select(program_id, sa.literal(DayPart.SALES.value, sa.String), day)
    session.execute(sa.insert(ChangedDay).from_select(["program_id", "part", "day"], rows))


def utc_day(session: Session, moment: Any) -> Any:
    """The UTC day of an instant, in the words of the database."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.type_coerce(sa.func.date(moment), sa.Date)
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date)
