"""How many partners were active in the last days, kept between the hours at which it is counted: for goals that are offered, which are rounded anyway."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.programs.models import GoalMetric, Program
from affiliate.reports import grids, periods, reaching
from affiliate.reports.written_models import CountedGrid

DAYS = 90
KIND = "active partners"


def shown(session: Session, *, program: Program, now: datetime) -> int:
    """The partners with a valid click or a sale in the last whole days; of a small program that was never counted as they are now.

    Raises:
        NotCounted: a large one.
    """
    row = grids.kept(session, program_id=program.id, kind=KIND)
    return _counted(session, program, now) if row is None else int(row.grid["partners"])


def stale(session: Session, *, now: datetime, limit: int) -> list[UUID]:
    """The programs that were not counted for an hour, or never."""
    return grids.stale(session, kind=KIND, now=now, limit=limit)


def grid_of(session: Session, *, program_id: UUID, now: datetime) -> CountedGrid:
    """The number of a program as it is now, not stored yet."""
    partners = _counted(session, session.get_one(Program, program_id), now)
    return CountedGrid(program_id=program_id, kind=KIND, grid={"partners": partners}, computed_at=now)


def _counted(session: Session, program: Program, now: datetime) -> int:
    until_today = periods.last_days(DAYS + 1, now=now, zone=program.time_zone)
    days = periods.Period(until_today.first, until_today.days[-1], program.time_zone)
    asked = reaching.Measure(GoalMetric.ACTIVE_PARTNERS, program.id, days, program.currency)
    return reaching.reached(session, measures=[asked])[0].value
