"""Both adapters of the click decision answer alike, and the edge's group commit tells the truth."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import factories
import pytest
import redis
import servers
import sqlalchemy as sa
import tracking_cast
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_cast import Shop
from sqlalchemy.orm import Session
from werkzeug.test import Client, EnvironBuilder

from affiliate import clock, ids, streams
from affiliate.settings import Settings
from affiliate.tracking import lost_page, wsgi
from affiliate.tracking.breaker import FAILURES_MAX
from affiliate.tracking.codec import ClickEvent, Event, decode
from affiliate.tracking.committer import Committer
from affiliate.tracking.directory import Directory
from affiliate.tracking.edge import Edge
from affiliate.tracking.metrics import UNCOUNTED
from affiliate.tracking.parts import Parts
from affiliate.tracking.rsgi import request_facts
from affiliate.tracking.spool import Spool

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
SECONDS_MAX = 60.0


class Answer:
    """How the edge answers, as granian would take it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = ""

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Keep the answer."""
        assert not self.status, "answered twice"
        self.status, self.headers = status, dict(headers)

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        """Keep the answer and its text."""
        self.response_empty(status, headers)
        self.body = body


class Request:
    """A request as granian tells of it."""

    def __init__(
        self, path: str, *, query: str = "", method: str = "GET", headers: dict[str, str] | None = None
    ) -> None:
        self.path, self.query_string, self.method = path, query, method
        self.scheme, self.client = "http", "203.0.113.77:4711"
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}


class Lines:
    """Headers as granian has them: a client may send two lines of one name."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self._lines = list(lines)

    def items(self) -> list[tuple[str, str]]:
        """Every line."""
        return self._lines

    def get_all(self, name: str) -> list[str]:
        """The lines of this name."""
        return [value for key, value in self._lines if key == name]


def environ_of(request: Request) -> dict[str, Any]:
    """The same request as a WSGI server tells of it."""
    environ = EnvironBuilder(method=request.method, headers=list(request.headers.items())).get_environ()
    return environ | {
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query_string.encode().decode("latin-1"),
        "REMOTE_ADDR": request.client.partition(":")[0],
    }


def asked(edge: Edge, *requests: Request) -> list[Answer]:
    """The answers to requests that come at once."""

    async def ask_all() -> list[Answer]:
        answers = [Answer() for _ in requests]
        calls: list[Awaitable[None]] = [edge.__rsgi__(*pair) for pair in zip(requests, answers, strict=True)]
        await asyncio.gather(*calls)
        edge.close()
        return answers

    return asyncio.run(ask_all())


@pytest.fixture
def edge(shop: Shop, sqlite_settings: Settings) -> Edge:
    """The edge of the shop's installation. Its directory reads with the first click."""
    return Edge(sqlite_settings, Parts.of(sqlite_settings))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what must get to Redis, however busy this machine is: the deadline is another test's matter."""
    monkeypatch.setattr("affiliate.tracking.edge.Committer", partial(Committer, deadline_seconds=SECONDS_MAX))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that a test may freeze or end."""
    with servers.valkey(tmp_path) as address:
        yield address


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Cookie": st.sampled_from([f"{tracking_cast.COOKIE_NAME}=vis_x.y", "a=b; c", ""]),
        "User-Agent": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        "Referer": st.sampled_from(["https://blog.example/", ""]),
        "Sec-Purpose": st.sampled_from(["prefetch", "prefetch;prerender", ""]),
        "Purpose": st.just("prefetch"),
        "X-Purpose": st.just("preview"),
        "X-Moz": st.just("prefetch"),
        "Sec-Fetch-Dest": st.sampled_from(["document", "image", "iframe"]),
        "Sec-Fetch-Site": st.just("cross-site"),
        "Sec-Fetch-Mode": st.just("navigate"),
        "Sec-Fetch-User": st.just("?1"),
        "Sec-GPC": st.sampled_from(["1", "0"]),
        "X-Forwarded-For": st.sampled_from(["198.51.100.1", "203.0.113.9, 198.51.100.2", "2001:db8::1, x", ","]),
        "X-Forwarded-Proto": st.sampled_from(["https", "http, https", ""]),
        "Host": st.sampled_from(["go.other.example", "GO.Other.example.:8443", "shop.example", ""]),
        "X-Forwarded-Host": st.sampled_from(["go.other.example", "go.other.example, a.example", "a.example", ",", ""]),
    },
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(["sub1", "subid", "cons", "url", "aff_click", "gclid", "utm_source", "colour"]),
        st.one_of(
            st.sampled_from(["0", "1", "https://www.shop.example/boots", "https://evil.example/"]), st.text(max_size=8)
        ),
    ),
    max_size=4,
)


class FixedIds:
    """Ids and moments that come out the same for both."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: NOW)
        monkeypatch.setattr(ids, "new_at", lambda _moment: tracking_cast.CLICK_ID)
        monkeypatch.setattr(ids, "random", lambda: tracking_cast.VISITOR_ID)


