"""What browsers call on a shop's pages: the pixel, the tag, its clicks and conversions."""

import gzip
import json
import re
from typing import Any
from urllib.parse import urlencode

import factories
import pytest
import sqlalchemy as sa
from shop_cast import Shop
from sqlalchemy.orm import Session

from affiliate import clock, ids, signing
from affiliate.accounts.actors import SYSTEM
from affiliate.links import sites
from affiliate.programs import secrets, signs
from affiliate.tracking import rawlog
from affiliate.tracking.codec import ClickEvent, ConversionEvent, RejectedEvent, Trust
from affiliate.tracking.keys import STAMP_TERM, stamp
from affiliate.tracking.spool import SpoolUnavailable
from affiliate.tracking.views import GIF

SALE = {"program": "ondera", "order_id": "1001", "amount": "49.90", "currency": "EUR"}
ORIGIN = "https://www.shop.example"
SECRET_KEY = "a-secret-that-only-tests-know-0123456789"


def pixel(shop: Shop, parameters: dict[str, str] | str, **arguments: Any) -> Any:
    """The image on a checkout page."""
    query = parameters if isinstance(parameters, str) else urlencode(parameters)
    return shop.client.get(f"/t/pixel.gif?{query}", **arguments)


def signed(shop: Shop, **changes: str) -> dict[str, str]:
    """The parameters of a pixel as the shop's server signs them."""
    parameters = SALE | changes
    secret = secrets.pixel_secret(shop.program, SECRET_KEY)
    return parameters | {"sig": signing.pixel_signature(secret, parameters)}


def beacon(shop: Shop, path: str, body: Any, **headers: str) -> Any:
    """What the tag sends from a page of the shop."""
    values = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN} | headers
    return shop.client.post(path, data=json.dumps(body), headers=values)


def arrival(**changes: str) -> dict[str, str]:
    """An arrival with a fresh nonce."""
    sent = {"program": "ondera", "ref": "anna", "nonce": f"{int(clock.now().timestamp() * 1000)}.0123456789abcdef"}
    return sent | changes


def test_a_pixel_without_a_signature_is_taken_at_the_lowest_trust(shop: Shop) -> None:
    answer = pixel(shop, SALE | {"tax": "9.00", "coupon": ""})
    assert (answer.status_code, answer.data, answer.mimetype) == (200, GIF, "image/gif")
    assert len(answer.data) == 43
    assert answer.headers["Cache-Control"] == "no-store"
    [event] = shop.stored()
    assert isinstance(event, ConversionEvent)
    assert (event.trust, event.source, event.tax_minor, event.coupon) == (Trust.OPEN, "pixel", 900, None)


def test_a_signed_pixel_is_believed_further(shop: Shop) -> None:
    pixel(shop, signed(shop, customer_id="ż 1&2"))
    [event] = shop.stored()
    assert (event.trust, event.customer_id) == (Trust.SIGNED, "ż 1&2")


@pytest.mark.parametrize(
    "change", [{"amount": "0.01"}, {"order_id": "1002"}, {"extra": "1"}, {"sig": "0" * 64}, {"sig": ""}]
)
def test_a_pixel_whose_signature_does_not_fit_is_kept_as_refused(shop: Shop, change: dict[str, str]) -> None:
    answer = pixel(shop, signed(shop) | change)
    assert (answer.status_code, answer.data) == (200, GIF)
    [event] = shop.stored()
    assert isinstance(event, RejectedEvent)
    assert (event.reason, event.program_id) == ("bad_signature", shop.program.id)
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert (shown.status, shown.reason, shown.source) == (200, "bad_signature", "pixel")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "1.999"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "49,90"}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"order_id": ""}, "order_id"),
        ({"order_id": "a\0b"}, "order_id"),
        ({"email_sha256": "anna@example.test"}, "email_sha256"),
    ],
)
def test_a_pixel_with_a_wrong_field_is_kept_as_refused_and_says_nothing_personal(
    shop: Shop, change: dict[str, str], field: str
) -> None:
    answer = pixel(shop, SALE | {"customer_id": "c7"} | change)
    assert (answer.status_code, answer.data) == (200, GIF)
    [event] = shop.stored()
    assert event.reason == "bad_fields"
    assert list(event.payload["errors"]) == [field]
    assert "c7" not in str(event.payload)
    assert "anna@" not in str(event.payload)


def test_a_parameter_that_stands_twice_is_refused(shop: Shop) -> None:
    pixel(shop, urlencode(SALE) + "&amount=1.00")
    assert [event.reason for event in shop.stored()] == ["bad_fields"]


def test_a_pixel_of_an_unknown_program_is_kept_without_one(shop: Shop) -> None:
    assert pixel(shop, SALE | {"program": "nobody"}).status_code == 200
    assert pixel(shop, "").data == GIF
    assert [(event.reason, event.program_id) for event in shop.stored()] == [("unknown_program", None)] * 2


