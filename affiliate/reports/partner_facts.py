"""Numbers of a program by partner: what each clicked and sold in some days, summed from the days that stand counted and from the rest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, folding
from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.reports import activity, day_queries, spending
from affiliate.reports.day_models import PartnerSaleDay
from affiliate.reports.day_queries import Wanted
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.queries import raw_and_valid, sales_of, with_customers
from affiliate.reports.service_measures import GRADED
from affiliate.reports.stretches import Covered
from affiliate.reports.written_models import ServiceEntry

NUMBERS = (
    "raw", "valid", "conversions", "revenue", "earned", "reversed", "new", "known", "grades", "grades_sum", "spent",
)  # fmt: skip
"""The columns of a partner's line after its id, name and status."""


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
    parts = [
        _clicks_by(program_id, of_clicks, wanted).subquery(),
        _sales_by(program_id, of_sales, currency, wanted, tells_new=tells_new).subquery(),
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
    return day_queries.both(session, program_id=program_id, currency=currency, **ends)


def _everybody(_column: Any) -> sa.ColumnElement[bool]:
    return sa.true()


def clicks_by_partner(session: Session, *, program_id: UUID, period: Period) -> sa.Select[*tuple[Any, ...]]:
    """Rows of a partner, its raw and its valid clicks: of the days that stand counted from these, else by the hour."""
    starts_at, ends_at = period.starts_at, period.ends_at
    covered = day_queries.clicks(session, program_id=program_id, starts_at=starts_at, ends_at=ends_at)
    return _clicks_by(program_id, covered, _everybody)


def _clicks_by(program_id: UUID, covered: Covered, wanted: Wanted) -> sa.Select[*tuple[Any, ...]]:
    key: Any = PartnerClickHour.partner_id
    here = (PartnerClickHour.program_id == program_id, day_queries.within(PartnerClickHour.hour, covered.rest))
    raw, valid = (sa.cast(number, sa.Integer).label(number.name) for number in raw_and_valid(PartnerClickHour))
    hours = sa.select(key, raw, valid).where(*here, wanted(key)).group_by(key)
    if not covered.days:
        return hours
    return _summed_by_key(sa.union_all(hours, *day_queries.clicked_by_partner(program_id, covered, wanted=wanted)))


def sales_by_partner(session: Session, *, program_id: UUID, period: Period, currency: str) -> sa.Select[Any]:
    """Rows of a partner and what it sold, of the days and weeks that stand counted from these; whose customers were new is not told."""
    of_sales, _of_clicks = _covered(session, program_id, period, currency, is_few=False)
    return _sales_by(program_id, of_sales, currency, _everybody, tells_new=False)


def active_partners(session: Session, *, program_id: UUID, period: Period, currency: str) -> sa.Select[Any]:
    """The partners of a program with a valid click or a sale that counts. In what is not counted only the others are looked for."""
    of_sales, of_clicks = _covered(session, program_id, period, currency, is_few=False)
    marked = activity.partners(program_id, clicks=of_clicks, sales=of_sales)
    hours, here = PartnerClickHour, Enrollment.partner_id
    clicked = sa.select(sa.literal(1)).where(
        hours.program_id == program_id, hours.partner_id == here, hours.verdict == ClickVerdict.VALID, hours.clicks > 0
    )
    sold = sales_of(sa.literal(1), program_id, None, currency).with_only_columns(sa.literal(1))
    # One by one, and with a limit: else the clicks of all partners would be read for the few who were quiet.
    ends = [clicked.where(day_queries.within(hours.hour, [one])) for one in of_clicks.rest]
    ends += [
        sold.where(Commission.partner_id == here, day_queries.within(Commission.earned_at, [one]))
        for one in of_sales.rest
    ]
    looked_for = (found.limit(1).scalar_subquery().is_not(None) for found in ends)
    return sa.select(here).where(Enrollment.program_id == program_id, sa.or_(here.in_(marked), *looked_for))


def _sales_by(program_id: UUID, covered: Covered, currency: str, wanted: Wanted, *, tells_new: bool) -> sa.Select[Any]:
    sales = sales_of(Commission.partner_id, program_id, None, currency).where(
        day_queries.within(Commission.earned_at, covered.rest), wanted(Commission.partner_id)
    )
    nothing = (sa.literal(0).label(name) for name in ("new", "known"))
    live = (with_customers(sales) if tells_new else sales.add_columns(*nothing)).group_by(Commission.partner_id)
    if not covered.days:
        return live
    key, *numbers = live.subquery().c
    # The types of the counted rows: PostgreSQL sums integers to decimals, and these take twice the time to add up again.
    as_counted = (sa.cast(one, getattr(PartnerSaleDay, one.name).type).label(one.name) for one in numbers)
    counted = day_queries.sold_by_partner(program_id, covered, wanted=wanted, tells_new=tells_new)
    return _summed_by_key(sa.union_all(sa.select(key, *as_counted), *counted))


def _summed_by_key(rows: sa.CompoundSelect[Any]) -> sa.Select[Any]:
    """The rows of several parts by the first column, the others summed."""
    both = rows.subquery()
    key, *numbers = both.c
    # As integers: PostgreSQL sums them to decimals, and of ten thousand rows these are slow to read.
    sums = (sa.cast(sa.func.sum(number), sa.BigInteger).label(number.name) for number in numbers)
    return sa.select(key, *sums).group_by(key)


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
