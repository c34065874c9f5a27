"""Steps of visits: what the tag tells of product, cart and checkout, answered and kept alike by both adapters."""

import asyncio
import json
from typing import Any

import pytest
from flask import Flask
from shop_cast import Shop
from sqlalchemy.orm import Session

from affiliate import ids, signing, streams
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.tracking import edge_steps, steps
from affiliate.tracking.codec import Event, RejectedEvent, StepEvent
from affiliate.tracking.edge import Edge
from affiliate.tracking.lanes import stream_of
from affiliate.tracking.parts import Parts
from affiliate.tracking.spool import Spool
from affiliate.tracking.wire import NotStored

CLICK_ID = ids.new()
ORIGIN = "https://www.shop.example"


def told(shop: Shop, **changes: Any) -> dict[str, Any]:
    """What the tag sends of a visitor who agreed."""
    token = signing.click_token(shop.tracker.keys.click, program_id=shop.program.id, click_id=CLICK_ID)
    return {"program": "ondera", "click_id": token, "step": "cart", "consent": True} | changes


def by_edge(shop: Shop, parts: Parts, method: str, payload: bytes, headers: dict[str, str]) -> edge_steps.Answer:
    """The edge's answer, its event written into the stream that both share."""

    async def commit(event: Event, packed: bytes) -> None:
        shop.redis_client.xadd(stream_of(event), {streams.FIELD: packed})

    header = ({name.lower(): value for name, value in headers.items()} | {"content-length": str(len(payload))}).get
    taken = None if edge_steps.body_length(header) is None else payload
    return asyncio.run(edge_steps.answer(method, header, taken, parts, commit))


@pytest.fixture
def parts(shop: Shop, sqlite_settings: Settings) -> Parts:
    """The edge's, of the shop's installation."""
    return Parts.of(sqlite_settings)


def _said(shop: Shop) -> dict[str, tuple[bytes, dict[str, str]]]:
    """Requests, right and wrong, and their headers."""
    of_json: dict[str, Any] = {
        "good": told(shop),
        "test": told(shop, test=True),
        "by its id": told(shop, program=ids.public("prg", shop.program.id)),
        "refused": told(shop, consent=False),
        "silent": told(shop, consent=None),
        "tampered": told(shop, click_id="clk_00000000000000000000000000.abc"),
        "without a click": told(shop, click_id=None),
        "no step": told(shop, step="payment"),
        "a list for a step": told(shop, step=["cart"]),
        "unknown program": told(shop, program="nobody"),
        "no program": told(shop, program=["ondera"]),
        "wrong consent": told(shop, consent=1),
        "wrong test": told(shop, test="yes"),
        "unknown field": told(shop, amount="1.00"),
        "a list": [],
        "too large": told(shop, click_id="x" * 5_000),
    }
    found = {name: (json.dumps(body).encode(), {"Origin": ORIGIN}) for name, body in of_json.items()}
    return found | {
        "no json": (b"{", {"Origin": ORIGIN}),
        "nothing": (b"", {}),
        "opted out": (json.dumps(told(shop)).encode(), {"Origin": ORIGIN, "Sec-GPC": "1"}),
        "another origin": (json.dumps(told(shop)).encode(), {"Origin": "https://evil.example"}),
        "no origin": (json.dumps(told(shop)).encode(), {}),
    }


def test_both_adapters_answer_and_keep_alike(shop: Shop, parts: Parts) -> None:
    for name, (payload, headers) in _said(shop).items():
        before = len(_kept(shop))
        theirs = shop.client.post(steps.PATH, data=payload, headers=headers, content_type="text/plain")
        ours = by_edge(shop, parts, "POST", payload, headers)
        assert (ours.status, ours.text) == (theirs.status_code, theirs.text), name
        for header, value in ours.headers:
            assert value in theirs.headers[header], (name, header)  # Flask varies by cookie, too
        assert ("access-control-allow-origin" in dict(ours.headers)) == (
            "Access-Control-Allow-Origin" in theirs.headers
        ), name
        kept = _kept(shop)[before:]
        assert len(kept) in {0, 2}, name
        assert kept[:1] == kept[1:], name


def test_a_preflight_is_answered_alike(shop: Shop, parts: Parts) -> None:
    theirs = shop.client.options(steps.PATH, headers={"Origin": ORIGIN})
    ours = by_edge(shop, parts, "OPTIONS", b"", {"Origin": ORIGIN})
    assert (ours.status, ours.text) == (theirs.status_code, "")
    for name, value in ours.headers:
        assert value in theirs.headers[name] or name == "allow"
    assert by_edge(shop, parts, "GET", b"", {}).status == shop.client.get(steps.PATH).status_code == 405


def _kept(shop: Shop) -> list[Any]:
    """What was kept, without what is of the moment alone."""
    found = []
    for event in [*shop.clicks(), *shop.stored()]:
        kept = event._replace(received_at=None)
        found.append(kept._replace(delivery_id=None) if isinstance(kept, RejectedEvent) else kept)
    return found


