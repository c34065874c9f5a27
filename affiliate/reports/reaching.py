"""What goals have reached in their days: the numbers of reports, many of them in one statement.

Counted as everywhere in reports: no test orders, none that is still being verified, revenue in the program's currency.
"""

from collections.abc import Sequence
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
from affiliate.reports import spending
from affiliate.reports.periods import Period
from affiliate.reports.queries import earned_in, sales_of


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked: a metric in the days of a period, of one partner or of the whole program."""

    metric: GoalMetric
    program_id: UUID
    period: Period
    currency: str
    partner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """What was reached, in the metric's unit; `of` is the number of orders that a share is taken of, else zero."""

    value: int
    of: int = 0


def reached(session: Session, *, measures: Sequence[Measure]) -> list[Reached]:
    """What each of the measures is, in their order, by one statement."""
    if not measures:
        return []
    parts = [
        sa.select(sa.literal(place).label("place"), _number(measure).label("number"), _of(measure).label("of"))
        for place, measure in enumerate(measures)
    ]
    rows = {place: (int(number or 0), int(of or 0)) for place, number, of in session.execute(sa.union_all(*parts))}
    return [_reached(measure, *rows[place]) for place, measure in enumerate(measures)]


def _reached(measure: Measure, number: int, of: int) -> Reached:
    if measure.metric is GoalMetric.NEW_CUSTOMER_SHARE:
        return Reached(divide_half_even(number * BPS_PER_UNIT, of) if of else 0, of)
    return Reached(number)


def _of(measure: Measure) -> Any:
    if measure.metric is GoalMetric.NEW_CUSTOMER_SHARE:
        return _sold(measure, "conversions")
    return sa.literal(0)


def _number(measure: Measure) -> Any:
    metric = measure.metric
    if metric is GoalMetric.CLICKS:
        return _clicked(measure)
    if metric is GoalMetric.ACTIVE_PARTNERS:
        return _active(measure)
    if metric is GoalMetric.COST:
        return _sold(measure, "earned") + spending.spent(
            program_id=measure.program_id,
            partner_id=measure.partner_id,
            period=measure.period,
            currency=measure.currency,
        )
    if metric in {GoalMetric.NEW_CUSTOMERS, GoalMetric.NEW_CUSTOMER_SHARE}:
        return _sold(measure, "conversions", Conversion.new_customer.is_(sa.true()))
    if metric is GoalMetric.SUBSCRIBERS:
        return _sold(measure, "conversions", Conversion.kind.in_(SUBSCRIBING))
    return _sold(measure, "revenue" if metric is GoalMetric.REVENUE else "conversions")


def _sold(measure: Measure, column: str, *conditions: sa.ColumnElement[bool]) -> Any:
    sales = sales_of(
        sa.literal(0).label("one"), measure.program_id, measure.partner_id, measure.currency, by_credit=False
    )
    if conditions:
        sales = sales.join(Conversion, Conversion.id == Commission.conversion_id).where(*conditions)
    found = sales.where(*earned_in(measure.period)).subquery()
    return sa.select(found.c[column]).scalar_subquery()


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


def _active(measure: Measure) -> Any:
    clicked = sa.select(PartnerClickHour.partner_id).where(*_hours(PartnerClickHour, measure))
    sold = sales_of(Commission.partner_id, measure.program_id, None, measure.currency, by_credit=False)
    sold = sold.where(*earned_in(measure.period)).with_only_columns(Commission.partner_id)
    active = sa.union(clicked, sold).subquery()
    return sa.select(sa.func.count()).select_from(active).scalar_subquery()
