"""The numbers of funnels: visits and steps from their exact rollups, orders from the commissions of the visits' clicks.

A visit is a valid click; a repeat of it counts for the steps and orders that it brought, for the shop knows the visitor by the second
click. An order is a visit with a sale that counts, so that two orders of one visit are one; kept is one that was approved and is not
taken back. Orders by coupon alone, or by another device without the click, are no visit's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import OTHER, PartnerClickHour, ProgramClickHour, ReferrerClickHour
from affiliate.ingest.step_models import PartnerStepHour, ProgramStepHour, SourceStepHour, VisitStep
from affiliate.partners.models import Partner
from affiliate.reports import day_queries, partner_facts
from affiliate.reports.combined import whole_hour
from affiliate.reports.day_models import PartnerSaleDay
from affiliate.reports.day_queries import within
from affiliate.reports.funnel import Funnel
from affiliate.reports.landing_models import DeviceHour
from affiliate.reports.models import VisitorHour, VisitorKind
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED
from affiliate.reports.stretches import Covered, Stretch

KEPT = (CommissionStatus.APPROVED, CommissionStatus.IN_PAYOUT, CommissionStatus.PAID)
WAITING = (CommissionStatus.PENDING, CommissionStatus.UNDER_REVIEW)
_OF_VISITS = (ClickVerdict.VALID, ClickVerdict.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Visits:
    """Whose visits: of a program, or of one partner in it; of one device or of one source, if asked (never both at once).

    A source is the host of the page with the link; empty for none.
    """

    program_id: UUID
    partner_id: UUID | None = None
    device: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerFunnel:
    """One partner's line."""

    partner_id: UUID
    name: str
    funnel: Funnel


def funnel(session: Session, *, visits: Visits, period: Period) -> Funnel:
    """How far the visits of these days came. One trip for all of it."""
    every = _stages(_sold_in_all(visits, *_covered(session, visits, period)), visits, period)
    return Funnel(**{name: int(number or 0) for name, number in session.execute(every)})


def of_periods(session: Session, *, program_id: UUID, periods: Sequence[Period]) -> list[Funnel]:
    """How far all visits of a program came in each of several periods, in their order, by one statement and one for the days that stand counted."""
    visits = Visits(program_id)
    ends = [hours for period in periods for hours in _hours(period)]
    standing = day_queries.visits_of_periods(session, program_id=program_id, periods=ends)
    stages = [
        _stages(_sold_in_all(visits, *covered), visits, period, cte=f"sold_{place}").subquery()
        for place, (period, covered) in enumerate(zip(periods, standing, strict=True))
    ]
    rows = sa.union_all(*(sa.select(sa.literal(place), one) for place, one in enumerate(stages)))
    found: list[dict[str, int]] = [{} for _ in periods]
    for place, name, number in session.execute(rows):
        found[place][name] = int(number or 0)
    return [Funnel(**numbers) for numbers in found]


def _stages(sold_in_all: Any, visits: Visits, period: Period, *, cte: str = "sold") -> sa.CompoundSelect[Any]:
    """Rows of a stage and how many visits came to it."""
    sold = sold_in_all.cte(cte)
    order, kept, waiting = (sa.func.sum(sold.c[name]) for name in ("visits", "kept", "waiting"))
    return sa.union_all(
        _visits(visits, period),
        _steps(visits, period),
        *(
            _named(name, number).select_from(sold)
            for name, number in (("order", order), ("kept", kept), ("waiting", waiting))
        ),
    )


def _named(name: str, number: Any) -> sa.Select[Any]:
    return sa.select(sa.literal(name, sa.String).label("name"), number.label("number"))


def sources(session: Session, *, visits: Visits, period: Period, limit: int) -> list[str]:
    """The sources with the most visits, for people to choose from; without those that have none or were too many."""
    rollup, label, kind = _source_rollup(visits)
    named = (*kind, label.not_in(["", OTHER]), rollup.verdict == ClickVerdict.VALID, *_of(rollup, visits, period))
    clicks = sa.func.sum(rollup.clicks)
    found = sa.select(label).where(*named).group_by(label).order_by(clicks.desc(), label).limit(limit)
    return list(session.scalars(found))


