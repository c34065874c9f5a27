"""Numbers for pages: what was clicked, sold and earned, by day, link and partner. Every SELECT of reports on numbers.

Clicks come from the exact rollups (whole UTC hours, each on the day on which it begins), commissions from their rows. Test orders and orders still being verified count nowhere.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Attribution
from affiliate.commissions.life import NEVER_POSTED
from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickHour, ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.reports import day_queries, spending, stretches
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period, start_of_day
from affiliate.reports.stretches import Covered

NOT_COUNTED = NEVER_POSTED
"""Commissions that no number of a report counts: tests, and orders still being verified."""

_DAY_SECONDS = 86_400

_NET = Commission.amount_minor - Commission.reversed_minor
_EARNED = sa.func.coalesce(sa.func.sum(_NET), 0).label("earned")
_REVERSED = sa.func.coalesce(sa.func.sum(Commission.reversed_minor), 0).label("reversed")
_CONVERSIONS = sa.func.count(Commission.conversion_id.distinct()).label("conversions")


def facts_by_day(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID | None = None,
    period: Period,
    currency: str,
    with_costs: bool = True,
    tells_new: bool = True,
) -> dict[date, Facts]:
    """What happened on each day of the period, for one partner or the whole program; quiet days are there with zeros.

    `with_costs`: what the program spent beside commissions, and whose customers are new: none of its partners' business.
    `tells_new`: whether the latter is wanted, for it has its price.
    """
    counts_new = with_costs and tells_new
    clicks = _clicks_by_day(program_id, partner_id, period).subquery()
    parts = [sa.select(clicks.c.moment, clicks.c.raw, clicks.c.valid, *zeros(6))]  # one trip for all
    if partner_id is None:
        parts += _program_sales_by_day(session, program_id, period, currency, counts_new=counts_new)
    else:
        parts += _partner_sales_by_day(session, program_id, partner_id, period, currency, counts_new=counts_new)
    both = sa.union_all(*parts)
    found = {
        day: Facts(currency, int(raw), int(valid)) + sales_facts(currency, *numbers)
        for day, (raw, valid, *numbers) in zip(period.days, summed_by_day(session.execute(both), period), strict=True)
    }
    if with_costs:
        spent = spending.by_day(session, program_id=program_id, partner_id=partner_id, period=period, currency=currency)
        for day, minor in spent:
            found[day] += Facts(currency, spent_minor=minor)
    return found


def _program_sales_by_day(
    session: Session, program_id: UUID, period: Period, currency: str, *, counts_new: bool
) -> list[sa.Select[Any]]:
    """Rows of a second of a day and what was sold then, of a whole program: of the days that stand counted by quarters of hours."""
    covered = Covered([], period.stretches)
    if day_queries.by_quarters(period):
        covered = covered_in(session, program_id, period, currency)
    moment = within_day(db.whole_second(Commission.earned_at), period).label("moment")
    live = sales_of(moment, program_id, None, currency).where(day_queries.within(Commission.earned_at, covered.rest))
    sales = (with_customers(live) if counts_new else live.add_columns(*zeros(2))).group_by(moment).subquery()
    of_moment, *sold = sales.c
    parts = [sa.select(of_moment, *zeros(2), *sold)]
    if covered.days:
        parts.append(_counted_by_day(program_id, covered, period, counts_new=counts_new))
    return parts


def _partner_sales_by_day(
    session: Session, program_id: UUID, partner_id: UUID, period: Period, currency: str, *, counts_new: bool
) -> list[sa.Select[Any]]:
    """The same of one partner: of the UTC days that stand counted. Its sales are read where such a day lies in two of the period's."""
    starts = [start_of_day(day, zone=period.zone) for day in period.days]
    covered = covered_in(session, program_id, period, currency)
    days, pieces = stretches.by_day(covered, starts=starts)
    seconds = _starts(period)
    told: list[dict[str, Any]] = [
        {
            "start": one.start,
            "end": one.end,
            "moment": seconds[one.day],
            "less": None if one.less is None else seconds[one.less],
        }
        for one in pieces
    ]
    kinds: dict[str, Any] = {"moment": sa.BigInteger(), "less": sa.BigInteger()}
    piece = db.rows_of(session, "piece", told, start=db.UtcDateTime(), end=db.UtcDateTime(), **kinds).c
    within = sa.and_(Commission.earned_at >= piece.start, Commission.earned_at < piece.end)
    live = sales_of(piece.moment, program_id, partner_id, currency).add_columns(piece.less).where(within)
    read = (with_customers(live) if counts_new else live.add_columns(*zeros(2))).group_by(piece.moment, piece.less)
    sales = read.cte("sold")
    moment, *sold = (column for column in sales.c if column.name != "less")
    parts = [
        sa.select(moment, *zeros(2), *sold),
        sa.select(sales.c.less, *zeros(2), *(-one for one in sold)).where(sales.c.less.is_not(None)),
    ]
    if days:
        of_days = [{"day": day, "moment": seconds[number]} for day, number in days]
        day = db.rows_of(session, "counted_day", of_days, day=sa.Date(), moment=sa.BigInteger()).c
        rows = day_queries.sold_on(program_id, partner_id, day.day)
        counted = [*rows.selected_columns] if counts_new else [*[*rows.selected_columns][:-2], *zeros(2)]
        parts.append(rows.with_only_columns(day.moment, *zeros(2), *counted))
    return parts


