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
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest import bulk
from affiliate.ingest.day_models import DayPart
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import day_queries, periods, stretches
from affiliate.reports.day_models import CountedDay, CountedSpan, PartnerClickDay, PartnerSaleDay, PartnerSpan
from affiliate.reports.periods import Period, Span
from affiliate.reports.stretches import Covered, Days

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TABLES: dict[DayPart, Any] = {DayPart.CLICKS: PartnerClickDay, DayPart.SALES: PartnerSaleDay}
NUMBERS: dict[DayPart, tuple[str, ...]] = {
    DayPart.CLICKS: ("raw", "valid"),
    DayPart.SALES: ("conversions", "revenue", "earned", "reversed", "new", "known"),
}
"""What is added up of the clicks and of the sales of a day."""
USUAL = (Span.WEEK, Span.MONTH, Span.QUARTER, Span.THIS_MONTH, Span.LAST_MONTH)
"""What pages offer by one press, and are opened with."""
READ_FOR = timedelta(minutes=10)
"""How long a span stays after nobody begins to read it: whoever has begun may read it by another statement."""
_EVERY = tuple(name for names in NUMBERS.values() for name in names)
_KEY = ("program_id", "first", "until", "partner_id")
_KEY_TYPES: tuple[Any, ...] = (sa.Uuid(), sa.Date(), sa.Date())
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
    there = {(row.program_id, row.first, row.until) for row in session.execute(_spans()) if row.forgotten_at is None}
    missing = [
        SpanDue(program.id, days)
        for program in _programs(session)
        for days in sorted(usual(now=now, zone=program.time_zone) | {*_weeks(since, now.date())}, reverse=True)
        if days[0] >= program.created_at.date() and (program.id, *days) not in there
    ]
    stored = _stored(session, missing)
    return [one for one in missing if stored.get(one.program_id, set()).issuperset(_each(one.days))][:limit]


def count(session: Session, *, due: SpanDue, now: datetime) -> bool:
    """Add the days up; False, and nothing written, if somebody else has meanwhile."""
    _lock(session, due.program_id)
    first, until = due.days
    key = {"program_id": due.program_id, "first": first, "until": until}
    if not db.insert_missing(session, CountedSpan, [key | {"counted_at": now}]):
        again = sa.update(CountedSpan).where(*_of(CountedSpan, due), CountedSpan.forgotten_at.is_not(None))
        return bool(_changed(session, again.values(forgotten_at=None)))  # it has moved with its days all the time
    rows = added_up(program_id=due.program_id, found=_in_others(session, due))
    rows = rows.order_by(rows.selected_columns.partner_id)  # read one after the other, they are on few pages
    columns = [sa.literal(value, kind).label(name) for (name, value), kind in zip(key.items(), _KEY_TYPES, strict=True)]
    named = [*key, *rows.selected_columns.keys()]
    session.execute(sa.insert(PartnerSpan).from_select(named, rows.with_only_columns(*columns, *rows.selected_columns)))
    return True


def forget(session: Session, *, now: datetime, limit: int) -> int:
    """Let nobody begin to read what was usual once and is neither that nor a week any more; take away what nobody reads since; gives how many."""
    kept = {program.id: usual(now=now, zone=program.time_zone) for program in _programs(session)}
    outdated = [
        (SpanDue(row.program_id, (row.first, row.until)), row.forgotten_at)
        for row in session.execute(_spans())
        if not _is_week((row.first, row.until)) and (row.first, row.until) not in kept.get(row.program_id, set())
    ]
    for one, forgotten_at in outdated[:limit]:
        _lock(session, one.program_id)
        if forgotten_at is None:
            change = sa.update(CountedSpan).where(*_of(CountedSpan, one))
            session.execute(change.values(forgotten_at=now), execution_options={"synchronize_session": False})
        elif forgotten_at < now - READ_FOR:
            for table in (PartnerSpan, CountedSpan):
                session.execute(sa.delete(table).where(*_of(table, one)))
    return len(outdated[:limit])


def added_up(*, program_id: UUID, found: Covered) -> sa.Select[Any]:
    """Rows of a partner and its sums, as stored days and the spans that are among them give them."""
    parts = [day_queries.in_spans(program_id, found.spans, _EVERY)] if found.spans else []
    for part, table in TABLES.items():
        numbers = [getattr(table, name) if name in NUMBERS[part] else sa.literal(0).label(name) for name in _EVERY]
        here = (table.program_id == program_id, day_queries.on(table.day, found.days))
        parts.append(sa.select(table.partner_id, *numbers).where(*here))
    both = sa.union_all(*parts).subquery()
    sums = [sa.cast(sa.func.sum(both.c[name]), getattr(PartnerSpan, name).type).label(name) for name in _EVERY]
    any_of_it = sa.or_(*(sa.func.sum(both.c[name]) != 0 for name in _EVERY))
    return sa.select(both.c.partner_id, *sums).group_by(both.c.partner_id).having(any_of_it)


