"""What partners' customers bought and gave back, by product or by category; and where their visitors landed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions import losses
from affiliate.commissions.life import Loss
from affiliate.commissions.models import Commission
from affiliate.commissions.orders import cut
from affiliate.ingest.models import Click, ClickVerdict, Conversion
from affiliate.money import divide_half_even
from affiliate.reports import goods, landings
from affiliate.reports.landing_models import LandingHour
from affiliate.reports.periods import Period
from affiliate.reports.products import CATEGORY, LABEL_LENGTH_MAX, NO_PRODUCT, SALES_MAX, SKU
from affiliate.reports.queries import NOT_COUNTED, earned_in

PAGES_MAX = 5_000
_SKU_LENGTH_MAX = 120


@dataclass(slots=True)
class Good:
    """A product or a category: in how many orders, how many pieces, for how much, what partners earned, what came back.

    Amounts are minor units of the program's currency; revenue and what came back are what customers paid, with tax and shipping.
    `name` is the newest that an order gave.
    """

    name: str = ""
    orders: int = 0
    pieces: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0
    back_minor: int = 0
    back_orders: int = 0


@dataclass(frozen=True, slots=True)
class Landing:
    """A page of the shop: the visits that began there, and the orders and revenue credited to their clicks."""

    page: str
    visits: int = 0
    orders: int = 0
    revenue_minor: int = 0


def bought(session: Session, *, by: str, program_id: UUID, period: Period, currency: str) -> dict[str, Good]:
    """By SKU or CATEGORY what the orders of these days held; NO_PRODUCT for orders that name none. The newest SALES_MAX sales.

    Money is shared out by what each line cost, so that it adds up to the same as everywhere; sales in another currency count without it.
    """
    rows = session.execute(_sales(program_id, period)).all()
    lost = losses.losses_of(session, conversion_ids={row.conversion_id for row in rows})
    found: defaultdict[str, Good] = defaultdict(Good)
    seen: set[UUID] = set()
    for row in rows:  # the newest first
        _add(found, row, by=by, lost=lost.of(row.conversion_id), currency=currency, seen=seen)
    return dict(found)


def _sales(program_id: UUID, period: Period) -> sa.Select[Any]:
    columns = (
        Commission.conversion_id, Commission.currency, Commission.revenue_minor,
        (Commission.amount_minor - Commission.reversed_minor).label("left_minor"), Conversion.items, Conversion.amount_minor,
    )  # fmt: skip
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    found = sa.select(*columns).join(Conversion, Conversion.id == Commission.conversion_id)
    newest = found.where(*here, *earned_in(period)).order_by(Commission.earned_at.desc(), Commission.id.desc())
    return newest.limit(SALES_MAX)


def _add(
    found: defaultdict[str, Good],
    row: Any,
    *,
    by: str,
    lost: Sequence[Loss],
    currency: str,
    seen: set[UUID],
) -> None:
    """One sale: shared out among its lines by SKU, these under their labels."""
    lines = _together(_lines(row.items), by)
    weights = {sku: minor for sku, (minor, _items) in lines.items()}
    revenue = cut(row.revenue_minor if row.currency == currency else 0, list(weights.values()))
    earned = cut(row.left_minor, list(weights.values()))
    back = goods.returned(weights, lost, paid_minor=row.amount_minor) if lost else {}
    labels: dict[str, bool] = {}  # whether something of it came back
    is_new = row.conversion_id not in seen  # else it is another partner's share of the same order
    seen.add(row.conversion_id)
    for place, (sku, (_minor, items)) in enumerate(lines.items()):
        label = _label(sku, items, by)
        good, part = found[label], back.get(sku)
        labels[label] = labels.get(label, False) or bool(part)
        good.name = good.name or (str(items[0].get("name") or "") if items and by == SKU else "")
        good.revenue_minor += revenue[place]
        good.earned_minor += earned[place]
        if part:
            good.back_minor += divide_half_even(revenue[place] * part.numerator, part.denominator)
        good.pieces += sum(int(item.get("quantity") or 1) for item in items) if is_new else 0
    for label, came_back in labels.items() if is_new else ():
        found[label].orders += 1
        found[label].back_orders += came_back


def _together(
    lines: Mapping[str, tuple[int, list[Mapping[str, Any]]]], by: str
) -> dict[str, tuple[int, list[Mapping[str, Any]]]]:
    """The same with the lines of a label one after the other: rounded in their turn, they add up to what other reports say of it."""
    labels = {sku: _label(sku, items, by) for sku, (_minor, items) in lines.items()}
    places = {label: place for place, label in enumerate(dict.fromkeys(labels.values()))}
    return dict(sorted(lines.items(), key=lambda line: places[labels[line[0]]]))


def _label(sku: str, items: Sequence[Mapping[str, Any]], by: str) -> str:
    """What a line is counted under."""
    if by == CATEGORY:
        sku = str(items[0].get(CATEGORY) or NO_PRODUCT) if items else NO_PRODUCT
    return sku[:LABEL_LENGTH_MAX]


def _lines(items: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, list[Mapping[str, Any]]]]:
    """What each product of an order cost, and its lines; an order whose items cost nothing is of NO_PRODUCT."""
    paid: Counter[str] = Counter()
    of_sku: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in items:
        sku = str(item.get(SKU) or NO_PRODUCT)[:_SKU_LENGTH_MAX]
        paid[sku] += int(item["amount_minor"])
        of_sku[sku].append(item)
    if sum(paid.values()) <= 0:
        return {NO_PRODUCT: (1, [])}
    return {sku: (paid[sku], of_sku[sku]) for sku in paid}


def landed(session: Session, *, program_id: UUID, period: Period, currency: str) -> list[Landing]:
    """The pages on which visits of these days began, and what was sold to them in these days, those with the most visits first."""
    clicks = sa.func.sum(LandingHour.clicks)
    days = (LandingHour.hour >= period.starts_at, LandingHour.hour < period.ends_at)
    here = (LandingHour.program_id == program_id, LandingHour.verdict == ClickVerdict.VALID, *days)
    visits = sa.select(LandingHour.page, clicks).where(*here).group_by(LandingHour.page)
    counted = {page: int(number) for page, number in session.execute(visits.order_by(clicks.desc()).limit(PAGES_MAX))}
    orders: Counter[str] = Counter()
    revenue: Counter[str] = Counter()
    for url, sold, minor in session.execute(_sold_at(program_id, period, currency)):
        orders[landings.page_of(url)] += sold
        revenue[landings.page_of(url)] += int(minor)
    pages = sorted(counted.keys() | orders.keys(), key=lambda page: (-counted.get(page, 0), -orders[page], page))
    return [Landing(page, counted.get(page, 0), orders[page], revenue[page]) for page in pages]


def _sold_at(program_id: UUID, period: Period, currency: str) -> sa.Select[*tuple[Any, ...]]:
    in_it = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    orders = sa.func.count(Commission.conversion_id.distinct())
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    return (
        sa.select(Click.landing_url, orders, sa.func.sum(in_it))
        .select_from(Commission)
        .join(Click, Click.id == Commission.click_id)
        .where(*here, *earned_in(period))
        .group_by(Click.landing_url)
        .order_by(orders.desc(), Click.landing_url)
        .limit(PAGES_MAX)
    )
