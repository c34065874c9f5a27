"""Numbers for pages: what was clicked, sold and earned, by day, link and partner. Every SELECT of reports on numbers.

Clicks come from the exact rollups (whole UTC hours, each on the day on which it begins), commissions from their rows. Test orders and orders still being verified count nowhere.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.life import NEVER_POSTED
from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickHour, ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.reports import spending
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period, start_of_day
from affiliate.reports.service_measures import GRADED
from affiliate.reports.written_models import ServiceEntry

NOT_COUNTED = NEVER_POSTED
"""Commissions that no number of a report counts: tests, and orders still being verified."""

_DAY_SECONDS = 86_400

_NET = Commission.amount_minor - Commission.reversed_minor
_EARNED = sa.func.coalesce(sa.func.sum(_NET), 0).label("earned")
_REVERSED = sa.func.coalesce(sa.func.sum(Commission.reversed_minor), 0).label("reversed")
_CONVERSIONS = sa.func.count(Commission.conversion_id.distinct()).label("conversions")


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """One partner's line in a program's table."""

    partner_id: UUID
    partner_name: str
    status: EnrollmentStatus
    facts: Facts


def facts_by_day(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID | None = None,
    period: Period,
    currency: str,
    with_costs: bool = True,
) -> dict[date, Facts]:
    """What happened on each day of the period, for one partner or the whole program; quiet days are there with zeros.

    `with_costs`: what the program spent beside commissions, and whose customers are new: none of its partners' business.
    """
    sales_by = _sales_by_day(program_id, partner_id, period, currency)
    sales = (with_customers(sales_by) if with_costs else sales_by.add_columns(*zeros(2))).subquery()
    clicks = _clicks_by_day(program_id, partner_id, period).subquery()
    moment_of_sales, *sold = sales.c
    both = sa.union_all(  # one trip for both
        sa.select(clicks.c.moment, clicks.c.raw, clicks.c.valid, *zeros(6)),
        sa.select(moment_of_sales, *zeros(2), *sold),
    )
    found = {
        day: Facts(currency, int(raw), int(valid)) + sales_facts(currency, *numbers)
        for day, (raw, valid, *numbers) in zip(period.days, summed_by_day(session.execute(both), period), strict=True)
    }
    if with_costs:
        spent = spending.by_day(session, program_id=program_id, partner_id=partner_id, period=period, currency=currency)
        for day, minor in spent:
            found[day] += Facts(currency, spent_minor=minor)
    return found


def summed_by_day(rows: Iterable[Any], period: Period) -> list[list[int]]:
    """The sums of each day of rows that begin with a second since 1970."""
    starts = _starts(period)
    sums = [[0] * 8 for _ in starts]
    for moment, *numbers in rows:
        of_day = sums[bisect_right(starts, moment) - 1]
        for place, number in enumerate(numbers):
            of_day[place] += number
    return sums


def _starts(period: Period) -> list[int]:
    """The second at which each day begins."""
    return [int(start_of_day(day, zone=period.zone).timestamp()) for day in period.days]


def within_day(moment: Any, period: Period) -> Any:
    """A second of the day of this moment, the same for all of its day but where clocks change: a row for each day instead of each hour.

    Days have 86,400 seconds from the start of the period, and again from the end of each day that has fewer or more.
    """
    starts = _starts(period)
    again = [after for before, after in pairwise(starts) if after - before != _DAY_SECONDS]
    origin = sa.case(*((moment >= start, start) for start in reversed(again)), else_=starts[0]) if again else starts[0]
    return moment - (moment - origin) % _DAY_SECONDS


def zeros(number: int) -> list[sa.BindParameter[int]]:
    """So many columns of nothing, where two kinds of rows share one trip."""
    return [sa.literal(0) for _ in range(number)]


def facts_by_link(
    session: Session, *, program_id: UUID, partner_id: UUID, link_ids: Sequence[UUID], currency: str
) -> dict[UUID, Facts]:
    """What each of the given links has brought since it was made; every link is there."""
    found = {link_id: Facts(currency) for link_id in link_ids}
    clicks = sa.select(ClickHour.link_id, *_raw_and_valid(ClickHour)).where(
        ClickHour.program_id == program_id, ClickHour.partner_id == partner_id, ClickHour.link_id.in_(link_ids)
    )
    for link_id, raw, valid in session.execute(clicks.group_by(ClickHour.link_id)):
        found[link_id] += Facts(currency, clicks_raw=int(raw), clicks_valid=int(valid))
    sales = (
        sales_of(Credit.link_id, program_id, partner_id, currency)
        .where(Credit.link_id.in_(link_ids))
        .group_by(Credit.link_id)
    )
    for link_id, *sold in session.execute(sales):
        found[link_id] += sales_facts(currency, *sold)
    return found


def facts_by_coupon(
    session: Session, *, program_id: UUID, partner_id: UUID, coupon_ids: Sequence[UUID], currency: str
) -> dict[UUID, Facts]:
    """What each of the given coupons has brought; every coupon is there. Coupons have sales, not clicks."""
    found = {coupon_id: Facts(currency) for coupon_id in coupon_ids}
    sales = sales_of(Credit.coupon_id, program_id, partner_id, currency).where(Credit.coupon_id.in_(coupon_ids))
    for coupon_id, *sold in session.execute(sales.group_by(Credit.coupon_id)):
        found[coupon_id] += sales_facts(currency, *sold)
    return found


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
    limit: int,
    offset: int = 0,
) -> list[PartnerFacts]:
    """The partners of a program with what each brought in the period, best earner first.

    `name` is a part of their name, `which` are further conditions on their enrollment; `only` are the partners wanted: then
    nothing is summed of the others.
    """

    def wanted(column: Any) -> sa.ColumnElement[bool]:
        return sa.true() if only is None else db.among(session, column, only)

    clicks = sa.select(PartnerClickHour.partner_id, *_raw_and_valid(PartnerClickHour))
    clicked_here = clicks.where(*_clicked(PartnerClickHour, program_id, period), wanted(PartnerClickHour.partner_id))
    clicks_by = clicked_here.group_by(PartnerClickHour.partner_id).subquery()
    sales = sales_of(Commission.partner_id, program_id, None, currency, by_credit=False).where(
        *earned_in(period), wanted(Commission.partner_id)
    )
    sales_by = with_customers(sales).group_by(Commission.partner_id).subquery()
    grades_by = _grades(program_id, period).subquery()
    clicked = (clicks_by.c.raw, clicks_by.c.valid, grades_by.c.grades, grades_by.c.grades_sum)
    _partner_id, *sold = sales_by.c
    earned = sa.func.coalesce(sales_by.c.earned, 0)
    table = (
        sa.select(
            Partner.id.label("id"), Partner.name.label("name"), Enrollment.status.label("status"), *clicked, *sold
        )
        .select_from(Enrollment)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .outerjoin(clicks_by, clicks_by.c.partner_id == Partner.id)
        .outerjoin(sales_by, sales_by.c.partner_id == Partner.id)
        .outerjoin(grades_by, grades_by.c.partner_id == Partner.id)
        .where(
            Enrollment.program_id == program_id, Enrollment.status.in_(statuses), wanted(Enrollment.partner_id), *which
        )
        .order_by(earned.desc(), Partner.name, Partner.id)
    )
    if name:
        table = table.where(sa.func.lower(Partner.name).contains(name.lower(), autoescape=True))
    spent = spending.by_partner(session, program_id=program_id, period=period, currency=currency)
    return [
        _partner_facts(row, Facts(currency, spent_minor=spent.get(row.id, 0)))
        for row in session.execute(table.limit(limit).offset(offset))
    ]


def _grades(program_id: UUID, period: Period) -> sa.Select[Any]:
    """By partner how many grades its service got that touch these days, and their sum."""
    number = ServiceEntry.number
    summed = (sa.func.count().label("grades"), sa.func.sum(number).label("grades_sum"))
    here = (ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None), ServiceEntry.measure.in_(GRADED))
    touching = (ServiceEntry.starts_on < period.end, ServiceEntry.ends_on > period.first)
    columns: tuple[Any, ...] = (ServiceEntry.partner_id, *summed)
    found = sa.select(*columns).where(*here, *touching, ServiceEntry.partner_id.is_not(None))
    return found.group_by(ServiceEntry.partner_id)


def _raw_and_valid(rollup: Any) -> tuple[sa.Label[int], sa.Label[int]]:
    counts = sa.case((rollup.verdict == ClickVerdict.VALID, rollup.clicks), else_=0)
    raw, valid = (sa.func.coalesce(sa.func.sum(each), 0) for each in (rollup.clicks, counts))
    return raw.label("raw"), valid.label("valid")


def _clicked(rollup: Any, program_id: UUID, period: Period) -> list[sa.ColumnElement[bool]]:
    return [rollup.program_id == program_id, rollup.hour >= period.starts_at, rollup.hour < period.ends_at]


def _clicks_by_day(program_id: UUID, partner_id: UUID | None, period: Period) -> sa.Select[Any]:
    """From the rollup that has just these rows: one that is finer would be read as long as it has links."""
    rollup: Any = ProgramClickHour if partner_id is None else PartnerClickHour
    moment = within_day(sa.extract("epoch", rollup.hour), period).label("moment")
    columns: list[Any] = [moment, *_raw_and_valid(rollup)]
    clicks = sa.select(*columns).where(*_clicked(rollup, program_id, period))
    if partner_id is not None:
        clicks = clicks.where(PartnerClickHour.partner_id == partner_id)
    return clicks.group_by(moment)


def earned_in(period: Period) -> list[sa.ColumnElement[bool]]:
    """Commissions of orders of these days."""
    return [Commission.earned_at >= period.starts_at, Commission.earned_at < period.ends_at]


def sales_of(
    key: Any, program_id: UUID, partner_id: UUID | None, currency: str, *, by_credit: bool = True
) -> sa.Select[Any]:
    """Rows of `key`, orders, revenue, earnings and reversals in this currency; the caller narrows and groups by the key.

    `by_credit`: the caller asks for something of the credit. Else it is not read: in a large program that halves the price.
    """
    # Shares of one order add up to the whole, so a sum over partners counts each order once.
    in_it = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    revenue = sa.func.coalesce(sa.func.sum(in_it), 0).label("revenue")
    found = (
        sa.select(key, _CONVERSIONS, revenue, _EARNED, _REVERSED)
        .select_from(Commission)
        .where(Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    )
    if by_credit:
        found = found.join(Credit, Credit.id == Commission.credit_id)
    return found if partner_id is None else found.where(Commission.partner_id == partner_id)


def with_customers(sales: sa.Select[Any]) -> sa.Select[Any]:
    """The same rows of `sales_of`, and how many of the orders are of new customers, and of known ones."""
    is_new, order = Attribution.is_new_customer, Commission.conversion_id
    counts = (
        sa.func.count(sa.case((condition, order)).distinct())
        for condition in (is_new.is_(sa.true()), is_new.is_not(None))
    )
    new, known = counts
    return sales.join(Attribution, Attribution.id == Commission.attribution_id).add_columns(
        new.label("new"), known.label("known")
    )


def _sales_by_day(program_id: UUID, partner_id: UUID | None, period: Period, currency: str) -> sa.Select[Any]:
    moment = within_day(sa.extract("epoch", Commission.earned_at), period).label("moment")
    return sales_of(moment, program_id, partner_id, currency).where(*earned_in(period)).group_by(moment)


def sales_facts(currency: str, *sold: Any) -> Facts:
    """A row of `sales_of`, perhaps `with_customers`, without its key, as facts."""
    conversions, revenue, earned, back, *customers = map(int, sold)
    new, known = customers or (0, 0)
    return Facts(
        currency, conversions=conversions, revenue_minor=revenue, earned_minor=earned, reversed_minor=back,
        new_customers=new, known_customers=known,
    )  # fmt: skip


def _partner_facts(row: sa.Row[Any], beside: Facts) -> PartnerFacts:
    grades = {"grades": int(row.grades or 0), "grades_sum": int(row.grades_sum or 0)}
    clicked = Facts(beside.currency, clicks_raw=int(row.raw or 0), clicks_valid=int(row.valid or 0), **grades)
    numbers = (row.conversions, row.revenue, row.earned, row.reversed, row.new, row.known)
    sold = sales_facts(beside.currency, *(number or 0 for number in numbers))
    return PartnerFacts(row.id, row.name, row.status, beside + clicked + sold)
