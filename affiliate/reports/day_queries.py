"""Which sums of UTC days stand, and the conditions that let a page add these up and read the rest as it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.db import UtcDateTime
from affiliate.ingest.changed_days import utc_day
from affiliate.ingest.day_models import ChangedDay, DayPart, Doubt
from affiliate.ingest.rollup_models import ProgramClickHour
from affiliate.reports import stretches
from affiliate.reports.day_models import (
    CountedDay,
    CountedSpan,
    LabelKind,
    LabelSaleDay,
    PartnerClickDay,
    PartnerItemDay,
    PartnerSaleDay,
    PartnerSpan,
    ShopKind,
    ShopSaleDay,
)
from affiliate.reports.periods import Period
from affiliate.reports.stretches import Covered, Days, Stretch

_Until = dict[DayPart, dict[date, datetime]]
QUARTER_SECONDS = 900
_SOLD = ("conversions", "revenue", "earned", "reversed")
_CUSTOMERS = ("new", "known")
_VISITS = ("visits", "kept", "waiting")
_OF_SHOP = ("orders", "pieces", "revenue", "earned", "back", "back_orders")
_DAY = timedelta(days=1)
_ALWAYS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def sales(
    session: Session, *, program_id: UUID, currency: str | None, starts_at: datetime, ends_at: datetime
) -> Covered:
    """The days between two instants whose sales stand counted (in this currency, if amounts matter), and the rest."""
    counted = _standing(DayPart.SALES, program_id, starts_at, ends_at)
    if currency is not None:
        counted = counted.where(CountedDay.currency == currency)
    return stretches.covered(starts_at, ends_at, counted={row.day: row.until for row in session.execute(counted)})


def sales_widened(
    session: Session, *, program_id: UUID, currency: str, starts_at: datetime, ends_at: datetime
) -> Covered:
    """`sales` with whole days at the ends of the period of which it holds more than half; what is outside of it is `over`."""
    counted = _standing(DayPart.SALES, program_id, starts_at, ends_at).where(CountedDay.currency == currency)
    return stretches.widened(starts_at, ends_at, counted={row.day: row.until for row in session.execute(counted)})


def sales_of_spans(session: Session, *, program_id: UUID, currency: str, spans: Sequence[Stretch]) -> list[Covered]:
    """`sales` of each of several spans, in their order, by one statement over all of their days."""
    if not spans:
        return []
    first, last = min(start for start, _end in spans), max(end for _start, end in spans)
    counted = _standing(DayPart.SALES, program_id, first, last).where(CountedDay.currency == currency)
    until = {row.day: row.until for row in session.execute(counted)}
    return [stretches.covered(start, end, counted=until) for start, end in spans]


def counted_sales(session: Session, *, program_id: UUID) -> list[tuple[date, date]]:
    """All days of a program whose sales stand counted, in whatever currency: from one up to, not including, another."""
    standing = _standing(DayPart.SALES, program_id, *_ALWAYS)
    whole = (row.day for row in session.execute(standing) if row.until == stretches.begin(row.day + _DAY))
    return stretches.side_by_side(whole)


def visits(session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime) -> Covered:
    """The days between two instants of whose visits it stands counted which were sold to, in whatever currency, and the rest."""
    counted = _visited(session, program_id, starts_at, ends_at)
    return stretches.covered(starts_at, ends_at, counted=counted)


def visits_by_hours(
    session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime
) -> tuple[Covered, Sequence[datetime]]:
    """The same, and single hours of counted days at the ends of the period, which is one of whole hours."""
    return visits_of_periods(session, program_id=program_id, periods=[(starts_at, ends_at)])[0]


def visits_of_periods(
    session: Session, *, program_id: UUID, periods: Sequence[Stretch]
) -> list[tuple[Covered, Sequence[datetime]]]:
    """The same of each of several periods, in their order, by one statement over all of their days."""
    first, last = min(start for start, _end in periods), max(end for _start, end in periods)
    counted = _visited(session, program_id, first, last)
    return [_by_hours(start, end, counted) for start, end in periods]


def _by_hours(
    starts_at: datetime, ends_at: datetime, counted: Mapping[date, datetime]
) -> tuple[Covered, Sequence[datetime]]:
    found = stretches.covered(starts_at, ends_at, counted=counted)
    hours, rest = stretches.hours(found.rest, counted=counted)
    return Covered(found.days, rest), hours


def _visited(session: Session, program_id: UUID, starts_at: datetime, ends_at: datetime) -> dict[date, datetime]:
    standing = _standing(DayPart.SALES, program_id, starts_at, ends_at, doubt=Doubt.VISITS)
    return {row.day: row.until for row in session.execute(standing)}


def clicks(session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime) -> Covered:
    """The days between two instants whose clicks by partner stand counted, and the rest. New clicks show by their number."""
    parts = {DayPart.CLICKS: _clicked(session, program_id, starts_at, ends_at)}
    until, _spans = _standing_of(session, parts, program_id, starts_at, ends_at)
    return stretches.covered(starts_at, ends_at, counted=until[DayPart.CLICKS])


def both_of_periods(
    session: Session, *, program_id: UUID, currency: str, periods: Sequence[Stretch]
) -> list[tuple[Covered, Covered]]:
    """`sales` and `clicks` by partner of each of several periods, in their order, by one statement over all of their days."""
    first, last = min(start for start, _end in periods), max(end for _start, end in periods)
    until, _spans = _of_both(session, program_id, currency, first, last)
    of_sales, of_clicks = until.values()
    return [
        (stretches.covered(start, end, counted=of_sales), stretches.covered(start, end, counted=of_clicks))
        for start, end in periods
    ]


def both_in_spans(
    session: Session, *, program_id: UUID, currency: str, starts_at: datetime, ends_at: datetime
) -> tuple[Covered, Covered]:
    """The same of one period in spans, with whole days at the ends as `sales_widened` has them: what these say too much is told, and to be taken off."""
    of_sales, of_clicks = _in_spans(*_of_both(session, program_id, currency, starts_at, ends_at), starts_at, ends_at)
    return of_sales, of_clicks


def sales_in_spans(
    session: Session, *, program_id: UUID, currency: str, starts_at: datetime, ends_at: datetime
) -> Covered:
    """The same of sales alone."""
    return sales_of_periods_in_spans(session, program_id=program_id, currency=currency, periods=[(starts_at, ends_at)])[
        0
    ]


def sales_of_periods_in_spans(
    session: Session, *, program_id: UUID, currency: str, periods: Sequence[Stretch]
) -> list[Covered]:
    """The same of each of several periods, in their order, by one statement over all of their days."""
    first, last = min(start for start, _end in periods), max(end for _start, end in periods)
    of_sales = _standing(DayPart.SALES, program_id, first, last).where(CountedDay.currency == currency)
    until, spans = _standing_of(session, {DayPart.SALES: of_sales}, program_id, first, last)
    return [_in_spans(until, spans, start, end)[0] for start, end in periods]


def clicks_in_spans(session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime) -> Covered:
    """The same of clicks alone."""
    parts = {DayPart.CLICKS: _clicked(session, program_id, starts_at, ends_at)}
    return _in_spans(*_standing_of(session, parts, program_id, starts_at, ends_at), starts_at, ends_at)[0]


def _in_spans(until: _Until, spans: Sequence[Days], starts_at: datetime, ends_at: datetime) -> list[Covered]:
    found = [stretches.widened(starts_at, ends_at, counted=days) for days in until.values()]
    return stretches.with_spans(found, spans=spans)


def _of_both(
    session: Session, program_id: UUID, currency: str, starts_at: datetime, ends_at: datetime
) -> tuple[_Until, list[Days]]:
    of_sales = _standing(DayPart.SALES, program_id, starts_at, ends_at).where(CountedDay.currency == currency)
    parts = {DayPart.SALES: of_sales, DayPart.CLICKS: _clicked(session, program_id, starts_at, ends_at)}
    return _standing_of(session, parts, program_id, starts_at, ends_at)


def _standing_of(
    session: Session, parts: Mapping[DayPart, sa.Select[Any]], program_id: UUID, starts_at: datetime, ends_at: datetime
) -> tuple[_Until, list[Days]]:
    """Up to when each day of each part stands, in their order, and the spans between two instants, in one trip."""
    no_instant, no_day = sa.cast(sa.null(), UtcDateTime), sa.cast(sa.null(), sa.Date)
    rows: list[sa.Select[Any]] = [
        sa.select(sa.literal(part.value, sa.String), days.c.day, days.c.until, no_day.label("end"))
        for part, days in ((part, found.subquery()) for part, found in parts.items())
    ]
    day = timedelta(days=1)  # the whole of one that the period cuts may be taken
    mine = (CountedSpan.program_id == program_id, CountedSpan.forgotten_at.is_(None))
    here = (*mine, CountedSpan.first >= starts_at.date())
    spans: sa.Select[*tuple[Any, ...]] = sa.select(
        sa.literal("", sa.String), CountedSpan.first, no_instant, CountedSpan.until
    )
    rows.append(spans.where(*here, CountedSpan.until <= ends_at.date() + day))
    until: _Until = {part: {} for part in parts}
    found: list[Days] = []
    for part, first, standing, end in session.execute(sa.union_all(*rows)):
        if part:
            until[DayPart(part)][first] = standing
        else:
            found.append((first, end))
    return until, found


def _clicked(session: Session, program_id: UUID, starts_at: datetime, ends_at: datetime) -> sa.Select[Any]:
    """The days whose clicks stand counted, and of which there are no more clicks by now."""
    counted = _standing(DayPart.CLICKS, program_id, starts_at, ends_at).subquery()
    day = utc_day(session, ProgramClickHour.hour).label("day")
    # Only the last day may be counted in part: up to there the others are over.
    latest = sa.select(sa.func.max(counted.c.until)).scalar_subquery()
    here = (
        ProgramClickHour.program_id == program_id,
        ProgramClickHour.hour >= stretches.begin(starts_at.date()),  # whole days, also those that the period cuts
        ProgramClickHour.hour < stretches.begin(ends_at.date() + timedelta(days=1)),
    )
    number = sa.func.sum(ProgramClickHour.clicks)
    clicked = (
        sa.select(day, number.label("clicks")).where(*here, ProgramClickHour.hour < latest).group_by(day).subquery()
    )
    # A day without any click has no rows: it is not counted as standing then.
    same = sa.and_(clicked.c.day == counted.c.day, clicked.c.clicks == counted.c.clicks)
    return sa.select(counted).join(clicked, same)


def _standing(
    part: DayPart, program_id: UUID, starts_at: datetime, ends_at: datetime, *, doubt: Doubt | None = None
) -> sa.Select[*tuple[Any, ...]]:
    """Days of which this part stands counted; `doubt`: what of it matters, if it is not that which the part is called by."""
    mine = (ChangedDay.program_id == program_id, ChangedDay.part == (doubt or Doubt(part.value)))
    changed = sa.exists().where(*mine, ChangedDay.day == CountedDay.day, ChangedDay.moment < CountedDay.until)
    here = (CountedDay.program_id == program_id, CountedDay.part == part, ~changed)
    within = (CountedDay.day >= starts_at.date(), CountedDay.day <= ends_at.date())
    columns = (CountedDay.day, CountedDay.until, CountedDay.clicks)
    return sa.select(*columns).where(*here, *within)


def by_quarters(period: Period) -> bool:
    """Whether each day of the period begins at a quarter of an hour, as in every zone of our days."""
    starts = (Period(day, day + timedelta(days=1), period.zone).starts_at for day in period.days)
    return all(not moment.timestamp() % QUARTER_SECONDS for moment in starts)


def within(column: Any, rest: Sequence[Stretch]) -> sa.ColumnElement[bool]:
    """Whether an instant is in one of the stretches."""
    return sa.or_(sa.false(), *(sa.and_(column >= start, column < end) for start, end in rest))


def outside(column: Any, days: Sequence[tuple[date, date]]) -> sa.ColumnElement[bool]:
    """Whether an instant is on none of these days, which follow one another."""
    if not days:
        return sa.true()
    starts, ends = ([stretches.begin(day) for day in some] for some in zip(*days, strict=True))
    between = within(column, list(zip(ends, starts[1:], strict=False)))
    return sa.or_(column < starts[0], between, column >= ends[-1])


def on(column: Any, days: Sequence[tuple[date, date]]) -> sa.ColumnElement[bool]:
    """Whether a day is among these."""
    return sa.or_(sa.false(), *(sa.and_(column >= first, column < end) for first, end in days))


def in_spans(program_id: UUID, spans: Sequence[Days], names: Sequence[str]) -> sa.Select[Any]:
    """Rows of a partner and these of its numbers in a span. Not summed."""
    table = PartnerSpan
    ends = (sa.and_(table.first == first, table.until == until) for first, until in spans)
    here = (table.program_id == program_id, sa.or_(sa.false(), *ends))
    return sa.select(table.partner_id, *(getattr(table, name) for name in names)).where(*here)


def sold_by_partner(program_id: UUID, days: Sequence[Days], names: Sequence[str]) -> sa.Select[Any]:
    """Rows of a partner and these numbers of what it sold on a counted day, as `with_customers` has them. Not summed."""
    table = PartnerSaleDay
    here = (table.program_id == program_id, on(table.day, days), _has_sold(table))
    return sa.select(table.partner_id, *(getattr(table, name) for name in names)).where(*here)


def sold_on(program_id: UUID, partner_id: UUID, day: Any) -> sa.Select[Any]:
    """What one partner sold on a counted day, as `with_customers` has it, with the new and the known customers last."""
    table = PartnerSaleDay
    mine = (table.program_id == program_id, table.partner_id == partner_id, table.day == day)
    return sa.select(*(getattr(table, name) for name in (*_SOLD, *_CUSTOMERS))).where(*mine)


def visits_by_partner(program_id: UUID, found: Covered) -> sa.Select[Any]:
    """Rows of a partner and the visits of a counted day that were sold to. Not summed."""
    table = PartnerSaleDay
    columns = [getattr(table, name) for name in _VISITS]
    return sa.select(table.partner_id, *columns).where(table.program_id == program_id, on(table.day, found.days))


def clicked_by_partner(program_id: UUID, days: Sequence[Days], names: Sequence[str]) -> sa.Select[Any]:
    """Rows of a partner and these numbers of its clicks on a counted day. Not summed."""
    table = PartnerClickDay
    here = (table.program_id == program_id, on(table.day, days))
    return sa.select(table.partner_id, *(getattr(table, name) for name in names)).where(*here)


def sold_by_label(program_id: UUID, kind: LabelKind, found: Covered) -> sa.Select[Any]:
    """Rows of a label and what was sold on the counted days, summed."""
    return _of_label(program_id, kind, found, _SOLD).where(_has_sold(LabelSaleDay)).group_by(LabelSaleDay.label)


def sold_by_quarter(program_id: UUID, found: Covered) -> sa.Select[Any]:
    """Rows of a quarter of an hour and what was sold in it, as `with_customers` has them. Each is there once: nothing is summed."""
    table = LabelSaleDay
    columns = [getattr(table, name) for name in (*_SOLD, *_CUSTOMERS)]
    here = (
        table.program_id == program_id,
        table.kind == LabelKind.QUARTER,
        on(table.day, found.days),
        _has_sold(table),
    )
    return sa.select(table.label, *columns).where(*here)


def _has_sold(table: Any) -> Any:
    """Not a row that is there for its visits alone, whose orders are of other days: who sold nothing has no line."""
    return table.conversions > 0


def visits_in_all(program_id: UUID, found: Covered, *, device: str | None, source: str | None) -> sa.Select[Any]:
    """One row: the visits of the counted days that were sold to, of a device or a source if asked."""
    kind, label = LabelKind.ALL, ""
    if source is not None:
        kind, label = LabelKind.REFERRER, source
    elif device is not None:
        kind, label = LabelKind.DEVICE, device
    rows = _of_label(program_id, kind, found, _VISITS).with_only_columns(
        *(sa.func.sum(getattr(LabelSaleDay, name)).label(name) for name in _VISITS)
    )
    return rows.where(LabelSaleDay.label == label)


def visits_of_hours(program_id: UUID, hours: Sequence[datetime]) -> sa.Select[Any]:
    """One row: the visits of these hours of counted days that were sold to. They stand at the quarter with which their hour begins."""
    table = LabelSaleDay
    of_hours = (table.day.in_({at.date() for at in hours}), table.label.in_([str(int(at.timestamp())) for at in hours]))
    here = (table.program_id == program_id, table.kind == LabelKind.QUARTER, *of_hours)
    return sa.select(*(sa.func.sum(getattr(table, name)).label(name) for name in _VISITS)).where(*here)


def sold_in_all(program_id: UUID, kind: LabelKind, found: Covered) -> sa.Select[Any]:
    """One row: orders, revenue, earnings and reversals of the counted days; nulls where there are none."""
    table = LabelSaleDay
    here = (table.program_id == program_id, table.kind == kind, on(table.day, found.days))
    return sa.select(*(sa.func.sum(getattr(table, name)).label(name) for name in _SOLD)).where(*here)


def sold_in_shop(program_id: UUID, kind: ShopKind, found: Covered) -> sa.Select[Any]:
    """Rows of a product, category or page, what was sold of it on the counted days, summed, and the newest day that tells its name."""
    table = ShopSaleDay
    sums = [sa.func.sum(getattr(table, name)).label(name) for name in _OF_SHOP]
    named_on = sa.func.max(sa.case((table.name != "", table.day))).label("named_on")
    here = (table.program_id == program_id, table.kind == kind, on(table.day, found.days))
    return sa.select(table.label, named_on, *sums).where(*here).group_by(table.label)


def items_sold(program_id: UUID, partner_id: UUID, kind: ShopKind, found: Covered) -> sa.Select[Any]:
    """Rows of a product or category and what one partner sold of it on the counted days, summed."""
    table = PartnerItemDay
    here = (table.program_id == program_id, table.partner_id == partner_id, table.kind == kind)
    sums = (sa.func.sum(getattr(table, name)) for name in _SOLD)
    return sa.select(table.label, *sums).where(*here, on(table.day, found.days)).group_by(table.label)


def goods_sold(program_id: UUID, kind: ShopKind, found: Covered, *, limit: int) -> sa.Select[Any]:
    """The same of products or categories with their names, at most so many: those with the most revenue."""
    table, sums = ShopSaleDay, sold_in_shop(program_id, kind, found)
    most = sums.order_by(sa.desc("revenue"), table.label).limit(limit).subquery()
    here = (table.program_id == program_id, table.kind == kind)
    named = sa.and_(*here, table.label == most.c.label, table.day == most.c.named_on)
    return sa.select(most, table.name).outerjoin(table, named)


def statuses(program_id: UUID, days: Sequence[tuple[date, date]]) -> sa.Select[*tuple[Any, ...]]:
    """Rows of a status with its currency, how many commissions of these days have it, and what is left of them."""
    table = LabelSaleDay
    here = (table.program_id == program_id, table.kind == LabelKind.STATUS, on(table.day, days))
    sums = sa.select(table.label, sa.func.sum(table.conversions), sa.func.sum(table.earned))
    return sums.where(*here).group_by(table.label)


def _of_label(program_id: UUID, kind: LabelKind, found: Covered, names: Sequence[str]) -> sa.Select[Any]:
    table = LabelSaleDay
    sums = [sa.func.sum(getattr(table, name)).label(name) for name in names]
    here = (table.program_id == program_id, table.kind == kind, on(table.day, found.days))
    return sa.select(table.label.label("label"), *sums).where(*here)
