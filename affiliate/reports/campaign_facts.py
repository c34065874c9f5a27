"""What came by the parts of campaigns, in any days: sums of many at once, and one by day.

A click or sale counts once, by however many parts of a campaign it came. Sales are the commissions of partners that belong to
the campaign and those credited to its links, coupons and creatives; coupons have no clicks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Click, ClickHour, ClickVerdict
from affiliate.ingest.rollup_models import CreativeClickHour, PartnerClickHour, ProgramClickHour
from affiliate.reports import spending
from affiliate.reports.combined import whole_hour
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.queries import earned_in, sales_facts, sales_of, summed_by_day, with_customers, within_day, zeros


@dataclass(frozen=True, slots=True)
class Parts:
    """What belongs to a campaign; nothing at all means the whole program."""

    partners: frozenset[UUID] = frozenset()
    links: frozenset[UUID] = frozenset()
    coupons: frozenset[UUID] = frozenset()
    creatives: frozenset[UUID] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether it is about the whole program."""
        return not (self.partners or self.links or self.coupons or self.creatives)

    def shares_with(self, other: "Parts") -> bool:
        """Whether something belongs to both, so that their figures cannot be told apart."""
        if self.is_whole or other.is_whole:
            return True
        pairs = ((self.partners, other.partners), (self.links, other.links), (self.coupons, other.coupons))
        return any(mine & theirs for mine, theirs in (*pairs, (self.creatives, other.creatives)))


WHOLE = Parts()


def sums(session: Session, *, program_id: UUID, wanted: Sequence[tuple[Parts, Period]], currency: str) -> list[Facts]:
    """What each of these brought in its days and what its partners cost beside commissions, in their order; two trips for all."""
    rows: list[sa.Select[Any]] = []
    for place, (parts, period) in enumerate(wanted):
        sales = _sales(sa.literal(place), program_id, parts, period, currency).subquery()
        clicks = _clicks(sa.literal(place), program_id, parts, period).subquery()
        rows += [
            sa.select(clicks.c.key, clicks.c.raw, clicks.c.valid, *zeros(6)),
            sa.select(sales.c[0], *zeros(2), *list(sales.c)[1:]),
        ]
    found = [Facts(currency) for _ in wanted]
    for place, raw, valid, *sold in session.execute(sa.union_all(*rows)) if rows else ():
        counted = Facts(currency, clicks_raw=int(raw or 0), clicks_valid=int(valid or 0))
        found[int(place)] += counted + sales_facts(currency, *sold)
    for place, minor in _spent(session, program_id, wanted, currency):
        found[place] += Facts(currency, spent_minor=minor)
    return found


def _spent(
    session: Session, program_id: UUID, wanted: Sequence[tuple[Parts, Period]], currency: str
) -> list[tuple[int, int]]:
    """What was spent on partners that belong to it; what a link or a coupon cost is written down with no partner."""
    rows = []
    for place, (parts, period) in enumerate(wanted):
        if not (parts.is_whole or parts.partners):
            continue
        spent = spending.of_partners(program_id=program_id, period=period, currency=currency).subquery()
        partner_id, minor = spent.c
        summed = sa.select(sa.literal(place), sa.func.coalesce(sa.func.sum(minor), 0))
        rows.append(summed if parts.is_whole else summed.where(partner_id.in_(parts.partners)))
    return [(int(place), int(minor)) for place, minor in session.execute(sa.union_all(*rows))] if rows else []


def by_day(session: Session, *, program_id: UUID, parts: Parts, period: Period, currency: str) -> dict[date, Facts]:
    """The same by day of the period, quiet days with zeros."""
    moment = within_day(db.whole_second(Commission.earned_at), period).label("moment")
    sales = _sales(moment, program_id, parts, period, currency).group_by(moment).subquery()
    clicks = _clicks(None, program_id, parts, period).subquery()
    both = sa.union_all(
        sa.select(clicks.c.key, clicks.c.raw, clicks.c.valid, *zeros(6)),
        sa.select(sales.c[0], *zeros(2), *list(sales.c)[1:]),
    )
    days = zip(period.days, summed_by_day(session.execute(both), period), strict=True)
    return {
        day: Facts(currency, int(raw), int(valid)) + sales_facts(currency, *numbers)
        for day, (raw, valid, *numbers) in days
    }


