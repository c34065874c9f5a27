"""Numbers of a program by partner: what each clicked and sold in some days, summed from the days that stand counted and from the rest."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, folding
from affiliate.commissions.models import Commission
from affiliate.ingest.day_models import DayPart
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.reports import activity, day_queries, span_counting, spending
from affiliate.reports.day_models import PartnerSpan
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.queries import raw_and_valid, sales_of, with_customers
from affiliate.reports.service_measures import GRADED
from affiliate.reports.stretches import Covered, Days, Stretch
from affiliate.reports.written_models import ServiceEntry

CLICKED = span_counting.NUMBERS[DayPart.CLICKS]
SOLD = span_counting.NUMBERS[DayPart.SALES]
NUMBERS = (*CLICKED, *SOLD, "grades", "grades_sum", "spent")
"""The columns of a partner's line after its id, name and status."""


Wanted = Callable[[Any], sa.ColumnElement[bool]]
"""Which partners are wanted, as a condition on a column of them."""


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """One partner's line in a program's table."""

    partner_id: UUID
    partner_name: str
    status: EnrollmentStatus
    facts: Facts


def facts_by_partner(
    session: Session,
    *,
    program_id: UUID,
    period: Period,
    currency: str,
    name: str = "",
    statuses: Sequence[EnrollmentStatus] = tuple(EnrollmentStatus),
    which: Sequence[sa.ColumnElement[bool]] = (),
    only: Collection[UUID] | None = None,
    tells_new: bool = True,
    limit: int,
    offset: int = 0,
) -> list[PartnerFacts]:
    """The partners of a program with what each brought in the period, best earner first, as `lines` has them."""
    found = lines(
        session, program_id=program_id, period=period, currency=currency, name=name, statuses=statuses, which=which, only=only,
        tells_new=tells_new,
    ).subquery()  # fmt: skip
    ordered = sa.select(found).order_by(found.c.earned.desc(), found.c.name, found.c.id)
    return [line_of(row, currency) for row in session.execute(ordered.limit(limit).offset(offset))]


def lines(
    session: Session,
    *,
    program_id: UUID,
    period: Period,
    currency: str,
    name: str = "",
    statuses: Sequence[EnrollmentStatus] = tuple(EnrollmentStatus),
    which: Sequence[sa.ColumnElement[bool]] = (),
    only: Collection[UUID] | None = None,
    tells_new: bool = True,
) -> sa.Select[Any]:
    """A row for each partner of a program: id, name, status, and NUMBERS of the period, zero where there is nothing.

    `name` is a part of their name, `which` are further conditions on their enrollment; `only` are the partners wanted: then
    nothing is summed of the others. `tells_new`: whether orders of new and of known customers are counted, which has its price.
    """

    def wanted(column: Any) -> sa.ColumnElement[bool]:
        return sa.true() if only is None else db.among(session, column, only)

    of_sales, of_clicks = _covered(session, program_id, period, currency, is_few=only is not None)
    sold = SOLD if tells_new else SOLD[:-2]
    summed = [
        *_clicks_by(program_id, of_clicks, CLICKED, wanted),
        *_sales_by(program_id, of_sales, currency, sold, wanted),
    ]
    if of_sales.spans:  # of both the same
        summed.append(_of(day_queries.in_spans(program_id, of_sales.spans, (*CLICKED, *sold)), wanted))
    parts = [
        _summed_by_partner((*CLICKED, *SOLD), summed).subquery(),
        _grades(program_id, period).subquery(),
        _spent(program_id, period, currency).subquery(),
    ]
    numbers = [sa.func.coalesce(column, 0).label(column.name) for part in parts for column in list(part.c)[1:]]
    named: tuple[Any, ...] = (Partner.id.label("id"), Partner.name.label("name"), Enrollment.status.label("status"))
    table: sa.Select[Any] = (
        sa.select(*named, *numbers).select_from(Enrollment).join(Partner, Partner.id == Enrollment.partner_id)
    )
    for part in parts:
        table = table.outerjoin(part, part.c.partner_id == Partner.id)
    if name:
        table = table.where(folding.holds(Partner.name, name))
    here = (Enrollment.program_id == program_id, Enrollment.status.in_(statuses), wanted(Enrollment.partner_id))
    return table.where(*here, *which)