@pytest.mark.parametrize(
    ("name", "status", "document"),
    [
        ("good", 202, {"status": "accepted"}),
        ("test", 202, {"status": "test"}),
        ("refused", 202, {"status": "no_consent"}),
        ("silent", 202, {"status": "no_consent"}),
        ("opted out", 202, {"status": "no_consent"}),
        ("tampered", 202, {"status": "tampered_click_id"}),
        ("unknown program", 404, {"code": "not_found", "message": "There is no such program."}),
        ("no json", 400, {"code": "malformed", "message": "The body is not a JSON object."}),
    ],
)
def test_what_is_answered(shop: Shop, name: str, status: int, document: dict[str, str]) -> None:
    payload, headers = _said(shop)[name]
    answer = shop.client.post(steps.PATH, data=payload, headers=headers)
    assert (answer.status_code, answer.json) == (status, document)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("no step", "step"), ("without a click", "click_id"), ("wrong consent", "consent"), ("wrong test", "test"),
        ("unknown field", "amount"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(shop: Shop, name: str, field: str) -> None:
    payload, headers = _said(shop)[name]
    answer = shop.client.post(steps.PATH, data=payload, headers=headers)
    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["errors"]) == [field]


def test_only_with_consent_anything_is_kept_and_then_nothing_about_the_visitor(shop: Shop) -> None:
    for name in ("silent", "refused", "opted out"):
        payload, headers = _said(shop)[name]
        shop.client.post(steps.PATH, data=payload, headers=headers)
    assert (shop.clicks(), shop.stored()) == ([], [])
    shop.client.post(steps.PATH, json=told(shop), headers={"Cookie": "aff=1", "Referer": "https://www.shop.example/x"})
    [event] = shop.clicks()
    assert event == StepEvent(CLICK_ID, shop.program.id, "cart", is_test=False, received_at=event.received_at)


def test_silence_is_consent_where_the_program_says_so(app: Flask, app_session: Session, shop: Shop) -> None:
    app_session.get_one(Program, shop.program.id).cookie_by_default = True
    app_session.commit()
    shop.tracker.directory.reload(now=shop.program.created_at)
    assert shop.client.post(steps.PATH, json=told(shop, consent=None)).json == {"status": "accepted"}
    assert shop.client.post(steps.PATH, json=told(shop, consent=False)).json == {"status": "no_consent"}


def test_a_made_up_click_is_kept_as_refused_and_is_no_step(shop: Shop) -> None:
    payload, _ = _said(shop)["tampered"]
    shop.client.post(steps.PATH, data=payload)
    [event] = shop.stored()
    assert (event.kind, event.reason, event.payload) == ("step", "bad_signature", {"step": "cart"})
    assert shop.clicks() == []


def test_without_redis_a_step_waits_on_disk_and_without_a_disk_it_is_told_again_later(
    shop: Shop, parts: Parts, tmp_path: Any
) -> None:
    async def refuse(_event: Event, _packed: bytes) -> None:
        raise NotStored("away")

    payload = json.dumps(told(shop)).encode()
    spools = [Spool(tmp_path / "spool", bytes_max=10_000), Spool(tmp_path / "none", bytes_max=0)]
    answers = []
    for spool in spools:
        holding = Parts(parts.keys, parts.directory, parts.append, parts.breaker, spool, parts.replay)
        answers.append(asyncio.run(edge_steps.answer("POST", lambda _name: None, payload, holding, refuse)))
    assert [answer.status for answer in answers] == [202, 503]
    assert ("retry-after", "5") in answers[1].headers
    [file] = spools[0].folder.glob("*.spool")
    assert b'"step"' in file.read_bytes()


class Exchange:
    """A request's body and its answer, as granian has them."""

    def __init__(self, body: bytes) -> None:
        self.body, self.is_read = body, False
        self.answer: tuple[int, dict[str, str], str] | None = None

    async def __call__(self) -> bytes:
        """The body."""
        self.is_read = True
        return self.body

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        """Keep the answer."""
        self.answer = status, dict(headers), body

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Keep an answer without a text."""
        self.response_str(status, headers, "")


class Scope:
    """A request as granian tells of it."""

    path, query_string, method, scheme, client = steps.PATH, "", "POST", "http", "203.0.113.77:4711"

    def __init__(self, length: str) -> None:
        self.headers = {"content-length": length, "origin": ORIGIN}


@pytest.mark.parametrize("times", [1, 100])
def test_the_edge_reads_a_body_that_is_short_enough(
    shop: Shop, parts: Parts, sqlite_settings: Settings, times: int
) -> None:
    payload = json.dumps(told(shop)).encode() * times
    exchange = Exchange(payload)

    async def ask() -> None:
        edge = Edge(sqlite_settings, parts)
        await edge.__rsgi__(Scope(str(len(payload))), exchange)
        edge.close()

    asyncio.run(ask())
    assert exchange.answer is not None
    is_short = times == 1
    assert (exchange.answer[0], exchange.is_read) == (202 if is_short else 413, is_short)
    assert [event.step for event in shop.clicks()] == (["cart"] if is_short else [])
