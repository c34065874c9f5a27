"""Counting the sums of UTC days: read at one moment, which holds nobody up, then saved in a short transaction.

What changed before that moment is in the sums, and its notes go with them; what changes later leaves a note of its own, and the
day is read as it is until it is counted again. A killed count leaves nothing; of two at once, one gives way.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission
from affiliate.ingest.changed_days import utc_day
from affiliate.ingest.day_models import ChangedDay, DayPart, Doubt
from affiliate.ingest.models import Conversion
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import (
    activity,
    day_queries,
    funnel_queries,
    goods_queries,
    products,
    queries,
    reaching,
    span_counting,
    statuses,
    stretches,
)
from affiliate.reports.day_models import (
    CountedDay,
    LabelKind,
    LabelSaleDay,
    PartnerClickDay,
    PartnerItemDay,
    PartnerSaleDay,
    ShopKind,
    ShopSaleDay,
)
from affiliate.reports.day_queries import QUARTER_SECONDS
from affiliate.reports.metrics import Facts

DAY = timedelta(days=1)
SETTLED = timedelta(minutes=5)
"""How long after an hour its sales are counted: those of its end arrive a little later, and each would put it in doubt."""
AGAIN_AFTER = timedelta(minutes=2)
"""How long today's sales are left in doubt: each refund and approval of the day puts them there, and they are counted as a whole."""
_HOUR_SECONDS = 3_600
TABLES: dict[DayPart, tuple[Any, ...]] = {
    DayPart.CLICKS: (PartnerClickDay,),
    DayPart.SALES: (PartnerSaleDay, PartnerItemDay, LabelSaleDay, ShopSaleDay),
}
_DOUBTS: dict[DayPart, tuple[Doubt, ...]] = {
    DayPart.CLICKS: (Doubt.CLICKS,),
    DayPart.SALES: (Doubt.SALES, Doubt.VISITS),
}
_NOTES_AT_ONCE = 10_000  # a day may have one for each order, and SQLite takes a bounded number of values
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Due:
    """A part of a program's UTC day that has no sums, or none that hold."""

    program_id: UUID
    part: DayPart
    day: date
    until: datetime
    """The end of the day, or of its last hour that is over: up to there it is counted."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a day counts, as it was at one moment: `rows` by table, the notes that these take into account, the version before."""

    due: Due
    currency: str
    clicks: int
    rows: dict[type[Any], list[Row]]
    notes: Sequence[int]
    version: int | None


def due(session: Session, *, since: date, now: datetime, limit: int) -> list[Due]:
    """The days from `since` on that are to be counted, and today up to the hour: at most so many, the newest first."""
    today = now.date()
    standing = (
        sa.select(
            CountedDay.program_id,
            CountedDay.part,
            CountedDay.day,
            CountedDay.until,
            CountedDay.clicks,
            CountedDay.counted_at,
        )
        .join(Program, Program.id == CountedDay.program_id)
        .where(CountedDay.currency == Program.currency)
    )
    counted = {
        tuple(key): (until, clicks, counted_at)
        for *key, until, clicks, counted_at in session.execute(
            standing.where(CountedDay.day >= since, CountedDay.day <= today)
        )
    }
    changed = _changed(session, since, today)
    clicked = _clicked(session, since, _hour(now))
    noted_of: dict[UUID, set[date]] = defaultdict(set)  # of orders from before the program was here, too
    for program_id, _part, day in changed:
        noted_of[program_id].add(day)
    found = [
        Due(program_id, part, day, end)
        for program_id, first in _programs(session)
        for part in DayPart
        for day in {*_days(max(first, since), today + DAY), *noted_of[program_id]}
        if (end := _end(part, day, now)) is not None
        and (
            (stands := counted.get((program_id, part, day))) is None
            or stands[0] < end
            or (
                changed.get((program_id, part, day), end) < end
                and (day < today or part is DayPart.CLICKS or stands[2] <= now - AGAIN_AFTER)
            )
            or (part is DayPart.CLICKS and stands[1] != clicked.get((program_id, day), 0))
        )
    ]
    found.sort(key=lambda one: (one.day, one.part, one.program_id), reverse=True)
    return found[:limit]


