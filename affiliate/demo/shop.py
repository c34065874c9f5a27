"""The demo shop: somebody else's shop, as far as the rest of the program is concerned. Never registered in production.

It carries the tag on every page, posts its orders to the API from its server side, and shows the signed pixel on the page
after the order. It keeps nothing in the database: basket and last order live in the visitor's session cookie.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from affiliate import errors, ids, web
from affiliate.accounts import access
from affiliate.demo import basket, cast, orders, sheets, till
from affiliate.demo.forms import CheckoutForm
from affiliate.programs import queries as programs
from affiliate.programs import secrets as pixel_secrets
from affiliate.programs.models import Program
from affiliate.settings import Settings

_KEPT = "demo_shop"
blueprint = Blueprint("demo_shop", __name__, url_prefix="/demo/shop")


class NoDemo(errors.NotFound):
    """The demo program is not in this database."""

    def __init__(self) -> None:
        super().__init__("The demo shop opens once the demo is loaded: run `affiliate demo load`.")


class NoSuchProduct(errors.NotFound):
    """The shop does not sell this."""

    def __init__(self) -> None:
        super().__init__("The shop does not sell this.")


def init_app(app: Flask, settings: Settings) -> None:
    """Open the shop. Its pages may load script and picture from the tracking host, and report to it, as a real shop's policy has to say."""
    app.register_blueprint(blueprint)
    parts = urlsplit(settings.tracking_url)
    tracking = f"{parts.scheme}://{parts.netloc}"
    policy = dict(web.CONTENT_POLICY)
    policy |= {"script-src": ["'self'", tracking], "connect-src": ["'self'", tracking]}
    policy |= {"img-src": ["'self'", "data:", tracking]}
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{blueprint.name}."):
            web.talisman(content_security_policy=policy)(view)


@blueprint.before_request
def _enter() -> None:
    program = programs.program_by_slug(web.orm.session, slug=cast.PROGRAM_SLUG)
    if program is None:
        raise NoDemo
    g.shop_program = program


@blueprint.get("/")
@access.public
def products() -> str:
    """What the shop sells."""
    return _show("products.html", products=[sheets.product(product) for product in cast.PRODUCTS])


@blueprint.get("/p/<sku>")
@access.public
def product(sku: str) -> str:
    """One product."""
    found = _product(sku)
    in_basket = _basket().quantity_of(sku)
    return _show("product.html", product=sheets.product(found), in_basket=in_basket, quantity_max=basket.QUANTITY_MAX)


@blueprint.get("/basket")
@access.public
def show_basket() -> str:
    """What the visitor is about to buy."""
    return _show("basket.html", receipt=sheets.receipt(_basket()), quantity_max=basket.QUANTITY_MAX)


@blueprint.post("/basket")
@access.public
@web.reads_only
def change_basket() -> ResponseReturnValue:
    """Put pieces of a product in, or set how many there are (none takes it out)."""
    sku = _product(request.form.get("sku", "")).sku
    wanted = max(0, request.form.get("quantity", 1, type=int))
    present = _basket()
    if "add" in request.form:
        wanted += present.quantity_of(sku)
    _keep(basket=basket.kept(basket.with_quantity(present, sku, min(wanted, basket.QUANTITY_MAX))))
    return redirect(url_for("demo_shop.show_basket"), 303)


@blueprint.route("/checkout", methods=["GET", "POST"])
@access.public
@web.reads_only
def checkout() -> ResponseReturnValue:
    """The last look, and the order. Pressed twice it is one order: its number was given before."""
    present = _basket()
    if not present.lines:
        return redirect(url_for("demo_shop.thanks" if "order" in _kept() else "demo_shop.show_basket"), 303)
    form = CheckoutForm()
    if form.validate_on_submit():
        _place(basket.Basket(present.lines, basket.coupon_of(form.coupon.data)), email=form.email.data)
        return redirect(url_for("demo_shop.thanks"), 303)
    if "next_order" not in _kept():
        _keep(next_order=_fresh_order_id())
    page = _show("checkout.html", form=form, receipt=sheets.receipt(present), coupon=cast.COUPON)
    return page, 422 if form.errors else 200


