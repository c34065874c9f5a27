"""Plain values for the pages of the demo shop."""

from typing import Any

from flask_babel import gettext as _

from affiliate.demo import cast, orders
from affiliate.demo.basket import Basket, Line
from affiliate.money import Money
from affiliate.tracking import snippets


def product(found: cast.Product) -> dict[str, Any]:
    """A product in the visitor's language."""
    return {
        "sku": found.sku,
        "name": _(found.name),
        "text": _(found.text),
        "group": _(cast.GROUPS[found.group]),
        "price": _money(found.price_minor),
    }


def receipt(basket: Basket) -> dict[str, Any]:
    """Lines and sums of a basket or an order."""
    return {
        "lines": [_line(line) for line in basket.lines],
        "goods": _money(basket.goods_minor),
        "discount": _money(-basket.discount_minor) if basket.discount_minor else None,
        "coupon": basket.coupon,
        "shipping": _money(basket.shipping_minor),
        "free_from": _money(cast.FREE_SHIPPING_FROM_MINOR) if basket.shipping_minor else None,
        "tax": _money(basket.tax_minor),
        "total": _money(basket.total_minor),
        "pieces": basket.pieces,
    }


def _line(line: Line) -> dict[str, Any]:
    return product(line.product) | {"quantity": line.quantity, "sum": _money(line.goods_minor)}


def developer_code(order: orders.Order, *, program: str, base_url: str, tracking_url: str) -> list[dict[str, str]]:
    """What a shop's developer copies, with the values of this very order."""
    parameters = orders.pixel_parameters(order, program=program)
    body = orders.api_body(order, program=program)
    in_python = snippets.pixel_in_python(tracking_url=tracking_url, parameters=parameters)
    in_php = snippets.pixel_in_php(tracking_url=tracking_url, parameters=parameters)
    return [
        {
            "id": "tag",
            "title": _("The tag, on every page"),
            "code": snippets.tag(tracking_url=tracking_url, program=program),
        },
        {"id": "python", "title": _("The signed pixel, in Python"), "code": in_python},
        {"id": "php", "title": _("The signed pixel, in PHP"), "code": in_php},
        {
            "id": "curl",
            "title": _("The call from your server"),
            "code": snippets.api_call(base_url=base_url, body=body),
        },
    ]


def _money(amount_minor: int) -> Money:
    return Money(amount_minor, cast.CURRENCY)
