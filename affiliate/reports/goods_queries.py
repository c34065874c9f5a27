"""What partners' customers bought and gave back, by product or by category; and where their visitors landed."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions import losses
from affiliate.commissions.life import Loss
from affiliate.commissions.models import Commission
from affiliate.commissions.orders import cut
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.money import divide_half_even
from affiliate.reports import day_queries, goods, landings, products, stretches
from affiliate.reports.day_models import NAME_LENGTH_MAX, ShopKind, ShopSaleDay
from affiliate.reports.day_queries import within
from affiliate.reports.landing_models import LandingHour
from affiliate.reports.periods import Period
from affiliate.reports.products import CATEGORY, LABEL_LENGTH_MAX, NO_PRODUCT, SALES_MAX, SKU
from affiliate.reports.queries import NOT_COUNTED, covered_in
from affiliate.reports.stretches import Covered, Stretch

PAGES_MAX = 20_000
"""The most pages by their visits, and by the orders of counted days; of each of these all is told."""
_ORDERS_AT_ONCE = 10_000  # SQLite takes a bounded number of values
_SKU_LENGTH_MAX = 120
Lines = Mapping[str, tuple[int, Sequence[Mapping[str, Any]]]]
"""What each product of an order cost, and its lines."""
Pages = dict[str, tuple[int, int]]
"""Orders and revenue by page."""
Lost = Mapping[UUID, Sequence[Loss]]
"""What was lost of each order of which anything was."""


@dataclass(slots=True)
class Good:
    """A product or a category: in how many orders, how many pieces, for how much, what partners earned, what came back.

    Amounts are minor units of the program's currency; revenue and what came back are what customers paid, with tax and shipping.
    `name` is the newest that an order gave, at `named_at`; where days that stand counted end a period, perhaps one of the hours beside it.
    """

    name: str = ""
    orders: int = 0
    pieces: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0
    back_minor: int = 0
    back_orders: int = 0
    named_at: datetime | None = field(default=None, compare=False)

    def add(self, other: "Good") -> None:
        """Count what the other counts, which is of other orders."""
        self._count(other, 1)
        if other.named_at is not None and (self.named_at is None or other.named_at > self.named_at):
            self.name, self.named_at = other.name, other.named_at

    def take_off(self, other: "Good") -> None:
        """Count no more what the other counts."""
        self._count(other, -1)

    def _count(self, other: "Good", times: int) -> None:
        for one in _NUMBERS:
            setattr(self, one, getattr(self, one) + times * getattr(other, one))


_NUMBERS = tuple(one.name for one in fields(Good) if one.type is int)


@dataclass(frozen=True, slots=True)
class Landing:
    """A page of the shop: the visits that began there, and the orders and revenue credited to their clicks."""

    page: str
    visits: int = 0
    orders: int = 0
    revenue_minor: int = 0


def bought(
    session: Session, *, by: str, program_id: UUID, period: Period, currency: str, tells_back: bool = True
) -> dict[str, Good]:
    """By SKU or CATEGORY what the orders of these days held; NO_PRODUCT for orders that name none.

    Money is shared out by what each line cost, so that it adds up to the same as everywhere; sales in another currency count without it.
    The days that stand counted are added up; what these days hold too much, and the newest sales of the rest, are read, together
    SALES_MAX. `tells_back`: whether what came back is wanted, for it has its price.
    """
    covered = _covered(session, program_id, period, currency)
    sales = session.execute(_to_read(program_id, covered).limit(SALES_MAX)).all()
    told: dict[str, Any] = {"by": by, "currency": currency, "lost": lost_of(session, sales) if tells_back else {}}
    is_over = [any(start <= row.earned_at < end for start, end in covered.over) for row in sales]
    found = summed((row for row, over in zip(sales, is_over, strict=True) if not over), **told)
    if covered.days:
        kind = ShopKind.SKU if by == SKU else ShopKind.CATEGORY
        for row in session.execute(day_queries.goods_sold(program_id, kind, covered, limit=SALES_MAX)):
            found.setdefault(row.label, Good()).add(_counted(row))
    for label, good in summed(itertools.compress(sales, is_over), **told).items():
        found.setdefault(label, Good()).take_off(good)
    return {label: good for label, good in found.items() if good.orders > 0}


def called(found: Mapping[str, Good], text: str) -> dict[str, Good]:
    """Those of them whose label or name holds the text, in whatever case."""
    wanted = text.casefold()
    return {
        label: good for label, good in found.items() if wanted in label.casefold() or wanted in good.name.casefold()
    }


def _to_read(program_id: UUID, covered: Covered) -> sa.Select[Any]:
    """Rows of `products.sales`: what is to be taken off stands first, for whatever is beyond a limit must not show too much."""
    sales = products.sales(program_id, [*covered.rest, *covered.over])
    if not covered.over:
        return sales
    first = sa.case((within(Commission.earned_at, covered.over), 0), else_=1)
    return sales.order_by(None).order_by(first, Commission.earned_at.desc(), Commission.id.desc())


def _covered(session: Session, program_id: UUID, period: Period, currency: str) -> Covered:
    return day_queries.sales_widened(
        session, program_id=program_id, currency=currency, starts_at=period.starts_at, ends_at=period.ends_at
    )


def _counted(row: Any) -> Good:
    return Good(
        row.name or "", row.orders, int(row.pieces), int(row.revenue), int(row.earned), int(row.back), row.back_orders,
        named_at=stretches.begin(row.named_on) if row.named_on else None,
    )  # fmt: skip


def lost_of(session: Session, sales: Sequence[Any]) -> Lost:
    """What was lost of the orders of these rows of `products.sales`."""
    orders = list({row.conversion_id for row in sales})
    found: dict[UUID, Sequence[Loss]] = {}
    for start in range(0, len(orders), _ORDERS_AT_ONCE):
        found |= losses.losses_of(session, conversion_ids=orders[start : start + _ORDERS_AT_ONCE]).by_order
    return found


def summed(sales: Iterable[Any], *, by: str, currency: str, lost: Lost) -> dict[str, Good]:
    """Rows of `products.sales`, the newest first, by SKU or CATEGORY."""
    found: defaultdict[str, Good] = defaultdict(Good)
    seen: set[UUID] = set()
    for row in sales:
        _add(found, row, by=by, lost=lost.get(row.conversion_id, ()), currency=currency, seen=seen)
    return dict(found)


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
    parts = list(weights.values())
    revenue = cut(row.revenue_minor if row.currency == currency else 0, parts)
    earned = cut(row.left_minor, parts)
    back = goods.returned(weights, lost, paid_minor=row.amount_minor) if lost else {}
    labels: dict[str, bool] = {}  # whether something of it came back
    is_new = row.conversion_id not in seen  # else it is another partner's share of the same order
    seen.add(row.conversion_id)
    for place, (sku, (_minor, items)) in enumerate(lines.items()):
        label = _label(sku, items, by)
        good, part = found[label], back.get(sku)
        labels[label] = labels.get(label, False) or bool(part)
        if by == SKU and not good.name and items and items[0].get("name"):
            good.name, good.named_at = str(items[0]["name"])[:NAME_LENGTH_MAX], row.earned_at
        good.revenue_minor += revenue[place]
        good.earned_minor += earned[place]
        if part:
            good.back_minor += divide_half_even(revenue[place] * part.numerator, part.denominator)
        good.pieces += sum(int(item.get("quantity") or 1) for item in items) if is_new else 0
    for label, came_back in labels.items() if is_new else ():
        found[label].orders += 1
        found[label].back_orders += came_back


def _together(lines: Lines, by: str) -> Lines:
    """The same with the lines of a label one after the other: rounded in their turn, they add up to what other reports say of it."""
    if len(lines) == 1:
        return lines
    labels = {sku: _label(sku, items, by) for sku, (_minor, items) in lines.items()}
    places = {label: place for place, label in enumerate(dict.fromkeys(labels.values()))}
    return dict(sorted(lines.items(), key=lambda line: places[labels[line[0]]]))


def _label(sku: str, items: Sequence[Mapping[str, Any]], by: str) -> str:
    """What a line is counted under."""
    if by == CATEGORY:
        sku = str(items[0].get(CATEGORY) or NO_PRODUCT) if items else NO_PRODUCT
    return sku[:LABEL_LENGTH_MAX]


def _lines(items: Sequence[Mapping[str, Any]]) -> Lines:
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
    """The pages on which visits of these days began, and what was sold to them in these days, those with the most visits first.

    A page with many visits or many orders is there with both: what one list does not reach is looked up for the other's pages.
    """
    counted = visited(session, program_id=program_id, period=period)
    covered, over = _covered_pages(session, program_id, period, currency)
    sold = by_page(session.execute(sold_at(program_id, covered.rest, currency)))
    days = _sold_on_days(session, program_id, covered)
    days |= _sold_on_days(
        session, program_id, covered, pages=(counted.keys() | sold.keys()) - days.keys(), known=len(days)
    )
    for page, (orders, minor) in days.items():
        before, off = sold.get(page, (0, 0)), over.get(page, (0, 0))
        sold[page] = before[0] + orders - off[0], before[1] + minor - off[1]
    known = {page for page, (orders, _minor) in sold.items() if orders > 0}
    if len(counted) >= PAGES_MAX:
        counted |= visited(session, program_id=program_id, period=period, pages=known - counted.keys())
    pages = [Landing(page, counted.get(page, 0), *sold.get(page, (0, 0))) for page in counted.keys() | known]
    return sorted(pages, key=lambda one: (-one.visits, -one.orders, one.page))


def _sold_on_days(
    session: Session, program_id: UUID, covered: Covered, *, pages: Collection[str] | None = None, known: int = 0
) -> Pages:
    """Orders and revenue of the counted days: of the pages with the most orders, or of these where those were not all."""
    if not covered.days or (pages is not None and (known < PAGES_MAX or not pages)):
        return {}
    sums = day_queries.sold_in_shop(program_id, ShopKind.PAGE, covered)
    if pages is None:
        sums = sums.order_by(sa.desc("orders"), ShopSaleDay.label).limit(PAGES_MAX)
    else:
        sums = sums.where(db.among(session, ShopSaleDay.label, pages))
    return {row.label: (row.orders, int(row.revenue)) for row in session.execute(sums)}


def _covered_pages(session: Session, program_id: UUID, period: Period, currency: str) -> tuple[Covered, Pages]:
    """What stands counted, and what of it is to be taken off; not widened where that cannot be told, for clicks are past their term."""
    covered = _covered(session, program_id, period, currency)
    over = session.execute(sold_at(program_id, covered.over, currency)).all() if covered.over else []
    if any(row.url is None for row in over):
        return covered_in(session, program_id, period, currency), {}
    return covered, by_page(over)


def visited(
    session: Session, *, program_id: UUID, period: Period, pages: Collection[str] | None = None
) -> dict[str, int]:
    """How many visits of these days began on each page: of PAGES_MAX, those with the most visits first, or of these pages."""
    clicks = sa.func.sum(LandingHour.clicks)
    days = (LandingHour.hour >= period.starts_at, LandingHour.hour < period.ends_at)
    here = (LandingHour.program_id == program_id, LandingHour.verdict == ClickVerdict.VALID, *days)
    visits = sa.select(LandingHour.page, clicks).where(*here).group_by(LandingHour.page)
    if pages is None:
        visits = visits.order_by(clicks.desc(), LandingHour.page).limit(PAGES_MAX)
    else:
        visits = visits.where(db.among(session, LandingHour.page, pages))
    return {page: int(number) for page, number in session.execute(visits)}


def sold_at(program_id: UUID, times: Sequence[Stretch], currency: str) -> sa.Select[*tuple[Any, ...]]:
    """Rows of an address to which clicks led, how many orders of these times they brought, and their revenue.

    Null for clicks that are past their term.
    """
    in_it: Any = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    orders: Any = sa.func.count(Commission.conversion_id.distinct())
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    by_click = (*here, Commission.click_id.is_not(None), within(Commission.earned_at, times))
    # Asked for each sale, by its key: for many a join would read all clicks there are.
    url = sa.select(Click.landing_url).where(Click.id == Commission.click_id).scalar_subquery().label("url")
    sums = sa.select(url, orders.label("orders"), sa.func.sum(in_it)).where(*by_click).group_by("url")
    return sums.order_by(sa.desc("orders"), "url")


def by_page(rows: Iterable[Any]) -> Pages:
    """Rows of `sold_at` by page: orders and revenue; what was sold by clicks that nobody knows any more is left out."""
    found: Pages = {}
    for url, orders, minor in rows:
        if url is None:
            continue
        page = landings.page_of(url)
        before = found.get(page, (0, 0))
        found[page] = before[0] + orders, before[1] + int(minor)
    return found
