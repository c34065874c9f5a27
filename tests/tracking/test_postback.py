"""Postbacks in the words of other trackers: what each says, and what becomes of it."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop_cast import Shop

from affiliate import clock, ids, signing
from affiliate.programs import secrets
from affiliate.tracking import postback, rawlog
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent, RejectedEvent, Trust
from affiliate.tracking.postback import Verdict

CLICK = "clk_01jd8v6b3hezq8m4tat2rk5wxy.abcdefghijklmnop"


def read(**parameters: str) -> postback.Postback:
    return postback.read(list(parameters.items()))


@pytest.mark.parametrize(
    "parameters",
    [
        {"click_id": CLICK, "txid": "1001", "amount": "49.90", "currency": "EUR"},
        {"transaction_id": CLICK, "order_id": "1001", "amount": "49.9000", "currency": "EUR"},  # Everflow, TUNE
        {"cid": CLICK, "payout": "49.9", "txid": "1001", "currency": "EUR", "et": ""},  # Voluum
        {"click-id": CLICK, "revenue": "49.90", "orderid": "1001", "currency": "EUR"},  # Taboola
        {"subid": CLICK, "revenue": "49.90", "tid": "1001", "status": "sale", "currency": "EUR"},  # Keitaro
        {"cks": CLICK, "amount": "49.90", "cr": "EUR", "ref": "1001"},  # Awin
        {"transaction_id": "1001", "click_id": CLICK, "amount": "49.90", "currency": "EUR"},
    ],
)
def test_the_names_of_the_big_trackers_mean_the_same(parameters: dict[str, str]) -> None:
    told = postback.read(list(parameters.items()))
    assert (told.order_id, told.facts["click_id"], told.facts["currency"]) == ("1001", CLICK, "EUR")
    assert told.facts["amount"] in {"49.9", "49.90"}
    assert told.verdict is Verdict.APPROVED


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("Purchase", "sale"),
        ("sale", "sale"),
        ("Free Trial", "free_trial"),
        ("Lead-2", "lead_2"),
        ("", None),
        ("покупка", ""),
    ],
)
def test_the_event_of_another_tracker_is_a_kind_in_our_letters(named: str, kind: str | None) -> None:
    assert read(cid=CLICK, et=named).facts.get("kind") == kind


def test_a_click_without_an_order_id_is_its_own_order_and_worth_nothing_by_itself() -> None:
    told = read(cid=CLICK)
    assert (told.order_id, told.facts["amount"]) == ("clk_01jd8v6b3hezq8m4tat2rk5wxy", "0")
    assert read(cid="made-up").order_id == ""


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("", Verdict.APPROVED),
        ("Approved", Verdict.APPROVED),
        ("1", Verdict.APPROVED),
        ("0", Verdict.PENDING),
        ("lead", Verdict.PENDING),
        ("paid", Verdict.PAID),
        ("2", Verdict.REJECTED),
        ("declined", Verdict.REJECTED),
        ("chargeback", Verdict.REFUNDED),
        ("{status}", None),
    ],
)
def test_the_words_for_a_status_are_understood(status: str, verdict: Verdict | None) -> None:
    assert read(click_id=CLICK, status=status).verdict is verdict


@given(st.dictionaries(st.sampled_from(["click_id", "transaction_id", "txid", "amount", "token", "ref"]), st.text()))
def test_any_parameters_are_read(parameters: dict[str, str]) -> None:
    told = postback.read(list(parameters.items()))
    assert not postback.is_token(told.token, expected_hash="")


def token(shop: Shop) -> str:
    return secrets.postback_token(shop.program, shop.tracker.keys.secret)


def send(shop: Shop, *, method: str = "GET", **parameters: str) -> Any:
    sent = {"token": token(shop)} | parameters
    if method == "POST":
        return shop.client.post("/t/postback", data=sent)
    return shop.client.get(f"/t/postback?{urlencode(sent)}")


def a_click(shop: Shop) -> str:
    click_id = ids.new_at(clock.now())
    return signing.click_token(shop.tracker.keys.click, program_id=shop.program.id, click_id=click_id)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_postback_is_an_order_believed_like_a_signed_pixel(shop: Shop, method: str) -> None:
    answer = send(shop, method=method, click_id=a_click(shop), txid="1001", amount="49.90", promo_code="anna10")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "OK", "text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    [event] = shop.stored()
    assert isinstance(event, ConversionEvent)
    assert (event.trust, event.source, event.amount_minor, event.currency) == (Trust.SIGNED, "postback", 49_90, "EUR")
    assert (event.click_refusal, event.coupon, event.click_id is not None) == (None, "ANNA10", True)
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert (shown.source, shown.what, shown.status) == ("postback", "approved", 202)
    assert token(shop) not in str(shown)


def test_a_postback_sent_again_is_known_and_another_body_is_refused(shop: Shop) -> None:
    first = {"click_id": a_click(shop), "txid": "1001", "amount": "49.90"}
    assert [send(shop, **first).status_code, send(shop, **first).status_code] == [200, 200]
    conflict = send(shop, **first | {"amount": "1"})
    assert conflict.status_code == 409
    assert len(shop.stored()) == 1


def test_a_status_that_comes_later_ends_the_order_or_gives_it_back(shop: Shop) -> None:
    assert send(shop, txid="1001", status="rejected").text == "OK"
    assert send(shop, txid="1002", status="refunded", test="1").text == "OK"
    assert send(shop, txid="1003", status="paid", amount="5").text == "OK"
    cancelled, refund, paid_order, paid = shop.stored()
    assert isinstance(cancelled, OrderStageEvent)
    assert (cancelled.type, cancelled.order_id, cancelled.is_test) == ("cancelled", "1001", False)
    assert isinstance(refund, RefundEvent)
    assert (refund.amount_minor, refund.order_id, refund.is_test) == (None, "1002", True)
    assert isinstance(paid_order, ConversionEvent)
    assert paid.type == "paid"


@pytest.mark.parametrize("wrong", ["", "made-up", "prg_.x"])
def test_a_wrong_token_is_refused_and_nothing_is_stored(shop: Shop, wrong: str) -> None:
    for text in (wrong, token(shop)[:-1] + "!", token(shop).swapcase()):
        answer = send(shop, token=text, txid="1001")
        assert (answer.status_code, answer.text) == (403, "The token is wrong.")
    assert shop.stored() == []


def test_a_replaced_token_is_shown_to_the_developer_with_its_refusal(shop: Shop) -> None:
    old = token(shop)[:-1] + "!"
    assert send(shop, token=old, txid="1001", amount="49.90").status_code == 403
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert (shown.source, shown.status, shown.reason) == ("postback", 403, "wrong_token")
    assert shown.summary["order_id"] == "1001"
    assert old not in str(shown)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"txid": ""}, "order_id"),
        ({"amount": "1.999"}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"status": "{status}"}, "status"),
        ({"txid": "", "status": "refunded"}, "order_id"),
        ({"txid": "", "status": "rejected"}, "order_id"),
    ],
)
def test_a_postback_with_a_wrong_field_says_which_and_is_kept(shop: Shop, change: dict[str, str], named: str) -> None:
    answer = send(shop, **{"txid": "1001", "amount": "5"} | change)
    assert answer.status_code == 422
    assert answer.text.startswith(f"{named}: ")
    [event] = shop.stored()
    assert isinstance(event, RejectedEvent)
    assert named in event.payload["errors"]
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert (shown.status, shown.reason) == (422, "bad_fields")


def test_a_look_without_a_body_stores_nothing(shop: Shop) -> None:
    assert shop.client.head(f"/t/postback?token={token(shop)}&txid=1").status_code == 200
    assert shop.stored() == []
