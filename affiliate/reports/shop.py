"""What partners bring beside what comes without them: a program's figures held against the totals of its shop. Pure.

Only days that the shop told are compared, each figure over the days of which it is known, so that a missing day cannot make
the partners' part larger than it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from affiliate.money import BPS_PER_UNIT, Money, divide_half_even
from affiliate.reports.metrics import Facts, total


@dataclass(frozen=True, slots=True)
class Told:
    """A day of the shop, in minor units of the program's currency; null is what was not told."""

    orders: int
    revenue_minor: int
    visitors: int | None = None
    new_customers: int | None = None
    costs_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: what came by partners, or what came without them. Null is unknown."""

    orders: int
    revenue: Money
    visitors: int | None
    rate_bps: int | None
    aov: Money | None
    new_share_bps: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of the days that the shop told. `others` is null where partners had more than the shop told of."""

    days: int
    shop_orders: int
    shop_revenue: Money
    orders_share_bps: int | None
    revenue_share_bps: int | None
    partners: Side
    others: Side | None


def compared(told: Mapping[date, Told], facts: Mapping[date, Facts], *, currency: str) -> Comparison:
    """Hold the program's days against the shop's."""
    ours = total((facts[day] for day in told), currency=currency)
    orders, revenue = sum(one.orders for one in told.values()), sum(one.revenue_minor for one in told.values())
    both = (_Seen.of(told, facts, currency), _New.of(told, facts, currency))
    fits = ours.conversions <= orders and ours.revenue_minor <= revenue
    rest = (orders - ours.conversions, revenue - ours.revenue_minor)
    return Comparison(
        days=len(told),
        shop_orders=orders,
        shop_revenue=Money(revenue, currency),
        orders_share_bps=_part(ours.conversions, orders) if fits else None,
        revenue_share_bps=_part(ours.revenue_minor, revenue) if fits else None,
        partners=_side(ours.conversions, ours.revenue_minor, both, currency, mine=True),
        others=_side(*rest, both, currency, mine=False) if fits else None,
    )


def margin_bps(told: Iterable[Told]) -> int | None:
    """What the shop keeps of its revenue, over the days of which it told its costs; null without any."""
    known = [(one.revenue_minor, one.costs_minor) for one in told if one.costs_minor is not None]
    revenue = sum(paid for paid, _costs in known)
    return _part(revenue - sum(costs for _paid, costs in known), revenue)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Visitors and orders of the days whose visitors are known; ours are valid clicks."""

    ours: tuple[int, int]
    others: tuple[int, int]

    @classmethod
    def of(cls, told: Mapping[date, Told], facts: Mapping[date, Facts], currency: str) -> "_Seen | None":
        days = {day: one for day, one in told.items() if one.visitors is not None}
        mine = total((facts[day] for day in days), currency=currency)
        visitors = sum(one.visitors or 0 for one in days.values()) - mine.clicks_valid
        orders = sum(one.orders for one in days.values()) - mine.conversions
        if not days or visitors < 0 or orders < 0:
            return None
        return cls((mine.clicks_valid, mine.conversions), (visitors, orders))


@dataclass(frozen=True, slots=True)
class _New:
    """Orders of new customers, and all whose customer is known, of the days whose new customers are known."""

    ours: tuple[int, int]
    others: tuple[int, int]

    @classmethod
    def of(cls, told: Mapping[date, Told], facts: Mapping[date, Facts], currency: str) -> "_New | None":
        days = {day: one for day, one in told.items() if one.new_customers is not None}
        mine = total((facts[day] for day in days), currency=currency)
        new = sum(one.new_customers or 0 for one in days.values()) - mine.new_customers
        orders = sum(one.orders for one in days.values()) - mine.conversions
        if not days or new < 0 or orders < 0:
            return None
        return cls((mine.new_customers, mine.known_customers), (new, orders))


def _side(
    orders: int, revenue_minor: int, both: tuple[_Seen | None, _New | None], currency: str, *, mine: bool
) -> Side:
    seen, new = both
    visitors, bought = (None, 0) if seen is None else seen.ours if mine else seen.others
    fresh, known = (0, 0) if new is None else new.ours if mine else new.others
    return Side(
        orders=orders,
        revenue=Money(revenue_minor, currency),
        visitors=visitors,
        rate_bps=_part(bought, visitors or 0),
        aov=Money(divide_half_even(revenue_minor, orders), currency) if orders else None,
        new_share_bps=_part(fresh, known),
    )


def _part(part: int, whole: int) -> int | None:
    return divide_half_even(part * BPS_PER_UNIT, whole) if whole else None
