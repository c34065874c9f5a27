"""The one dictionary of metrics: what each is called, what it means, how it follows from what was counted. Pure.

Pages, exports and the API take labels and formulas from here, so that a number means the same everywhere.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter

from affiliate.money import BPS_PER_UNIT, Money, divide_half_even, exponent

N_ = str  # marks a sentence for the translators; pages translate it


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted. Amounts are in minor units of `currency`.

    `known_customers` are the orders of which it is known whether the customer is new, `new_customers` those where it is.
    `margin_bps` is what the shop keeps of its revenue in these days, null where it has not told. `grades` are those that people
    gave for service, `grades_sum` their sum in hundredths.
    """

    currency: str
    clicks_raw: int = 0
    clicks_valid: int = 0
    conversions: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0
    reversed_minor: int = 0  # of commissions, and so not in what was earned
    spent_minor: int = 0  # beside commissions: bonuses, flat fees, samples
    new_customers: int = 0
    known_customers: int = 0
    grades: int = 0
    grades_sum: int = 0
    margin_bps: int | None = None

    def __add__(self, other: "Facts") -> "Facts":
        earned = Money(self.earned_minor, self.currency) + Money(other.earned_minor, other.currency)
        return Facts(
            currency=self.currency,
            clicks_raw=self.clicks_raw + other.clicks_raw,
            clicks_valid=self.clicks_valid + other.clicks_valid,
            conversions=self.conversions + other.conversions,
            revenue_minor=self.revenue_minor + other.revenue_minor,
            earned_minor=earned.amount_minor,
            reversed_minor=self.reversed_minor + other.reversed_minor,
            spent_minor=self.spent_minor + other.spent_minor,
            new_customers=self.new_customers + other.new_customers,
            known_customers=self.known_customers + other.known_customers,
            grades=self.grades + other.grades,
            grades_sum=self.grades_sum + other.grades_sum,
            margin_bps=other.margin_bps if self.margin_bps is None else self.margin_bps,
        )

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened and nothing was spent."""
        counted = (self.clicks_raw, self.conversions, self.revenue_minor, self.earned_minor, self.reversed_minor)
        return not (any(counted) or self.spent_minor)


class Unit(enum.StrEnum):
    """How a value is printed."""

    COUNT = "count"
    MONEY = "money"
    FINE_MONEY = "fine_money"  # a decimal in major units with one place more than the currency has
    BPS = "bps"
    GRADE = "grade"  # a decimal from 1 to 5, 5 is best


Value = int | Money | Decimal | None
"""None is unknown: nothing to divide by. Never zero."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number. `label` and `help_text` are English sources for gettext; `formula` is for people, `of` for the machine."""

    key: str
    label: str
    help_text: str
    formula: str
    unit: Unit
    of: Callable[[Facts], Value]


def total(facts: Iterable[Facts], *, currency: str) -> Facts:
    """The sum of what was counted; zero of everything for none."""
    every = list(facts)
    if any(one.currency != currency for one in every):
        return sum(every, Facts(currency))  # which says what is wrong
    margin_bps = next((one.margin_bps for one in every if one.margin_bps is not None), None)
    sums = {name: sum(map(attrgetter(name), every)) for name in _SUMMED}
    return Facts(currency, **sums, margin_bps=margin_bps)


_SUMMED = tuple(field.name for field in fields(Facts) if field.name not in {"currency", "margin_bps"})


def change_bps(now: Value, before: Value) -> int | None:
    """How much a value changed, in basis points of the earlier one; unknown without an earlier one."""
    left, right = _scaled(now), _scaled(before)
    if left is None or right is None or right <= 0:
        return None
    return divide_half_even((left - right) * BPS_PER_UNIT, right)


def _scaled(value: Value) -> int | None:
    if isinstance(value, Money):
        return value.amount_minor
    if isinstance(value, Decimal):
        return int(value.scaleb(6))
    return value


def _conversion_rate(facts: Facts) -> int | None:
    return _part(facts.conversions, facts.clicks_valid)


def _part(part: int, whole: int) -> int | None:
    return divide_half_even(part * BPS_PER_UNIT, whole) if whole > 0 else None


def _per_click(minor: int, facts: Facts) -> Decimal | None:
    if not facts.clicks_valid:
        return None
    return Decimal(divide_half_even(minor * 10, facts.clicks_valid)).scaleb(-exponent(facts.currency) - 1)


def _per_sale(minor: int, facts: Facts) -> Money | None:
    if not facts.conversions:
        return None
    return Money(divide_half_even(minor, facts.conversions), facts.currency)


def _cost(facts: Facts) -> int:
    return facts.earned_minor + facts.spent_minor


def _roi(facts: Facts) -> int | None:
    return _part(facts.revenue_minor - _cost(facts), _cost(facts))


def _margin(facts: Facts) -> Money | None:
    if facts.margin_bps is None:
        return None
    kept = divide_half_even(facts.revenue_minor * facts.margin_bps, BPS_PER_UNIT)
    return Money(kept - _cost(facts), facts.currency)


