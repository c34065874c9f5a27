"""The short way for orders by API: taken by every call that is in order, and unnoticed by the others."""

import json
from typing import Any

import pytest
from shop_cast import Shop

from affiliate.tracking import rawlog
from affiliate.tracking.shortcut import Shortcut

SALE = {"program": "ondera", "order_id": "1001", "amount": "49.90", "currency": "EUR"}
REFUND = {"program": "ondera", "order_id": "1001", "refund_id": "r1", "amount": "10"}
LONG_WAY = {"Content-Type": "application/json; way=long"}


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The shop after its key was used: the first call in a minute goes the long way, where the use is noted."""
    assert shop.post("/conversions", SALE | {"order_id": "first"}).status_code == 202
    return shop


@pytest.fixture
def without_app(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing behind the short way answers."""

    def nobody(*_arguments: Any) -> Any:
        raise AssertionError("this call came through to the app")

    front = shop.client.application.wsgi_app
    assert isinstance(front, Shortcut)
    monkeypatch.setattr(front, "_app", nobody)


@pytest.mark.usefixtures("without_app")
def test_calls_that_are_in_order_never_reach_the_app(shop: Shop) -> None:
    assert shop.post("/conversions", SALE).status_code == 202
    again = shop.post("/conversions", SALE)
    assert (again.status_code, again.json["status"]) == (200, "known")
    assert (again.headers["Cache-Control"], again.mimetype) == ("private, no-store", "application/json")
    conflict = shop.post("/conversions", SALE | {"amount": "1"})
    assert (conflict.status_code, conflict.json["code"]) == (409, "conflicting_body")
    listed = shop.post("/conversions", [SALE, SALE | {"order_id": "1002"}, {"program": "ondera"}])
    assert [result["status"] for result in listed.json["results"]] == ["known", "accepted", "refused"]
    assert shop.post("/refunds", REFUND).status_code == 202
    assert [event.order_id for event in shop.stored()] == ["first", "1001", "1002", "1001"]


@pytest.mark.parametrize("secret", ["aff_live_made_up", "of no scope", ""])
def test_a_key_that_may_not_write_goes_the_long_way(shop: Shop, secret: str) -> None:
    secret = shop.make_key(scopes=("reports:read",)) if secret == "of no scope" else secret
    answer = shop.client.post("/api/v1/conversions", json=SALE, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code in {401, 403}
    assert len(shop.stored()) == 1


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("/conversions", json.dumps(SALE)),
        ("/conversions", json.dumps([SALE, 5, SALE | {"amount": "1"}])),
        ("/conversions", json.dumps(SALE | {"amount": "1.999"})),
        ("/conversions", json.dumps(SALE | {"program": "nobody"})),
        ("/conversions", json.dumps([SALE] * 1001)),
        ("/conversions", '{"program"'),
        ("/conversions", '{"items":' + "[" * 25 + "]" * 25 + "}"),
        ("/conversions", '{"program": "' + "x" * 300_000 + '"}'),
        ("/refunds", json.dumps(REFUND)),
        ("/refunds", json.dumps(REFUND | {"amount": "0"})),
    ],
)
def test_both_ways_answer_alike_and_write_one_line_for_a_request(shop: Shop, path: str, payload: str) -> None:
    def call(**headers: str) -> tuple[int, Any, list[int]]:
        before = len(rawlog.last(shop.redis_client, program_id=shop.program.id))
        answer = shop.post(path, data=payload, headers={"Content-Type": "application/json"} | headers)
        shown = rawlog.last(shop.redis_client, program_id=shop.program.id)
        return answer.status_code, answer.json, [line.status for line in shown[: len(shown) - before]]

    call()  # what is new becomes known
    assert call() == call(**LONG_WAY)
