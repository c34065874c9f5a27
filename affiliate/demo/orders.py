"""An order of the demo shop, and the three ways in which a shop reports it. Pure: this is the code for a shop's developer to read.

All three name the same order id, so they count once; the most trusted one wins, whatever comes first.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from affiliate import signing
from affiliate.demo import basket as baskets
from affiliate.demo import cast
from affiliate.demo.basket import Basket
from affiliate.money import Money

TAG_COOKIE = "aff_track"
_CLICK_ID_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What the customer bought, and by which click they came."""

    order_id: str
    basket: Basket
    customer_id: str
    new_customer: bool
    email_sha256: str | None
    click_id: str | None  # the token of the shop's first-party cookie


def kept(order: Order) -> dict[str, Any]:
    """What the cookie holds of an order."""
    return {
        "order_id": order.order_id,
        "basket": baskets.kept(order.basket),
        "coupon": order.basket.coupon,
        "customer_id": order.customer_id,
        "new_customer": order.new_customer,
        "email_sha256": order.email_sha256,
        "click_id": order.click_id,
    }


def read(found: dict[str, Any] | None) -> Order | None:
    """The order that a cookie holds, if it holds one."""
    if not found:
        return None
    values = dict(found)
    basket = baskets.read(values.pop("basket"), coupon=values.pop("coupon"))
    return Order(basket=basket, **values)


def click_id_of(cookie: str | None) -> str | None:
    """The click id that our tag keeps for the shop. Anybody can write in that cookie: what could not be an id is left out."""
    is_one = cookie is not None and 0 < len(cookie) <= _CLICK_ID_LENGTH_MAX and cookie.isprintable()
    return cookie if is_one else None


def email_sha256(email: str) -> str | None:
    """The hash under which a shop names a customer's address: of the trimmed, lower-case address. Nothing for no address."""
    address = email.strip().lower()
    return hashlib.sha256(address.encode()).hexdigest() if address else None


def api_body(order: Order, *, program: str) -> dict[str, Any]:
    """The body for `POST /api/v1/conversions`. No time in it: sent twice it is the same body, and counts once."""
    basket = order.basket
    body = {
        "program": program,
        "order_id": order.order_id,
        "amount": _text(basket.total_minor),
        "currency": cast.CURRENCY,
        "tax": _text(basket.tax_minor),
        "shipping": _text(basket.shipping_minor),
        "discount": _text(basket.discount_minor),
        "click_id": order.click_id,
        "coupon": basket.coupon,
        "customer_id": order.customer_id,
        "new_customer": order.new_customer,
        "email_sha256": order.email_sha256,
        "items": [
            {
                "sku": line.product.sku,
                "name": line.product.name,
                "group": line.product.group,
                "quantity": line.quantity,
                "amount": _text(line.paid_minor(basket.discount_bps)),
            }
            for line in basket.lines
        ],
    }
    return {name: value for name, value in body.items() if value is not None}


def pixel_parameters(order: Order, *, program: str) -> dict[str, str]:
    """The parameters of the pixel, not yet signed."""
    basket = order.basket
    parameters = {
        "program": program,
        "order_id": order.order_id,
        "amount": _text(basket.total_minor),
        "currency": cast.CURRENCY,
        "tax": _text(basket.tax_minor),
        "shipping": _text(basket.shipping_minor),
        "click_id": order.click_id,
        "coupon": basket.coupon,
        "customer_id": order.customer_id,
        "email_sha256": order.email_sha256,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def tag_facts(order: Order) -> dict[str, str]:
    """What a script on the page hands to the tag, which adds program and click id by itself."""
    added = {"program", "click_id"}
    return {name: value for name, value in pixel_parameters(order, program="").items() if name not in added}


def pixel_url(order: Order, *, program: str, tracking_url: str, secret: str) -> str:
    """The address of the signed pixel. The secret stays on the shop's server; the browser sees the signature only."""
    parameters = pixel_parameters(order, program=program)
    signed = parameters | {"sig": signing.pixel_signature(secret, parameters)}
    return f"{tracking_url}/t/pixel.gif?{urlencode(signed)}"


def _text(amount_minor: int) -> str:
    return Money(amount_minor, cast.CURRENCY).text()
