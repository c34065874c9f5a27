"""What the clicks and sales of a period were: of a partner by link or sub id, of a program by country or source; and why clicks did not count."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickHour, ClickVerdict
from affiliate.ingest.rollup_models import (
    CountryClickHour,
    CreativeClickHour,
    PartnerClickHour,
    ProgramClickHour,
    ReferrerClickHour,
    SubClickHour,
)
from affiliate.links.models import Link, LinkStatus
from affiliate.reports import day_queries
from affiliate.reports.day_models import LabelKind
from affiliate.reports.landing_models import DeviceHour
from affiliate.reports.metrics import Facts, total
from affiliate.reports.models import LinkSubHour, VisitorHour, VisitorKind
from affiliate.reports.periods import Period
from affiliate.reports.queries import covered_in, earned_in, sales_facts, sales_of, zeros
from affiliate.reports.stretches import Covered
from affiliate.reports.visitors import TOLD

ROWS_MAX = 20_000
"""The most rows of one answer, each with all of its clicks and sales: those that earned most, then those with the most clicks.

Coupons, which are as many as partners, come all; a partner has fewer links.
"""


def facts_by_link(
    session: Session, *, program_id: UUID, partner_id: UUID, period: Period, currency: str
) -> dict[UUID | None, Facts]:
    """By link; null for sales without one, by coupon for example."""
    clicks = _clicks(ClickHour, ClickHour.link_id, program_id, partner_id, period)
    sales = sales_of(Commission.link_id, program_id, partner_id, currency).where(*earned_in(period))
    return _joined(session, clicks, [sales.group_by(Commission.link_id)], currency)


def sold_by(
    session: Session, told: Any, *, program_id: UUID, partner_id: UUID, period: Period, currency: str
) -> dict[Any, Facts]:
    """The sales of a partner, without clicks, by something that a commission knows of where it came from."""
    sales = sales_of(told, program_id, partner_id, currency).where(*earned_in(period)).group_by(told)
    return {label: sales_facts(currency, *sold) for label, *sold in session.execute(sales)}


def idle_links(
    session: Session, *, program_id: UUID, partner_id: UUID, period: Period, clicks_min: int, limit: int
) -> list[tuple[Link, int]]:
    """Links with so many valid clicks in the period and no sale that counts, those with the most clicks first."""
    clicks = sa.func.sum(ClickHour.clicks)
    sold = sales_of(Commission.id, program_id, partner_id, "").where(*earned_in(period), Commission.link_id == Link.id)
    found = (
        sa.select(Link, clicks)
        .join(ClickHour, ClickHour.link_id == Link.id)
        .where(*_of(ClickHour, program_id, partner_id, period), ClickHour.verdict == ClickVerdict.VALID)
        .where(Link.program_id == program_id, Link.partner_id == partner_id, Link.status == LinkStatus.ACTIVE)
        .where(~sold.with_only_columns(Commission.id).correlate(Link).exists())
        .group_by(Link.id)
        .having(clicks >= clicks_min)
        .order_by(clicks.desc(), Link.id)
    )
    return [(link, int(count)) for link, count in session.execute(found.limit(limit))]


def facts_by_sub(
    session: Session, *, program_id: UUID, partner_id: UUID, period: Period, currency: str
) -> dict[str, Facts]:
    """By `sub1` of the click; empty where there was none, and for sales without a click."""
    clicks = _clicks(SubClickHour, SubClickHour.sub, program_id, partner_id, period)
    sales = sales_of(Commission.sub1, program_id, partner_id, currency).where(*earned_in(period))
    return _joined(session, clicks, [sales.group_by(Commission.sub1)], currency)


def facts_by_sub_of_link(
    session: Session, *, program_id: UUID, partner_id: UUID, link_id: UUID, period: Period, currency: str
) -> dict[str, Facts]:
    """By `sub1` of the clicks on one link; empty where there was none."""
    clicks = _clicks(LinkSubHour, LinkSubHour.sub, program_id, partner_id, period)
    sales = sales_of(Commission.sub1, program_id, partner_id, currency)
    of_link = sales.where(*earned_in(period), Commission.link_id == link_id).group_by(Commission.sub1)
    return _joined(session, clicks.where(LinkSubHour.link_id == link_id), [of_link], currency)


def facts_by_own_creative(
    session: Session, *, program_id: UUID, partner_id: UUID | None, period: Period, currency: str
) -> dict[str, Facts]:
    """By creative (its public id) of one partner or of all in these days; empty for clicks and sales that came by none."""
    clicks = _clicks(CreativeClickHour, CreativeClickHour.creative, program_id, partner_id, period)
    whose: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id, "period": period, "currency": currency}
    found = _by_label(session, clicks, Commission.creative, LabelKind.CREATIVE, **whose)
    every: Any = ProgramClickHour if partner_id is None else PartnerClickHour
    all_clicks = _clicks(every, every.program_id, program_id, partner_id, period)
    for _key, raw, valid in session.execute(all_clicks):
        named = total(found.values(), currency=currency)
        rest = Facts(currency, clicks_raw=int(raw) - named.clicks_raw, clicks_valid=int(valid) - named.clicks_valid)
        found[""] = found.get("", Facts(currency)) + rest
    return found


def facts_by_visitor(
    session: Session, *, program_id: UUID, partner_id: UUID, kind: VisitorKind, period: Period, currency: str
) -> dict[str, Facts]:
    """By country, device or referring page of one partner; empty where it is unknown, and for sales without a click."""
    clicks = _clicks(VisitorHour, VisitorHour.label, program_id, partner_id, period).where(VisitorHour.kind == kind)
    label = getattr(Commission, TOLD[kind])
    whose: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id, "period": period, "currency": currency}
    return _by_label(session, clicks, label, LabelKind(kind.value), **whose)


def facts_by_coupon(
    session: Session, *, program_id: UUID, partner_id: UUID | None, period: Period, currency: str
) -> dict[UUID | None, Facts]:
    """By coupon; null for sales without one. Coupons have sales, not clicks."""
    covered = _covered(session, program_id, partner_id, period, currency)
    sales = sales_of(Commission.coupon_id, program_id, partner_id, currency)
    live = sales.where(day_queries.within(Commission.earned_at, covered.rest)).group_by(Commission.coupon_id)
    found = {coupon_id: sales_facts(currency, *sold) for coupon_id, *sold in session.execute(live)}
    counted = session.execute(day_queries.sold_by_label(program_id, LabelKind.COUPON, covered)) if covered.days else ()
    for label, *sold in counted:
        coupon_id = UUID(label) if label else None
        found[coupon_id] = found.get(coupon_id, Facts(currency)) + sales_facts(currency, *sold)
    return found


def _covered(session: Session, program_id: UUID, partner_id: UUID | None, period: Period, currency: str) -> Covered:
    """What of the period stands counted; one partner's sales are few enough to be read."""
    if partner_id is not None:
        return Covered([], period.stretches)
    return covered_in(session, program_id, period, currency)


