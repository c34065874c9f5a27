"""Segments of customers of whole programs, kept between the hours at which they are counted: a page reads one row instead of all orders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports import grids, segments
from affiliate.reports.segments import Line
from affiliate.reports.written_models import CountedGrid

KIND = "customer segments"


def shown(session: Session, *, program: Program, now: datetime) -> tuple[list[Line], datetime]:
    """The segments of a program, and when they were counted; a small program that was never counted is counted now.

    Raises:
        NotCounted: a large one.
    """
    row = grids.kept(session, program_id=program.id, kind=KIND)
    if row is None:
        return segments.lines(session, program_id=program.id, currency=program.currency, now=now), now
    return segments.from_document(row.grid), row.computed_at


def stale(session: Session, *, now: datetime, limit: int) -> list[UUID]:
    """The programs that were not counted for an hour, or never."""
    return grids.stale(session, kind=KIND, now=now, limit=limit)


def grid_of(session: Session, *, program_id: UUID, now: datetime) -> CountedGrid:
    """The segments of a program as they are now, not stored yet."""
    program = session.get_one(Program, program_id)
    found = segments.lines(session, program_id=program_id, currency=program.currency, now=now)
    return CountedGrid(program_id=program_id, kind=KIND, grid=segments.as_document(found), computed_at=now)
