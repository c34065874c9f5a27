"""Caps: the most that is paid for an order, and to a partner in a period. Pure; what was cut is told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from affiliate.commissions.counters import Before, Tally
from affiliate.commissions.orders import cut
from affiliate.commissions.terms import CAP_PERIODS, Caps
from affiliate.commissions.tiers import Exact


@dataclass(frozen=True, slots=True)
class Cut:
    """A cap that took effect: its name in the plan, the limit, and what was counted against it before."""

    cap: str
    limit: int
    before: int


def cap_order(exacts: Sequence[Fraction], caps: Caps) -> tuple[list[Fraction], Cut | None]:
    """What the groups of one order earn together is at most the cap; each is lowered in proportion."""
    if caps.order_minor is None or (total := sum(exacts, Fraction())) <= caps.order_minor:
        return list(exacts), None
    return [one * caps.order_minor / total for one in exacts], Cut("order_minor", caps.order_minor, 0)


def cap_periods(amounts: Sequence[int], caps: Caps, before: Before, payable: Exact = 1) -> tuple[list[int], list[Cut]]:
    """What a partner may still earn after what was counted before; every cap that bites is told.

    Caps and counters are in the plan's currency, amounts in the program's: `payable` of it for a minor unit of the plan's.
    """
    found = list(amounts)
    cuts = []
    for word, period in CAP_PERIODS.items():
        tally = before.get(period, Tally())
        orders, amount = getattr(caps, f"{word}_orders"), getattr(caps, f"{word}_minor")
        if orders is not None and tally.orders >= orders:
            cuts.append(Cut(f"{word}_orders", orders, tally.orders))
            found = [0] * len(found)
        left = None if amount is None else math.floor(max(0, amount - tally.earned_minor) * payable)
        if left is not None and sum(found) > left:
            cuts.append(Cut(f"{word}_minor", amount, tally.earned_minor))
            found = cut(left, found)
    return found, cuts