def _by_label(
    session: Session, clicks: sa.Select[Any], label: Any, kind: LabelKind, *, program_id: UUID, partner_id: UUID | None,
    period: Period, currency: str,
) -> dict[str, Facts]:  # fmt: skip
    """Clicks and sales by something that the click told; of a program the sales of the days that stand counted from these."""
    covered = _covered(session, program_id, partner_id, period, currency)
    sales = sales_of(label, program_id, partner_id, currency)
    live = sales.where(day_queries.within(Commission.earned_at, covered.rest)).group_by(label)
    counted = [day_queries.sold_by_label(program_id, kind, covered)] if covered.days else []
    return _joined(session, clicks, [live, *counted], currency)


def facts_by_country(session: Session, *, program_id: UUID, period: Period, currency: str) -> dict[str, Facts]:
    """By country of the click, two letters; empty where it is unknown, and for sales without a click."""
    clicks = _clicks(CountryClickHour, CountryClickHour.country, program_id, None, period)
    whose: dict[str, Any] = {"program_id": program_id, "partner_id": None, "period": period, "currency": currency}
    return _by_label(session, clicks, Commission.country, LabelKind.COUNTRY, **whose)


def facts_by_device(session: Session, *, program_id: UUID, period: Period, currency: str) -> dict[str, Facts]:
    """By device of the click; empty where it is unknown, and for sales without a click."""
    clicks = _clicks(DeviceHour, DeviceHour.device, program_id, None, period)
    whose: dict[str, Any] = {"program_id": program_id, "partner_id": None, "period": period, "currency": currency}
    return _by_label(session, clicks, Commission.device, LabelKind.DEVICE, **whose)


def facts_by_source(session: Session, *, program_id: UUID, period: Period, currency: str) -> dict[str, Facts]:
    """By host of the page with the link; empty for none, and for sales without a click."""
    clicks = _clicks(ReferrerClickHour, ReferrerClickHour.referrer_host, program_id, None, period)
    whose: dict[str, Any] = {"program_id": program_id, "partner_id": None, "period": period, "currency": currency}
    return _by_label(session, clicks, Commission.referrer_host, LabelKind.REFERRER, **whose)


