"""Volume tiers: in which portions an order is paid, each by its step. Pure.

`above`: only what lies above a step is paid by it; an order may straddle one. `all`: the step reached with this order
pays the whole of it; earlier orders of the period get the difference when the period ends.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from affiliate.commissions.terms import Counts, Pay, Rule, TierMode, Tiers
from affiliate.money import BPS_PER_UNIT

Exact = int | Fraction
"""Minor units before any rounding: whole, unless they came from another currency."""


@dataclass(frozen=True, slots=True)
class Volume:
    """What had been counted before a group of items: orders, and the sum of bases."""

    orders: int = 0
    base: Exact = 0


@dataclass(frozen=True, slots=True)
class Portion:
    """Part of a base and what is paid for it."""

    base: Exact
    pay: Pay
    above: int  # the step; 0 is the rule's own pay


def portions(rule: Rule, *, base: Exact, order_base: Exact, before: Volume) -> list[Portion]:
    """The portions of a group of an order, after what was counted before; bases in minor units of the plan's currency."""
    if rule.tiers is None:
        return [Portion(base, rule.pay, 0)]
    if rule.tiers.counts is Counts.ORDERS:
        return [at(rule, rule.tiers, before.orders, base)]
    if rule.tiers.mode is TierMode.ALL:
        return [at(rule, rule.tiers, math.ceil(before.base + order_base) - 1, base)]
    return _straddling(rule, rule.tiers, base=base, start=before.base)


def exact(found: list[Portion], *, pays_fixed: bool) -> Fraction:
    """What the portions earn, in minor units, before rounding. A fixed amount is paid once, by the highest step."""
    percent = sum(one.base * (one.pay.rate_bps or 0) for one in found)
    fixed_minor = found[-1].pay.fixed_minor or 0 if pays_fixed else 0
    return Fraction(percent + fixed_minor * BPS_PER_UNIT, BPS_PER_UNIT)


def at(rule: Rule, tiers: Tiers, counted: int, base: Exact) -> Portion:
    """All of it by the step that lies at or below what was counted."""
    for step in reversed(tiers.steps):
        if counted >= step.above:
            return Portion(base, step.pay, step.above)
    return Portion(base, rule.pay, 0)


def _straddling(rule: Rule, tiers: Tiers, *, base: Exact, start: Exact) -> list[Portion]:
    edges = [step.above for step in tiers.steps]
    levels = [(0, rule.pay), *((step.above, step.pay) for step in tiers.steps)]
    end, found = start + base, []
    for place, (above, pay) in enumerate(levels):
        upto = edges[place] if place < len(edges) else max(end, above)
        part = min(end, upto) - max(start, above)
        if part > 0:
            found.append(Portion(part, pay, above))
    return found or [at(rule, tiers, math.floor(start), base)]