@blueprint.get("/thanks")
@access.public
def thanks() -> ResponseReturnValue:
    """The page after the order, with the pixel and the tag's call. Loaded again it reports the same order, which counts once."""
    order = _last_order()
    if order is None:
        return redirect(url_for("demo_shop.products"))
    settings, program = _settings(), _program()
    secret = pixel_secrets.pixel_secret(program, settings.secret_key)
    pixel = orders.pixel_url(order, program=program.slug, tracking_url=settings.tracking_url, secret=secret)
    return _show(
        "thanks.html",
        order=order,
        pixel_url=pixel,
        answer=till.Receipt(**_kept().get("answer", {})),
        receipt=sheets.receipt(order.basket),
        for_tag=orders.tag_facts(order),
        codes=sheets.developer_code(
            order, program=program.slug, base_url=settings.base_url, tracking_url=settings.tracking_url
        ),
        recorded_url=_recorded_url(order),
    )


@blueprint.post("/thanks")
@access.public
@web.reads_only
def report_again() -> ResponseReturnValue:
    """Post the last order to the API once more, after something stood in the way."""
    order = _last_order()
    if order is not None:
        _report(order)
    return redirect(url_for("demo_shop.thanks"), 303)


def _place(bought: basket.Basket, *, email: str) -> None:
    """Give the order its number, tell the API, empty the basket."""
    kept = _kept()
    order = orders.Order(
        order_id=kept.get("next_order") or _fresh_order_id(),
        basket=bought,
        customer_id=kept.get("customer") or f"customer-{secrets.token_hex(6)}",
        new_customer="customer" not in kept,
        email_sha256=orders.email_sha256(email),
        click_id=orders.click_id_of(request.cookies.get(orders.TAG_COOKIE)),
    )
    session[_KEPT] = {"customer": order.customer_id, "order": orders.kept(order)}
    _report(order)


def _report(order: orders.Order) -> None:
    """Post the order to the API and keep the answer. The customer's order stands whatever it is.

    Over HTTP, as a shop on another machine would: this server waits for itself, which works as long as one of its
    threads is free.
    """
    body, settings = orders.api_body(order, program=_program().slug), _settings()
    web.orm.session.rollback()  # no transaction is open while we wait for somebody else
    answer = till.post_order(body, base_url=settings.base_url, key_file=settings.data_dir / "demo.json")
    _keep(answer=till.kept(answer))


def _recorded_url(order: orders.Order) -> str:
    """The order in the manager's console."""
    program = _program()
    conversion_id = ids.conversion(program_id=program.id, kind="sale", order_id=order.order_id)
    return f"/console/{program.slug}/conversions/{ids.public('cnv', conversion_id)}"


def _show(template: str, **values: Any) -> str:
    settings, program = _settings(), _program()
    frame = {
        "brand": {"name": program.name, "url": url_for("demo_shop.products")},
        "tag_url": f"{settings.tracking_url}/t/tag.js",
        "program_slug": program.slug,
        "pieces": _basket().pieces,
    }
    return render_template(f"demo/{template}", **frame, **values)


def _product(sku: str) -> cast.Product:
    found = basket.product_of(sku)
    if found is None:
        raise NoSuchProduct
    return found


def _basket() -> basket.Basket:
    return basket.read(_kept().get("basket"))


def _last_order() -> orders.Order | None:
    return orders.read(_kept().get("order"))


def _kept() -> dict[str, Any]:
    found: dict[str, Any] = session.get(_KEPT) or {}
    return found


def _keep(**changes: Any) -> None:
    session[_KEPT] = _kept() | changes


def _fresh_order_id() -> str:
    return f"CO-{secrets.token_hex(4).upper()}"


def _program() -> Program:
    found: Program = g.shop_program
    return found


def _settings() -> Settings:
    found: Settings = current_app.extensions["affiliate_settings"]
    return found
