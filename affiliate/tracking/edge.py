"""The click path as a process of its own: an event loop that commits clicks in groups. Flask is not in it.

It answers `/r/<code>` and `/t/event` exactly as the web application does, beside `/healthz` and `/metrics`. Granian calls it over RSGI.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from affiliate import clock, garbage, ids, logs, settings
from affiliate.settings import Settings
from affiliate.tracking import edge_steps, exchange, lanes, lost_page, metrics, steps
from affiliate.tracking.codec import Event, encode
from affiliate.tracking.committer import Committer
from affiliate.tracking.decide import RequestFacts, decide
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.parts import Parts
from affiliate.tracking.spool import SpoolUnavailable
from affiliate.tracking.wire import NotStored

_SWITCH_SECONDS = (
    0.001  # so long a thread that reads links may hold up the clicks; Python's default of 5 ms is a slow answer
)
_log = logging.getLogger(__name__)
Headers = list[tuple[str, str]]


class Scope(Protocol):
    """What granian tells of a request."""

    method: str
    path: str
    query_string: str
    scheme: str
    client: str
    headers: Any


class Exchange(Protocol):
    """How granian takes an answer."""

    def __call__(self) -> Awaitable[bytes]:
        """The body of the request."""
        ...

    def response_empty(self, status: int, headers: Headers) -> None:
        """Answer without a body."""

    def response_str(self, status: int, headers: Headers, body: str) -> None:
        """Answer with a text."""


class Edge:
    """The application that granian runs."""

    def __init__(self, current: Settings, parts: Parts) -> None:
        self._settings = current
        self._parts = parts
        self._committer: Committer | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin in the background what needs a process of its own: reading the links, replaying the spool."""
        self._parts.replay.start()
        try:
            self._parts.directory.start()
        except DirectoryNotLoaded:
            _log.warning("the database does not answer: links will be read with the first click")
        garbage.settle()
        sys.setswitchinterval(_SWITCH_SECONDS)

    def close(self) -> None:
        """End the connections of this event loop."""
        if self._committer is not None:
            self._committer.close()
            self._committer = None

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The last requests are answered: begin no other replay."""
        self.close()
        self._parts.replay.stop()

    def __rsgi__(self, scope: Scope, exchanged: Exchange) -> Coroutine[Any, Any, None]:
        """Answer one request."""
        if scope.path.startswith(exchange.PREFIX) and scope.method in exchange.METHODS:
            return self._answer_click(scope, exchanged)
        return self._answer_other(scope, exchanged)

    async def _answer_click(self, scope: Scope, exchanged: Exchange) -> None:
        now = clock.now()
        try:
            view = self._parts.directory.view
        except DirectoryNotLoaded:
            self._answer_waiting(scope, exchanged)
            return
        decision = decide(
            request_facts(scope, trusted_proxies=self._settings.trusted_proxies),
            view,
            self._parts.keys,
            now=now,
            click_id=ids.new_at(now),
            fresh_visitor_id=ids.random,
        )
        payload = encode(decision.event)
        try:
            await self._commit(decision.event, payload)
        except NotStored as error:
            _log.debug("a click goes to disk: %s", error)
            await self._keep_on_disk(payload)
        if decision.location is None:
            self._answer_lost(scope, exchanged)
        else:
            exchanged.response_empty(decision.status, exchange.headers_of(decision, decision.location))

    def _commit(self, event: Event, payload: bytes) -> "asyncio.Future[None]":
        """The event on its way into its stream, in the next write.

        Raises:
            NotStored: Redis was away a moment ago.
        """
        if not self._parts.breaker.allows(time.monotonic()):
            raise NotStored("the breaker is open")
        if self._committer is None:
            self._committer = Committer(self._settings.stream_url, self._parts.breaker)
        return self._committer.append(lanes.stream_of(event), payload)

    async def _keep_on_disk(self, payload: bytes) -> None:
        """The second durable place; without it, count the visitor whom nothing counts."""
        try:
            await self._parts.spool.keep(payload)
        except SpoolUnavailable:
            metrics.REFUSED.inc()
            metrics.UNCOUNTED.inc()
        else:
            metrics.SPOOLED.inc()

    def _answer_lost(self, scope: Scope, exchanged: Exchange) -> None:
        programs = list(self._parts.directory.view.programs.values())
        body = lost_page.page(
            lost_page.language_of(scope.headers.get("accept-language") or ""),
            shop_url=programs[0].shop_url if len(programs) == 1 else None,
            start_url=self._settings.base_url,
        )
        exchanged.response_str(404, lost_page.HEADERS, "" if scope.method == "HEAD" else body)

    def _answer_waiting(self, scope: Scope, exchanged: Exchange) -> None:
        """Neither the database nor the snapshot has told of any link: the visitor's browser asks again."""
        metrics.UNCOUNTED.inc()
        body = lost_page.waiting(lost_page.language_of(scope.headers.get("accept-language") or ""))
        exchanged.response_str(200, lost_page.WAITING_HEADERS, "" if scope.method == "HEAD" else body)

    async def _answer_other(self, scope: Scope, exchanged: Exchange) -> None:
        if scope.path.startswith(exchange.PREFIX):
            exchanged.response_empty(405, [("allow", "GET, HEAD")])
        elif scope.path == steps.PATH:
            await self._answer_step(scope, exchanged)
        elif scope.path == "/healthz":
            exchanged.response_str(200, [("content-type", "application/json")], '{"status":"ok"}')
        elif scope.path == "/metrics":
            registry = CollectorRegistry()
            metrics.register(registry)
            exchanged.response_str(200, [("content-type", CONTENT_TYPE_LATEST)], generate_latest(registry).decode())
        else:
            exchanged.response_str(404, [("content-type", "text/plain; charset=utf-8")], "Only links are here.")

    async def _answer_step(self, scope: Scope, exchanged: Exchange) -> None:
        header: edge_steps.Header = scope.headers.get
        length = edge_steps.body_length(header)
        payload = None if length is None else await exchanged() if length else b""
        answer = await edge_steps.answer(scope.method, header, payload, self._parts, self._commit)
        exchanged.response_str(answer.status, answer.headers, answer.text)


