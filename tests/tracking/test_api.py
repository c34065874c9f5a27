"""What shops write through the API: each answer that the design promises, and what is stored behind it."""

import json
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from shop_cast import Shop
from sqlalchemy.orm import Session

from affiliate import ids, signing
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.tracking import rawlog
from affiliate.tracking.body import BODY_BYTES_MAX, LIST_BYTES_MAX
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent, Trust
from affiliate.tracking.spool import SpoolUnavailable

SALE = {"program": "ondera", "order_id": "1001", "amount": "49.90", "currency": "EUR"}
SHIPPED = {"program": "ondera", "event_id": "e1", "type": "shipped"}
REFUND = {"program": "ondera", "order_id": "1001", "refund_id": "r1", "amount": "10"}


def raw(shop: Shop, payload: bytes, path: str = "/conversions") -> Any:
    """A body as bytes."""
    return shop.post(path, data=payload, headers={"Content-Type": "application/json"})


def test_a_conversion_is_accepted_and_stored_at_the_trust_of_a_server(shop: Shop) -> None:
    answer = shop.post("/conversions", SALE | {"coupon": "anna10", "tax": "9.00"})
    conversion_id = ids.conversion(program_id=shop.program.id, kind="sale", order_id="1001")
    assert answer.status_code == 202
    assert answer.json == {"id": ids.public("cnv", conversion_id), "status": "accepted"}
    [event] = shop.stored()
    assert isinstance(event, ConversionEvent)
    assert (event.conversion_id, event.trust, event.source) == (conversion_id, Trust.SERVER, "api")
    assert (event.amount_minor, event.tax_minor, event.coupon, event.is_test) == (4990, 900, "ANNA10", False)


def test_the_same_conversion_again_is_known_and_keeps_its_id(shop: Shop) -> None:
    first = shop.post("/conversions", SALE)
    again = shop.post("/conversions", SALE | {"amount": "49.9", "coupon": None})
    assert (again.status_code, again.json["status"]) == (200, "known")
    assert again.json["id"] == first.json["id"]
    assert len(shop.stored()) == 1


def test_another_body_for_the_same_conversion_is_a_conflict(shop: Shop) -> None:
    shop.post("/conversions", SALE)
    answer = shop.post("/conversions", SALE | {"amount": "50.00"})
    assert (answer.status_code, answer.json["code"]) == (409, "conflicting_body")
    assert len(shop.stored()) == 1


def test_what_redis_forgot_sql_remembers(shop: Shop, app_session: Session) -> None:
    fingerprint = _fingerprint_of(shop)
    shop.redis_client.flushall()
    factories.make_conversion(app_session, program=shop.program, order_id="1001", fingerprint=fingerprint)
    app_session.commit()
    assert shop.post("/conversions", SALE).status_code == 200
    assert shop.post("/conversions", SALE | {"amount": "50.00"}).status_code == 409
    assert shop.stored() == []


def _fingerprint_of(shop: Shop) -> str:
    shop.post("/conversions", SALE)
    fingerprint: str = shop.stored()[0].fingerprint
    return fingerprint


def test_a_program_may_be_named_by_its_public_id(shop: Shop) -> None:
    body = SALE | {"program": ids.public("prg", shop.program.id)}
    assert shop.post("/conversions", body).status_code == 202
    assert shop.post("/conversions", SALE).status_code == 200


@pytest.mark.parametrize("name", ["another", "nobody", "prg_00000000000000000000000000", "Ondera"])
def test_an_unknown_program_and_somebody_elses_are_not_found(shop: Shop, app_session: Session, name: str) -> None:
    factories.make_program(app_session, slug="another")
    app_session.commit()
    for path, body in (("/conversions", SALE), ("/orders/1001/events", SHIPPED), ("/refunds", REFUND)):
        answer = shop.post(path, body | {"program": name})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert shop.stored() == []


