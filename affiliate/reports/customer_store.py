"""New and returning customers of whole programs, kept between the hours at which they are counted: a page reads one row instead of a year of orders."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports import customers, grids
from affiliate.reports.customers import Month
from affiliate.reports.metrics import Facts
from affiliate.reports.written_models import CountedGrid

MONTHS = 12
KINDS = ("new", "returning", "unknown")
KIND = "customers by month"


def shown(session: Session, *, program: Program, now: datetime) -> tuple[list[Month], datetime]:
    """The last twelve months of a program, and when they were counted; a small program that was never counted is counted now.

    Raises:
        NotCounted: a large one.
    """
    row = grids.kept(session, program_id=program.id, kind=KIND)
    if row is None:
        return _counted(session, program, now), now
    return _from_document(row.grid, program.currency), row.computed_at


def stale(session: Session, *, now: datetime, limit: int) -> list[UUID]:
    """The programs that were not counted for an hour, or never."""
    return grids.stale(session, kind=KIND, now=now, limit=limit)


def grid_of(session: Session, *, program_id: UUID, now: datetime) -> CountedGrid:
    """The months of a program as they are now, not stored yet."""
    found = _counted(session, session.get_one(Program, program_id), now)
    return CountedGrid(program_id=program_id, kind=KIND, grid=_as_document(found), computed_at=now)


def _counted(session: Session, program: Program, now: datetime) -> list[Month]:
    period = customers.months_back(MONTHS, now=now, zone=program.time_zone)
    here: dict[str, Any] = {"program_id": program.id, "partner_id": None, "currency": program.currency}
    return customers.by_month(session, period=period, **here)


def _as_document(months: Iterable[Month]) -> dict[str, Any]:
    return {"months": [{"first": one.first.isoformat(), **{kind: _sums(getattr(one, kind)) for kind in KINDS}} for one in months]}  # fmt: skip


def _sums(facts: Facts) -> dict[str, int]:
    """What was counted, without what is nothing: a new sum may join those that are stored."""
    return {name: value for name, value in asdict(facts).items() if value and name != "currency"}


def _from_document(document: dict[str, Any], currency: str) -> list[Month]:
    return [
        Month(date.fromisoformat(one["first"]), **{kind: Facts(currency, **one[kind]) for kind in KINDS})
        for one in document["months"]
    ]
