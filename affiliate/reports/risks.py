"""Figures that no partner's line shows, because they are about the whole: how much hangs on one, comes back, or is doubted."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.fraud.models import FraudOrder, FraudVerdict, Verdict
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.partners.models import Partner
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED, earned_in, sales_of


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
    """The figures of a program in these days, by four statements."""
    key = Commission.partner_id.label("partner_id")
    sales = sales_of(key, program_id, None, currency).where(*earned_in(period))
    rows = sales.group_by(Commission.partner_id).subquery()
    of_all = sa.select(
        sa.func.coalesce(sa.func.sum(rows.c.revenue), 0), sa.func.coalesce(sa.func.sum(rows.c.conversions), 0)
    )
    revenue, orders = (int(number) for number in session.execute(of_all).one())
    best = session.execute(
        sa.select(Partner.id, Partner.name, rows.c.revenue).join(rows, rows.c.partner_id == Partner.id)
        .order_by(rows.c.revenue.desc(), Partner.id).limit(1)
    ).one_or_none()  # fmt: skip
    return RiskFigures(
        revenue, orders, (best[0], best[1]) if best and revenue else None, _share(best[2] if best else 0, revenue),
        _share(*_reversed(session, program_id, period)), _share(*_doubted(session, program_id, period)),
    )  # fmt: skip


def _reversed(session: Session, program_id: UUID, period: Period) -> tuple[int, int]:
    """What was taken back of the commissions of these days, and what they were."""
    sums = sa.select(sa.func.sum(Commission.reversed_minor), sa.func.sum(Commission.amount_minor))
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    row = session.execute(sums.where(*here, *earned_in(period))).one()
    return int(row[0] or 0), int(row[1] or 0)


def _doubted(session: Session, program_id: UUID, period: Period) -> tuple[int, int]:
    """The judged orders of these days that are under review or rejected, and all of them."""
    doubted: Any = sa.case((FraudVerdict.verdict != Verdict.PASS, 1), else_=0)
    judged = sa.select(sa.func.sum(doubted), sa.func.count()).select_from(FraudOrder)
    verdict = sa.and_(
        FraudVerdict.attribution_id == FraudOrder.attribution_id, FraudVerdict.partner_id == FraudOrder.partner_id
    )
    here = (FraudOrder.program_id == program_id, FraudOrder.occurred_at >= period.starts_at)
    row = session.execute(
        judged.join(FraudVerdict, verdict).where(*here, FraudOrder.occurred_at < period.ends_at)
    ).one()
    return int(row[0] or 0), int(row[1] or 0)


def _share(part: int, whole: int) -> int | None:
    return divide_half_even(int(part) * BPS_PER_UNIT, whole) if whole > 0 else None