def line_of(row: Any, currency: str) -> PartnerFacts:
    """A row of `lines`, perhaps with more columns after it."""
    return PartnerFacts(row.id, row.name, row.status, facts_of(tuple(row)[3 : 3 + len(NUMBERS)], currency))


def facts_of(numbers: Sequence[Any], currency: str) -> Facts:
    """The NUMBERS of a row as facts."""
    raw, valid, conversions, revenue, earned, back, new, known, grades, grades_sum, spent = map(int, numbers)
    return Facts(
        currency, raw, valid, conversions, revenue, earned, back, spent, new, known, grades=grades, grades_sum=grades_sum
    )  # fmt: skip


def _covered(
    session: Session, program_id: UUID, period: Period, currency: str, *, is_few: bool
) -> tuple[Covered, Covered]:
    """What of sales and clicks stands counted; those of a few partners are read by their index."""
    if is_few:
        whole = Covered([], period.stretches)
        return whole, whole
    ends = {"starts_at": period.starts_at, "ends_at": period.ends_at}
    return day_queries.both_in_spans(session, program_id=program_id, currency=currency, **ends)


def _everybody(_column: Any) -> sa.ColumnElement[bool]:
    return sa.true()


def _of(rows: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    return rows.where(wanted(rows.selected_columns[0]))


def clicks_by_partner(session: Session, *, program_id: UUID, period: Period) -> sa.Select[Any]:
    """Rows of a partner, its raw and its valid clicks: of the days that stand counted from these, else by the hour."""
    ends = {"starts_at": period.starts_at, "ends_at": period.ends_at}
    found = day_queries.clicks_in_spans(session, program_id=program_id, **ends)
    rows = _clicks_by(program_id, found, CLICKED, _everybody)
    return _summed_by_partner(CLICKED, [*rows, day_queries.in_spans(program_id, found.spans, CLICKED)])


def sales_by_partner(session: Session, *, program_id: UUID, period: Period, currency: str) -> sa.Select[Any]:
    """Rows of a partner and what it sold, of the days that stand counted from these; whose customers were new is not told."""
    ends = {"starts_at": period.starts_at, "ends_at": period.ends_at}
    found = day_queries.sales_in_spans(session, program_id=program_id, currency=currency, **ends)
    return sales_in(found, program_id=program_id, currency=currency)


def sales_in(found: Covered, *, program_id: UUID, currency: str) -> sa.Select[Any]:
    """The same of a period of which it is known what stands counted."""
    names = SOLD[:-2]
    rows = _sales_by(program_id, found, currency, names, _everybody)
    return _summed_by_partner(names, [*rows, day_queries.in_spans(program_id, found.spans, names)])


def _clicks_by(program_id: UUID, found: Covered, names: Sequence[str], wanted: Wanted) -> list[sa.Select[Any]]:
    """Rows of a partner and its clicks, but those in spans: with a minus what is to be taken off. Not summed."""
    key: Any = PartnerClickHour.partner_id
    by_hour = sa.select(key, *raw_and_valid(PartnerClickHour)).where(PartnerClickHour.program_id == program_id)

    def hours(stretches: Sequence[Stretch]) -> sa.Select[Any]:
        return _of(by_hour.where(day_queries.within(PartnerClickHour.hour, stretches)), wanted).group_by(key)

    def days(some: Sequence[Days]) -> sa.Select[Any]:
        return _of(day_queries.clicked_by_partner(program_id, some, names), wanted)

    return _signed(found, names, hours, days)


def _sales_by(
    program_id: UUID, found: Covered, currency: str, names: Sequence[str], wanted: Wanted
) -> list[sa.Select[Any]]:
    """The same of sales."""
    key: Any = Commission.partner_id
    sales = sales_of(key, program_id, None, currency)
    one_by_one = with_customers(sales) if "new" in names else sales

    def live(stretches: Sequence[Stretch]) -> sa.Select[Any]:
        return _of(one_by_one.where(day_queries.within(Commission.earned_at, stretches)), wanted).group_by(key)

    def days(some: Sequence[Days]) -> sa.Select[Any]:
        return _of(day_queries.sold_by_partner(program_id, some, names), wanted)

    return _signed(found, names, live, days)


def _signed(
    found: Covered,
    names: Sequence[str],
    live: Callable[[Sequence[Stretch]], sa.Select[Any]],
    days: Callable[[Sequence[Days]], sa.Select[Any]],
) -> list[sa.Select[Any]]:
    """What is read and what is added up of a period, as far as there is something."""
    added = [live(found.rest)] if found.rest else []
    added += [days(found.days)] if found.days else []
    taken_off = [live(found.over)] if found.over else []
    taken_off += [days(found.undone)] if found.undone else []
    return [_stored(rows, names) for rows in added] + [_stored(rows, names, less=True) for rows in taken_off]


def _stored(rows: sa.Select[Any], names: Sequence[str], *, less: bool = False) -> sa.Select[Any]:
    """The rows with the types of what is stored: PostgreSQL sums integers to decimals, and these take twice the time to add up again."""
    found = rows.subquery().c
    numbers = {name: sa.cast(found[name], getattr(PartnerSpan, name).type) for name in names}
    return sa.select(found.partner_id, *((-one if less else one).label(name) for name, one in numbers.items()))


def _summed_by_partner(names: Sequence[str], parts: Sequence[sa.Select[Any]]) -> sa.Select[Any]:
    """The rows of all parts by partner, each number summed; what a part does not tell is nothing."""
    rows = sa.union_all(*(_filled(part, names) for part in parts)).subquery()
    # As integers: PostgreSQL sums them to decimals, and of ten thousand rows these are slow to read.
    sums = (sa.cast(sa.func.sum(rows.c[name]), sa.BigInteger).label(name) for name in names)
    return sa.select(rows.c.partner_id, *sums).group_by(rows.c.partner_id)


def _filled(part: sa.Select[Any], names: Sequence[str]) -> sa.Select[Any]:
    told = part.selected_columns
    if tuple(told.keys()[1:]) == tuple(names):
        return part
    found = part.subquery().c
    return sa.select(found.partner_id, *(found[name] if name in told else sa.literal(0).label(name) for name in names))


def active_partners(program_id: UUID, covered: tuple[Covered, Covered], *, currency: str) -> sa.Select[Any]:
    """The partners of a program with a valid click or a sale that counts. In what is not counted only the others are looked for.

    `covered`: what of sales and clicks of the period stands counted, as `day_queries.both_of_periods` has it.
    """
    of_sales, of_clicks = covered
    marked = activity.partners(program_id, clicks=of_clicks, sales=of_sales)
    hours, here = PartnerClickHour, Enrollment.partner_id
    clicked = sa.select(sa.literal(1)).where(
        hours.program_id == program_id, hours.partner_id == here, hours.verdict == ClickVerdict.VALID, hours.clicks > 0
    )
    sold = sales_of(sa.literal(1), program_id, None, currency).with_only_columns(sa.literal(1))
    # One by one, and with a limit: else the clicks of all partners would be read for the few who were quiet.
    looked = [clicked.where(day_queries.within(hours.hour, [one])) for one in of_clicks.rest]
    looked += [
        sold.where(Commission.partner_id == here, day_queries.within(Commission.earned_at, [one]))
        for one in of_sales.rest
    ]
    looked_for = (found.limit(1).scalar_subquery().is_not(None) for found in looked)
    return sa.select(here).where(Enrollment.program_id == program_id, sa.or_(here.in_(marked), *looked_for))


def _grades(program_id: UUID, period: Period) -> sa.Select[Any]:
    """Rows of a partner, how many grades its service got that touch these days, and their sum."""
    number = ServiceEntry.number
    summed = (sa.func.count().label("grades"), sa.func.sum(number).label("grades_sum"))
    here = (ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None), ServiceEntry.measure.in_(GRADED))
    touching = (ServiceEntry.starts_on < period.end, ServiceEntry.ends_on > period.first)
    columns: tuple[Any, ...] = (ServiceEntry.partner_id, *summed)
    found = sa.select(*columns).where(*here, *touching, ServiceEntry.partner_id.is_not(None))
    return found.group_by(ServiceEntry.partner_id)


def _spent(program_id: UUID, period: Period, currency: str) -> sa.Select[Any]:
    """Rows of a partner and what it cost beside commissions."""
    rows = spending.of_partners(program_id=program_id, period=period, currency=currency).subquery()
    partner_id, minor = rows.c
    summed = sa.cast(sa.func.sum(minor), sa.BigInteger).label("spent")
    return sa.select(partner_id.label("partner_id"), summed).group_by(partner_id)