def application() -> Edge:
    """What granian's worker makes when it starts."""
    current = settings.current()
    logs.configure(level=current.log_level, form=current.log_format)
    return Edge(current, Parts.of(current))


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by their lower-case names; lines of one name are put together as WSGI servers do it."""
    pairs = scope.headers.items()  # all at once: asking for each by itself costs four times as much
    headers = dict(pairs)
    if len(headers) < len(pairs):
        headers = {name: (";" if name == "cookie" else ",").join(scope.headers.get_all(name)) for name in headers}
    return headers


def request_facts(scope: Scope, *, trusted_proxies: int) -> RequestFacts:
    """What the decision needs to know of a request over RSGI."""
    header: Callable[..., str] = _headers(scope).get
    address, is_secure = scope.client.rpartition(":")[0].strip("[]"), scope.scheme == "https"
    if trusted_proxies:
        address = exchange.behind_proxies(header("x-forwarded-for", ""), trusted_proxies) or address
        scheme = exchange.behind_proxies(header("x-forwarded-proto", ""), trusted_proxies)
        is_secure = scheme == "https" if scheme else is_secure
    return RequestFacts(  # in their order: by name they take three times as long
        scope.method,
        exchange.code_of(scope.path),
        scope.query_string,
        is_secure,
        address,
        header("cookie", ""),
        header("user-agent", ""),
        header("referer", ""),
        exchange.purpose_of(header, exchange.PURPOSES),
        header("sec-fetch-dest", ""),
        header("sec-gpc") == "1",
        header("sec-fetch-site", ""),
        header("sec-fetch-user", ""),
        header("sec-fetch-mode", ""),
    )
