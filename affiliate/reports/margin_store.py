"""Margins of months, kept between their counts: this month and the last are counted hourly, older ones daily."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import grids, margin_rules, margins
from affiliate.reports.customers import months_back
from affiliate.reports.margin_rules import Margin
from affiliate.reports.periods import Period
from affiliate.reports.written_models import CountedGrid

MONTHS = 12
FRESH_MONTHS = 2
FIRST_MAX = 500
"""How many partners a page, a mail or a shared page shows at most."""
_SUMMARY = " sum"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def months(program: Program, *, now: datetime) -> list[date]:
    """The first days of the last twelve months of the program's calendar, the present one first."""
    days = months_back(MONTHS, now=now, zone=program.time_zone).days
    return [day for day in reversed(days) if day.day == 1]


def shown(session: Session, *, program: Program, month: date, now: datetime) -> tuple[dict[UUID, Margin], datetime]:
    """What a month left by partner, and when that was counted; of a small program what was never counted is counted now.

    Raises:
        NotCounted: of a large one it is not.
    """
    row = grids.kept(session, program_id=program.id, kind=_key(month))
    if row is None:
        return _counted(session, program, month), now
    return _margins(row.grid), row.computed_at


@dataclass(frozen=True, slots=True)
class Summary:
    """A month in all, those partners that sold most in their order, and how many there are."""

    total: Margin
    first: Mapping[UUID, Margin]
    partners: int


def summed(session: Session, *, program: Program, month: date, now: datetime) -> tuple[Summary, datetime]:
    """A month as its page shows it: not all of ten thousand partners are read for it.

    Raises:
        NotCounted: as of `shown`.
    """
    row = session.get(CountedGrid, (program.id, _key(month, _SUMMARY)))
    if row is None:
        found, computed_at = shown(session, program=program, month=month, now=now)
        return _summary(found), computed_at
    first = dict(in_order(_margins(row.grid["first"])))  # documents keep no order of their names
    return Summary(Margin(**row.grid["total"]), first, row.grid["partners"]), row.computed_at


def in_order(found: Mapping[UUID, Margin]) -> list[tuple[UUID, Margin]]:
    """Those partners first that sold most."""
    return sorted(found.items(), key=lambda pair: (-pair[1].net_minor, pair[0]))


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


def grids_of(session: Session, *, program_id: UUID, month: date, now: datetime) -> list[CountedGrid]:
    """A month as it is now, not stored yet: by partner, and in sum."""
    found = _counted(session, session.get_one(Program, program_id), month)
    summary = _summary(found)
    document = {"total": asdict(summary.total), "first": _document(summary.first), "partners": summary.partners}
    return [
        CountedGrid(program_id=program_id, kind=_key(month), grid=_document(found), computed_at=now),
        CountedGrid(program_id=program_id, kind=_key(month, _SUMMARY), grid=document, computed_at=now),
    ]


def of_month(month: date, *, zone: str) -> Period:
    """The days of a month."""
    return Period(month, (month.replace(day=28) + timedelta(days=4)).replace(day=1), zone)


def _counted(session: Session, program: Program, month: date) -> dict[UUID, Margin]:
    period = of_month(month, zone=program.time_zone)
    return margins.by_partner(session, program_id=program.id, period=period, currency=program.currency)


def _summary(found: Mapping[UUID, Margin]) -> Summary:
    return Summary(margin_rules.total(found.values()), dict(in_order(found)[:FIRST_MAX]), len(found))


def _document(found: Mapping[UUID, Margin]) -> dict[str, Any]:
    return {str(partner): asdict(sums) for partner, sums in found.items()}


def _margins(document: Mapping[str, Any]) -> dict[UUID, Margin]:
    return {UUID(partner): Margin(**sums) for partner, sums in document.items()}


def _key(month: date, what: str = "") -> str:
    return f"{margins.STORED} {month:%Y-%m}{what}"