def before(session: Session, *, program_id: UUID, part: DayPart, day: date) -> tuple[Sequence[Days], list[Row]]:
    """The spans that a day is in, which nobody adds up until this transaction ends; and the rows of the day as they are stored, if there are any spans."""
    _lock(session, program_id)
    here = (CountedSpan.program_id == program_id, CountedSpan.first <= day, CountedSpan.until > day)
    spans = [(row.first, row.until) for row in session.execute(_spans().where(*here))]
    table = TABLES[part]
    columns = [table.partner_id, *(getattr(table, name) for name in NUMBERS[part])]
    mine = sa.select(*columns).where(table.program_id == program_id, table.day == day)
    return spans, [dict(row) for row in session.execute(mine).mappings()] if spans else []


def move(session: Session, *, program_id: UUID, part: DayPart, spans: Sequence[Days], rows: Sequence[Row]) -> None:
    """Add these differences to all of these spans, by one statement."""
    if not spans or not rows:
        return
    names, table = NUMBERS[part], PartnerSpan
    told = ({"partner_id": row["partner_id"].hex} | {name: row[name] for name in names} for row in rows)
    numbers: dict[str, Any] = {name: getattr(table, name).type for name in names}
    moved = db.rows_of(session, "moved", told, partner_id=sa.Uuid(), **numbers)
    ends = ({"first": first, "until": until} for first, until in spans)
    span = db.rows_of(session, "span", ends, first=sa.Date(), until=sa.Date())
    others = [name for name in _EVERY if name not in names]
    key = (sa.literal(program_id, sa.Uuid), span.c.first, span.c.until, moved.c.partner_id)
    every = sa.select(*key, *(moved.c[name] for name in names), *(sa.literal(0) for _name in others))
    # With a condition: SQLite would read that of the conflict as one of the join.
    found = every.select_from(span.join(moved, sa.true())).where(sa.true())
    named = [*_KEY, *names, *others]
    insert = db.insert_into(session, table)
    sums = {name: getattr(table, name) + insert.excluded[name] for name in names}
    session.execute(insert.from_select(named, found).on_conflict_do_update(index_elements=_KEY, set_=sums))


def differences(part: DayPart, *, before: Iterable[Row], after: Iterable[Row]) -> list[Row]:
    """By how much the numbers of each partner are others after than before, where they are. Pure."""
    was, now = ({row["partner_id"]: row for row in rows} for rows in (before, after))
    names = NUMBERS[part]
    found = (
        {"partner_id": one}
        | {name: int(now.get(one, {}).get(name, 0)) - int(was.get(one, {}).get(name, 0)) for name in names}
        for one in sorted(was.keys() | now.keys())
    )
    return [row for row in found if any(row[name] for name in names)]


def _lock(session: Session, program_id: UUID) -> None:
    bulk.lock(session, bulk.Lock.SPANS, {program_id.int})


def _in_others(session: Session, due: SpanDue) -> Covered:
    """The days with the longest spans among them that are added up already: a quarter has fewer rows by weeks."""
    mine = _spans().where(CountedSpan.program_id == due.program_id)
    spans = {(row.first, row.until) for row in session.execute(mine)} - {due.days}
    return stretches.with_spans([Covered([due.days], [])], spans=spans)[0]


def _programs(session: Session) -> Sequence[Any]:
    """Those that have begun and are looked at: id, time zone, when they were made."""
    begun = sa.select(Program.id, Program.time_zone, Program.created_at).order_by(Program.id)
    return session.execute(begun.where(Program.status != ProgramStatus.DRAFT, Program.archived_at.is_(None))).all()


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
    return sa.select(CountedSpan.program_id, CountedSpan.first, CountedSpan.until, CountedSpan.forgotten_at)


def _of(table: Any, one: SpanDue) -> tuple[sa.ColumnElement[bool], ...]:
    return table.program_id == one.program_id, table.first == one.days[0], table.until == one.days[1]


def _changed(session: Session, change: sa.Update) -> int:
    result = session.execute(change, execution_options={"synchronize_session": False})
    return int(getattr(result, "rowcount", 0))


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