def _changed(session: Session, since: date, today: date) -> dict[tuple[UUID, DayPart, date], datetime]:
    """From which moment on a part of a day is in doubt. Today's visits are left alone until the hour is over: each order touches them."""
    key = (ChangedDay.program_id, ChangedDay.part, ChangedDay.day)
    late = sa.or_(ChangedDay.day < today, ChangedDay.part != Doubt.VISITS)
    noted = sa.select(*key, sa.func.min(ChangedDay.moment)).group_by(*key)
    found: dict[tuple[UUID, DayPart, date], datetime] = {}
    for program_id, doubt, day, moment in session.execute(noted.where(ChangedDay.day.between(since, today), late)):
        part = next(part for part, doubts in _DOUBTS.items() if doubt in doubts)
        found[program_id, part, day] = min(moment, found.get((program_id, part, day), moment))
    return found


def _programs(session: Session) -> list[tuple[UUID, date]]:
    """Those that have begun, with the day on which they did."""
    begun = sa.select(Program.id, Program.created_at).where(Program.status != ProgramStatus.DRAFT)
    return [(program_id, made_at.date()) for program_id, made_at in session.execute(begun)]


def _days(first: date, until: date) -> Iterator[date]:
    while first < until:
        yield first
        first += DAY


def _end(part: DayPart, day: date, now: datetime) -> datetime | None:
    """Up to when a day can be counted; null for the beginning of today."""
    if day < now.date():
        return stretches.begin(day + DAY)
    until = _hour(now if part is DayPart.CLICKS else now - SETTLED)
    return until if until > stretches.begin(day) else None


def _hour(now: datetime) -> datetime:
    """The beginning of the hour, which is the end of the last one that is over."""
    return now.replace(minute=0, second=0, microsecond=0)


def _clicked(session: Session, since: date, end: datetime) -> dict[tuple[UUID, date], int]:
    day = utc_day(session, ProgramClickHour.hour).label("day")
    here = (ProgramClickHour.hour >= stretches.begin(since), ProgramClickHour.hour < end)
    sums = sa.select(ProgramClickHour.program_id, day, sa.func.sum(ProgramClickHour.clicks)).where(*here)
    rows = session.execute(sums.group_by(ProgramClickHour.program_id, day))
    return {(program_id, of_day): int(clicks) for program_id, of_day, clicks in rows}


def count(session: Session, *, due: Due) -> Counted | None:
    """What the day counts at this moment, which is that of the reading transaction; null if its program is gone."""
    program = session.get(Program, due.program_id)
    if program is None:
        return None
    doubted = ChangedDay.part.in_(_DOUBTS[due.part])
    mine = (ChangedDay.program_id == due.program_id, doubted, ChangedDay.day == due.day)
    notes = session.scalars(sa.select(ChangedDay.id).where(*mine)).all()
    stands = session.get(CountedDay, (due.program_id, due.part, due.day))
    clicks = _clicked_on(session, due) if due.part is DayPart.CLICKS else 0
    rows = {table: found for table, found in _sums(session, due, program.currency).items() if found}
    return Counted(due, program.currency, clicks, rows, notes, stands.version if stands else None)


def _clicked_on(session: Session, due: Due) -> int:
    clicks = sa.select(sa.func.sum(ProgramClickHour.clicks)).where(*_hours(ProgramClickHour, due))
    return int(session.scalar(clicks) or 0)


def _hours(rollup: Any, due: Due) -> tuple[sa.ColumnElement[bool], ...]:
    return rollup.program_id == due.program_id, rollup.hour >= stretches.begin(due.day), rollup.hour < due.until


def _sums(session: Session, due: Due, currency: str) -> dict[type[Any], list[Row]]:
    if due.part is DayPart.CLICKS:
        sums = sa.select(PartnerClickHour.partner_id, *queries.raw_and_valid(PartnerClickHour))
        rows = session.execute(sums.where(*_hours(PartnerClickHour, due)).group_by(PartnerClickHour.partner_id))
        return {PartnerClickDay: [dict(zip(("partner_id", "raw", "valid"), row, strict=True)) for row in rows]}
    sales = session.execute(products.sales(due.program_id, _times(due))).all()
    return {
        PartnerSaleDay: _by_partner(session, due, currency),
        PartnerItemDay: _items_by_partner(sales, currency),
        LabelSaleDay: _by_label(session, due, currency, sales),
        ShopSaleDay: _of_shop(session, due, currency, sales),
    }


_SOLD = ("conversions", "revenue", "earned", "reversed", "new", "known")
_VISITS = ("visits", "kept", "waiting")
_NOTHING: Row = dict.fromkeys((*_SOLD, *_VISITS), 0)


