"""Clicks in front of Flask: answered without SQL, stored before the answer, never a dead end."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import factories
import processes
import pytest
import redis
import servers
from flask import Flask
from shop_cast import Shop
from sqlalchemy.orm import Session
from werkzeug.test import Client, EnvironBuilder

from affiliate import ids, signing
from affiliate.links.models import LinkStatus
from affiliate.places import COUNT, Places
from affiliate.streams import DEADLINE_SECONDS
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.buffer import Buffer
from affiliate.tracking.codec import ClickEvent, decode
from affiliate.tracking.metrics import UNCOUNTED
from affiliate.tracking.spool import Spool
from affiliate.tracking.wire import Appender, Entry
from affiliate.tracking.wsgi import ClickMiddleware, request_facts


def facts(path: str = "/r/anna", **changes: Any) -> Any:
    """The facts of a request with these headers and parts."""
    return request_facts(EnvironBuilder(path=path, **changes).get_environ())


def test_a_click_leads_to_the_shop_and_is_stored_before_the_answer(shop: Shop) -> None:
    answer = shop.client.get("/r/anna?sub1=newsletter", headers={"User-Agent": "Mozilla/5.0"})
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data == b""
    [click] = shop.clicks()
    token = answer.location.partition("aff_click=")[2]
    keys = shop.tracker.keys
    assert signing.read_click_token(keys.click, token, program_id=shop.program.id) == click.click_id
    assert (click.link_id, click.partner_id, click.subs) == (shop.link.id, shop.partner.id, {"sub1": "newsletter"})
    assert click.user_agent == "Mozilla/5.0"
    assert click.address_prefix == "127.0.0.0/24"


def test_a_click_asks_no_sql(shop: Shop, count_queries: Any) -> None:
    shop.client.get("/r/anna")
    with count_queries() as counter:
        assert shop.client.get("/r/anna").status_code == 302
    assert len(counter) == 0


@pytest.mark.parametrize("path", ["/r/ANNA", "/r/anna/", "/r/Anna?"])
def test_the_case_of_a_code_and_a_slash_at_its_end_do_not_matter(shop: Shop, path: str) -> None:
    assert shop.client.get(path).status_code == 302


def test_head_is_redirected_like_get_and_recorded_as_what_it_is(shop: Shop) -> None:
    assert shop.client.head("/r/anna").status_code == 302
    assert shop.clicks()[0].method == "HEAD"


def test_consent_sets_a_cookie_that_the_next_click_brings_back(shop: Shop) -> None:
    first = shop.client.get("/r/anna?cons=1")
    assert "HttpOnly" in first.headers["Set-Cookie"]
    shop.client.get("/r/anna?cons=1")
    visitors = [click.visitor_id for click in shop.clicks()]
    assert visitors[0] is not None
    assert visitors[0] == visitors[1]
    shop.client.get("/r/anna")
    assert shop.clicks()[2].visitor_id is None


def test_an_unknown_code_gets_a_friendly_page_and_is_kept(shop: Shop) -> None:
    answer = shop.client.get("/r/nobody")
    assert answer.status_code == 404
    assert "This partner link is not known" in answer.get_data(as_text=True)
    assert 'href="https://www.shop.example/"' in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert [(event.reason, event.payload) for event in shop.clicks()] == [("unknown_link", {"code": "nobody"})]


@pytest.mark.parametrize("path", ["/r/", "/r/%00", "/r/a/b/c", "/r/%ff%fe", "/r/" + "x" * 3_000])
def test_a_strange_code_is_an_unknown_one(shop: Shop, path: str) -> None:
    assert shop.client.get(path).status_code == 404


def test_another_method_is_not_a_click(shop: Shop) -> None:
    assert shop.client.post("/r/anna").status_code == 405
    assert shop.clicks() == []


def test_a_paused_link_still_leads_to_the_shop(shop: Shop, app_session: Session) -> None:
    shop.link.status = LinkStatus.PAUSED
    app_session.commit()
    assert shop.client.get("/r/anna").location.startswith("https://www.shop.example/shoes?aff_click=")
    assert shop.clicks()[0].link_state == "link_paused"


def test_a_link_made_later_works_after_the_next_poll(shop: Shop, app_session: Session) -> None:
    assert shop.client.get("/r/late").status_code == 404
    factories.make_link(app_session, program=shop.program, partner=shop.partner, code="late")
    app_session.commit()
    shop.tracker.directory.reload(now=factories.NOW)
    assert shop.client.get("/r/late").status_code == 302


def test_everything_else_passes_through(shop: Shop) -> None:
    assert shop.client.get("/healthz").json == {"status": "ok"}
    assert shop.client.get("/robots.txt").status_code == 200


def test_the_facts_are_read_from_the_headers() -> None:
    read = facts(
        "/r/Ann%C3%A9/",
        query_string="sub1=%C5%BC",
        headers={
            "Sec-Purpose": "prefetch",
            "Sec-Fetch-Dest": "document",
            "Sec-GPC": "1",
            "Referer": "https://blog.example/",
            "Cookie": "a=b",
        },
        base_url="https://track.shop.example",
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )
    assert read.code == "anné"
    assert read.query == "sub1=%C5%BC"
    assert (read.purpose, read.fetch_dest, read.has_opted_out) == ("prefetch", "document", True)
    assert (read.referrer, read.cookies, read.address, read.is_secure) == (
        "https://blog.example/",
        "a=b",
        "203.0.113.77",
        True,
    )


@pytest.mark.parametrize("header", ["Purpose", "X-Purpose", "X-Moz"])
def test_older_browsers_say_otherwise_that_they_only_prefetch(header: str) -> None:
    assert facts(headers={header: "prefetch"}).purpose == "prefetch"


def behind(app: Flask, shop: Shop, *, trusted_proxies: int) -> Client:
    """A client of the middleware with so many proxies in front of it."""
    middleware = ClickMiddleware(
        app.wsgi_app,
        keys=shop.tracker.keys,
        directory=shop.tracker.directory,
        buffer=shop.tracker.buffer,
        trusted_proxies=trusted_proxies,
    )
    return Client(middleware)


@pytest.mark.parametrize(
    ("trusted_proxies", "prefix", "is_secure"),
    [(0, "127.0.0.0/24", False), (1, "198.51.100.0/24", True), (2, "203.0.113.0/24", True)],
)
def test_only_trusted_proxies_say_where_a_visitor_comes_from(
    app: Flask, shop: Shop, *, trusted_proxies: int, prefix: str, is_secure: bool
) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9", "X-Forwarded-Proto": "https, https"}
    client = behind(app, shop, trusted_proxies=trusted_proxies)
    answer = client.get("/r/anna?cons=1", headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert shop.clicks()[-1].address_prefix == prefix
    assert ("Secure" in answer.headers["Set-Cookie"]) == is_secure


@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize(("spool_bytes", "uncounted"), [(100_000, 0), (0, 2)])
def test_visitors_go_on_when_redis_hangs_or_is_gone_and_are_uncounted_only_without_a_disk(  # noqa: PLR0917 - fixtures
    app: Flask, shop: Shop, tmp_path: Path, stop: signal.Signals, spool_bytes: int, uncounted: int
) -> None:
    with servers.valkey(tmp_path) as address:
        spool = Spool(tmp_path / "spool", bytes_max=spool_bytes)
        middleware = ClickMiddleware(
            app.wsgi_app,
            keys=shop.tracker.keys,
            directory=shop.tracker.directory,
            buffer=Buffer(append=Appender(lambda: address), spool=spool, breaker=Breaker()),
            trusted_proxies=0,
        )
        client = Client(middleware)
        assert client.get("/r/anna").status_code == 302
        os.kill(redis.Redis.from_url(address).info()["process_id"], stop)
        before = UNCOUNTED._value.get()
        answer = client.get("/r/anna")
        assert answer.status_code == 302
        assert answer.location.startswith("https://www.shop.example/shoes?aff_click=clk_")
        assert client.get("/r/nobody").status_code == 404
        assert UNCOUNTED._value.get() == before + uncounted


def test_every_click_has_an_id_of_its_moment(shop: Shop) -> None:
    for _ in range(3):
        shop.client.get("/r/anna")
    clicks = shop.clicks()
    assert len({click.click_id for click in clicks}) == 3
    assert all(abs(ids.moment_of(click.click_id) - click.occurred_at) < timedelta(milliseconds=1) for click in clicks)


class Held:
    """Takes events as Redis does, but the first write only when the test lets it; `stops` breaks the second off."""

    def __init__(self, *, stops: bool = False) -> None:
        self.writes: list[list[bytes]] = []
        self.untils: list[float | None] = []
        self.may_go_on = threading.Event()
        self.let_go_at = 0.0
        self._stops = stops

    def __call__(self, entries: Sequence[Entry], *, until: float | None = None) -> None:
        """Keep what is written."""
        self.untils.append(until)
        self.writes.append([payload for _, payload in entries])
        if len(self.writes) == 1:
            assert self.may_go_on.wait(30)
        if len(self.writes) == 2 and self._stops:
            raise KeyboardInterrupt

    def names(self) -> list[list[str]]:
        """The sub ids of what was written."""
        events = [[decode(payload) for payload in payloads] for payloads in self.writes]
        return [[event.subs["sub1"] for event in its if isinstance(event, ClickEvent)] for its in events]


def come_together(app: Flask, shop: Shop, held: Held, folder: Path, *changes: dict[str, Any]) -> list["Future[str]"]:
    """The addresses that clicks are sent to: a first one, whose write is held, and these, which come while it is under way."""
    buffer = Buffer(append=held, spool=Spool(folder / "spool", bytes_max=0), breaker=Breaker())
    middleware = ClickMiddleware(
        app.wsgi_app, keys=shop.tracker.keys, directory=shop.tracker.directory, buffer=buffer, trusted_proxies=0
    )

    def click(environ: dict[str, Any]) -> str:
        answers: list[dict[str, str]] = []
        middleware(environ, lambda _status, headers: answers.append(dict(headers)))  # type: ignore[arg-type, func-returns-value, return-value]
        return answers[0]["location"]

    with ThreadPoolExecutor(8) as threads:
        futures = []
        for number, change in enumerate([{}, *changes]):
            environ = EnvironBuilder(path="/r/anna", query_string=f"sub1={number}").get_environ()
            futures.append(threads.submit(click, environ | change))
            processes.eventually(
                lambda: bool(held.writes) and len(middleware._turns._ready) == len(futures) - 1, "a click in line"
            )
        held.let_go_at = time.monotonic()
        held.may_go_on.set()
    return futures


def test_clicks_that_come_together_are_stored_in_one_write_and_a_broken_one_fails_alone(
    app: Flask, shop: Shop, tmp_path: Path
) -> None:
    held = Held()
    first, second, broken, last = come_together(app, shop, held, tmp_path, {}, {"QUERY_STRING": None}, {})
    assert held.names() == [["0"], ["1", "3"]]
    first_until, next_until = held.untils
    assert first_until is not None
    assert next_until is not None  # from when the second came, which was before the first was written
    assert first_until < next_until < held.let_go_at + DEADLINE_SECONDS
    assert len({future.result() for future in (first, second, last)}) == 3
    assert isinstance(broken.exception(), AttributeError)


def test_clicks_whose_writer_was_stopped_are_stored_again_under_the_same_ids(
    app: Flask, shop: Shop, tmp_path: Path
) -> None:
    held = Held(stops=True)
    first, stopped, *others = come_together(app, shop, held, tmp_path, {}, {}, {})
    assert isinstance(stopped.exception(), KeyboardInterrupt)
    assert len({future.result() for future in (first, *others)}) == 3
    assert held.names()[:2] == [["0"], ["1", "2", "3"]]
    assert sorted(held.writes[2] + held.writes[3]) == sorted(held.writes[1][1:])


def test_while_redis_fails_nobody_waits_for_another_ones_write(app: Flask, shop: Shop, tmp_path: Path) -> None:
    held, breaker = Held(), Breaker()
    breaker.failed(time.monotonic())
    buffer = Buffer(append=held, spool=Spool(tmp_path / "spool", bytes_max=0), breaker=breaker)
    middleware = ClickMiddleware(
        app.wsgi_app, keys=shop.tracker.keys, directory=shop.tracker.directory, buffer=buffer, trusted_proxies=0
    )
    with ThreadPoolExecutor(1) as threads:
        probe = threads.submit(Client(middleware).get, "/r/anna?sub1=0")
        processes.eventually(lambda: bool(held.writes), "a click that asks Redis")
        assert Client(middleware).get("/r/anna?sub1=1").status_code == 302
        assert not probe.done()
        held.may_go_on.set()
    assert held.names() == [["0"], ["1"]]


def test_clicks_go_by_pages_that_hang(app: Flask, shop: Shop) -> None:
    places = app.wsgi_app
    while not isinstance(places, Places):
        places = getattr(places, "_app", None) or places.app  # type: ignore[attr-defined]
    with contextlib.ExitStack() as pages, ThreadPoolExecutor(1) as threads:
        for _ in range(COUNT):
            pages.enter_context(places._free)
        waiting = threads.submit(app.test_client().get, "/robots.txt")
        assert shop.client.get("/r/anna").status_code == 302
        assert not waiting.done()
        pages.close()
        assert waiting.result(30).status_code == 200