def _sales(key: Any, program_id: UUID, parts: Parts, period: Period, currency: str) -> sa.Select[Any]:
    sales = with_customers(sales_of(key, program_id, None, currency)).where(*earned_in(period))
    if parts.is_whole:
        return sales
    conditions = [
        Commission.partner_id.in_(parts.partners) if parts.partners else None,
        Commission.link_id.in_(parts.links) if parts.links else None,
        Commission.coupon_id.in_(parts.coupons) if parts.coupons else None,
    ]
    if parts.creatives:
        conditions.append(Commission.creative.in_(_names(parts)))
    return sales.where(sa.or_(*(one for one in conditions if one is not None)))


def _clicks(key: Any, program_id: UUID, parts: Parts, period: Period) -> sa.Select[Any]:
    """Rows of a key (null: the second of the hour), raw and valid clicks."""
    sides = _sides(program_id, parts, period)
    if not sides:  # coupons alone
        nothing = sa.literal(0)
        return sa.select((nothing if key is None else key).label("key"), nothing.label("raw"), nothing.label("valid")).where(sa.false())  # fmt: skip
    rows = sa.union_all(*sides).subquery()
    named = (rows.c.hour if key is None else key).label("key")
    counted = sa.select(named, sa.func.sum(rows.c.raw).label("raw"), sa.func.sum(rows.c.valid).label("valid"))
    return counted.group_by(rows.c.hour) if key is None else counted


def _sides(program_id: UUID, parts: Parts, period: Period) -> list[sa.Select[Any]]:
    """Rows of hours whose sum counts each click once: links and creatives without the partners that are in it, less what is in both."""
    if parts.is_whole:
        return [_hours(ProgramClickHour, program_id, period)]
    partners, links, names = parts.partners, parts.links, _names(parts)
    found: list[sa.Select[Any]] = []
    if partners:
        found.append(_hours(PartnerClickHour, program_id, period, PartnerClickHour.partner_id.in_(partners)))
    if links:
        found.append(_hours(ClickHour, program_id, period, ClickHour.link_id.in_(links), ClickHour.partner_id.not_in(partners)))  # fmt: skip
    if names:
        by_creative = (CreativeClickHour.creative.in_(names), CreativeClickHour.partner_id.not_in(partners))
        found.append(_hours(CreativeClickHour, program_id, period, *by_creative))
    if links and names:
        found.append(_in_both(program_id, parts, period))
    return found


def _hours(rollup: Any, program_id: UUID, period: Period, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    valid = sa.case((rollup.verdict == ClickVerdict.VALID, rollup.clicks), else_=0)
    hour = sa.extract("epoch", rollup.hour).label("hour")
    here = (rollup.program_id == program_id, rollup.hour >= period.starts_at, rollup.hour < period.ends_at)
    summed = (sa.func.sum(rollup.clicks).label("raw"), sa.func.sum(valid).label("valid"))
    return sa.select(hour, *summed).where(*here, *conditions).group_by(rollup.hour)


def _in_both(program_id: UUID, parts: Parts, period: Period) -> sa.Select[Any]:
    """Clicks on one of the links by one of the creatives, to take away: no sum holds both."""
    epoch = sa.extract("epoch", Click.occurred_at)
    hour = (epoch - epoch % 3600).label("hour")
    valid = sa.case((Click.verdict == ClickVerdict.VALID, -1), else_=0)
    start, end = whole_hour(period.starts_at), whole_hour(period.ends_at)  # as rollups have them
    here = (Click.program_id == program_id, Click.occurred_at >= start, Click.occurred_at < end)
    both = (Click.link_id.in_(parts.links), Click.creative.in_(_names(parts)), Click.partner_id.not_in(parts.partners))
    columns: list[Any] = [hour, (-sa.func.count()).label("raw"), sa.func.sum(valid).label("valid")]
    return sa.select(*columns).where(*here, *both, Click.verdict != ClickVerdict.TEST).group_by(hour)


def _names(parts: Parts) -> list[str]:
    return sorted(ids.public("crv", one) for one in parts.creatives)
