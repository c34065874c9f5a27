"""Volume tiers: in which portions an order is paid, each by its step. Pure.

`above`: only what lies above a step is paid by it; an order may straddle one. `all`: the step reached with this order
pays the whole of it; earlier orders of the period get the difference when the period ends.
"""

from dataclasses import dataclass
from fractions import Fraction

from affiliate.commissions.counters import Tally
from affiliate.commissions.terms import Counts, Pay, Rule, TierMode, Tiers
from affiliate.money import BPS_PER_UNIT


@dataclass(frozen=True, slots=True)
class Portion:
    """Part of a base and what is paid for it."""

    base_minor: int
    pay: Pay
    above: int  # the step; 0 is the rule's own pay


def portions(rule: Rule, *, base_minor: int, order_base_minor: int, before: Tally) -> list[Portion]:
    """The portions of a group of `base_minor` of an order of `order_base_minor`, after what was counted before."""
    if rule.tiers is None:
        return [Portion(base_minor, rule.pay, 0)]
    if rule.tiers.counts is Counts.ORDERS:
        return [_at(rule, rule.tiers, before.orders, base_minor)]
    if rule.tiers.mode is TierMode.ALL:
        return [_at(rule, rule.tiers, before.base_minor + order_base_minor - 1, base_minor)]
    return _straddling(rule, rule.tiers, base_minor=base_minor, start=before.base_minor)


def exact(found: list[Portion], *, pays_fixed: bool) -> Fraction:
    """What the portions earn, in minor units, before rounding. A fixed amount is paid once, by the highest step."""
    percent = sum((Fraction(one.base_minor * (one.pay.rate_bps or 0), BPS_PER_UNIT) for one in found), Fraction())
    return percent + (found[-1].pay.fixed_minor or 0 if pays_fixed else 0)


def _at(rule: Rule, tiers: Tiers, counted: int, base_minor: int) -> Portion:
    """All of it by the step that lies at or below what was counted."""
    for step in reversed(tiers.steps):
        if counted >= step.above:
            return Portion(base_minor, step.pay, step.above)
    return Portion(base_minor, rule.pay, 0)


def _straddling(rule: Rule, tiers: Tiers, *, base_minor: int, start: int) -> list[Portion]:
    edges = [step.above for step in tiers.steps]
    levels = [(0, rule.pay), *((step.above, step.pay) for step in tiers.steps)]
    end, found = start + base_minor, []
    for place, (above, pay) in enumerate(levels):
        upto = edges[place] if place < len(edges) else max(end, above)
        part = min(end, upto) - max(start, above)
        if part > 0:
            found.append(Portion(part, pay, above))
    return found or [_at(rule, tiers, start, base_minor)]
