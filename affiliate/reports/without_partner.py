"""The row that the table of performance holds against partners: what came to the shop without one, where it told its days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports import asked, metrics, queries, shop, shop_days
from affiliate.reports.asked import By
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.sheet import Sheet
from affiliate.reports.shop import Side

KEY = "without_partner"
"""How files and the API call the row."""
BESIDE = frozenset({By.PARTNER, By.DAY})
"""What a row is where this one stands beside the total: no product and no country of the rest of the shop is known."""

KNOWN = {
    "clicks_valid": "visitors", "conversions": "orders", "conversion_rate": "rate_bps", "aov": "aov", "revenue": "revenue",
    "new_share": "new_share_bps",
}  # fmt: skip
"""The metrics of which something is known without a partner, and where it stands in a side."""


@dataclass(frozen=True, slots=True)
class Without:
    """What came without a partner in the days that the shop told, `told` of `days`; no side where partners had more than it told."""

    side: Side | None
    told: int
    days: int

    def value(self, key: str) -> metrics.Value:
        """By the key of a metric; null is unknown, as what such visitors cost. Visitors stand where partners have valid clicks."""
        side = self.side
        if side is None:
            return None
        return getattr(side, KNOWN[key]) if key in KNOWN else None


def of(sheet: Sheet, period: Period) -> Without | None:
    """The row of a program's own report for its days or those that it is compared with; null where the shop told none of them."""
    if not sheet.scope.is_inside or sheet.asked.by not in BESIDE:
        return None
    days = sheet.days if sheet.scope.partner_id is None else None  # one partner's days are not the program's
    tells_new = not asked.OF_CUSTOMERS.isdisjoint(sheet.columns)
    return found(sheet.session, program=sheet.scope.program, period=period, days=days, tells_new=tells_new)


def found(
    session: Session,
    *,
    program: Program,
    period: Period,
    days: Mapping[date, Facts] | None = None,
    tells_new: bool = True,
) -> Without | None:
    """What came without a partner in these days; null where the shop told none of them.

    `days` are the program's where they are known already. The shop cuts its days in the program's zone, so others are read again.
    """
    told = shop_days.told(session, program_id=program.id, period=period)
    if not told:
        return None
    here = Period(period.first, period.end, program.time_zone)
    if days is None or period.zone != here.zone:
        days = queries.facts_by_day(
            session, program_id=program.id, period=here, currency=program.currency, tells_new=tells_new
        )
    compared = shop.compared(told, days, currency=program.currency)
    return Without(compared.others, compared.days, len(period.days))
