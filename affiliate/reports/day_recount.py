"""Recounting: the sums of counted days, spans and devices held against the rows themselves, and every place where the two do not agree."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.ingest import partitions
from affiliate.ingest.changed_days import utc_day
from affiliate.ingest.clickrules import RETENTION
from affiliate.ingest.day_models import DayPart
from affiliate.ingest.models import Click
from affiliate.reports import activity, day_counting, day_queries, landings, span_counting, stretches
from affiliate.reports.day_counting import Due
from affiliate.reports.day_models import CountedDay, CountedSpan, PartnerActiveMonth, PartnerSpan
from affiliate.reports.landing_models import DeviceHour
from affiliate.reports.periods import Period
from affiliate.reports.queries import earned_in
from affiliate.reports.stretches import Covered

_PLACE = ("program_id", "day", "first", "until")
_KEYS = ("partner_id", "kind", "label")
_NOTHING = "nothing"
Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class DayDifference:
    """Sums of a counted day, span or hour that are others than those of what it was counted from."""

    table: str
    key: str
    counted: str
    found: str


def recount(session: Session, *, limit: int, now: datetime) -> list[DayDifference]:
    """Count every day again of whose months all clicks are kept, their hours by device, and every span; at most so many differences.

    What waits to be counted is passed over, and days with sales by clicks that are past their term: nobody can tell these
    any more what they were counted by. A reading transaction is one moment.
    """
    since = partitions.month_of(now - RETENTION, later=1).date()
    every = itertools.chain(_of_days(session, since), _of_spans(session), _of_devices(session, since))
    return list(itertools.islice(every, limit))


def _of_days(session: Session, since: date) -> Iterator[DayDifference]:
    columns = (CountedDay.program_id, CountedDay.part, CountedDay.day, CountedDay.until)
    days = sa.select(*columns).where(CountedDay.day >= since)
    for row in session.execute(days.order_by(CountedDay.day.desc())).all():
        due = Due(*row)
        if _stands(session, due) and not _lacks_clicks(session, due):
            yield from _differences(session, due)


def _of_spans(session: Session) -> Iterator[DayDifference]:
    """Spans say what the stored days of theirs say, whether these stand or not."""
    for span in session.scalars(sa.select(CountedSpan).order_by(CountedSpan.until.desc(), CountedSpan.first)).all():
        mine = (PartnerSpan.program_id == span.program_id, PartnerSpan.first == span.first)
        stored = session.execute(
            sa.select(PartnerSpan.__table__).where(*mine, PartnerSpan.until == span.until)
        ).mappings()
        fresh = span_counting.added_up(program_id=span.program_id, found=Covered([(span.first, span.until)], []))
        name = f"program={span.program_id} days={span.first}..{span.until}"
        yield from _compared(PartnerSpan, name, stored, session.execute(fresh).mappings())


def _of_devices(session: Session, since: date) -> Iterator[DayDifference]:
    day = utc_day(session, DeviceHour.hour).label("day")
    there = sa.select(DeviceHour.program_id, day).where(DeviceHour.hour >= stretches.begin(since)).distinct()
    for program_id, of_day in session.execute(there.order_by(day.desc(), DeviceHour.program_id)).all():
        ends_at = stretches.begin(of_day + day_counting.DAY)
        stretch = landings.Stretch(program_id, stretches.begin(of_day), ends_at)
        for hour, device, verdict, counted, found in landings.wrong_devices(session, stretch=stretch):
            name = f"program={program_id} hour={hour:%Y-%m-%dT%HZ} device={device} verdict={verdict}"
            yield DayDifference(DeviceHour.__tablename__, name, f"clicks={counted}", f"clicks={found}")


def _stands(session: Session, due: Due) -> bool:
    """Whether pages add up its sums; if not, it waits to be counted."""
    starts_at, ends_at = stretches.begin(due.day), stretches.begin(due.day + day_counting.DAY)
    whole: dict[str, Any] = {"program_id": due.program_id, "starts_at": starts_at, "ends_at": ends_at}
    if due.part is DayPart.CLICKS:
        return bool(day_queries.clicks(session, **whole).days)
    return bool(day_queries.sales(session, **whole, currency=None).days and day_queries.visits(session, **whole).days)


def _lacks_clicks(session: Session, due: Due) -> bool:
    """Whether an order of the day was brought by a click of a month before, and that click is gone."""
    if due.part is DayPart.CLICKS:
        return False
    of_day = (Commission.program_id == due.program_id, *earned_in(Period(due.day, due.day + day_counting.DAY, "UTC")))
    gone = sa.and_(Commission.click_id.is_not(None), ~sa.exists().where(Click.id == Commission.click_id))
    return session.scalar(sa.select(Commission.id).where(*of_day, gone).limit(1)) is not None


def _differences(session: Session, due: Due) -> Iterator[DayDifference]:
    fresh = day_counting.count(session, due=due)
    for table in day_counting.TABLES[due.part]:
        of_day = (table.program_id == due.program_id, table.day == due.day)
        stored = session.execute(sa.select(table.__table__).where(*of_day)).mappings()
        counted = fresh.rows.get(table, ()) if fresh else ()
        yield from _compared(table, f"program={due.program_id} day={due.day}", stored, counted)
    for partner_id in activity.wrong(session, program_id=due.program_id, part=due.part, day=due.day):
        name = f"program={due.program_id} day={due.day} partner_id={partner_id}"
        yield DayDifference(PartnerActiveMonth.__tablename__, name, f"other {due.part} than its sums", "the sums")


def _compared(table: Any, name: str, stored: Iterable[Row], counted: Iterable[Row]) -> Iterator[DayDifference]:
    ours, theirs = ({_key(row): _numbers(row) for row in rows} for rows in (stored, counted))
    for key in sorted(ours.keys() | theirs.keys()):
        told = ours.get(key, _NOTHING), theirs.get(key, _NOTHING)
        if told[0] != told[1]:
            yield DayDifference(table.__tablename__, f"{name} {key}", *told)


def _key(row: Row) -> str:
    return " ".join(f"{name}={row[name]}" for name in _KEYS if name in row)


def _numbers(row: Row) -> str:
    told = {name: value for name, value in row.items() if name not in (*_PLACE, *_KEYS) and value}
    return " ".join(f"{name}={value}" for name, value in sorted(told.items())) or _NOTHING