def test_a_program_made_a_moment_ago_is_known_to_its_key(shop: Shop, app_session: Session) -> None:
    shop.post("/conversions", SALE)
    fresh = factories.make_program(app_session, slug="fresh")
    secret = shop.make_key(of=fresh)
    assert shop.post("/conversions", SALE | {"program": "fresh"}, secret=secret).status_code == 202


def test_a_test_key_and_a_test_order_make_tests(shop: Shop) -> None:
    shop.post("/conversions", SALE, secret=shop.make_key(is_test=True))
    shop.post("/conversions", SALE | {"order_id": "1002", "test": True})
    shop.post("/refunds", REFUND, secret=shop.make_key(is_test=True))
    assert [event.is_test for event in shop.stored()] == [True, True, True]


def test_a_click_id_is_believed_only_with_our_signature(shop: Shop) -> None:
    location = shop.client.get("/r/anna").location
    token = location.partition("aff_click=")[2]
    shop.post("/conversions", SALE | {"click_id": token})
    other = token[:-1] + ("1" if token.endswith("0") else "0")
    tampered = shop.post("/conversions", SALE | {"order_id": "1002", "click_id": other})
    assert tampered.status_code == 202
    [good, bad] = shop.stored()
    keys = shop.tracker.keys
    assert good.click_id == signing.read_click_token(keys.click, token, program_id=shop.program.id)
    assert (bad.click_id, bad.click_refusal) == (None, "tampered_click_id")


def test_a_state_becomes_an_order_event(shop: Shop) -> None:
    shop.post("/conversions", SALE | {"state": "pending"})
    assert shop.post("/conversions", SALE | {"state": "paid"}).status_code == 200
    shop.post("/conversions", SALE | {"state": "paid"})
    assert [type(event) for event in shop.stored()] == [ConversionEvent, OrderStageEvent]
    assert shop.stored()[1].type == "paid"


def test_a_conflicting_conversion_does_not_change_the_state_of_the_order(shop: Shop) -> None:
    shop.post("/conversions", SALE)
    assert shop.post("/conversions", SALE | {"amount": "1", "state": "cancelled"}).status_code == 409
    assert len(shop.stored()) == 1


def test_an_order_event_is_stored_once(shop: Shop) -> None:
    first = shop.post("/orders/1001/events", SHIPPED)
    assert (first.status_code, first.json["status"], first.json["id"][:4]) == (202, "accepted", "evt_")
    assert shop.post("/orders/1001/events", SHIPPED).status_code == 200
    assert shop.post("/orders/1001/events", SHIPPED | {"type": "delivered"}).status_code == 409
    [event] = shop.stored()
    assert isinstance(event, OrderStageEvent)
    assert event.conversion_id == ids.conversion(program_id=shop.program.id, kind="sale", order_id="1001")


@pytest.mark.parametrize(("path", "order_id"), [("A%2F1", "A/1"), ("A/1", "A/1"), ("%C5%BC%20%231", "ż #1")])
def test_an_order_id_in_an_address_may_hold_anything_printable(shop: Shop, path: str, order_id: str) -> None:
    assert shop.post(f"/orders/{path}/events", SHIPPED).status_code == 202
    assert shop.stored()[0].order_id == order_id


@pytest.mark.parametrize("path", ["%07", "a%1Fb", "x" * 121])
def test_a_wrong_order_id_in_an_address_is_named(shop: Shop, path: str) -> None:
    answer = shop.post(f"/orders/{path}/events", SHIPPED)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["order_id"])


def test_refunds_are_stored_once_each_and_any_number_of_them(shop: Shop) -> None:
    first = shop.post("/refunds", REFUND)
    assert (first.status_code, first.json["status"], first.json["id"][:4]) == (202, "accepted", "ref_")
    assert shop.post("/refunds", REFUND).status_code == 200
    assert shop.post("/refunds", REFUND | {"amount": "11"}).status_code == 409
    assert shop.post("/refunds", REFUND | {"refund_id": "r2"}).status_code == 202
    events = shop.stored()
    assert all(isinstance(event, RefundEvent) for event in events)
    assert [event.refund_id for event in events] == ["r1", "r2"]