def test_a_pixel_counts_once_and_another_body_changes_nothing(shop: Shop) -> None:
    for parameters in (SALE, SALE, SALE | {"amount": "1.00"}):
        assert pixel(shop, parameters).status_code == 200
    assert [event.amount_minor for event in shop.stored()] == [4990]
    statuses = [request.status for request in rawlog.last(shop.redis_client, program_id=shop.program.id)]
    assert statuses == [409, 200, 202]


def test_a_pixel_may_be_a_test(shop: Shop) -> None:
    pixel(shop, SALE | {"test": "1"})
    assert shop.stored()[0].is_test


def test_asking_only_for_the_head_of_the_image_is_no_conversion(shop: Shop) -> None:
    assert shop.client.head(f"/t/pixel.gif?{urlencode(SALE)}").status_code == 200
    assert shop.stored() == []


def store_nowhere(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    """Neither Redis nor the disk takes anything."""

    def full(_payloads: object) -> None:
        raise SpoolUnavailable

    patch.setattr(shop.tracker.buffer, "_asks_redis", lambda: False)
    patch.setattr(shop.tracker.buffer._spool, "append", full)


def test_a_pixel_that_could_not_be_stored_is_an_image_under_503(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store_nowhere(shop, monkeypatch)
    for parameters in (SALE, SALE | {"program": "nobody"}):
        answer = pixel(shop, parameters)
        assert (answer.status_code, answer.data, answer.headers["Retry-After"]) == (503, GIF, "5")


def test_a_pixel_asks_no_sql_but_whether_the_order_is_known(shop: Shop, count_queries: Any) -> None:
    pixel(shop, SALE)
    with count_queries() as counter:
        pixel(shop, SALE)
    assert len(counter) == 0


def test_the_tag_is_small_and_may_be_kept_and_read_by_any_page(shop: Shop) -> None:
    answer = shop.client.get("/t/tag.js", headers={"Origin": "https://anywhere.example"})
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert b"eval(" not in answer.data
    zipped = shop.client.get("/t/tag.js", headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(zipped.data) == answer.data
    assert len(zipped.data) <= 4_096
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped.headers["Vary"]
    again = shop.client.get("/t/tag.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_an_arrival_is_stored_and_answered_with_its_click_id(shop: Shop) -> None:
    body = arrival(url="https://www.shop.example/?ref=anna&sub1=blog")
    answer = beacon(shop, "/t/click", body, **{"User-Agent": "Mozilla/5.0"})
    assert answer.status_code == 202
    [click] = shop.clicks()
    assert isinstance(click, ClickEvent)
    assert (click.source, click.link_id, click.subs) == ("tag", shop.link.id, {"sub1": "blog"})
    read = signing.read_click_token(shop.tracker.keys.click, answer.json["click_id"], program_id=shop.program.id)
    assert read == click.click_id
    assert beacon(shop, "/t/click", body).json == answer.json


def test_an_arrival_from_a_confirmed_site_says_that_no_code_was_in_its_address(
    shop: Shop, app_session: Session
) -> None:
    sites.confirm(
        app_session, program_id=shop.program.id, shop_hosts=shop.program.allowed_hosts, url="https://blog.example/",
        code="anna", actor=SYSTEM, now=factories.NOW,
    )  # fmt: skip
    app_session.commit()
    shop.tracker.directory.reload(now=factories.NOW)
    sent = {name: text for name, text in arrival(referrer="https://www.blog.example/post").items() if name != "ref"}
    assert beacon(shop, "/t/click", sent).status_code == 202
    [click] = shop.clicks()
    assert (click.source, click.link_id) == ("site", shop.link.id)


def test_a_conversion_of_the_tag_carries_the_click_of_its_arrival(shop: Shop) -> None:
    token = beacon(shop, "/t/click", arrival()).json["click_id"]
    answer = beacon(shop, "/t/conversion", SALE | {"click_id": token})
    conversion_id = ids.conversion(program_id=shop.program.id, kind="sale", order_id="1001")
    assert (answer.status_code, answer.json) == (202, {"id": ids.public("cnv", conversion_id), "status": "accepted"})
    [event] = shop.stored()
    assert (event.trust, event.source) == (Trust.OPEN, "tag")
    assert event.click_id == shop.clicks()[0].click_id
    assert beacon(shop, "/t/conversion", SALE | {"click_id": token}).status_code == 200
    conflict = beacon(shop, "/t/conversion", SALE | {"amount": "1"})
    assert (conflict.status_code, conflict.json["code"]) == (409, "conflicting_body")


def test_a_conversion_knows_the_visitor_who_agreed_unless_the_browser_says_no(shop: Shop) -> None:
    shop.client.get("/r/anna?cons=1")
    beacon(shop, "/t/conversion", SALE)
    beacon(shop, "/t/conversion", SALE | {"order_id": "1002"}, **{"Sec-GPC": "1"})
    pixel(shop, SALE | {"order_id": "1003"})
    visitors = [event.visitor_id for event in shop.stored()]
    assert visitors == [shop.clicks()[0].visitor_id, None, shop.clicks()[0].visitor_id]
    assert visitors[0] is not None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/t/click", arrival(ref="nobody"), 404),
        ("/t/click", arrival(program="nobody"), 404),
        ("/t/click", arrival(nonce="yesterday"), 422),
        ("/t/click", arrival(ref="x" * 41), 422),
        ("/t/click", arrival(colour="red"), 422),
        ("/t/click", [], 422),
        ("/t/conversion", SALE | {"program": "nobody"}, 404),
        ("/t/conversion", SALE | {"program": 7}, 404),
        ("/t/conversion", [SALE], 404),
        ("/t/conversion", "nonsense", 404),
        ("/t/conversion", SALE | {"amount": 49.9}, 422),
        ("/t/conversion", SALE | {"state": "paid"}, 422),
    ],
)
def test_bad_input_of_the_tag_gets_its_answer(shop: Shop, path: str, body: Any, status: int) -> None:
    answer = beacon(shop, path, body)
    assert answer.status_code == status
    assert set(answer.json) == {"code", "message", "errors"}
    assert shop.clicks() == []
    assert not any(isinstance(event, ConversionEvent) for event in shop.stored())


def test_bytes_that_are_no_json_are_malformed(shop: Shop) -> None:
    for payload in (b"", b"{", b'{"a":1,"a":2}', b"\xff", b'"\\u0000"'):
        answer = shop.client.post("/t/conversion", data=payload, headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_a_wrong_conversion_of_the_tag_is_kept_for_the_manager(shop: Shop) -> None:
    beacon(shop, "/t/conversion", SALE | {"amount": "x"})
    [event] = shop.stored()
    assert (event.reason, event.payload["source"], list(event.payload["errors"])) == ("bad_fields", "tag", ["amount"])
    assert rawlog.last(shop.redis_client, program_id=shop.program.id)[0].status == 422


def test_a_link_of_another_program_is_not_known_in_this_one(shop: Shop, app_session: Any) -> None:
    factories.make_program(app_session, slug="another")
    app_session.commit()
    assert beacon(shop, "/t/click", arrival(program="another")).status_code == 404


def test_an_arrival_that_could_not_be_stored_may_be_sent_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    body = arrival()
    with monkeypatch.context() as patch:
        store_nowhere(shop, patch)
        assert beacon(shop, "/t/click", body).status_code == 503
        answer = beacon(shop, "/t/conversion", SALE)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (503, ORIGIN)
    assert beacon(shop, "/t/click", body).status_code == 202


def test_the_tag_knows_the_parameters_of_paid_channels_as_we_do(shop: Shop) -> None:
    listed = re.search(r"AD_IDS = '([a-z_ ]+)'", shop.client.get("/t/tag.js").text)
    assert listed is not None
    assert listed[1].split() == [line.partition(":")[0] for line in signs.AD_IDS]


def team(shop: Shop, **changes: str) -> Any:
    """The address to which the console leads who does not want to be counted."""
    stamped = stamp(shop.tracker.keys.team, program_id=shop.program.id, now=clock.now())
    return shop.client.get("/t/team", query_string={"program": "ondera", "stamp": stamped} | changes)


def test_a_browser_of_the_team_is_marked_until_the_mark_is_taken_away(shop: Shop) -> None:
    assert team(shop).status_code == 200
    shop.client.get("/r/anna")
    beacon(shop, "/t/click", arrival())
    team(shop, leave="1")
    shop.client.get("/r/anna")
    assert [click.is_own_team for click in shop.clicks()] == [True, True, False]


def test_nobody_else_can_mark_a_browser(shop: Shop) -> None:
    old = stamp(shop.tracker.keys.team, program_id=shop.program.id, now=clock.now() - STAMP_TERM)
    foreign = stamp(shop.tracker.keys.test, program_id=shop.program.id, now=clock.now())
    for wrong in ("", "made-up", old, foreign):
        answer = team(shop, stamp=wrong)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://www.shop.example:8443", "https://xwww.shop.example"]
)
def test_only_scripts_of_the_programs_hosts_may_read_the_answers(shop: Shop, origin: str) -> None:
    ours = beacon(shop, "/t/conversion", SALE)
    assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert ours.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in ours.headers["Vary"]
    theirs = beacon(shop, "/t/conversion", SALE, Origin=origin)
    assert theirs.status_code == 200
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert "Access-Control-Allow-Credentials" not in theirs.headers


def test_a_preflight_is_answered_for_the_hosts_of_any_program(shop: Shop) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = shop.client.options("/t/conversion", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert (
        shop.client.options("/t/click", headers=asked | {"Origin": "https://evil.example"}).headers.get(
            "Access-Control-Allow-Origin"
        )
        is None
    )


def test_before_any_program_is_known_scripts_of_shops_are_told_to_come_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(shop.tracker.directory, "_reading", refuse)
    assert beacon(shop, "/t/conversion", SALE).status_code == 503
    answer = shop.client.get("/t/pixel.gif", query_string=SALE, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.data) == (503, GIF)