def facts_by_creative(
    session: Session, *, program_id: UUID, partner_id: UUID | None, creatives: Sequence[str], currency: str
) -> dict[str, Facts]:
    """What each of the given creatives (public ids) has brought since it was made, of one partner or of all; each is there."""
    found = {name: Facts(currency) for name in creatives}
    if not found:
        return found
    valid = sa.case((CreativeClickHour.verdict == ClickVerdict.VALID, CreativeClickHour.clicks), else_=0)
    clicks = sa.select(CreativeClickHour.creative, sa.func.sum(CreativeClickHour.clicks), sa.func.sum(valid)).where(
        CreativeClickHour.program_id == program_id, CreativeClickHour.creative.in_(found)
    )
    sales = sales_of(Commission.creative, program_id, partner_id, currency)
    if partner_id is not None:
        clicks = clicks.where(CreativeClickHour.partner_id == partner_id)
    for name, raw, counted in session.execute(clicks.group_by(CreativeClickHour.creative)):
        found[name] += Facts(currency, clicks_raw=int(raw), clicks_valid=int(counted))
    for name, *sold in session.execute(sales.where(Commission.creative.in_(found)).group_by(Commission.creative)):
        found[name] += sales_facts(currency, *sold)
    return found


def partners_using(session: Session, *, program_id: UUID, creative: str, since: datetime, limit: int) -> list[UUID]:
    """The partners with a valid click by this creative since then."""
    used = sa.select(CreativeClickHour.partner_id).distinct()
    here = (CreativeClickHour.program_id == program_id, CreativeClickHour.creative == creative)
    counted = (CreativeClickHour.hour >= since, CreativeClickHour.verdict == ClickVerdict.VALID)
    found = used.where(*here, *counted).order_by(CreativeClickHour.partner_id).limit(limit)
    return list(session.scalars(found))


def not_counted(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, link_id: UUID | None = None, period: Period
) -> dict[ClickVerdict, int]:
    """How many clicks of the period did not count, by their reason, the most frequent first; of all, a partner, or a link of it."""
    rollup: Any = ProgramClickHour if partner_id is None else PartnerClickHour if link_id is None else ClickHour
    count = sa.func.sum(rollup.clicks)
    reasons = sa.select(rollup.verdict, count).where(
        *_of(rollup, program_id, partner_id, period), rollup.verdict != ClickVerdict.VALID
    )
    if link_id is not None:
        reasons = reasons.where(ClickHour.link_id == link_id)
    rows = session.execute(reasons.group_by(rollup.verdict).order_by(count.desc(), rollup.verdict))
    return {verdict: int(clicks) for verdict, clicks in rows if clicks}


def _of(rollup: Any, program_id: UUID, partner_id: UUID | None, period: Period) -> list[sa.ColumnElement[bool]]:
    here = [rollup.program_id == program_id, rollup.hour >= period.starts_at, rollup.hour < period.ends_at]
    return here if partner_id is None else [*here, rollup.partner_id == partner_id]


def _clicks(
    rollup: Any, key: InstrumentedAttribute[Any], program_id: UUID, partner_id: UUID | None, period: Period
) -> sa.Select[Any]:
    valid = sa.case((rollup.verdict == ClickVerdict.VALID, rollup.clicks), else_=0)
    counted = sa.select(key, sa.func.sum(rollup.clicks).label("raw"), sa.func.sum(valid))
    return counted.where(*_of(rollup, program_id, partner_id, period)).group_by(key)


def _joined(
    session: Session, clicks: sa.Select[Any], sales: Sequence[sa.Select[Any]], currency: str
) -> dict[Any, Facts]:
    """Clicks and sales under their common keys, in one trip. They are ranked together: of a row that is there nothing is left out."""
    key, *clicked = clicks.subquery().c
    parts = [sa.select(key.label("key"), *clicked, *zeros(4))]
    for sold in sales:
        key, *amounts = sold.subquery().c
        parts.append(sa.select(key, *zeros(2), *amounts))
    key, *columns = sa.union_all(*parts).subquery().c
    sums = [sa.func.sum(column) for column in columns]
    raw, *_others, earned, _reversed = sums
    ranked = sa.select(key, *sums).group_by(key).order_by(earned.desc(), raw.desc(), key).limit(ROWS_MAX)
    return {name: Facts(currency, *map(int, numbers)) for name, *numbers in session.execute(ranked)}