def test_what_redis_forgot_of_refunds_and_order_events_sql_remembers(shop: Shop, app_session: Session) -> None:
    shop.post("/refunds", REFUND)
    shop.post("/orders/1001/events", SHIPPED)
    refund, stage = shop.stored()
    shop.redis_client.flushall()
    sale = factories.make_conversion(app_session, program=shop.program, order_id="1001")
    factories.make_refund(
        app_session, conversion=sale, amount_minor=1000, refund_id="r1", fingerprint=refund.fingerprint
    )
    factories.make_order_event(
        app_session, conversion=sale, id=stage.order_event_id, event_id="e1", fingerprint=stage.fingerprint
    )
    app_session.commit()
    assert shop.post("/refunds", REFUND).status_code == 200
    assert shop.post("/orders/1001/events", SHIPPED | {"type": "paid"}).status_code == 409


def test_a_list_is_answered_item_by_item(shop: Shop) -> None:
    shop.post("/conversions", SALE)
    answer = shop.post(
        "/conversions",
        [
            SALE | {"order_id": "1002"},
            SALE,
            SALE | {"amount": "1"},
            SALE | {"order_id": "1003", "amount": 1.5},
            SALE | {"program": "nobody"},
            "nonsense",
            SALE | {"order_id": "1002"},
            SALE | {"order_id": "1004", "state": "paid"},
        ],
    )
    assert answer.status_code == 202
    results = answer.json["results"]
    assert [(result["index"], result["status"], result.get("code")) for result in results] == [
        (0, "accepted", None),
        (1, "known", None),
        (2, "refused", "conflicting_body"),
        (3, "refused", "invalid"),
        (4, "refused", "not_found"),
        (5, "refused", "invalid"),
        (6, "known", None),
        (7, "accepted", None),
    ]
    assert list(results[3]["errors"]) == ["amount"]
    assert results[6]["id"] == results[0]["id"]
    assert "id" not in results[2]
    assert [event.order_id for event in shop.stored()] == ["1001", "1002", "1004", "1004"]


def test_a_thousand_conversions_fit_into_one_list_and_one_more_does_not(shop: Shop) -> None:
    sales = [SALE | {"order_id": str(number)} for number in range(1_000)]
    answer = shop.post("/conversions", sales)
    assert [result["status"] for result in answer.json["results"]] == ["accepted"] * 1_000
    assert len(shop.stored()) == 1_000
    assert shop.post("/conversions", [*sales, SALE]).status_code == 422


def test_an_empty_list_has_no_results(shop: Shop) -> None:
    answer = shop.post("/conversions", [])
    assert (answer.status_code, answer.json) == (202, {"results": []})


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b'{"program": "ondera"', 400, "malformed"),
        (json.dumps(SALE).encode()[:-1] + b', "amount": "1.00"}', 400, "malformed"),
        (b'{"program": "\xff"}', 400, "malformed"),
        (b'{"program": "\x00"}', 400, "malformed"),
        (b'{"program": "\\u0000"}', 400, "malformed"),
        (b'{"items":' + b"[" * 25 + b"]" * 25 + b"}", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b'{"program": "' + b"x" * BODY_BYTES_MAX + b'"}', 413, "request_entity_too_large"),
        (b"[" + b" " * LIST_BYTES_MAX + b"]", 413, "request_entity_too_large"),
        (b"5", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (json.dumps(SALE | {"amount": 49.9}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"amount": float("nan")}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"amount": "-1"}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"amount": "1.999"}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"amount": "1_000"}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"currency": "QQQ"}).encode(), 422, "invalid"),
        (json.dumps(SALE | {"items": [{"sku": "a", "amount": "1", "quantity": 1.9}]}).encode(), 422, "invalid"),
    ],
)
def test_bad_input_gets_its_answer_and_stores_nothing(shop: Shop, payload: bytes, status: int, code: str) -> None:
    answer = raw(shop, payload)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert set(answer.json) == {"code", "message", "errors"}
    assert bool(answer.json["errors"]) == (status == 422)
    assert shop.stored() == []
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert shown.status == status
    assert shown.reason