def _by_partner(session: Session, due: Due, currency: str) -> list[Row]:
    key = Commission.partner_id
    sales = queries.with_customers(queries.sales_of(key, due.program_id, None, currency))
    visits = funnel_queries.sold_by(key, funnel_queries.Visits(due.program_id), _times(due))
    found = _joined(session.execute(sales.where(_earned(due)).group_by(key)), session.execute(visits))
    return [{"partner_id": partner_id} | sums for partner_id, sums in found.items()]


def _by_label(session: Session, due: Due, currency: str, sales: Sequence[Any]) -> list[Row]:
    found = {LabelKind.QUARTER: _by_quarter(session, due, currency)}
    found |= {
        kind: _in_all(session, due, currency, kind) for kind in (LabelKind.ALL, LabelKind.NEW, LabelKind.SUBSCRIBED)
    }
    by_origin: dict[LabelKind, Any] = {
        LabelKind.COUNTRY: Commission.country,
        LabelKind.DEVICE: Commission.device,
        LabelKind.REFERRER: Commission.referrer_host,
        LabelKind.CREATIVE: Commission.creative,
        LabelKind.COUPON: Commission.coupon_id,
    }
    for kind, label in by_origin.items():
        of_label = queries.sales_of(label.label("label"), due.program_id, None, currency)
        sold = of_label.where(_earned(due))
        visits = kind in {LabelKind.DEVICE, LabelKind.REFERRER}
        of_visits = funnel_queries.sold_by(label, funnel_queries.Visits(due.program_id), _times(due))
        rows = session.execute(sold.group_by(label))
        found[kind] = _joined(rows, session.execute(of_visits) if visits else ())
    found[LabelKind.STATUS] = _by_status(session, due)
    for kind, by in ((LabelKind.SKU, products.SKU), (LabelKind.CATEGORY, products.CATEGORY)):
        found[kind] = _by_item(sales, currency, by)
    return [
        {"kind": kind, "label": _text(label)} | sums for kind, labels in found.items() for label, sums in labels.items()
    ]


def _by_status(session: Session, due: Due) -> dict[Any, Row]:
    live = statuses.rows(Commission.program_id == due.program_id, _earned(due))
    return {
        statuses.label(status, currency): _NOTHING | {"conversions": int(number), "earned": int(left)}
        for status, currency, number, left in session.execute(live)
    }


def _in_all(session: Session, due: Due, currency: str, kind: LabelKind) -> dict[Any, Row]:
    sales = queries.sales_of(sa.literal("").label("label"), due.program_id, None, currency)
    condition = reaching.NARROWED.get(kind)
    if condition is not None:
        sales = sales.join(Conversion, Conversion.id == Commission.conversion_id).where(condition)
    sold = queries.with_customers(sales).where(_earned(due))
    if kind is not LabelKind.ALL:
        return {label: row for label, row in _joined(session.execute(sold), ()).items() if any(row.values())}
    every = funnel_queries.sold_by(sa.literal(""), funnel_queries.Visits(due.program_id), _times(due))
    return _joined(session.execute(sold), session.execute(every))


def _by_quarter(session: Session, due: Due, currency: str) -> dict[Any, Row]:
    epoch = sa.extract("epoch", Commission.earned_at)
    quarter = (epoch - epoch % QUARTER_SECONDS).label("quarter")
    sales = queries.with_customers(queries.sales_of(quarter, due.program_id, None, currency))
    rows = session.execute(sales.where(_earned(due)).group_by(quarter))
    visited = sa.extract("epoch", Commission.clicked_at)
    visits = session.execute(
        funnel_queries.sold_by(visited - visited % _HOUR_SECONDS, funnel_queries.Visits(due.program_id), _times(due))
    )
    return _joined(*(((int(second), *sums) for second, *sums in found) for found in (rows, visits)))


def _by_item(sales: Sequence[Any], currency: str, by: str) -> dict[Any, Row]:
    found = products.summed(sales, by=by, currency=currency)
    return {label: _NOTHING | _sold(facts) for label, facts in found.items()}


def _sold(facts: Facts) -> Row:
    return {
        "conversions": facts.conversions, "revenue": facts.revenue_minor, "earned": facts.earned_minor,
        "reversed": facts.reversed_minor,
    }  # fmt: skip


