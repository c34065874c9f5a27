"""Cohorts of whole programs, kept between the hours at which they are counted: a page reads two rows instead of a year of orders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports import cohorts, grids
from affiliate.reports.cohort_metrics import Cohort, Kind
from affiliate.reports.written_models import CountedGrid


def shown(session: Session, *, program: Program, kind: Kind, now: datetime) -> tuple[list[Cohort], datetime]:
    """The cohorts of a program, and when they were counted; a small program that was never counted is counted now.

    Raises:
        NotCounted: a large one.
    """
    row = grids.kept(session, program_id=program.id, kind=kind.value)
    if row is not None:
        return cohorts.from_document(row.grid), row.computed_at
    return fresh(session, program=program, kind=kind, now=now), now


def fresh(session: Session, *, program: Program, kind: Kind, now: datetime) -> list[Cohort]:
    """The cohorts of a program, counted now."""
    here = {"program_id": program.id, "currency": program.currency, "zone": program.time_zone}
    return cohorts.counted(session, kind, now=now, **here)  # type: ignore[arg-type] # one dictionary of two kinds


def stale(session: Session, *, now: datetime, limit: int) -> list[tuple[UUID, Kind]]:
    """What was not counted for an hour, or never."""
    found = [(one, kind) for kind in Kind for one in grids.stale(session, kind=kind.value, now=now, limit=limit)]
    return found[:limit]


def grid_of(session: Session, *, program_id: UUID, kind: Kind, now: datetime) -> CountedGrid:
    """The cohorts of a program as they are now, not stored yet."""
    program = session.get_one(Program, program_id)
    found = fresh(session, program=program, kind=kind, now=now)
    return CountedGrid(program_id=program_id, kind=kind.value, grid=cohorts.as_document(found), computed_at=now)
