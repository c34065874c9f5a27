"""How much of what partners would have had went to other paid channels that the customer came through last."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.attribution.models import Attribution, ChannelLoss, Credit
from affiliate.ingest.models import Conversion
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.partners.models import Partner
from affiliate.reports.periods import Period


@dataclass(frozen=True, slots=True)
class Lost:
    """A partner's orders of a period: those that it is credited for, and those that another paid channel took."""

    partner_id: UUID
    partner_name: str
    lost: int
    kept: int

    @property
    def share_bps(self) -> int:
        """The lost ones of all."""
        return divide_half_even(self.lost * BPS_PER_UNIT, self.lost + self.kept)


def lost_by_partner(session: Session, *, program_id: UUID, period: Period, name: str = "") -> list[Lost]:
    """Every partner that lost an order in the period and whose name holds this, the greatest share first."""
    lost, kept = (_orders(table, program_id, period).subquery() for table in (ChannelLoss, Credit))
    columns: tuple[Any, ...] = (Partner.id, Partner.name, lost.c.orders, sa.func.coalesce(kept.c.orders, 0))
    found = sa.select(*columns).join(lost, lost.c.partner_id == Partner.id)
    found = found.outerjoin(kept, kept.c.partner_id == Partner.id)
    if name:
        found = found.where(folding.holds(Partner.name, name))
    rows = [Lost(*row) for row in session.execute(found)]
    return sorted(rows, key=lambda row: (-row.share_bps, -row.lost, row.partner_name, row.partner_id))


def _orders(table: Any, program_id: UUID, period: Period) -> sa.Select[Any]:
    number = sa.func.count(sa.distinct(Attribution.conversion_id)).label("orders")
    counted = sa.select(table.partner_id, number).join(Attribution, Attribution.id == table.attribution_id)
    counted = counted.join(Conversion, Conversion.id == Attribution.conversion_id)
    return counted.where(
        Conversion.program_id == program_id,
        Conversion.occurred_at >= period.starts_at,
        Conversion.occurred_at < period.ends_at,
        Attribution.is_current,
        sa.not_(Conversion.is_test),
    ).group_by(table.partner_id)
