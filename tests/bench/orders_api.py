"""Orders by API, in one process: lists against the bare reading of their fields, single calls against a plain view that stores.

The application is called as a WSGI server calls it, so that no server and no client is measured. Redis runs beside.
"""

import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import factories
import servers
from figures import Figure
from flask import Flask, Response, jsonify, request
from money_stages import upgrade
from sqlalchemy.orm import Session

from affiliate import clock, db, ids, settings, streams
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.app import create_app
from affiliate.tracking.schemas import NewConversionSchema

LIST_LENGTH = 1_000
LISTS, SINGLES = 6, 1_500
PACE, PACED_SECONDS = 200, 10
_TRIES = 3

Application = Callable[[dict[str, Any], Any], Any]


def measure() -> Iterator[Figure]:
    """Rates and their ratios, each the best of a few tries in turn."""
    with _installation() as (application, secret):
        schema = NewConversionSchema()
        listed = [(_rate_of_lists(application, secret), _rate_of_loads(schema)) for _ in range(_TRIES)]
        lists, loads = max(ours for ours, _ in listed), max(bare for _, bare in listed)
        yield Figure("orders in lists of 1,000, orders/s", lists)
        yield Figure("bare marshmallow load of the same, orders/s", loads)
        yield Figure("lists against bare load (ratio)", lists / loads, ">= 0.5")
        plain = _plain(schema)
        single = [(_rate_of_singles(application, secret), _rate_of_singles(plain, secret)) for _ in range(_TRIES)]
        calls, views = max(ours for ours, _ in single), max(bare for _, bare in single)
        yield Figure("single orders, calls/s", calls)
        yield Figure("plain Flask view with schema and XADD, calls/s", views)
        yield Figure("single calls against the plain view (ratio)", calls / views, ">= 0.5")
        yield Figure(f"single calls at {PACE} a second, p99 ms", _p99_ms(application, secret), "<= 20")


@contextmanager
def _installation() -> Iterator[tuple[Application, str]]:
    """The application on SQLite with a Redis, and a key that may write."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name, servers.valkey(Path(name)) as address:
        os.environ |= {
            "AFFILIATE_ENV": "test",
            "AFFILIATE_DATA_DIR": name,
            "AFFILIATE_DATABASE_URL": f"sqlite:///{name}/bench.db",
            "AFFILIATE_REDIS_URL": address,
        }
        settings.current.cache_clear()
        db.dispose()
        try:
            yield create_app(settings.current()), _key()
        finally:
            db.dispose()
            os.environ.clear()
            os.environ.update(before)
            settings.current.cache_clear()


def _key() -> str:
    engine = db.make_engine(settings.current().database_url)
    upgrade(engine)
    with Session(engine) as session:
        program = factories.make_program(session, slug="bench")
        person = Actor(kind="user", id=factories.make_user(session).id)
        _, secret = accounts.create_api_key(
            session, program_id=program.id, name="bench", scopes=("conversions:write",), actor=person, now=clock.now()
        )
        session.commit()
    engine.dispose()
    return secret


def _plain(schema: NewConversionSchema) -> Application:
    """What somebody writes in five minutes: read, check the fields, store, answer."""
    app = Flask("plain")

    @app.post("/api/v1/conversions")
    def conversions() -> tuple[Response, int]:
        body = schema.load(request.get_json())
        streams.client().xadd("plain", {"e": json.dumps(body)})
        return jsonify({"id": str(ids.new()), "status": "accepted"}), 202

    return app.wsgi_app


def _order() -> dict[str, Any]:
    """An order as a shop sends it, never seen before."""
    return {
        "program": "bench", "order_id": str(ids.new()), "amount": "49.90", "currency": "EUR", "tax": "9.00",
        "shipping": "4.90", "coupon": "ANNA10", "customer_id": "c-17", "new_customer": True,
        "items": [{"sku": "pot-26", "quantity": 1, "amount": "45.00"}],
    }  # fmt: skip


def _rate_of_loads(schema: NewConversionSchema) -> float:
    orders = [_order() for _ in range(LIST_LENGTH)]
    began = time.perf_counter()
    for _ in range(LISTS):
        for order in orders:
            schema.load(order)
    return LISTS * LIST_LENGTH / (time.perf_counter() - began)


def _rate_of_lists(application: Application, secret: str) -> float:
    bodies = [json.dumps([_order() for _ in range(LIST_LENGTH)]).encode() for _ in range(LISTS)]
    began = time.perf_counter()
    for body in bodies:
        _call(application, body, secret)
    return LISTS * LIST_LENGTH / (time.perf_counter() - began)


def _rate_of_singles(application: Application, secret: str) -> float:
    bodies = [json.dumps(_order()).encode() for _ in range(SINGLES)]
    began = time.perf_counter()
    for body in bodies:
        _call(application, body, secret)
    return SINGLES / (time.perf_counter() - began)


def _p99_ms(application: Application, secret: str) -> float:
    """How long the slowest hundredth of calls takes when they come evenly; one that is late makes those behind it late as well."""
    bodies = [json.dumps(_order()).encode() for _ in range(PACE * PACED_SECONDS)]
    began, took = time.perf_counter(), []
    for number, body in enumerate(bodies):
        due = began + number / PACE
        time.sleep(max(0.0, due - time.perf_counter()))
        _call(application, body, secret)
        took.append(time.perf_counter() - due)
    return sorted(took)[len(took) * 99 // 100] * 1000


def _call(application: Application, body: bytes, secret: str) -> None:
    """One request; it must be taken."""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/conversions", "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {secret}",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    answer = application(environ, lambda status, _headers, _error=None: said.append(status))
    try:
        b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    if not said[0].startswith("202"):
        raise RuntimeError(f"an order was answered with {said[0]}")
