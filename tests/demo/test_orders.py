"""How the demo shop reports an order: the body, the pixel, the code to copy."""

import json
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from affiliate import signing
from affiliate.demo import basket, orders
from affiliate.money import parse_amount
from affiliate.tracking import snippets

TRACKING = "http://track.shop.localhost:8000"
SECRET = "5" * 64


def an_order(**changes: object) -> orders.Order:
    values = {
        "order_id": "CO-1A2B3C4D",
        "basket": basket.read({"apron": 1, "towels": 2}, coupon="MARTA10"),
        "customer_id": "customer-1",
        "new_customer": True,
        "email_sha256": orders.email_sha256(" Anna@Example.com "),
        "click_id": "clk_00000000000000000000000000.abcdefghij",
    }
    return orders.Order(**values | changes)  # type: ignore[arg-type]


def test_the_body_names_amounts_as_texts_and_its_parts_add_up() -> None:
    body = orders.api_body(an_order(), program="casa-ondera")
    assert (body["amount"], body["shipping"], body["discount"]) == ("68.17", "4.90", "7.03")
    assert body["new_customer"] is True
    items = sum(parse_amount(item["amount"], "EUR").amount_minor for item in body["items"])
    assert items + 4_90 == 68_17
    assert [item["sku"] for item in body["items"]] == ["apron", "towels"]


def test_the_body_leaves_out_what_is_not_known_and_names_no_time() -> None:
    body = orders.api_body(an_order(click_id=None, email_sha256=None, basket=basket.read({"moka": 1})), program="p")
    assert {"click_id", "email_sha256", "coupon", "occurred_at"}.isdisjoint(body)
    assert body == orders.api_body(
        an_order(click_id=None, email_sha256=None, basket=basket.read({"moka": 1})), program="p"
    )


def test_an_address_is_passed_on_as_the_hash_of_its_one_spelling() -> None:
    assert orders.email_sha256(" Anna@Example.com ") == orders.email_sha256("anna@example.com")
    assert orders.email_sha256("  ") is None


@pytest.mark.parametrize(
    ("cookie", "click_id"),
    [
        ("clk_a.b", "clk_a.b"),
        (None, None),
        ("", None),
        ("clk\u0007", None),
        ("x" * 101, None),
    ],
)
def test_a_click_id_is_read_from_the_cookie_of_the_tag_and_nothing_else_is(
    cookie: str | None, click_id: str | None
) -> None:
    assert orders.click_id_of(cookie) == click_id


def test_a_script_hands_the_tag_the_order_without_what_the_tag_adds() -> None:
    facts = orders.tag_facts(an_order())
    assert {"program", "click_id"}.isdisjoint(facts)
    assert (facts["order_id"], facts["amount"]) == ("CO-1A2B3C4D", "68.17")


def test_the_pixel_carries_the_order_and_a_signature_over_it() -> None:
    url = orders.pixel_url(an_order(), program="casa-ondera", tracking_url=TRACKING, secret=SECRET)
    assert url.startswith(f"{TRACKING}/t/pixel.gif?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    signature = query.pop("sig")
    assert query == orders.pixel_parameters(an_order(), program="casa-ondera")
    assert signature == signing.pixel_signature(SECRET, query)


def test_an_order_is_read_back_from_its_cookie() -> None:
    kept = json.loads(json.dumps(orders.kept(an_order())))
    assert orders.read(kept) == an_order()
    assert orders.read(None) is None


def test_the_python_to_copy_runs_and_signs_as_we_check() -> None:
    parameters = {"program": "casa-ondera", "order_id": 'Größe "7" & mehr', "amount": "49.90", "currency": "EUR"}
    code = snippets.pixel_in_python(tracking_url=TRACKING, parameters=parameters)
    environment = {"PIXEL_SECRET": SECRET, "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    query = {name: values[0] for name, values in parse_qs(urlsplit(ran.stdout.strip()).query).items()}
    assert query.pop("sig") == signing.pixel_signature(SECRET, parameters)
    assert query == parameters


def test_the_php_to_copy_holds_its_values_whatever_they_are() -> None:
    code = snippets.pixel_in_php(tracking_url=TRACKING, parameters={"order_id": "it's \\ $x"})
    assert r"'order_id' => 'it\'s \\ $x'," in code


def test_the_call_to_copy_is_one_command_for_a_shell() -> None:
    body = orders.api_body(an_order(order_id="it's one"), program="casa-ondera")
    code = snippets.api_call(base_url="http://localhost:8000", body=body)
    shown = subprocess.run(
        ["bash", "-c", code.replace("curl ", "printf '%s\\n' ", 1)], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout.partition("-d\n")[2]) == body


def test_no_code_to_copy_holds_a_secret() -> None:
    body = orders.api_body(an_order(), program="casa-ondera")
    texts = [
        snippets.tag(tracking_url=TRACKING, program="casa-ondera"),
        snippets.pixel_in_php(tracking_url=TRACKING, parameters={"order_id": "1"}),
        snippets.api_call(base_url="http://localhost:8000", body=body),
    ]
    assert "PIXEL_SECRET" in texts[1]
    assert "$API_KEY" in texts[2]
    assert f'src="{TRACKING}/t/tag.js"' in texts[0]