def test_a_body_that_is_not_said_to_be_json_is_refused(shop: Shop) -> None:
    answer = shop.post("/conversions", data=json.dumps(SALE), headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


def test_only_a_key_with_the_scope_may_write(shop: Shop, app_session: Session) -> None:
    assert shop.client.post("/api/v1/conversions", json=SALE).status_code == 401
    assert shop.post("/conversions", SALE, secret="aff_live_made_up").status_code == 401
    assert shop.post("/conversions", SALE, secret=shop.make_key(scopes=("conversions:read",))).status_code == 403
    person = Actor(kind="user", id=factories.make_user(app_session).id)
    key, secret = accounts.create_api_key(
        app_session, program_id=shop.program.id, name="old", scopes=["admin"], actor=person, now=factories.NOW
    )
    app_session.commit()
    assert shop.post("/conversions", SALE, secret=secret).status_code == 202
    accounts.revoke_api_key(app_session, key_id=key.id, program_id=shop.program.id, actor=person, now=factories.NOW)
    app_session.commit()
    shop.tracker.directory.reload(now=factories.NOW)
    assert shop.post("/conversions", SALE | {"order_id": "2"}, secret=secret).status_code == 401


def test_without_redis_and_disk_the_answer_is_503_and_the_same_call_works_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_payloads: object) -> None:
        raise SpoolUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(shop.tracker.buffer, "_asks_redis", lambda: False)
        patch.setattr(shop.tracker.buffer._spool, "append", full)
        for path, body in (("/conversions", SALE), ("/conversions", [SALE]), ("/refunds", REFUND)):
            answer = shop.post(path, body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json["code"] == "unavailable"
    assert shop.post("/conversions", SALE).status_code == 202


def test_the_developer_sees_each_request_with_its_answer(shop: Shop) -> None:
    shop.post("/conversions", SALE | {"customer_id": "c7"})
    shop.post("/conversions", SALE | {"amount": 1.5})
    shop.post("/orders/1001/events", SHIPPED | {"type": "lost"})
    shown = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert [(request.what, request.status) for request in shown] == [
        ("order event", 422),
        ("conversion", 422),
        ("conversion", 202),
    ]
    assert shown[1].reason == "amount: Write the amount as text, for example “49.90”."
    assert shown[2].summary == {"order_id": "1001", "amount": "49.90", "currency": "EUR"}


def test_a_known_key_and_order_need_no_sql(shop: Shop, count_queries: Any) -> None:
    shop.post("/conversions", SALE)
    with count_queries() as counter:
        assert shop.post("/conversions", SALE).status_code == 200
    assert len(counter) == 0


def test_conversions_are_taken_while_sql_is_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.post("/conversions", SALE).status_code == 202

    def refuse(*_arguments: Any, **_named: Any) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(sa.engine.Engine, "connect", refuse)
    monkeypatch.setattr(sa.engine.Engine, "raw_connection", refuse)
    assert shop.post("/conversions", SALE | {"order_id": "1002"}).status_code == 202
    assert shop.post("/refunds", REFUND).status_code == 202
    assert pixel_status(shop) == 200
    assert shop.client.get("/r/anna").status_code == 302
    assert len(shop.stored()) == 4


def pixel_status(shop: Shop) -> int:
    """The status of a pixel of another order."""
    status: int = shop.client.get("/t/pixel.gif", query_string=SALE | {"order_id": "1003"}).status_code
    return status
