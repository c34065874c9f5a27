"""What of a sale stays with the shop: from the list price to what is left after discounts, returns, tax, goods and partners. Pure.

Each line of an order goes by the margin of its category, which is a share of its net price; without one by that of all others.
Where the shop wrote down none, its totals of the same days speak: a share of what customers paid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction

from affiliate.money import BPS_PER_UNIT, divide_half_even

ALL_OTHERS = ""
"""The category whose margin counts for those that have none of their own."""


@dataclass(frozen=True, slots=True)
class Margin:
    """Sums in minor units. `unknown_minor` is the net price of lines of which no margin is known.

    `shared` are those of the orders that count with another partner already.
    """

    orders: int = 0
    listed_minor: int = 0
    discount_minor: int = 0
    returned_minor: int = 0
    tax_minor: int = 0  # and shipping, on what was not returned
    goods_minor: int = 0
    unknown_minor: int = 0
    earned_minor: int = 0
    spent_minor: int = 0
    shared: int = 0

    def __add__(self, other: "Margin") -> "Margin":
        return Margin(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def distinct_orders(self) -> int:
        """The orders, each once, however many partners share them."""
        return self.orders - self.shared

    @property
    def net_minor(self) -> int:
        """What stayed of the price, without tax and shipping."""
        return self.listed_minor - self.discount_minor - self.returned_minor - self.tax_minor

    @property
    def left_minor(self) -> int | None:
        """What is left after goods and partners; unknown where the cost of goods is."""
        return None if self.unknown_minor else self.net_minor - self.goods_minor - self.cost_minor

    @property
    def cost_minor(self) -> int:
        """What partners cost: commissions and all else."""
        return self.earned_minor + self.spent_minor

    @property
    def left_bps(self) -> int | None:
        """What is left of the net price."""
        if self.left_minor is None or self.net_minor <= 0:
            return None
        return divide_half_even(self.left_minor * BPS_PER_UNIT, self.net_minor)

    @property
    def roi_bps(self) -> int | None:
        """What is left for each unit that partners cost."""
        if self.left_minor is None or self.cost_minor <= 0:
            return None
        return divide_half_even(self.left_minor * BPS_PER_UNIT, self.cost_minor)


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of an order: its category, its part of what was paid, of the discount, of tax and shipping; what part of it came back."""

    category: str
    paid_minor: int
    discount_minor: int
    tax_minor: int
    back: Fraction = Fraction(0)


def of_piece(piece: Piece, margins: Mapping[str, int], shop_bps: int | None) -> Margin:
    """What stays of a line. `margins` are basis points of the net price by category, `shop_bps` of what was paid."""
    returned = _part(piece.paid_minor, piece.back)
    tax = piece.tax_minor - _part(piece.tax_minor, piece.back)
    net = piece.paid_minor - returned - tax
    own = margins.get(piece.category, margins.get(ALL_OTHERS))
    if own is not None:
        goods, unknown = net - divide_half_even(net * own, BPS_PER_UNIT), 0
    elif shop_bps is not None:
        goods, unknown = net - divide_half_even((piece.paid_minor - returned) * shop_bps, BPS_PER_UNIT), 0
    else:
        goods, unknown = 0, net
    return Margin(
        listed_minor=piece.paid_minor + piece.discount_minor,
        discount_minor=piece.discount_minor,
        returned_minor=returned,
        tax_minor=tax,
        goods_minor=goods,
        unknown_minor=unknown,
    )


def total(found: Iterable[Margin]) -> Margin:
    """The sum."""
    return sum(found, Margin())


def _part(minor: int, part: Fraction) -> int:
    return divide_half_even(minor * part.numerator, part.denominator)
