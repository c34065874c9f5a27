"""What goals have reached in their days: the numbers of reports, many of them in one statement.

Counted as everywhere in reports: no test orders, none that is still being verified, revenue in the program's currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.programs.models import GoalMetric
from affiliate.programs.rules import SUBSCRIBING
from affiliate.reports import day_queries, spending
from affiliate.reports.day_models import LabelKind
from affiliate.reports.day_queries import within
from affiliate.reports.partner_facts import active_partners
from affiliate.reports.periods import Period
from affiliate.reports.queries import sales_of
from affiliate.reports.stretches import Covered

_BY_CLICKS = frozenset({GoalMetric.CLICKS, GoalMetric.ACTIVE_PARTNERS})
NARROWED: Mapping[LabelKind, sa.ColumnElement[bool]] = {
    LabelKind.NEW: Conversion.new_customer.is_(sa.true()),
    LabelKind.SUBSCRIBED: Conversion.kind.in_(SUBSCRIBING),
}
"""Which orders some goals count."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked: a metric in the days of a period, of one partner or of the whole program."""

    metric: GoalMetric
    program_id: UUID
    period: Period
    currency: str
    partner_id: UUID | None = None


_Both = Mapping[Measure, tuple[Covered, Covered]]


@dataclass(frozen=True, slots=True)
class Reached:
    """What was reached, in the metric's unit; `of` is the number of orders that a share is taken of, else zero."""

    value: int
    of: int = 0


def reached(session: Session, *, measures: Sequence[Measure]) -> list[Reached]:
    """What each of the measures is, in their order, by one statement and one for the days that stand counted."""
    if not measures:
        return []
    covered, both = _covered(session, measures), _both(session, measures)
    parts = [
        sa.select(
            sa.literal(place).label("place"),
            _number(measure, covered[measure], both).label("number"),
            _of(measure, covered[measure]).label("of"),
        )
        for place, measure in enumerate(measures)
    ]
    rows = {place: (int(number or 0), int(of or 0)) for place, number, of in session.execute(sa.union_all(*parts))}
    return [_reached(measure, *rows[place]) for place, measure in enumerate(measures)]


def _reached(measure: Measure, number: int, of: int) -> Reached:
    if measure.metric is GoalMetric.NEW_CUSTOMER_SHARE:
        return Reached(divide_half_even(number * BPS_PER_UNIT, of) if of else 0, of)
    return Reached(number)


def _covered(session: Session, measures: Sequence[Measure]) -> dict[Measure, Covered]:
    """What of the days of each stands counted, asked once for all of a program; one partner's sales are few enough to be read."""
    asked: dict[tuple[UUID, str], set[Period]] = {}
    found = {}
    for measure in measures:
        if measure.partner_id is not None or measure.metric in _BY_CLICKS:
            found[measure] = Covered([], measure.period.stretches)
        else:
            asked.setdefault((measure.program_id, measure.currency), set()).add(measure.period)
    for (program_id, currency), periods in asked.items():
        spans = [(period.starts_at, period.ends_at) for period in periods]
        days = day_queries.sales_of_spans(session, program_id=program_id, currency=currency, spans=spans)
        covered = dict(zip(periods, days, strict=True))
        mine = [
            one for one in measures if one not in found and (one.program_id, one.currency) == (program_id, currency)
        ]
        found |= {measure: covered[measure.period] for measure in mine}
    return found


def _both(session: Session, measures: Sequence[Measure]) -> _Both:
    """What of sales and clicks stands counted for those that count active partners, asked once for all of a program."""
    asked: dict[tuple[UUID, str], list[Measure]] = {}
    for measure in measures:
        if measure.metric is GoalMetric.ACTIVE_PARTNERS:
            asked.setdefault((measure.program_id, measure.currency), []).append(measure)
    found: dict[Measure, tuple[Covered, Covered]] = {}
    for (program_id, currency), mine in asked.items():
        periods = [(one.period.starts_at, one.period.ends_at) for one in mine]
        days = day_queries.both_of_periods(session, program_id=program_id, currency=currency, periods=periods)
        found |= dict(zip(mine, days, strict=True))
    return found


def _of(measure: Measure, covered: Covered) -> Any:
    if measure.metric is GoalMetric.NEW_CUSTOMER_SHARE:
        return _sold(measure, covered, "conversions")
    return sa.literal(0)


def _number(measure: Measure, covered: Covered, both: _Both) -> Any:
    metric = measure.metric
    if metric is GoalMetric.CLICKS:
        return _clicked(measure)
    if metric is GoalMetric.ACTIVE_PARTNERS:
        return _active(measure, both)
    if metric is GoalMetric.COST:
        return _sold(measure, covered, "earned") + spending.spent(
            program_id=measure.program_id,
            partner_id=measure.partner_id,
            period=measure.period,
            currency=measure.currency,
        )
    if metric in {GoalMetric.NEW_CUSTOMERS, GoalMetric.NEW_CUSTOMER_SHARE}:
        return _sold(measure, covered, "conversions", LabelKind.NEW)
    if metric is GoalMetric.SUBSCRIBERS:
        return _sold(measure, covered, "conversions", LabelKind.SUBSCRIBED)
    return _sold(measure, covered, "revenue" if metric is GoalMetric.REVENUE else "conversions")


def _sold(measure: Measure, covered: Covered, column: str, kind: LabelKind = LabelKind.ALL) -> Any:
    sales = sales_of(sa.literal(0).label("one"), measure.program_id, measure.partner_id, measure.currency)
    if kind in NARROWED:
        # Asked of each order of the rest: joined, all orders of the program may be read to find the few that are so.
        is_so = sa.select(NARROWED[kind]).where(Conversion.id == Commission.conversion_id)
        sales = sales.where(is_so.scalar_subquery())
    live = sales.where(within(Commission.earned_at, covered.rest)).subquery()
    found = sa.select(live.c[column]).scalar_subquery()
    if not covered.days:
        return found
    counted = day_queries.sold_in_all(measure.program_id, kind, covered).subquery()
    return found + sa.func.coalesce(sa.select(counted.c[column]).scalar_subquery(), 0)


def _hours(rollup: Any, measure: Measure) -> list[sa.ColumnElement[bool]]:
    period = measure.period
    here = [rollup.program_id == measure.program_id, rollup.verdict == ClickVerdict.VALID]
    return [*here, rollup.hour >= period.starts_at, rollup.hour < period.ends_at]


def _clicked(measure: Measure) -> Any:
    rollup: Any = ProgramClickHour if measure.partner_id is None else PartnerClickHour
    clicks = sa.select(sa.func.sum(rollup.clicks)).where(*_hours(rollup, measure))
    if measure.partner_id is not None:
        clicks = clicks.where(PartnerClickHour.partner_id == measure.partner_id)
    return clicks.scalar_subquery()


def _active(measure: Measure, both: _Both) -> Any:
    active = active_partners(measure.program_id, both[measure], currency=measure.currency)
    return sa.select(sa.func.count()).select_from(active.subquery()).scalar_subquery()
