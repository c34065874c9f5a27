"""The click path as a process of its own: an event loop that commits clicks in groups. Flask is not in it.

It answers `/r/<code>` and `/t/event` exactly as the web application does, beside `/healthz` and `/metrics`. Granian calls it over RSGI.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Coroutine
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from affiliate import garbage, logs, settings
from affiliate.settings import Settings
from affiliate.tracking import durability, edge_steps, exchange, lanes, lost_page, metrics, steps
from affiliate.tracking.codec import Event
from affiliate.tracking.committer import Committer, Job
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.grouping import Grouping
from affiliate.tracking.parts import Parts
from affiliate.tracking.rsgi import Exchange, Scope
from affiliate.tracking.spool import SpoolUnavailable
from affiliate.tracking.wire import NotStored

_SWITCH_SECONDS = (
    0.001  # so long a thread that reads links may hold up the clicks; Python's default of 5 ms is a slow answer
)
_log = logging.getLogger(__name__)


class Edge:
    """The application that granian runs."""

    def __init__(self, current: Settings, parts: Parts) -> None:
        self._settings = current
        self._parts = parts
        self._committer: Committer | None = None
        self._grouping: Grouping | None = None

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
        self._committer = self._grouping = None

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
        if not self._parts.directory.knows_links():
            self._answer_waiting(scope, exchanged)
            return
        if self._grouping is None:
            self._grouping = Grouping(self._parts, self._send, trusted_proxies=self._settings.trusted_proxies)
        click = self._grouping.take(scope)
        try:
            await click.done
        except NotStored as error:
            _log.debug("a click goes to disk: %s", error)
            await self._keep_on_disk(click.payload)
        decision = click.decision
        if decision is None or decision.location is None:
            self._answer_lost(scope, exchanged)
        else:
            exchanged.response_empty(decision.status, exchange.headers_of(decision, decision.location))

    def _commit(self, event: Event, payload: bytes) -> "asyncio.Future[None]":
        """The event on its way into its stream, in the next write; it fails with `NotStored`."""
        job = Job(asyncio.get_running_loop().create_future(), lanes.stream_of(event), payload)
        self._send(job)
        return job.done

    def _send(self, job: Job) -> None:
        breaker = self._parts.breaker
        if breaker.failures and not breaker.allows(time.monotonic()):  # without a failure there is nothing to ask
            job.fail(NotStored("the breaker is open"))
            return
        if self._committer is None:
            self._committer = Committer(self._settings.stream_url, self._parts.breaker)
        self._committer.send(job)

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
    durability.check()
    return Edge(current, Parts.of(current))