def _items_by_partner(sales: Sequence[Any], currency: str) -> list[Row]:
    of_partner: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in sales:
        of_partner[row.partner_id].append(row)
    return [
        {"partner_id": partner_id, "kind": kind, "label": label} | _sold(facts)
        for partner_id, mine in of_partner.items()
        for kind, by in ((ShopKind.SKU, products.SKU), (ShopKind.CATEGORY, products.CATEGORY))
        for label, facts in products.summed(mine, by=by, currency=currency).items()
    ]


def _of_shop(session: Session, due: Due, currency: str, sales: Sequence[Any]) -> list[Row]:
    kinds = ((ShopKind.SKU, products.SKU), (ShopKind.CATEGORY, products.CATEGORY))
    lost = goods_queries.lost_of(session, sales)
    rows = [
        {
            "kind": kind, "label": label, "name": good.name, "orders": good.orders, "pieces": good.pieces,
            "revenue": good.revenue_minor, "earned": good.earned_minor, "back": good.back_minor, "back_orders": good.back_orders,
        }
        for kind, by in kinds
        for label, good in goods_queries.summed(sales, by=by, currency=currency, lost=lost).items()
    ]  # fmt: skip
    sold_at = goods_queries.sold_at(due.program_id, _times(due), currency)
    pages = goods_queries.by_page(session.execute(sold_at)).items()
    nothing = {"name": "", "pieces": 0, "earned": 0, "back": 0, "back_orders": 0}
    return rows + [
        nothing | {"kind": ShopKind.PAGE, "label": page, "orders": orders, "revenue": minor}
        for page, (orders, minor) in pages
    ]


def _joined(sales: Any, visits: Any) -> dict[Any, Row]:
    """Sums of sales and of visits under their common keys."""
    found: dict[Any, Row] = {}
    for names, rows in ((_SOLD, sales), (_VISITS, visits)):
        for key, *sums in rows:
            told = dict(zip(names, map(int, sums), strict=False))
            found[key] = found.get(key, _NOTHING) | told
    return found


def _text(label: Any) -> str:
    return "" if label is None else label.hex if isinstance(label, UUID) else str(label)


def _times(due: Due) -> list[stretches.Stretch]:
    return [(stretches.begin(due.day), due.until)]


def _earned(due: Due) -> sa.ColumnElement[bool]:
    return day_queries.within(Commission.earned_at, _times(due))


def save(session: Session, *, counted: Counted, now: datetime) -> bool:
    """Put the sums in the place of those before; False, and nothing written, if somebody else has counted the day meanwhile."""
    due = counted.due
    if not _claim(session, counted, now):
        return False
    place: dict[str, Any] = {"program_id": due.program_id, "part": due.part}
    spans, before = span_counting.before(session, **place, day=due.day)
    for table in TABLES[due.part]:
        session.execute(sa.delete(table).where(table.program_id == due.program_id, table.day == due.day))
        rows = [{"program_id": due.program_id, "day": due.day} | row for row in counted.rows.get(table, ())]
        rows.sort(key=_place)  # as their keys lie: read one after the other, they are on few pages
        if rows:
            session.execute(sa.insert(table), rows)
    after = counted.rows.get(span_counting.TABLES[due.part], ())
    moved = span_counting.differences(due.part, before=before, after=after) if spans else []
    span_counting.move(session, **place, spans=spans, rows=moved)
    activity.keep(session, program_id=due.program_id, part=due.part, day=due.day)
    for start in range(0, len(counted.notes), _NOTES_AT_ONCE):
        some = counted.notes[start : start + _NOTES_AT_ONCE]
        session.execute(sa.delete(ChangedDay).where(db.among(session, ChangedDay.id, some)))
    return True


def _place(row: Row) -> list[str]:
    return [str(row[name]) for name in ("partner_id", "kind", "label") if name in row]


def _claim(session: Session, counted: Counted, now: datetime) -> bool:
    due = counted.due
    values = {"currency": counted.currency, "until": due.until, "clicks": counted.clicks, "counted_at": now}
    key = {"program_id": due.program_id, "part": due.part, "day": due.day}
    if counted.version is None:
        return db.insert_missing(session, CountedDay, [key | values | {"version": 1}]) == 1
    mine = (CountedDay.program_id == due.program_id, CountedDay.part == due.part, CountedDay.day == due.day)
    change = sa.update(CountedDay).where(*mine, CountedDay.version == counted.version)
    result = session.execute(
        change.values(values | {"version": counted.version + 1}), execution_options={"synchronize_session": False}
    )
    return bool(getattr(result, "rowcount", 0))
