"""How far the goals of a program have come, counted as reports count: no test orders, none that is being verified."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Credit
from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.programs.models import Goal, GoalMetric
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED


def counted(session: Session, *, goals: Sequence[Goal], zone: str) -> dict[UUID, int]:
    """What each goal has reached in its period until now, in one statement; revenue in minor units."""
    if not goals:
        return {}
    parts = [
        sa.select(sa.literal(goal.id, sa.Uuid()).label("goal"), _reached(goal, zone).label("reached")) for goal in goals
    ]
    found = {goal_id: int(reached or 0) for goal_id, reached in session.execute(sa.union_all(*parts))}
    return {goal.id: found[goal.id] for goal in goals}


def _reached(goal: Goal, zone: str) -> sa.ScalarSelect[Any]:
    period = Period(goal.starts_on, goal.ends_on, zone)
    if goal.metric is GoalMetric.CLICKS:
        return _clicks(goal, period, sa.func.sum(PartnerClickHour.clicks)).scalar_subquery()
    if goal.metric is GoalMetric.ACTIVE_PARTNERS:
        clicked = _clicks(goal, period, PartnerClickHour.partner_id)
        active = sa.union(clicked, _sales(goal, period, Commission.partner_id)).subquery()
        return sa.select(sa.func.count()).select_from(active).scalar_subquery()
    if goal.metric is GoalMetric.REVENUE:
        return _sales(goal, period, sa.func.sum(Commission.revenue_minor)).scalar_subquery()
    orders = _sales(goal, period, sa.func.count(Commission.conversion_id.distinct()))
    if goal.metric is GoalMetric.NEW_CUSTOMERS:
        orders = orders.where(Conversion.new_customer.is_(sa.true()))
    return orders.scalar_subquery()


def _clicks(goal: Goal, period: Period, what: Any) -> sa.Select[Any]:
    here = (PartnerClickHour.program_id == goal.program_id, PartnerClickHour.verdict == ClickVerdict.VALID)
    return sa.select(what).where(
        *here, PartnerClickHour.hour >= period.starts_at, PartnerClickHour.hour < period.ends_at
    )


def _sales(goal: Goal, period: Period, what: Any) -> sa.Select[Any]:
    return (
        sa.select(what)
        .select_from(Commission)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Credit, Credit.id == Commission.credit_id)
        .where(Commission.program_id == goal.program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
        .where(Commission.earned_at >= period.starts_at, Commission.earned_at < period.ends_at)
    )
