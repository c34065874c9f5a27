"""Margins of months, kept between their counts: this month and the last are counted hourly, older ones daily."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import margins
from affiliate.reports.customers import months_back
from affiliate.reports.margin_rules import Margin
from affiliate.reports.periods import Period
from affiliate.reports.written_models import CountedGrid

MONTHS = 12
FRESH_MONTHS = 2
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def months(program: Program, *, now: datetime) -> list[date]:
    """The first days of the last twelve months of the program's calendar, the present one first."""
    days = months_back(MONTHS, now=now, zone=program.time_zone).days
    return [day for day in reversed(days) if day.day == 1]


def shown(session: Session, *, program: Program, month: date, now: datetime) -> tuple[dict[UUID, Margin], datetime]:
    """What a month left by partner, and when that was counted; what was never counted is counted now."""
    row = session.get(CountedGrid, (program.id, _key(month)))
    if row is None:
        return _counted(session, program, month), now
    return {UUID(partner): Margin(**sums) for partner, sums in row.grid.items()}, row.computed_at


def stale(session: Session, *, now: datetime, limit: int) -> list[tuple[UUID, date]]:
    """The months that were counted too long ago, or never, the newest first: also of paused programs. Drafts have none."""
    begun = sa.select(Program).where(Program.status != ProgramStatus.DRAFT).order_by(Program.id)
    known = sa.select(CountedGrid.program_id, CountedGrid.kind, CountedGrid.computed_at)
    counted = {(program_id, kind): at for program_id, kind, at in session.execute(known)}
    due = [
        (place, program.id, month)
        for program in session.scalars(begun)
        for place, month in enumerate(months(program, now=now))
        if (at := counted.get((program.id, _key(month)))) is None or at < now - (_HOUR if place < FRESH_MONTHS else _DAY)
    ]  # fmt: skip
    return [(program_id, month) for _place, program_id, month in sorted(due)[:limit]]


def grid_of(session: Session, *, program_id: UUID, month: date, now: datetime) -> CountedGrid:
    """A month as it is now, not stored yet."""
    found = _counted(session, session.get_one(Program, program_id), month)
    grid = {str(partner): asdict(sums) for partner, sums in found.items()}
    return CountedGrid(program_id=program_id, kind=_key(month), grid=grid, computed_at=now)


def of_month(month: date, *, zone: str) -> Period:
    """The days of a month."""
    return Period(month, (month.replace(day=28) + timedelta(days=4)).replace(day=1), zone)


def _counted(session: Session, program: Program, month: date) -> dict[UUID, Margin]:
    period = of_month(month, zone=program.time_zone)
    return margins.by_partner(session, program_id=program.id, period=period, currency=program.currency)


def _key(month: date) -> str:
    return f"{margins.STORED} {month:%Y-%m}"