@pytest.fixture
def other_host(shop: Shop, app_session: Session) -> None:
    """The own host of another program, where the shop's links are unknown."""
    host = {"own_host": "go.other.example", "fallback_url": "https://other.example/"}
    factories.make_program(app_session, slug="other", **host)
    app_session.commit()
    shop.tracker.directory.reload(now=NOW)


@pytest.mark.usefixtures("patient", "other_host")
@pytest.mark.parametrize("trusted_proxies", [0, 1, 2])
def test_both_adapters_answer_and_record_alike(
    app: Flask, shop: Shop, edge: Edge, monkeypatch: pytest.MonkeyPatch, trusted_proxies: int
) -> None:
    FixedIds(monkeypatch)
    edge._settings = replace(edge._settings, trusted_proxies=trusted_proxies)
    middleware = wsgi.ClickMiddleware(
        app.wsgi_app,
        keys=shop.tracker.keys,
        directory=shop.tracker.directory,
        buffer=shop.tracker.buffer,
        trusted_proxies=trusted_proxies,
    )
    client = Client(middleware, use_cookies=False)  # a jar of its own would add to what the other is sent

    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        code=st.sampled_from(["anna", "ANNA/", "nobody", "", "żółw", "a/b"]),
        query=QUERIES.map(urlencode),
        method=st.sampled_from(["GET", "HEAD"]),
        headers=HEADERS,
    )
    def answer_alike(code: str, query: str, method: str, headers: dict[str, str]) -> None:
        request = Request(f"/r/{code}", query=query, method=method, headers=headers)
        [ours] = asked(edge, request)
        theirs = client.run_wsgi_app(environ_of(request))
        assert ours.status == int(theirs[1].partition(" ")[0])
        for header in ("location", "cache-control", "set-cookie") if ours.status == 302 else ():
            assert ours.headers.get(header) == theirs[2].get(header), header
        events = [decode(fields[streams.FIELD]) for _, fields in shop.redis_client.xrange(streams.click_shard(0))]
        assert events[-2] == events[-1]

    answer_alike()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_before_any_link_is_known_both_adapters_ask_a_visitor_to_wait(
    app: Flask, shop: Shop, edge: Edge, method: str
) -> None:
    def refuse() -> Any:
        raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    starting = Directory(secret_key="x", reading=refuse, poll_seconds=None)
    middleware = wsgi.ClickMiddleware(
        app.wsgi_app, keys=shop.tracker.keys, directory=starting, buffer=shop.tracker.buffer, trusted_proxies=0
    )
    before = UNCOUNTED._value.get()
    request = Request("/r/anna", method=method, headers={"Accept-Language": "en"})
    [ours] = asked(Edge(edge._settings, replace(edge._parts, directory=starting)), request)
    body, status, headers = Client(middleware).run_wsgi_app(environ_of(request))
    assert (ours.status, status, ours.headers["refresh"]) == (200, "200 OK", "3")
    assert ours.body == b"".join(body).decode()
    assert ours.body == "" or "<h1>One moment, please</h1>" in ours.body
    assert ours.headers.items() <= dict(headers.to_wsgi_list()).items()
    assert UNCOUNTED._value.get() == before + 2


@pytest.mark.usefixtures("patient")
def test_an_unknown_link_has_a_friendly_page_in_the_visitors_language(edge: Edge, shop: Shop) -> None:
    [answer] = asked(edge, Request("/r/nobody", headers={"Accept-Language": "fr, it-IT;q=0.8"}))
    assert answer.status == 404
    assert 'lang="it"' in answer.body
    assert 'href="https://www.shop.example/"' in answer.body
    assert [event.reason for event in shop.clicks()] == ["unknown_link"]
    [head] = asked(edge, Request("/r/nobody", method="HEAD"))
    assert (head.status, head.body) == (404, "")


def test_the_page_carries_no_markup_of_others() -> None:
    page = lost_page.page("en", shop_url='https://x.example/"><script>', start_url="")
    assert "<script" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/r/anna", 405), ("GET", "/", 404), ("GET", "/healthz", 200)]
)
def test_nothing_but_links_is_served(edge: Edge, method: str, path: str, status: int) -> None:
    [answer] = asked(edge, Request(path, method=method))
    assert answer.status == status


def test_what_was_counted_is_told(edge: Edge) -> None:
    [_, answer] = asked(edge, Request("/r/anna"), Request("/metrics"))
    assert "affiliate_events_accepted_total" in answer.body


def stored_in(client: redis.Redis) -> list[Event]:
    """The events of the click stream, in their order."""
    entries: Any = client.xrange(streams.click_shard(0))
    return [decode(fields[streams.FIELD]) for _, fields in entries]


