"""The demo shop's server side against the real API over HTTP, on the name that only browsers can resolve."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import servers
from factories import NOW, make_program, make_user
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from affiliate import streams
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.app import create_app
from affiliate.demo import cast, till
from affiliate.settings import Settings
from affiliate.tracking.codec import ConversionEvent, Trust, decode

BODY = {"program": cast.PROGRAM_SLUG, "order_id": "CO-1", "amount": "49.90", "currency": "EUR"}


@pytest.fixture
def key_file(sqlite_settings: Settings, app_session: Session) -> Path:
    """What the demo leaves for its shop."""
    program, person = make_program(app_session, slug=cast.PROGRAM_SLUG), make_user(app_session)
    _key, secret = accounts.create_api_key(
        app_session, program_id=program.id, name="shop", scopes=["conversions:write"],
        actor=Actor(kind="user", id=person.id), now=NOW,
    )  # fmt: skip
    app_session.commit()
    path = sqlite_settings.data_dir / "demo.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"api_key": secret}))
    return path


@pytest.fixture
def served(sqlite_settings: Settings) -> Iterator[Flask]:
    """The application behind a real server; its base address is a name below `localhost`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = create_app(replace(sqlite_settings, base_url=f"http://www.shop.localhost:{port}"))
        app.config["WTF_CSRF_ENABLED"] = False
        with servers.serving(make_server("127.0.0.1", port, app, threaded=True, fd=listener.fileno())):
            yield app


def base_url(app: Flask) -> str:
    settings: Settings = app.extensions["affiliate_settings"]
    return settings.base_url


def sold(redis_client: redis.Redis) -> list[ConversionEvent]:
    events = [decode(fields[b"e"]) for _id, fields in redis_client.xrange(streams.order_shard(0))]
    return [event for event in events if isinstance(event, ConversionEvent)]


def test_an_order_reaches_the_api_with_the_shops_key(served: Flask, key_file: Path, redis_client: redis.Redis) -> None:
    receipt = till.post_order(BODY, base_url=base_url(served), key_file=key_file)
    assert (receipt.status, receipt.problem) == (202, None)
    assert receipt.conversion is not None
    assert receipt.conversion.startswith("cnv_")
    again = till.post_order(BODY, base_url=base_url(served), key_file=key_file)
    assert (again.status, again.conversion) == (200, receipt.conversion)
    assert [event.order_id for event in sold(redis_client)] == ["CO-1"]


def test_a_checkout_tells_the_api_before_the_customer_is_thanked(
    served: Flask, key_file: Path, redis_client: redis.Redis
) -> None:
    browser = served.test_client()
    browser.post("/demo/shop/basket", data={"sku": "apron", "quantity": "2", "add": "1"})
    browser.get("/demo/shop/checkout")
    page = browser.post("/demo/shop/checkout", data={"coupon": "marta10"}, follow_redirects=True).text
    assert "Answered 202: accepted." in page
    [event] = sold(redis_client)
    assert (event.trust, event.coupon, event.amount_minor) == (Trust.SERVER, "MARTA10", 2 * 29_25 + 4_90)
    assert [item["sku"] for item in event.items] == ["apron"]
    assert event.order_id in page
    reported = re.search(r"cnv_[0-9a-z]{26}", page)
    assert reported is not None
    assert f"/console/{cast.PROGRAM_SLUG}/conversions/{reported.group()}" in page


def test_an_order_is_sent_again_once_the_key_is_there(served: Flask, key_file: Path, redis_client: redis.Redis) -> None:
    browser, kept = served.test_client(), key_file.read_text()
    key_file.unlink()
    browser.post("/demo/shop/basket", data={"sku": "apron", "add": "1"})
    assert "The shop has no API key." in browser.post("/demo/shop/checkout", follow_redirects=True).text
    key_file.write_text(kept)
    assert "Answered 202: accepted." in browser.post("/demo/shop/thanks", follow_redirects=True).text
    assert len(sold(redis_client)) == 1


def test_a_refusal_is_kept_with_its_status_and_message(served: Flask, key_file: Path) -> None:
    wrong = till.post_order(BODY | {"amount": "49,90"}, base_url=base_url(served), key_file=key_file)
    assert (wrong.status, wrong.problem) == (422, "refused")
    key_file.write_text(json.dumps({"api_key": "aff_live_unknown"}))
    unknown = till.post_order(BODY, base_url=base_url(served), key_file=key_file)
    assert (unknown.status, unknown.problem) == (401, "refused")
    assert unknown.detail


@pytest.mark.parametrize("sheet", ["", "{}", "[]", '{"api_key"', "no json"])
def test_a_broken_sheet_is_no_key(tmp_path: Path, sheet: str) -> None:
    path = tmp_path / "demo.json"
    path.write_text(sheet)
    assert till.post_order(BODY, base_url="http://127.0.0.1:1", key_file=path).problem == "no_key"


def test_a_server_that_is_away_is_a_note_and_no_error(key_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    receipt = till.post_order(BODY, base_url=f"http://127.0.0.1:{port}", key_file=key_file)
    assert receipt.problem == "no_answer"


def test_an_answer_that_is_no_json_is_a_note_and_no_error(key_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        thread = threading.Thread(target=answer)
        thread.start()
        receipt = till.post_order(BODY, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", key_file=key_file)
        thread.join()
    assert receipt.problem == "no_answer"
