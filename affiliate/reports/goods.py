"""What of an order's lines came back: refunds and cancellations shared out among products, as they are among commissions. Pure.

A refund that names its items takes from these lines, up to all of each. Everything else (without items, of items that nobody knows, more
than a line cost) is spread over what is left of the order, so that a full refund takes all of every line.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from affiliate.commissions.life import Loss


def returned(lines: Mapping[str, int], losses: Sequence[Loss], *, paid_minor: int) -> dict[str, Fraction]:
    """What part of each line came back, from 0 to 1. `lines` are what each product cost, `paid_minor` what the customer paid in all."""
    if any(loss.amount_minor is None for loss in losses):
        return dict.fromkeys(lines, Fraction(1))
    named, rest = _named(lines, losses)
    parts = {
        sku: min(Fraction(named[sku], minor), Fraction(1)) if minor else Fraction(0) for sku, minor in lines.items()
    }
    taken = sum(min(named[sku], minor) for sku, minor in lines.items())
    left = paid_minor - taken
    over = min(Fraction(rest, left), Fraction(1)) if left > 0 else Fraction(1 if rest > 0 else 0)
    return {sku: part + (1 - part) * over for sku, part in parts.items()}


def _named(lines: Mapping[str, int], losses: Sequence[Loss]) -> tuple[Counter[str], int]:
    """What was given back for each line by its name, and what of all losses is for none, or too much for its line."""
    named: Counter[str] = Counter()
    rest = 0
    for loss in losses:
        amount = loss.amount_minor or 0
        items = loss.items if sum(minor for _sku, minor in loss.items) <= amount else ()
        rest += amount
        for sku, minor in items:
            if sku in lines:
                named[sku] += minor
                rest -= minor
    rest += sum(max(0, named[sku] - minor) for sku, minor in lines.items())
    return named, rest
