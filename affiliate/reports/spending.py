"""What partners have cost beside their commissions: costs by their day, bonuses and corrections by their posting."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.payouts.models import Adjustment, PartnerCost
from affiliate.payouts.queries import posted
from affiliate.reports.periods import Period

_QUARTER_SECONDS = 900


def by_day(
    session: Session, *, program_id: UUID, partner_id: UUID | None, period: Period, currency: str
) -> Iterator[tuple[date, int]]:
    """Days with minor units, of one partner or the whole program; a day may come twice."""
    epoch = sa.extract("epoch", Adjustment.decided_at)
    quarter = (epoch - epoch % _QUARTER_SECONDS).label("quarter")
    costs = _costs(PartnerCost.spent_on, program_id, partner_id, period, currency).subquery()
    entries = _entries(quarter, program_id, partner_id, period, currency).subquery()
    both = sa.union_all(  # one trip for both
        sa.select(costs.c[0], sa.cast(sa.null(), sa.BigInteger), costs.c[1]),
        sa.select(sa.cast(sa.null(), sa.Date), entries.c[0], entries.c[1]),
    )
    for day, moment, minor in session.execute(both):
        yield day or period.day_of(datetime.fromtimestamp(int(moment), UTC)), int(minor)


def by_partner(session: Session, *, program_id: UUID, period: Period, currency: str) -> dict[UUID, int]:
    """Minor units by partner."""
    found: dict[UUID, int] = {}
    for partner_id, minor in session.execute(of_partners(program_id=program_id, period=period, currency=currency)):
        found[partner_id] = found.get(partner_id, 0) + int(minor)
    return found


def of_partners(*, program_id: UUID, period: Period, currency: str) -> sa.CompoundSelect[Any]:
    """Rows of a partner and minor units, at most two of each, as a part of a larger statement."""
    return sa.union_all(
        _costs(PartnerCost.partner_id, program_id, None, period, currency),
        _entries(Adjustment.partner_id, program_id, None, period, currency),
    )


def _costs(key: Any, program_id: UUID, partner_id: UUID | None, period: Period, currency: str) -> sa.Select[Any]:
    rows = sa.select(key, sa.func.sum(PartnerCost.amount_minor)).where(
        PartnerCost.program_id == program_id, PartnerCost.currency == currency, PartnerCost.removed_at.is_(None),
        PartnerCost.spent_on >= period.first, PartnerCost.spent_on < period.end,
    )  # fmt: skip
    return (rows if partner_id is None else rows.where(PartnerCost.partner_id == partner_id)).group_by(key)


def _entries(key: Any, program_id: UUID, partner_id: UUID | None, period: Period, currency: str) -> sa.Select[Any]:
    """What a correction took away makes it less; a write-off is money that never came back."""
    rows = sa.select(key, sa.func.sum(Adjustment.amount_minor)).where(
        Adjustment.program_id == program_id, Adjustment.currency == currency, posted(),
        Adjustment.decided_at >= period.starts_at, Adjustment.decided_at < period.ends_at,
    )  # fmt: skip
    return (rows if partner_id is None else rows.where(Adjustment.partner_id == partner_id)).group_by(key)


def spent(*, program_id: UUID, partner_id: UUID | None, period: Period, currency: str) -> sa.ColumnElement[int]:
    """Minor units in all, as a part of a larger statement."""
    parts = [_costs(PartnerCost.partner_id, program_id, partner_id, period, currency)]
    parts += [_entries(Adjustment.partner_id, program_id, partner_id, period, currency)]
    sums = []
    for each in parts:
        rows = each.subquery()
        sums.append(sa.select(sa.func.coalesce(sa.func.sum(rows.c[1]), 0)).scalar_subquery())
    return sums[0] + sums[1]
