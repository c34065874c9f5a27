"""What a step for all units still owes when its period is over: orders before the one that reached it get the difference. Pure.

The orders themselves keep what they earned; the difference is one amount for a partner and a period, rounded once. An
order that a cap cut gets none: the cap would have cut it as well. What was refunded counts by as much as is left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from affiliate.commissions import counters, tiers
from affiliate.commissions.counters import Tally
from affiliate.commissions.terms import Counts, Pay, Period, Rule, Terms, TierMode, Tiers
from affiliate.commissions.workings import exact_factor
from affiliate.money import BPS_PER_UNIT, divide_half_even

PERIODS_BACK = 3
"""How many ended periods are looked at: an order may be validated long after its period."""

Bounds = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Earned:
    """A commission of the period: its trace, and what of it is left, in minor units."""

    trace: Mapping[str, Any]
    amount_minor: int
    left_minor: int


def settled_periods(terms: Terms, *, zone: str, now: datetime) -> Iterator[tuple[Period, Bounds]]:
    """The newest ended periods of the steps for all units. A lifetime never ends."""
    for period in sorted({steps.period for _, steps in _steps(terms)} - {Period.LIFETIME}):
        found = counters.bounds(period, at=now, zone=zone)
        for _ in range(PERIODS_BACK):
            if found is not None:
                found = counters.bounds(period, at=found[0] - timedelta(microseconds=1), zone=zone)
            if found is not None:
                yield period, found


def reaches_a_step(terms: Terms, period: Period, tally: Tally) -> bool:
    """Whether so much reaches any step for all units."""
    return any(_reached(rule, steps, tally).above for rule, steps in _steps(terms) if steps.period is period)


def missing(terms: Terms, *, period: Period, tally: Tally, orders: Sequence[Earned]) -> int:
    """What the partner's orders of an ended period miss, in minor units of the program's currency; nothing where a higher step pays less."""
    total = sum((_of_order(terms, period, tally, order) for order in orders), Fraction())
    return max(0, divide_half_even(total.numerator, total.denominator))


def _steps(terms: Terms) -> list[tuple[Rule, Tiers]]:
    return [(rule, rule.tiers) for rule in terms.rules if rule.tiers and rule.tiers.mode is TierMode.ALL]


def _reached(rule: Rule, steps: Tiers, tally: Tally) -> tiers.Portion:
    counted = tally.orders if steps.counts is Counts.ORDERS else tally.base_minor
    return tiers.at(rule, steps, counted - 1, 0)


def _of_order(terms: Terms, period: Period, tally: Tally, order: Earned) -> Fraction:
    if order.trace.get("caps"):
        return Fraction()
    groups = [group for group in order.trace.get("groups", ()) if group.get("rule") is not None]
    found = sum((_of_group(terms, period, tally, group, order.trace) for group in groups), Fraction())
    left = Fraction(order.left_minor, order.amount_minor) if order.amount_minor else Fraction(1)
    return found * exact_factor(order.trace, "paid_by") * Fraction(order.trace["share_bps"], BPS_PER_UNIT) * left


def _of_group(
    terms: Terms, period: Period, tally: Tally, group: Mapping[str, Any], trace: Mapping[str, Any]
) -> Fraction:
    rule = terms.rules[group["rule"]]
    if rule.tiers is None or rule.tiers.mode is not TierMode.ALL or rule.tiers.period is not period:
        return Fraction()
    paid, reached = group["portions"][0], _reached(rule, rule.tiers, tally)
    if reached.above <= paid["above"]:
        return Fraction()
    base = Fraction(int(group["base_minor"])) * exact_factor(trace, "exchange")
    percent = base * Fraction((reached.pay.rate_bps or 0) - int(paid["rate_bps"] or 0), BPS_PER_UNIT)
    pays_fixed = group["base_minor"] or len(trace["groups"]) == 1
    return percent + (_fixed(reached.pay) - int(paid["fixed_minor"] or 0) if pays_fixed else 0)


def _fixed(pay: Pay) -> int:
    return pay.fixed_minor or 0
