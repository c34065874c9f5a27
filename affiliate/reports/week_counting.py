"""Adding up the sums of a program's days by weeks, by partner: a page of a month reads a third of the rows.

A week stands as long as its days do, and their versions have the sum that they had: whatever changes a day leaves its week behind,
and nobody has to say so.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest.day_models import ChangedDay, DayPart
from affiliate.reports import stretches
from affiliate.reports.day_models import (
    CountedDay,
    CountedWeek,
    PartnerClickDay,
    PartnerClickWeek,
    PartnerSaleDay,
    PartnerSaleWeek,
)

DAY, WEEK = timedelta(days=1), timedelta(days=7)
REST = timedelta(minutes=10)
"""How long a week is left alone after it was added up: in a large program some day of it changes all the time."""
TABLES: dict[DayPart, tuple[Any, Any]] = {
    DayPart.CLICKS: (PartnerClickDay, PartnerClickWeek),
    DayPart.SALES: (PartnerSaleDay, PartnerSaleWeek),
}
_KEY = frozenset({"program_id", "first", "partner_id"})


@dataclass(frozen=True, slots=True)
class WeekDue:
    """A part of a program's week, by its Monday; the sum of its days' versions; what it was when the week was added up, null for never."""

    program_id: UUID
    part: DayPart
    first: date
    versions: int
    before: int | None


def due(session: Session, *, since: date, now: datetime, limit: int) -> list[WeekDue]:
    """Weeks that began on `since` or later, of which all days stand and that are not added up as they are now: the newest first."""
    changed = sa.exists().where(
        ChangedDay.program_id == CountedDay.program_id, ChangedDay.part == CountedDay.part, ChangedDay.day == CountedDay.day
    )  # fmt: skip
    columns = (CountedDay.program_id, CountedDay.part, CountedDay.day, CountedDay.until, CountedDay.version)
    versions: dict[tuple[UUID, DayPart, date], list[int]] = defaultdict(list)
    for program_id, part, day, until, version in session.execute(
        sa.select(*columns).where(CountedDay.day >= since, ~changed)
    ):
        if until == stretches.begin(day + DAY):  # today is not over
            versions[program_id, part, day - day.weekday() * DAY].append(version)
    weeks = sa.select(CountedWeek).where(CountedWeek.first >= since)
    stands = {(one.program_id, one.part, one.first): one for one in session.scalars(weeks)}
    found = [
        WeekDue(*key, sum(days), stands[key].versions if key in stands else None)
        for key, days in versions.items()
        if len(days) == WEEK // DAY
        and (key not in stands or (stands[key].versions != sum(days) and stands[key].counted_at <= now - REST))
    ]
    return sorted(found, key=lambda one: (one.first, one.part, one.program_id), reverse=True)[:limit]


def count(session: Session, *, due: WeekDue, now: datetime) -> bool:
    """Put the sums of the days in the place of those before; False, and nothing written, if somebody else has meanwhile.

    The versions were read before the rows: if a day was counted in between, the week does not stand, and is due again.
    """
    if not _claim(session, due, now):
        return False
    _days, weeks = TABLES[due.part]
    session.execute(sa.delete(weeks).where(weeks.program_id == due.program_id, weeks.first == due.first))
    rows = added_up(part=due.part, program_id=due.program_id, first=due.first)
    session.execute(sa.insert(weeks).from_select(rows.selected_columns.keys(), rows))
    return True


def added_up(*, part: DayPart, program_id: UUID, first: date) -> sa.Select[Any]:
    """The rows of a week as its days give them, with the columns of its table."""
    days, weeks = TABLES[part]
    names = [column.name for column in weeks.__table__.columns if column.name not in _KEY]
    sums = (sa.cast(sa.func.sum(getattr(days, name)), getattr(weeks, name).type).label(name) for name in names)
    head = (sa.literal(program_id, sa.Uuid).label("program_id"), sa.literal(first, sa.Date).label("first"))
    here = (days.program_id == program_id, days.day >= first, days.day < first + WEEK)
    return sa.select(*head, days.partner_id, *sums).where(*here).group_by(days.partner_id)


def _claim(session: Session, due: WeekDue, now: datetime) -> bool:
    key = {"program_id": due.program_id, "part": due.part, "first": due.first}
    values = {"versions": due.versions, "counted_at": now}
    if due.before is None:
        return db.insert_missing(session, CountedWeek, [key | values]) == 1
    mine = (CountedWeek.program_id == due.program_id, CountedWeek.part == due.part, CountedWeek.first == due.first)
    change = sa.update(CountedWeek).where(*mine, CountedWeek.versions == due.before).values(values)
    result = session.execute(change, execution_options={"synchronize_session": False})
    return bool(getattr(result, "rowcount", 0))