def by_partner(session: Session, *, program_id: UUID, period: Period, limit: int) -> list[PartnerFunnel]:
    """The funnels of the partners with the most visits in these days. Three queries."""
    whole = Visits(program_id)
    every = partner_facts.clicks_by_partner(session, program_id=program_id, period=period).subquery()
    clicked = sa.select(every.c.partner_id, every.c.valid.label("clicks")).where(every.c.valid > 0)
    most = clicked.order_by(every.c.valid.desc(), every.c.partner_id).limit(limit).subquery()
    named = sa.select(Partner.id, Partner.name, most.c.clicks).join(most, most.c.partner_id == Partner.id)
    rows = session.execute(named.order_by(most.c.clicks.desc(), Partner.id)).all()
    found = {row.id: Funnel(visit=int(row.clicks)) for row in rows}
    for partner_id, step, number in session.execute(_steps_of(PartnerStepHour.partner_id, found, whole, period)):
        found[partner_id] = replace(found[partner_id], **{step.value: int(number)})
    for partner_id, order, kept, waiting in session.execute(_orders_by_partner(session, found, whole, period)):
        found[partner_id] = replace(found[partner_id], order=int(order), kept=int(kept), waiting=int(waiting))
    return [PartnerFunnel(row.id, row.name, found[row.id]) for row in rows]


def last_tests(session: Session, *, program_id: UUID, limit: int) -> Sequence[VisitStep]:
    """The newest steps that were told as a test."""
    mine = (VisitStep.program_id == program_id, sa.text("is_test"))  # in the words of the index
    return session.scalars(sa.select(VisitStep).where(*mine).order_by(VisitStep.received_at.desc()).limit(limit)).all()


def _of(rollup: Any, visits: Visits, period: Period) -> list[sa.ColumnElement[bool]]:
    """Rows of a rollup of these visits and days."""
    here = [rollup.program_id == visits.program_id, rollup.hour >= period.starts_at, rollup.hour < period.ends_at]
    return here if visits.partner_id is None else [*here, rollup.partner_id == visits.partner_id]


def _visits(visits: Visits, period: Period) -> sa.Select[Any]:
    """From the rollup that has just these rows."""
    rollup: Any = ProgramClickHour if visits.partner_id is None else PartnerClickHour
    narrowed: list[sa.ColumnElement[bool]] = []
    if visits.device is not None:
        rollup, label, kind = _device_rollup(visits)
        narrowed = [*kind, label == visits.device]
    elif visits.source is not None:
        rollup, label, kind = _source_rollup(visits)
        narrowed = [*kind, label == visits.source]
    here = (*_of(rollup, visits, period), *narrowed, rollup.verdict == ClickVerdict.VALID)
    return _named("visit", sa.func.sum(rollup.clicks)).where(*here)


def _device_rollup(visits: Visits) -> tuple[Any, Any, list[sa.ColumnElement[bool]]]:
    """Where clicks stand by device, its column, and which rows tell of devices."""
    if visits.partner_id is None:
        return DeviceHour, DeviceHour.device, []
    return VisitorHour, VisitorHour.label, [VisitorHour.kind == VisitorKind.DEVICE]


def _source_rollup(visits: Visits) -> tuple[Any, Any, list[sa.ColumnElement[bool]]]:
    """Where clicks stand by the page that they came from, its column, and which rows tell of pages."""
    if visits.partner_id is None:
        return ReferrerClickHour, ReferrerClickHour.referrer_host, []
    return VisitorHour, VisitorHour.label, [VisitorHour.kind == VisitorKind.REFERRER]


def _steps(visits: Visits, period: Period) -> sa.Select[Any]:
    rollup: Any = ProgramStepHour if visits.partner_id is None else PartnerStepHour
    narrowed: list[sa.ColumnElement[bool]] = []
    if visits.device is not None:
        narrowed = [rollup.device == visits.device]
    elif visits.source is not None:
        rollup = SourceStepHour
        narrowed = [SourceStepHour.source == visits.source]
    here = (*_of(rollup, visits, period), *narrowed, rollup.verdict.in_(_OF_VISITS))
    name = sa.cast(rollup.step, sa.String)
    return sa.select(name, sa.func.sum(rollup.clicks)).where(*here).group_by(rollup.step)


def _steps_of(key: Any, partner_ids: Any, whole: Visits, period: Period) -> sa.Select[Any]:
    here = (*_of(PartnerStepHour, whole, period), PartnerStepHour.verdict.in_(_OF_VISITS))
    sums = sa.select(key, PartnerStepHour.step, sa.func.sum(PartnerStepHour.clicks))
    return sums.where(*here, key.in_(list(partner_ids))).group_by(key, PartnerStepHour.step)