def covered_in(session: Session, program_id: UUID, period: Period, currency: str) -> Covered:
    """The days of a program whose sales stand counted, and the rest of the period."""
    return day_queries.sales(
        session, program_id=program_id, currency=currency, starts_at=period.starts_at, ends_at=period.ends_at
    )


def _counted_by_day(program_id: UUID, covered: Covered, period: Period, *, counts_new: bool) -> sa.Select[Any]:
    rows = day_queries.sold_by_quarter(program_id, covered).subquery()
    moment = within_day(sa.cast(rows.c.label, sa.BigInteger), period).label("of_day")
    _label, *sold = rows.c
    sums = [sa.func.sum(column) for column in sold]
    return sa.select(moment, *zeros(2), *(sums if counts_new else (*sums[:-2], *zeros(2)))).group_by(moment)


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
    clicks = sa.select(ClickHour.link_id, *raw_and_valid(ClickHour)).where(
        ClickHour.program_id == program_id, ClickHour.partner_id == partner_id, ClickHour.link_id.in_(link_ids)
    )
    for link_id, raw, valid in session.execute(clicks.group_by(ClickHour.link_id)):
        found[link_id] += Facts(currency, clicks_raw=int(raw), clicks_valid=int(valid))
    sales = (
        sales_of(Commission.link_id, program_id, partner_id, currency)
        .where(Commission.link_id.in_(link_ids))
        .group_by(Commission.link_id)
    )
    for link_id, *sold in session.execute(sales):
        found[link_id] += sales_facts(currency, *sold)
    return found


def facts_by_coupon(
    session: Session, *, program_id: UUID, partner_id: UUID, coupon_ids: Sequence[UUID], currency: str
) -> dict[UUID, Facts]:
    """What each of the given coupons has brought; every coupon is there. Coupons have sales, not clicks."""
    found = {coupon_id: Facts(currency) for coupon_id in coupon_ids}
    sales = sales_of(Commission.coupon_id, program_id, partner_id, currency).where(Commission.coupon_id.in_(coupon_ids))
    for coupon_id, *sold in session.execute(sales.group_by(Commission.coupon_id)):
        found[coupon_id] += sales_facts(currency, *sold)
    return found


def raw_and_valid(rollup: Any) -> tuple[sa.Label[int], sa.Label[int]]:
    """The sums of a rollup: all clicks, and those that count."""
    counts = sa.case((rollup.verdict == ClickVerdict.VALID, rollup.clicks), else_=0)
    raw, valid = (sa.func.coalesce(sa.func.sum(each), 0) for each in (rollup.clicks, counts))
    return raw.label("raw"), valid.label("valid")


def _clicked(rollup: Any, program_id: UUID, period: Period) -> list[sa.ColumnElement[bool]]:
    return [rollup.program_id == program_id, rollup.hour >= period.starts_at, rollup.hour < period.ends_at]


def _clicks_by_day(program_id: UUID, partner_id: UUID | None, period: Period) -> sa.Select[Any]:
    """From the rollup that has just these rows: one that is finer would be read as long as it has links."""
    rollup: Any = ProgramClickHour if partner_id is None else PartnerClickHour
    moment = within_day(db.whole_second(rollup.hour), period).label("moment")
    columns: list[Any] = [moment, *raw_and_valid(rollup)]
    clicks = sa.select(*columns).where(*_clicked(rollup, program_id, period))
    if partner_id is not None:
        clicks = clicks.where(PartnerClickHour.partner_id == partner_id)
    return clicks.group_by(moment)


def earned_in(period: Period) -> list[sa.ColumnElement[bool]]:
    """Commissions of orders of these days."""
    return [Commission.earned_at >= period.starts_at, Commission.earned_at < period.ends_at]


def sales_of(key: Any, program_id: UUID, partner_id: UUID | None, currency: str) -> sa.Select[Any]:
    """Rows of `key`, orders, revenue, earnings and reversals in this currency; the caller narrows and groups by the key."""
    # Shares of one order add up to the whole, so a sum over partners counts each order once.
    in_it = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    revenue = sa.func.coalesce(sa.func.sum(in_it), 0).label("revenue")
    found = (
        sa.select(key, _CONVERSIONS, revenue, _EARNED, _REVERSED)
        .select_from(Commission)
        .where(Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    )
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


def sales_facts(currency: str, *sold: Any) -> Facts:
    """A row of `sales_of`, perhaps `with_customers`, without its key, as facts."""
    conversions, revenue, earned, back, *customers = map(int, sold)
    new, known = customers or (0, 0)
    return Facts(
        currency, conversions=conversions, revenue_minor=revenue, earned_minor=earned, reversed_minor=back,
        new_customers=new, known_customers=known,
    )  # fmt: skip
