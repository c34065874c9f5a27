"""Adding up the sums of a program's days by partner: weeks, and the days that pages usually ask for. A month of many partners is one row for each.

A span is added up once. From then on whoever stores a day of it anew moves it by what became of the day, in the same transaction,
so that it always says what the stored days say. Both wait for one another: no day is stored while a span is added up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest import bulk
from affiliate.ingest.day_models import DayPart
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import periods, stretches
from affiliate.reports.day_models import CountedDay, CountedSpan, PartnerClickDay, PartnerSaleDay, PartnerSpan
from affiliate.reports.periods import Period, Span
from affiliate.reports.stretches import Days

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TABLES: dict[DayPart, Any] = {DayPart.CLICKS: PartnerClickDay, DayPart.SALES: PartnerSaleDay}
NUMBERS: dict[DayPart, tuple[str, ...]] = {
    DayPart.CLICKS: ("raw", "valid"),
    DayPart.SALES: ("conversions", "revenue", "earned", "reversed", "new", "known"),
}
"""What is added up of the clicks and of the sales of a day."""
USUAL = (Span.WEEK, Span.MONTH, Span.QUARTER, Span.THIS_MONTH, Span.LAST_MONTH)
"""What pages offer by one press, and are opened with."""
_LOCK = 6  # `activity` has the number before
_AT_ONCE = 500
_EVERY = tuple(name for names in NUMBERS.values() for name in names)
_KEY = ("program_id", "first", "until", "partner_id")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanDue:
    """Days of a program that are to be added up."""

    program_id: UUID
    days: Days


def usual(*, now: datetime, zone: str) -> set[Days]:
    """The whole UTC days before today of what pages usually ask for in a zone, and of as many whole days of the zone before these. Pure."""
    asked = [periods.spanned(span, now=now, zone=zone) for span in USUAL]
    today = periods.last_days(1, now=now, zone=zone).first
    for span in (Span.WEEK, Span.MONTH, Span.QUARTER):  # days that are over, and those before, as watched figures are
        days = periods.spanned(span, now=now, zone=zone).days
        asked.append(Period(today - 2 * len(days) * DAY, today - len(days) * DAY, zone))
    found = (stretches.whole_days(one.starts_at, one.ends_at, until=now.date()) for one in asked)
    return {days for days in found if days is not None and days[1] - days[0] > DAY}


def due(session: Session, *, since: date, now: datetime, limit: int) -> list[SpanDue]:
    """What is not added up yet of the usual days, and of the weeks that began on `since` or later: of which all days are stored, to their end."""
    there = {(row.program_id, row.first, row.until) for row in session.execute(_spans())}
    missing = [
        SpanDue(program_id, days)
        for program_id, zone in _programs(session)
        for days in sorted(usual(now=now, zone=zone) | {*_weeks(since, now.date())}, reverse=True)
        if (program_id, *days) not in there
    ]
    stored = _stored(session, missing)
    return [one for one in missing if stored.get(one.program_id, set()).issuperset(_each(one.days))][:limit]


def outdated(session: Session, *, now: datetime, limit: int) -> list[SpanDue]:
    """What was usual once, and is neither that nor a week any more."""
    kept = {program_id: usual(now=now, zone=zone) for program_id, zone in _programs(session)}
    found = (SpanDue(row.program_id, (row.first, row.until)) for row in session.execute(_spans()))
    return [one for one in found if not _is_week(one.days) and one.days not in kept.get(one.program_id, set())][:limit]


def count(session: Session, *, due: SpanDue, now: datetime) -> bool:
    """Add the days up; False, and nothing written, if somebody else has meanwhile."""
    _lock(session, due.program_id)
    first, until = due.days
    key = {"program_id": due.program_id, "first": first, "until": until}
    if not db.insert_missing(session, CountedSpan, [key | {"counted_at": now}]):
        return False
    rows = added_up(program_id=due.program_id, days=due.days)
    session.execute(sa.insert(PartnerSpan).from_select(rows.selected_columns.keys(), rows))
    return True


def forget(session: Session, *, due: SpanDue) -> None:
    """Take a span away: pages add up what is in it."""
    _lock(session, due.program_id)
    for table in (PartnerSpan, CountedSpan):
        session.execute(sa.delete(table).where(*_of(table, due.program_id, due.days)))


def added_up(*, program_id: UUID, days: Days) -> sa.Select[Any]:
    """The rows of a span as its stored days give them, with the columns of its table."""
    parts = []
    for part, table in TABLES.items():
        numbers = [getattr(table, name) if name in NUMBERS[part] else sa.literal(0).label(name) for name in _EVERY]
        here = (table.program_id == program_id, table.day >= days[0], table.day < days[1])
        parts.append(sa.select(table.partner_id, *numbers).where(*here))
    both = sa.union_all(*parts).subquery()
    sums = [sa.cast(sa.func.sum(both.c[name]), getattr(PartnerSpan, name).type).label(name) for name in _EVERY]
    head = (sa.literal(program_id, sa.Uuid).label("program_id"), *_ends(days))
    any_of_it = sa.or_(*(sa.func.sum(both.c[name]) != 0 for name in _EVERY))
    return sa.select(*head, both.c.partner_id, *sums).group_by(both.c.partner_id).having(any_of_it)


def before(session: Session, *, program_id: UUID, part: DayPart, day: date) -> tuple[Sequence[Days], list[Row]]:
    """The spans that a day is in, which nobody adds up until this transaction ends; and the rows of the day as they are stored, if there are any spans."""
    _lock(session, program_id)
    spans = [(row.first, row.until) for row in session.execute(_spans().where(CountedSpan.program_id == program_id))]
    here = [span for span in spans if span[0] <= day < span[1]]
    table = TABLES[part]
    columns = [table.partner_id, *(getattr(table, name) for name in NUMBERS[part])]
    mine = sa.select(*columns).where(table.program_id == program_id, table.day == day)
    return here, [dict(row) for row in session.execute(mine).mappings()] if here else []


def move(session: Session, *, program_id: UUID, part: DayPart, spans: Sequence[Days], rows: Iterable[Row]) -> None:
    """Add these differences to the spans."""
    table: Any = PartnerSpan
    insert = (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(table)
    sums = {name: getattr(table, name) + insert.excluded[name] for name in NUMBERS[part]}
    adding = insert.on_conflict_do_update(index_elements=_KEY, set_=sums)
    nothing = dict.fromkeys(_EVERY, 0)
    told = [*rows]
    for first, until in spans:
        key = {"program_id": program_id, "first": first, "until": until}
        for start in range(0, len(told), _AT_ONCE):
            session.execute(adding, [nothing | key | row for row in told[start : start + _AT_ONCE]])


def differences(part: DayPart, *, before: Iterable[Row], after: Iterable[Row]) -> list[Row]:
    """By how much the numbers of each partner are others after than before, where they are. Pure."""
    was, now = ({row["partner_id"]: row for row in rows} for rows in (before, after))
    names = NUMBERS[part]
    found = (
        {"partner_id": one} | {name: now.get(one, {}).get(name, 0) - was.get(one, {}).get(name, 0) for name in names}
        for one in sorted(was.keys() | now.keys())
    )
    return [row for row in found if any(row[name] for name in names)]


def _lock(session: Session, program_id: UUID) -> None:
    bulk.lock(session, _LOCK, {program_id.int})


def _programs(session: Session) -> list[tuple[UUID, str]]:
    begun = sa.select(Program.id, Program.time_zone).where(Program.status != ProgramStatus.DRAFT).order_by(Program.id)
    return [(program_id, zone) for program_id, zone in session.execute(begun)]


def _stored(session: Session, missing: Sequence[SpanDue]) -> dict[UUID, set[date]]:
    """The days of these programs of which both parts are stored, to the end of the day."""
    if not missing:
        return {}
    here = (
        db.among(session, CountedDay.program_id, {one.program_id for one in missing}),
        CountedDay.day >= min(one.days[0] for one in missing),
    )
    parts: Counter[tuple[UUID, date]] = Counter()
    for program_id, day, until in session.execute(
        sa.select(CountedDay.program_id, CountedDay.day, CountedDay.until).where(*here)
    ):
        parts[program_id, day] += until == stretches.begin(day + DAY)
    found: dict[UUID, set[date]] = defaultdict(set)
    for (program_id, day), number in parts.items():
        if number == len(DayPart):
            found[program_id].add(day)
    return found


def _spans() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(CountedSpan.program_id, CountedSpan.first, CountedSpan.until)


def _of(table: Any, program_id: UUID, days: Days) -> tuple[sa.ColumnElement[bool], ...]:
    return table.program_id == program_id, table.first == days[0], table.until == days[1]


def _ends(days: Days) -> list[sa.Label[date]]:
    return [sa.literal(day, sa.Date).label(name) for name, day in zip(("first", "until"), days, strict=True)]


def _weeks(since: date, today: date) -> Iterator[Days]:
    """Those that began on this day or later and are over."""
    first = since + (-since.weekday() % 7) * DAY
    while first + WEEK <= today:
        yield first, first + WEEK
        first += WEEK


def _is_week(days: Days) -> bool:
    return days[0].weekday() == 0 and days[1] - days[0] == WEEK


def _each(days: Days) -> Iterator[date]:
    return (days[0] + number * DAY for number in range((days[1] - days[0]).days))