def sold_by(key: Any, visits: Visits, times: Sequence[Stretch]) -> sa.Select[Any]:
    """Rows of a key (of the click, or the partner), visits with a sale that counts, how many are kept, and how many of the others wait."""
    named = key.label("key")
    rows = _sold(visits, times).add_columns(named).group_by(named).subquery()
    return sa.select(rows.c.key, *_summed(rows)).group_by(rows.c.key)


def _hours(period: Period) -> list[Stretch]:
    """The same hours as those of visits: in a zone of half hours a day begins in the midst of one."""
    return [(whole_hour(period.starts_at), whole_hour(period.ends_at))]


def _sold(visits: Visits, rest: Sequence[Stretch]) -> sa.Select[*tuple[Any, ...]]:
    """A row for each visit in these stretches and partner with a sale that counts: whether one of its sales is kept, or still waits."""
    kept, waits = (
        sa.func.max(sa.case((Commission.status.in_(states), 1), else_=0)).label(name)
        for states, name in ((KEPT, "kept"), (WAITING, "waits"))
    )
    found = (
        sa.select(Commission.click_id, Commission.partner_id, kept, waits)
        .select_from(Commission)
        .where(Commission.program_id == visits.program_id, Commission.is_live, Commission.level == 1)
        .where(Commission.status.not_in(NOT_COUNTED))
        .where(within(Commission.clicked_at, rest))
        .group_by(Commission.click_id, Commission.partner_id)
    )
    if visits.partner_id is not None:
        # Nobody sells before the click; this lets the database begin at the days asked for.
        began = Commission.earned_at >= rest[0][0] if rest else sa.false()
        found = found.where(Commission.partner_id == visits.partner_id, began)
    if visits.device is not None:
        found = found.where(Commission.device == visits.device)
    elif visits.source is not None:
        found = found.where(Commission.referrer_host == visits.source)
    return found


def _sold_in_all(visits: Visits, found: Covered, hours: Sequence[datetime]) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Rows of visits that were sold to, kept and waiting. Of one partner they are few, of a program many: then from counted days."""
    rows = _sold(visits, found.rest).subquery()
    live = sa.select(
        *(sum_.label(name) for sum_, name in zip(_summed(rows), ("visits", "kept", "waiting"), strict=True))
    )
    parts = [live]
    if found.days:
        parts.append(day_queries.visits_in_all(visits.program_id, found, device=visits.device, source=visits.source))
    if hours:
        parts.append(day_queries.visits_of_hours(visits.program_id, hours))
    return sa.union_all(*parts) if len(parts) > 1 else live


def _covered(session: Session, visits: Visits, period: Period) -> tuple[Covered, Sequence[datetime]]:
    """What of the period stands counted by days and, where all visits are asked for, by the hours at its ends."""
    hours = _hours(period)
    if visits.partner_id is not None:
        return Covered([], hours), []
    ((starts_at, ends_at),) = hours
    whole: dict[str, Any] = {"program_id": visits.program_id, "starts_at": starts_at, "ends_at": ends_at}
    if visits.device is None and visits.source is None:
        return day_queries.visits_by_hours(session, **whole)
    return day_queries.visits(session, **whole), []


def _orders_by_partner(session: Session, partner_ids: Any, whole: Visits, period: Period) -> sa.Select[Any]:
    ((starts_at, ends_at),) = _hours(period)
    found = day_queries.visits(session, program_id=whole.program_id, starts_at=starts_at, ends_at=ends_at)
    ids = list(partner_ids)
    rows = _sold(whole, found.rest).where(Commission.partner_id.in_(ids)).subquery()
    names = ("visits", "kept", "waiting")
    live = sa.select(rows.c.partner_id, *(sum_.label(name) for sum_, name in zip(_summed(rows), names, strict=True)))
    counted = day_queries.visits_by_partner(whole.program_id, found)
    mine = counted.where(PartnerSaleDay.partner_id.in_(ids))
    both = sa.union_all(live.group_by(rows.c.partner_id), mine).subquery()
    return sa.select(both.c.partner_id, *(sa.func.sum(both.c[name]) for name in names)).group_by(both.c.partner_id)


def _summed(rows: Any) -> tuple[Any, ...]:
    """How many visits were sold to, how many of these are kept, and how many of the others still wait."""
    waiting = sa.case((rows.c.kept == 0, rows.c.waits), else_=0)
    return sa.func.count(), sa.func.sum(rows.c.kept), sa.func.sum(waiting)