def _rating(facts: Facts) -> Decimal | None:
    return Decimal(divide_half_even(facts.grades_sum, facts.grades)).scaleb(-2) if facts.grades else None


METRICS = {
    metric.key: metric
    for metric in (
        Metric(
            "clicks_raw",
            N_("Clicks"),
            N_("Every arrival on a link, also of bots, previews and repeats."),
            N_("all arrivals"),
            Unit.COUNT,
            lambda facts: facts.clicks_raw,
        ),
        Metric(
            "clicks_valid",
            N_("Valid clicks"),
            N_("Clicks by people, without bots, previews and repeats. Only these can bring a sale."),
            N_("clicks − rejected clicks"),
            Unit.COUNT,
            lambda facts: facts.clicks_valid,
        ),
        Metric(
            "conversions",
            N_("Sales"),
            N_("Confirmed orders credited to the partner, by the day of the order. Returned ones stay in this count."),
            N_("credited orders"),
            Unit.COUNT,
            lambda facts: facts.conversions,
        ),
        Metric(
            "conversion_rate",
            N_("Rate"),
            N_("How many valid clicks became a sale. Sales by coupon count without a click."),
            N_("sales / valid clicks"),
            Unit.BPS,
            _conversion_rate,
        ),
        Metric(
            "epc",
            N_("Per click (EPC)"),
            N_("What one valid click earned on average."),
            N_("earnings / valid clicks"),
            Unit.FINE_MONEY,
            lambda facts: _per_click(facts.earned_minor, facts),
        ),
        Metric(
            "rpc",
            N_("Revenue per click (RPC)"),
            N_("What customers paid for each valid click on average."),
            N_("revenue / valid clicks"),
            Unit.FINE_MONEY,
            lambda facts: _per_click(facts.revenue_minor, facts),
        ),
        Metric(
            "aov",
            N_("Basket (AOV)"),
            N_("What customers paid per order on average, with tax and shipping."),
            N_("revenue / sales"),
            Unit.MONEY,
            lambda facts: _per_sale(facts.revenue_minor, facts),
        ),
        Metric(
            "revenue",
            N_("Revenue"),
            N_("What customers paid for the credited orders, with tax and shipping, before refunds."),
            N_("sum of orders"),
            Unit.MONEY,
            lambda facts: Money(facts.revenue_minor, facts.currency),
        ),
        Metric(
            "earnings",
            N_("Earnings"),
            N_("Commissions by the day of the order, less what was reversed since."),
            N_("commissions − reversals"),
            Unit.MONEY,
            lambda facts: Money(facts.earned_minor, facts.currency),
        ),
        Metric(
            "cost",
            N_("Cost"),
            N_("Commissions, and what else was spent on the partner: bonuses, flat fees, samples, hours of an agency."),
            N_("commissions + bonuses + other costs"),
            Unit.MONEY,
            lambda facts: Money(_cost(facts), facts.currency),
        ),
        Metric(
            "ecpa",
            N_("Cost per sale (CPA)"),
            N_("What one sale cost on average: commissions, and what else was spent on the partner."),
            N_("cost / sales"),
            Unit.MONEY,
            lambda facts: _per_sale(_cost(facts), facts),
        ),
        Metric(
            "roas",
            N_("Revenue per cost (ROAS)"),
            N_("What came in for each unit of cost: 400 % is four units for each."),
            N_("revenue / cost"),
            Unit.BPS,
            lambda facts: _part(facts.revenue_minor, _cost(facts)),
        ),
        Metric(
            "roi",
            N_("ROI"),
            N_("What came in for each unit of cost, less that unit. The shop's margins are not in it."),
            N_("(revenue − cost) / cost"),
            Unit.BPS,
            _roi,
        ),
        Metric(
            "margin",
            N_("Margin"),
            N_("What the shop keeps of this revenue, by its totals of these days, less the cost of the partner."),
            N_("revenue × the shop's margin − cost"),
            Unit.MONEY,
            _margin,
        ),
        Metric(
            "reversal_rate",
            N_("Taken back"),
            N_("The part of commissions that came back with returned or declined orders."),
            N_("reversals / commissions"),
            Unit.BPS,
            lambda facts: _part(facts.reversed_minor, facts.earned_minor + facts.reversed_minor),
        ),
        Metric(
            "new_share",
            N_("New customers"),
            N_("How many of the orders whose customer is known came from a new one."),
            N_("orders of new customers / orders of known customers"),
            Unit.BPS,
            lambda facts: _part(facts.new_customers, facts.known_customers),
        ),
        Metric(
            "new_customers",
            N_("From new customers"),
            N_("Orders of which it is known that the customer is new to the shop."),
            N_("orders of new customers"),
            Unit.COUNT,
            lambda facts: facts.new_customers,
        ),
        Metric(
            "rating",
            N_("Rating"),
            N_("The mean of the grades for service that touch these days, from 1 to 5; 5 is best."),
            N_("sum of grades / grades"),
            Unit.GRADE,
            _rating,
        ),
    )
}
"""Every metric by its key, in the order in which pages show them."""