def clicks_in(address: str) -> list[ClickEvent]:
    """The clicks that a server has."""
    return [event for event in stored_in(redis.Redis.from_url(address)) if isinstance(event, ClickEvent)]


def on_own(edge: Edge, address: str, **changes: Any) -> Edge:
    """The same edge on a server of its own."""
    return Edge(replace(edge._settings, stream_url=address), replace(edge._parts, **changes))


@pytest.mark.usefixtures("patient")
def test_clicks_that_come_at_once_are_all_stored_before_their_answers(edge: Edge, own_server: str) -> None:
    answers = asked(on_own(edge, own_server), *(Request("/r/anna") for _ in range(500)))
    tokens = [answer.headers["location"].partition("aff_click=clk_")[2][:26] for answer in answers]
    assert sorted(tokens) == sorted(ids.public("", click.click_id)[1:] for click in clicks_in(own_server))
    assert len(set(tokens)) == 500


@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGKILL])
def test_what_redis_does_not_acknowledge_waits_on_disk(
    edge: Edge, own_server: str, tmp_path: Path, stop: signal.Signals
) -> None:
    spool = Spool(tmp_path / "spool", bytes_max=1_000_000)
    os.kill(redis.Redis.from_url(own_server).info()["process_id"], stop)
    answers = asked(on_own(edge, own_server, spool=spool), *(Request("/r/anna") for _ in range(100)))
    assert {answer.status for answer in answers} == {302}
    [file] = spool.folder.glob("*.spool")
    assert file.read_bytes().count(b'"click"') == 100


def _fill(server: redis.Redis) -> None:
    server.config_set("maxmemory", "1")


def _lock(server: redis.Redis) -> None:
    server.config_set("requirepass", "secret")


@pytest.mark.parametrize("spoil", [_fill, _lock])
def test_what_redis_refuses_waits_on_disk(
    edge: Edge, own_server: str, tmp_path: Path, spoil: Callable[[redis.Redis], None]
) -> None:
    spool = Spool(tmp_path / "spool", bytes_max=1_000_000)
    spoil(redis.Redis.from_url(own_server))
    [answer] = asked(on_own(edge, own_server, spool=spool), Request("/r/anna"))
    assert answer.status == 302
    assert len(list(spool.folder.glob("*.spool"))) == 1


def test_a_visitor_goes_on_without_redis_and_disk_and_is_counted_as_uncounted(edge: Edge, tmp_path: Path) -> None:
    before = UNCOUNTED._value.get()
    lost = on_own(edge, f"unix://{tmp_path}/nobody.sock", spool=Spool(tmp_path / "spool", bytes_max=0))
    answers = asked(lost, *(Request("/r/anna") for _ in range(3)))
    assert [answer.status for answer in answers] == [302] * 3
    assert UNCOUNTED._value.get() == before + 3


def test_clicks_that_fail_together_open_the_breaker_no_longer_than_one(edge: Edge, tmp_path: Path) -> None:
    lost = on_own(edge, f"unix://{tmp_path}/nobody.sock")
    asked(lost, *(Request("/r/anna") for _ in range(50)))
    asked(lost, *(Request("/r/anna") for _ in range(50)))
    assert lost._parts.breaker.failures == FAILURES_MAX


@pytest.mark.usefixtures("patient")
def test_the_password_of_a_server_is_said_first(edge: Edge, own_server: str) -> None:
    redis.Redis.from_url(own_server).config_set("requirepass", "secret")
    with_password = own_server.replace("unix://", "unix://:secret@")
    asked(on_own(edge, with_password), Request("/r/anna"))
    assert len(clicks_in(with_password)) == 1


@pytest.mark.usefixtures("patient")
def test_an_id_of_the_edge_is_of_the_moment(edge: Edge, own_server: str) -> None:
    asked(on_own(edge, own_server), Request("/r/anna"))
    [click] = clicks_in(own_server)
    assert abs((ids.moment_of(click.click_id) - click.occurred_at).total_seconds()) < 0.001
    assert isinstance(click.click_id, UUID)
    assert click.occurred_at > factories.NOW


def test_what_a_client_writes_into_a_forwarding_header_does_not_stand_for_what_the_proxy_adds_in_a_line_of_its_own() -> (
    None
):
    request = Request("/r/anna")
    request.headers = Lines(  # type: ignore[assignment]
        ("x-forwarded-for", "198.51.100.66"), ("x-forwarded-for", "203.0.113.5"), ("cookie", "a=1"), ("cookie", "b=2")
    )
    facts = request_facts(request, trusted_proxies=1)
    assert facts.address == "203.0.113.5"
    assert facts.cookies == "a=1;b=2"  # as granian's WSGI side writes them
