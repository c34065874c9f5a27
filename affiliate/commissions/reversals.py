"""What refunds and cancellations of an order take from one commission, as a function of their sums. Pure.

Per group of the commission: item refunds first, capped at their group; then everything else (refunds without items,
items nobody knows, what was too much for its group) over what remains, by remaining amount. The reversal is the
group's commission times refunded over original, rounded once per group. So neither the order of arrival nor the split
into parts matters, what is taken never goes down again, and a full refund takes all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from affiliate.commissions.life import Loss, Taking
from affiliate.money import divide_half_even


@dataclass(frozen=True, slots=True)
class Part:
    """A group of a commission: what it earned for how much of the customer's money, and for which items."""

    amount_minor: int
    original_minor: int
    skus: frozenset[str] = frozenset()


def parts_of(trace: dict[str, Any], *, amount_minor: int, original_minor: int) -> list[Part]:
    """The groups of a commission as its trace has them.

    Where the order's amount was amended since, or the trace has no groups, the commission is one part of the order.
    """
    parts = [
        Part(group["amount_minor"], group["original_minor"], frozenset(group["skus"]))
        for group in trace.get("groups", ())
    ]
    fits = sum(part.amount_minor for part in parts) == amount_minor
    if fits and sum(part.original_minor for part in parts) == original_minor:
        return parts
    return [Part(amount_minor, original_minor)]


def due(parts: Sequence[Part], losses: Sequence[Loss]) -> int:
    """How much of a commission all these losses of its order together take, in minor units."""
    if any(loss.amount_minor is None for loss in losses):
        return sum(part.amount_minor for part in parts)
    asked = sum(loss.amount_minor or 0 for loss in losses)
    refunded, unassigned = _by_items(parts, losses)
    left = [part.original_minor - taken for part, taken in zip(parts, refunded, strict=True)]
    whole = sum(left)
    over = Fraction(min(unassigned, whole), whole) if whole else Fraction(0)
    everything = asked > 0 and (whole == 0 or over == 1)
    return sum(
        _taken(part, taken + over * rest, everything=everything)
        for part, taken, rest in zip(parts, refunded, left, strict=True)
    )


def takings(
    parts: Sequence[Part], *, reversed_minor: int, known: Sequence[Loss], fresh: Sequence[Loss]
) -> list[Taking]:
    """What each fresh loss takes, given those already taken into account and what was taken so far, for whatever cause."""
    original_minor = sum(part.original_minor for part in parts)
    result, seen = [], list(known)
    for loss in fresh:
        seen.append(loss)
        step = max(0, due(parts, seen) - reversed_minor)
        reversed_minor += step
        exceeds = loss.amount_minor is not None and sum(one.amount_minor or 0 for one in seen) > original_minor
        result.append(Taking(loss.source_kind, loss.source_id, step, exceeds_original=exceeds))
    return result


def _by_items(parts: Sequence[Part], losses: Iterable[Loss]) -> tuple[list[int], int]:
    """What was refunded for the items of each part, and what is to be spread over all that remains."""
    refunded, unassigned = [0] * len(parts), 0
    place = {sku: index for index, part in enumerate(parts) for sku in part.skus}
    for loss in losses:
        amount = loss.amount_minor or 0
        items = loss.items if sum(minor for _, minor in loss.items) <= amount else ()
        unassigned += amount
        for sku, minor in items:
            if sku in place:
                refunded[place[sku]] += minor
                unassigned -= minor
    for index, part in enumerate(parts):
        unassigned += max(0, refunded[index] - part.original_minor)
        refunded[index] = min(refunded[index], part.original_minor)
    return refunded, unassigned


def _taken(part: Part, refunded: Fraction, *, everything: bool) -> int:
    """A part with no money of the customer in it, a bonus or a free lead, is lost with the whole order only."""
    if part.original_minor == 0:
        return part.amount_minor if everything else 0
    share = refunded * part.amount_minor / part.original_minor
    return divide_half_even(share.numerator, share.denominator)
