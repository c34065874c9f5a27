"""Cohorts of whole programs, kept between the hours at which they are counted: a page reads two rows instead of a year of orders."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import cohorts
from affiliate.reports.cohort_metrics import Cohort, Kind
from affiliate.reports.written_models import CountedGrid

COUNT_EVERY = timedelta(hours=1)


def shown(session: Session, *, program: Program, kind: Kind, now: datetime) -> tuple[list[Cohort], datetime]:
    """The cohorts of a program, and when they were counted; a program that was never counted is counted now."""
    row = session.get(CountedGrid, (program.id, kind.value))
    if row is not None:
        return cohorts.from_document(row.grid), row.computed_at
    return fresh(session, program=program, kind=kind, now=now), now


def fresh(session: Session, *, program: Program, kind: Kind, now: datetime) -> list[Cohort]:
    """The cohorts of a program, counted now."""
    here = {"program_id": program.id, "currency": program.currency, "zone": program.time_zone}
    return cohorts.counted(session, kind, now=now, **here)  # type: ignore[arg-type] # one dictionary of two kinds


def stale(session: Session, *, now: datetime, limit: int) -> list[tuple[UUID, Kind]]:
    """What was not counted for an hour, or never: also of paused programs, whose orders still come back. Drafts have none."""
    found: list[tuple[UUID, Kind]] = []
    for kind in Kind:
        due = sa.or_(CountedGrid.computed_at.is_(None), CountedGrid.computed_at < now - COUNT_EVERY)
        mine = sa.and_(CountedGrid.program_id == Program.id, CountedGrid.kind == kind.value)
        rows = sa.select(Program.id).outerjoin(CountedGrid, mine).where(Program.status != ProgramStatus.DRAFT, due)
        found += [(program_id, kind) for program_id in session.scalars(rows.order_by(Program.id).limit(limit))]
    return found[:limit]


def grid_of(session: Session, *, program_id: UUID, kind: Kind, now: datetime) -> CountedGrid:
    """The cohorts of a program as they are now, not stored yet."""
    program = session.get_one(Program, program_id)
    found = fresh(session, program=program, kind=kind, now=now)
    return CountedGrid(program_id=program_id, kind=kind.value, grid=cohorts.as_document(found), computed_at=now)


def keep(session: Session, *, grid: CountedGrid) -> None:
    """Store cohorts in the place of the ones before."""
    session.merge(grid)
