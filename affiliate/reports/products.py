"""What orders consisted of: sales, revenue, earnings and what came back, by product or by category; of a partner or of all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.commissions.orders import cut
from affiliate.ingest.models import Conversion
from affiliate.reports import day_queries
from affiliate.reports.day_models import LabelKind, ShopKind
from affiliate.reports.day_queries import within
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED, covered_in, sales_facts
from affiliate.reports.stretches import Stretch

SALES_MAX = 20_000
"""The newest sales that one answer reads; a partner with more in a period sees these."""
NO_PRODUCT = ""
SKU, CATEGORY = "sku", "group"
"""What an item can be counted by: its product, or the group that the shop puts it in."""
LABEL_LENGTH_MAX = 100


def facts_by_item(
    session: Session, *, by: str, program_id: UUID, partner_id: UUID | None, period: Period, currency: str
) -> dict[str, Facts]:
    """By SKU or CATEGORY; NO_PRODUCT for orders that name none.

    An order counts for each of them in it. Its revenue and commission are shared out by what each line cost, so that they add up
    to the same as everywhere. The days that stand counted are added up, and SALES_MAX bounds the rest.
    """
    if partner_id is not None:
        return _of_partner(
            session, by=by, program_id=program_id, partner_id=partner_id, period=period, currency=currency
        )
    covered = covered_in(session, program_id, period, currency)
    found = of_stretches(session, by=by, program_id=program_id, partner_id=None, rest=covered.rest, currency=currency)
    if covered.days:
        kind = LabelKind.SKU if by == SKU else LabelKind.CATEGORY
        for label, *sold in session.execute(day_queries.sold_by_label(program_id, kind, covered)):
            found[label] = found.get(label, Facts(currency)) + sales_facts(currency, *sold)
    return found


def _of_partner(
    session: Session, *, by: str, program_id: UUID, partner_id: UUID, period: Period, currency: str
) -> dict[str, Facts]:
    """Of one partner; what its days that are cut by the period's ends hold too much is read, and taken off."""
    ends: dict[str, Any] = {"starts_at": period.starts_at, "ends_at": period.ends_at}
    covered = day_queries.sales_widened(session, program_id=program_id, currency=currency, **ends)
    whose: dict[str, Any] = {"by": by, "program_id": program_id, "partner_id": partner_id, "currency": currency}
    found = defaultdict(lambda: Facts(currency), of_stretches(session, rest=covered.rest, **whose))
    if covered.days:
        kind = ShopKind.SKU if by == SKU else ShopKind.CATEGORY
        for label, *sold in session.execute(day_queries.items_sold(program_id, partner_id, kind, covered)):
            found[label] += sales_facts(currency, *sold)
    for label, facts in of_stretches(session, rest=covered.over, **whose).items() if covered.over else ():
        found[label] += Facts(
            currency, conversions=-facts.conversions, revenue_minor=-facts.revenue_minor, earned_minor=-facts.earned_minor,
            reversed_minor=-facts.reversed_minor,
        )  # fmt: skip
    return {label: facts for label, facts in found.items() if facts.conversions > 0}


def of_stretches(
    session: Session, *, by: str, program_id: UUID, partner_id: UUID | None, rest: Sequence[Stretch], currency: str
) -> dict[str, Facts]:
    """The same of the sales in these stretches of time, read one by one; at most SALES_MAX of the newest."""
    found = sales(program_id, rest)
    if partner_id is not None:
        found = found.where(Commission.partner_id == partner_id)
    return summed(session.execute(found.limit(SALES_MAX)), by=by, currency=currency)


def sales(program_id: UUID, rest: Sequence[Stretch]) -> sa.Select[Any]:
    """The sales of a program in these stretches of time with what their orders held, the newest first."""
    columns = (
        Commission.partner_id, Commission.conversion_id, Commission.currency, Commission.revenue_minor,
        (Commission.amount_minor - Commission.reversed_minor).label("left_minor"), Commission.reversed_minor, Commission.earned_at,
        Conversion.items, Conversion.amount_minor,
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .where(Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
        .where(within(Commission.earned_at, rest))
    )
    return found.order_by(Commission.earned_at.desc(), Commission.id.desc())


def summed(rows: Iterable[Any], *, by: str, currency: str) -> dict[str, Facts]:
    """Rows of `sales`, by SKU or CATEGORY."""
    orders: dict[str, set[UUID]] = {}
    revenue: Counter[str] = Counter()
    earned: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for row in rows:
        weights = _weights(row.items, by)
        parts = list(weights.values())
        minors = (row.revenue_minor if row.currency == currency else 0, row.left_minor, row.reversed_minor)
        for label, *cuts in zip(weights, *(cut(minor, parts) for minor in minors), strict=True):
            orders.setdefault(label, set()).add(row.conversion_id)
            for counter, minor in zip((revenue, earned, back), cuts, strict=True):
                counter[label] += minor
    return {
        label: Facts(
            currency, conversions=len(ids), revenue_minor=revenue[label], earned_minor=earned[label], reversed_minor=back[label]
        )
        for label, ids in orders.items()
    }  # fmt: skip


def _weights(items: Iterable[Mapping[str, Any]], by: str) -> Mapping[str, int]:
    """What was paid for each; an order without items, or with none that cost anything, is of NO_PRODUCT."""
    paid: Counter[str] = Counter()
    for item in items:
        paid[str(item.get(by) or NO_PRODUCT)[:LABEL_LENGTH_MAX]] += int(item["amount_minor"])
    return paid if sum(paid.values()) > 0 else {NO_PRODUCT: 1}
