"""Figures that no partner's line shows, because they are about the whole: how much hangs on one, comes back, or is doubted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.fraud.models import FraudOrder, FraudVerdict, Verdict
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.partners.models import Partner
from affiliate.reports import day_queries
from affiliate.reports.day_models import LabelKind
from affiliate.reports.day_queries import within
from affiliate.reports.partner_facts import sales_by_partner, sales_in
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED, covered_in
from affiliate.reports.stretches import Covered


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """Shares in basis points, null where there is nothing to divide by; `top_partner` earned the most revenue."""

    revenue_minor: int
    orders: int
    top_partner: tuple[UUID, str] | None
    top_share_bps: int | None
    reversal_bps: int | None
    fraud_bps: int | None


def risk_figures(session: Session, *, program_id: UUID, period: Period, currency: str) -> RiskFigures:
    """The figures of a program in these days, by two statements and two for the days that stand counted."""
    every = sales_by_partner(session, program_id=program_id, period=period, currency=currency).subquery().c
    rows = sa.select(every.partner_id, every.revenue, every.conversions).cte("sold")
    sums = (sa.select(sa.func.sum(column)).scalar_subquery() for column in (rows.c.revenue, rows.c.conversions))
    first = sa.select(rows.c.partner_id, rows.c.revenue).order_by(rows.c.revenue.desc(), rows.c.partner_id).limit(1)
    found = first.subquery()
    best = session.execute(
        sa.select(Partner.id, Partner.name, found.c.revenue, *sums).join(found, found.c.partner_id == Partner.id)
    ).one_or_none()
    top, revenue, orders = (int(number) for number in best[2:]) if best else (0, 0, 0)
    taken = _reversed(program_id, covered_in(session, program_id, period, currency)).subquery()
    judged = _doubted(program_id, period).subquery()
    back, paid, doubted, all_judged = session.execute(
        sa.select(taken, judged).select_from(taken.join(judged, sa.true()))  # one row each
    ).one()
    return RiskFigures(
        revenue, orders, (best[0], best[1]) if best and revenue else None, _part(top, revenue), _part(back, paid),
        _part(doubted, all_judged),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the revenue one partner brings and how many judged orders are doubted, in basis points, and of how many orders."""

    orders: int
    top_share_bps: int | None
    judged: int
    fraud_bps: int | None


def shares(session: Session, *, program_id: UUID, periods: Sequence[Period], currency: str) -> list[Shares]:
    """The shares of `risk_figures` of each of several periods, in their order, by one statement and one for the days that stand counted."""
    ends = [(period.starts_at, period.ends_at) for period in periods]
    here: dict[str, Any] = {"program_id": program_id, "currency": currency}
    standing = day_queries.sales_of_periods_in_spans(session, periods=ends, **here)
    parts = []
    for place, (period, covered) in enumerate(zip(periods, standing, strict=True)):
        sold, judged = sales_in(covered, **here).subquery().c, _doubted(program_id, period).subquery()
        revenue = sa.func.sum(sold.revenue)
        best = sa.select(sa.func.max(sold.revenue).label("best"), revenue.label("revenue"), sa.func.sum(sold.conversions).label("orders")).subquery()  # fmt: skip
        parts.append(sa.select(sa.literal(place), best, judged).select_from(best.join(judged, sa.true())))
    found = {row[0]: [int(number or 0) for number in row[1:]] for row in session.execute(sa.union_all(*parts))}
    rows = [found[place] for place in range(len(periods))]
    return [
        Shares(orders, _part(top, revenue), judged, _part(doubted, judged))
        for top, revenue, orders, doubted, judged in rows
    ]


def _reversed(program_id: UUID, covered: Covered) -> sa.Select[*tuple[Any, ...]]:
    """What was taken back of the commissions of these days, and what they were."""
    back, paid = sa.func.sum(Commission.reversed_minor), sa.func.sum(Commission.amount_minor)
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    live = sa.select(back.label("back"), paid.label("paid")).where(*here, within(Commission.earned_at, covered.rest))
    counted = day_queries.sold_in_all(program_id, LabelKind.ALL, covered).subquery()
    both = sa.union_all(live, sa.select(counted.c.reversed, counted.c.earned + counted.c.reversed)).subquery()
    return sa.select(sa.func.sum(both.c.back).label("back"), sa.func.sum(both.c.paid).label("paid"))


def _doubted(program_id: UUID, period: Period) -> sa.Select[*tuple[Any, ...]]:
    """The judged orders of these days that are under review or rejected, and all of them."""
    doubted: Any = sa.case((FraudVerdict.verdict != Verdict.PASS, 1), else_=0)
    judged = sa.select(sa.func.sum(doubted).label("doubted"), sa.func.count().label("judged"))
    verdict = sa.and_(
        FraudVerdict.attribution_id == FraudOrder.attribution_id, FraudVerdict.partner_id == FraudOrder.partner_id
    )
    here = (FraudOrder.program_id == program_id, FraudOrder.occurred_at >= period.starts_at)
    found = judged.select_from(FraudOrder).join(FraudVerdict, verdict)
    return found.where(*here, FraudOrder.occurred_at < period.ends_at)


def _part(part: int | None, whole: int | None) -> int | None:
    return divide_half_even(int(part or 0) * BPS_PER_UNIT, int(whole)) if whole else None
