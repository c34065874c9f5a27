"""How a commission was reckoned: the values on their way, and the trace that tells every step of them. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from affiliate.commissions.caps import Cut
from affiliate.commissions.orders import Group, Order, cut
from affiliate.commissions.precedence import Choice
from affiliate.commissions.terms import Base, Plan
from affiliate.commissions.tiers import Exact, Portion
from affiliate.currencies.convert import Exchange
from affiliate.money import BPS_PER_UNIT, divide_half_even, exponent


@dataclass(frozen=True, slots=True)
class Share:
    """A credit's part of an order: its basis points, and those of the credits that were cut before it."""

    bps: int = BPS_PER_UNIT
    before_bps: int = 0


@dataclass(slots=True)
class Line:
    """A group on its way: the rule that pays it, the portions by step, and what it earns in the program's currency."""

    group: Group
    choice: Choice | None
    portions: list[Portion]
    exact: Fraction
    amount_minor: int = 0


@dataclass(slots=True)
class Whole:
    """What the whole order earns before it is shared, in the program's currency; its base is in the order's."""

    base_minor: int
    factor: Exact = 1  # minor units of the plan's currency for one of the order's
    payable: Exact = 1  # minor units of the program's currency for one of the plan's
    lines: list[Line] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    exact: Fraction = Fraction()


def trace(order: Order, share: Share, plan: Plan | None, whole: Whole, currency: str) -> dict[str, Any]:
    """What the order, its share and its plan were, and what the whole would earn; `currency` is what is paid."""
    rounded = divide_half_even(whole.exact.numerator, whole.exact.denominator)
    of_share = whole.exact if share.bps == BPS_PER_UNIT else Fraction(rounded * share.bps, BPS_PER_UNIT)
    return {
        "share_bps": share.bps,
        "order_minor": order.amount_minor,
        "tax_minor": order.tax_minor,
        "shipping_minor": order.shipping_minor,
        "discount_minor": order.discount_minor,
        "base": asdict(plan.terms.base if plan else Base()),
        "base_minor": whole.base_minor,
        "plan": _plan(plan),
        "whole_minor": rounded,
        "exact": exact(of_share, currency),
        "rounding": "half_even",
        "currency": order.currency,
        "paid_in": currency,
        "plan_in": plan.currency(currency) if plan else currency,
    }


def _plan(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {"id": str(plan.id), "name": plan.name, "effective_from": plan.effective_from.isoformat()}


def group(line: Line, amount_minor: int, exchange: Exchange | None) -> dict[str, Any]:
    """A group. Its bases are in the order's currency, amounts and steps of its portions in the plan's, what it earns in the program's."""
    choice = line.choice
    whole_units = 1 if exchange is None else exchange.factor.denominator
    bases = cut(line.group.base_minor, [int(one.base * whole_units) for one in line.portions])
    return {
        "skus": list(line.group.skus),
        "base_minor": line.group.base_minor,
        "original_minor": line.group.original_minor,
        "rule": None if choice is None else choice.index,
        "why": [] if choice is None else list(choice.why),
        "categories": [] if choice is None else list(choice.rule.when.categories),
        "portions": [
            {"base_minor": base, "above": one.above, **asdict(one.pay)}
            for base, one in zip(bases, line.portions, strict=True)
        ],
        "amount_minor": amount_minor,
    }


def bonus(number: int, amount_minor: int) -> dict[str, Any]:
    """A bonus, as a group without items."""
    return {"bonus_orders": number, "skus": [], "base_minor": 0, "original_minor": 0, "amount_minor": amount_minor}


def exact(value: Fraction, currency: str) -> str:
    """The value before rounding, in major units: at least the currency's decimals, more only where they say something.

    Basis points make four decimals of a minor unit at most; a cap's share of a group may have more, and is cut there.
    """
    places = exponent(currency)
    digits = Decimal(value.numerator) / Decimal(value.denominator)
    whole, _, fraction = f"{digits.quantize(Decimal('1.00000000')).scaleb(-places):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def currencies(exchange: Exchange | None, paid_by: Exchange | None, *, counted_minor: int) -> dict[str, Any]:
    """The exchanges that took place, and what counters count of the commission, in the plan's currency."""
    told = {"exchange": exchange, "paid_by": paid_by}
    return {"counted_minor": counted_minor} | {name: one.told() for name, one in told.items() if one is not None}


def exact_factor(trace: Mapping[str, Any], name: str) -> Fraction:
    """An exchange as a trace holds it, exactly: minor units of its second currency for one of its first; 1 where there was none."""
    used = trace.get(name)
    if used is None:
        return Fraction(1)
    return Fraction(used["exact"]) * Fraction(10) ** (exponent(used["to"]) - exponent(used["from"]))
