"""An order as the rates read it, and its split into groups: no item is counted twice, and the parts add up. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from affiliate.commissions.terms import Base
from affiliate.money import proportion


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the order: what the customer paid for the whole line, in minor units."""

    sku: str
    category: str | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Order:
    """What the customer paid, in minor units of the order's currency, and all that a rule may look at."""

    amount_minor: int
    tax_minor: int
    shipping_minor: int
    currency: str
    discount_minor: int = 0
    items: tuple[Item, ...] = ()
    kind: str = "sale"
    partner_id: UUID | None = None
    partner_group: str | None = None
    link_id: UUID | None = None
    coupon_id: UUID | None = None
    is_new_customer: bool | None = None  # null: nobody knows
    customer_since: datetime | None = None  # the customer's first order in the program
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Items that one rule pays (`key`, its place in the plan). `original_minor` is the customer's money that lies in it."""

    key: int | None
    skus: tuple[str, ...]
    base_minor: int
    original_minor: int
    is_rest: bool = False  # what no item accounts for, or the whole order when it has none


def base_minor(order: Order, base: Base) -> int:
    """The part of an order that percentages are taken of, never below zero."""
    left_out = (0 if base.with_tax else order.tax_minor) + (0 if base.with_shipping else order.shipping_minor)
    return max(0, order.amount_minor - left_out + (order.discount_minor if base.before_discount else 0))


def groups(order: Order, *, base: int, key_of: Callable[[Item | None], int | None]) -> list[Group]:
    """Split an order by what pays for its items; `key_of(None)` pays for what no item accounts for.

    Items that add up to more than the base or the amount (tax or a discount is in them) are scaled down in proportion,
    cut cumulatively so that the parts add up. Lines of one SKU stay together, whatever category each names.
    """
    sums: dict[int | None, int] = {}
    key_by_sku: dict[str, int | None] = {}
    for item in order.items:
        if item.sku not in key_by_sku:
            key_by_sku[item.sku] = key_of(item)
        key = key_by_sku[item.sku]
        sums[key] = sums.get(key, 0) + item.amount_minor
    listed = sum(sums.values())
    bases = cut(min(base, listed), list(sums.values()))
    originals = cut(min(order.amount_minor, listed), list(sums.values()))
    found = [
        Group(key, tuple(sorted(sku for sku, its in key_by_sku.items() if its == key)), its_base, its_original)
        for key, its_base, its_original in zip(sums, bases, originals, strict=True)
    ]
    rest, rest_original = base - sum(bases), order.amount_minor - sum(originals)
    if rest or rest_original or not found:
        found.append(Group(key_of(None), (), rest, rest_original, is_rest=True))
    return found


def cut(total_minor: int, weights: Sequence[int]) -> list[int]:
    """A total in parts by weight; each is the difference of two rounded sums, so that the parts add up to the total."""
    if len(weights) == 1 and weights[0] > 0:  # most orders have one line
        return [total_minor]
    whole, so_far, parts, given = sum(weights), 0, [], 0
    for weight in weights:
        so_far += weight
        upto = proportion(amount_minor=total_minor, part=so_far, whole=whole) if whole else 0
        parts.append(upto - given)
        given = upto
    return parts
