"""A basket of the demo shop and what it costs. Pure; amounts are minor units of the program's currency, tax inside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affiliate.demo import cast
from affiliate.money import BPS_PER_UNIT, divide_half_even

QUANTITY_MAX = 20
"""Of one product: a shop for households."""

_PRODUCTS = {product.sku: product for product in cast.PRODUCTS}


@dataclass(frozen=True, slots=True)
class Line:
    """Some pieces of one product."""

    product: cast.Product
    quantity: int

    @property
    def goods_minor(self) -> int:
        """What they cost without a discount."""
        return self.product.price_minor * self.quantity

    def paid_minor(self, discount_bps: int) -> int:
        """What they cost with the discount, rounded once for the line."""
        return self.goods_minor - divide_half_even(self.goods_minor * discount_bps, BPS_PER_UNIT)


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines and an accepted coupon. Every sum follows from the lines, so that the parts of an order always add up."""

    lines: tuple[Line, ...] = ()
    coupon: str | None = None

    @property
    def pieces(self) -> int:
        """How many things lie in it."""
        return sum(line.quantity for line in self.lines)

    @property
    def discount_bps(self) -> int:
        """What the coupon takes off the goods."""
        return cast.DISCOUNT_BPS if self.coupon else 0

    @property
    def goods_minor(self) -> int:
        """The goods without a discount."""
        return sum(line.goods_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        """What the coupon takes off."""
        return self.goods_minor - sum(line.paid_minor(self.discount_bps) for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """Free from a sum of goods on."""
        return cast.SHIPPING_MINOR if 0 < self.goods_minor < cast.FREE_SHIPPING_FROM_MINOR else 0

    @property
    def tax_minor(self) -> int:
        """The tax that the discounted goods contain."""
        return cast.tax_inside(self.goods_minor - self.discount_minor)

    @property
    def total_minor(self) -> int:
        """What the customer pays."""
        return self.goods_minor - self.discount_minor + self.shipping_minor

    def quantity_of(self, sku: str) -> int:
        """How many pieces of a product lie in it."""
        return next((line.quantity for line in self.lines if line.product.sku == sku), 0)


def product_of(sku: str) -> cast.Product | None:
    """The product with this number."""
    return _PRODUCTS.get(sku)


def coupon_of(text: str) -> str | None:
    """The coupon as it is written in the books, if the shop knows it."""
    code = text.strip().upper()
    return code if code == cast.COUPON else None


def read(kept: Any, *, coupon: str | None = None) -> Basket:
    """The basket that a cookie holds. What a shop could not have written is left out."""
    quantities = kept if isinstance(kept, Mapping) else {}
    lines = (Line(_PRODUCTS[sku], min(count, QUANTITY_MAX)) for sku, count in quantities.items() if _sells(sku, count))
    return Basket(tuple(lines), coupon)


def _sells(sku: Any, count: Any) -> bool:
    return sku in _PRODUCTS and type(count) is int and count > 0


def kept(basket: Basket) -> dict[str, int]:
    """What the cookie holds: pieces by product."""
    return {line.product.sku: line.quantity for line in basket.lines}


def with_quantity(basket: Basket, sku: str, quantity: int) -> Basket:
    """The basket with so many pieces of a product; none takes it out."""
    return read(kept(basket) | {sku: quantity}, coupon=basket.coupon)
