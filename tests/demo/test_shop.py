"""The demo shop as a visitor without JavaScript sees it."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from factories import make_program
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import signing
from affiliate.app import create_app
from affiliate.demo import cast
from affiliate.programs import secrets
from affiliate.programs.models import Program
from affiliate.settings import Settings

SHOP = "/demo/shop"


@pytest.fixture
def program(app_session: Session) -> Program:
    """The demo's program, without its history."""
    program = make_program(app_session, slug=cast.PROGRAM_SLUG, name=cast.PROGRAM_NAME)
    app_session.commit()
    return program


def put(client: FlaskClient, sku: str, quantity: int = 1) -> str:
    answer = client.post(f"{SHOP}/basket", data={"sku": sku, "quantity": quantity, "add": "1"}, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def order(client: FlaskClient, **fields: str) -> str:
    client.get(f"{SHOP}/checkout")
    answer = client.post(f"{SHOP}/checkout", data=fields, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def order_number(page: str) -> str:
    found = re.search(r"CO-[0-9A-F]{8}", page)
    assert found is not None
    return found.group()


def pixel_of(page: str) -> dict[str, str]:
    found = re.search(r'<img class="pixel" src="([^"]+)"', page)
    assert found is not None
    return dict(parse_qsl(urlsplit(unescape(found.group(1))).query))


def test_every_product_has_a_page_with_its_price(client: FlaskClient, program: Program) -> None:
    shelf = client.get(f"{SHOP}/").text
    for product in cast.PRODUCTS:
        assert f'href="{SHOP}/p/{product.sku}"' in shelf
        assert client.get(f"{SHOP}/p/{product.sku}").status_code == 200


def test_every_page_says_that_nothing_is_sold_and_carries_the_tag(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    for path in ("/", "/p/apron", "/basket", "/checkout"):
        page = client.get(f"{SHOP}{path}").text
        assert "Demo shop: nothing is sold." in page
        assert f'src="http://localhost/t/tag.js" data-program="{cast.PROGRAM_SLUG}"' in page


def test_what_the_shop_does_not_sell_is_not_found(client: FlaskClient, program: Program) -> None:
    assert client.get(f"{SHOP}/p/gold").status_code == 404
    assert client.post(f"{SHOP}/basket", data={"sku": "gold"}).status_code == 404


def test_without_the_demo_program_the_shop_is_closed(client: FlaskClient) -> None:
    assert client.get(f"{SHOP}/").status_code == 404


def test_things_are_put_in_changed_and_taken_out(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    assert "€97.50" in put(client, "apron", 2)
    changed = client.post(f"{SHOP}/basket", data={"sku": "apron", "quantity": "1"}, follow_redirects=True).text
    assert "€37.40" in changed  # one apron and the shipping
    assert (
        "Nothing in here yet"
        in client.post(f"{SHOP}/basket", data={"sku": "apron", "quantity": "0"}, follow_redirects=True).text
    )


@pytest.mark.parametrize("quantity", ["-5", "two", "", "9" * 400])
def test_a_strange_quantity_does_no_harm(client: FlaskClient, program: Program, quantity: str) -> None:
    answer = client.post(f"{SHOP}/basket", data={"sku": "apron", "quantity": quantity}, follow_redirects=True)
    assert answer.status_code == 200


def test_an_unknown_coupon_is_said_at_its_field_and_nothing_is_ordered(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    answer = client.post(f"{SHOP}/checkout", data={"coupon": "FREE"})
    assert answer.status_code == 422
    assert "The shop does not know “FREE”." in answer.text
    assert "(1)" in client.get(f"{SHOP}/basket").text


def test_the_page_after_the_order_carries_a_pixel_that_our_own_secret_signed(
    client: FlaskClient, program: Program, sqlite_settings: Settings
) -> None:
    put(client, "apron")
    page = order(client, email="Anna@Example.com", coupon="marta10")
    pixel = pixel_of(page)
    signature = pixel.pop("sig")
    assert signature == signing.pixel_signature(secrets.pixel_secret(program, sqlite_settings.secret_key), pixel)
    assert (pixel["amount"], pixel["coupon"], pixel["order_id"]) == ("34.15", "MARTA10", order_number(page))
    assert "anna@example.com" not in page.lower()


def test_the_click_id_of_the_cookie_travels_with_the_order(client: FlaskClient, program: Program) -> None:
    client.set_cookie("aff_track", "clk_token.sig")
    put(client, "apron")
    page = order(client)
    assert pixel_of(page)["click_id"] == "clk_token.sig"
    assert "&#34;click_id&#34;: &#34;clk_token.sig&#34;" in page


def test_an_order_stands_when_the_shop_has_no_key_and_the_page_says_so(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    page = order(client)
    assert "The shop has no API key." in page
    assert "Send the order again" in page
    assert "Nothing in here yet" in client.get(f"{SHOP}/basket").text


def test_an_order_sent_twice_has_one_number(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    client.get(f"{SHOP}/checkout")
    cookie = client.get_cookie("session")
    assert cookie is not None
    first = order_number(client.post(f"{SHOP}/checkout", follow_redirects=True).text)
    client.set_cookie("session", cookie.value)
    assert order_number(client.post(f"{SHOP}/checkout", follow_redirects=True).text) == first


def test_a_second_order_has_a_new_number_and_an_old_customer(client: FlaskClient, program: Program) -> None:
    put(client, "apron")
    first = order(client)
    put(client, "moka")
    second = order(client)
    assert order_number(first) != order_number(second)
    assert pixel_of(first)["customer_id"] == pixel_of(second)["customer_id"]
    assert "&#34;new_customer&#34;: true" in first
    assert "&#34;new_customer&#34;: false" in second


def test_without_an_order_the_page_after_it_leads_to_the_shop(client: FlaskClient, program: Program) -> None:
    assert client.get(f"{SHOP}/thanks").location == f"{SHOP}/"
    assert client.get(f"{SHOP}/checkout").location == f"{SHOP}/basket"


def test_pages_may_load_from_the_tracking_host_and_nobody_else(sqlite_settings: Settings, app_session: Session) -> None:
    make_program(app_session, slug=cast.PROGRAM_SLUG)
    app_session.commit()
    app = create_app(replace(sqlite_settings, tracking_url="http://track.shop.localhost:8000"))
    policy = app.test_client().get(f"{SHOP}/").headers["Content-Security-Policy"]
    assert "script-src 'self' http://track.shop.localhost:8000;" in policy
    assert "connect-src 'self' http://track.shop.localhost:8000" in policy
    assert "img-src 'self' data: http://track.shop.localhost:8000;" in policy


def test_production_has_no_demo_shop(sqlite_settings: Settings) -> None:
    app = create_app(replace(sqlite_settings, env="production"))
    assert [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(SHOP)] == []


@pytest.mark.parametrize("language", ["it", "pl"])
def test_prices_are_written_as_the_visitor_writes_them(client: FlaskClient, program: Program, language: str) -> None:
    page = client.get(f"{SHOP}/p/pot-26", headers={"Accept-Language": language}).text
    assert "118,00\u00a0€" in page


def test_forms_of_the_shop_need_their_token(app: Flask, program: Program) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post(f"{SHOP}/basket", data={"sku": "apron"}).status_code == 400
