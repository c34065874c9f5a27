"""The WSGI adapter of the click decision, in front of Flask: `/r/<code>` is answered here, everything else passes through."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from affiliate import streams
from affiliate.tracking import exchange, lost_page, metrics
from affiliate.tracking.buffer import Buffer, BufferUnavailable
from affiliate.tracking.decide import Decision, RequestFacts
from affiliate.tracking.deciding import decide_in_turn
from affiliate.tracking.directory import Directory
from affiliate.tracking.keys import Keys
from affiliate.tracking.turns import TurnLost, Turns

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PURPOSES = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in exchange.PURPOSES)
_log = logging.getLogger(__name__)


class _Arrival:
    """A click in line: until which moment of the monotonic clock Redis may take its event, and what was decided."""

    __slots__ = ("decision", "environ", "until")

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ
        self.until = time.monotonic() + streams.DEADLINE_SECONDS
        self.decision: Decision | None = None


class ClickMiddleware:
    """Answers clicks itself, those that come together in one turn; an unknown code goes on to the app, which has a friendly page for it."""

    def __init__(
        self, app: "WSGIApplication", *, keys: Keys, directory: Directory, buffer: Buffer, trusted_proxies: int
    ) -> None:
        self._app = app
        self._keys = keys
        self._directory = directory
        self._buffer = buffer
        self._turns: Turns[_Arrival, Decision] = Turns(self._take_turn)
        # The app behind us reads the proxies' headers by itself; a click has to know them before.
        self._click: WSGIApplication = self._answer
        if trusted_proxies:
            self._click = ProxyFix(self._answer, x_for=trusted_proxies, x_proto=trusted_proxies, x_host=trusted_proxies)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a click, or let the request pass."""
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(exchange.PREFIX) and environ["REQUEST_METHOD"] in exchange.METHODS:
            return self._click(environ, start_response)
        return self._app(environ, start_response)

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not self._directory.knows_links():
            return _waiting(environ, start_response)
        decision = self._decision(_Arrival(environ))
        if decision.location is None:
            return self._app(environ, start_response)
        start_response("302 Found", [*exchange.headers_of(decision, decision.location), ("Content-Length", "0")])
        return []

    def _decision(self, arrival: _Arrival) -> Decision:
        """The decision about this click, whose event is stored. Where Redis has just failed each waits for itself: nobody stands behind a probe."""
        if self._buffer.has_failed:
            return self._decided_and_stored(arrival)
        try:
            return self._turns.take(arrival)
        except TurnLost:  # its event may be on its way: under the same id it is counted once
            return self._decided_and_stored(arrival)

    def _decided_and_stored(self, arrival: _Arrival) -> Decision:
        decision = arrival.decision or self._decide([arrival])[0]
        self._store([arrival])
        return decision

    def _take_turn(self, arrivals: list[_Arrival]) -> Sequence[Decision | Exception]:
        outcomes: Sequence[Decision | Exception]
        try:
            outcomes = self._decide(arrivals)
        except Exception:  # noqa: BLE001 - one that cannot be read must not spoil the others
            outcomes = [self._decided_alone(arrival) for arrival in arrivals]
        self._store(arrivals)
        return outcomes

    def _decided_alone(self, arrival: _Arrival) -> Decision | Exception:
        try:
            return self._decide([arrival])[0]
        except Exception as error:  # noqa: BLE001 - raised in the thread whose click it is
            return error

    def _decide(self, arrivals: Sequence[_Arrival]) -> list[Decision]:
        facts = [request_facts(arrival.environ) for arrival in arrivals]
        decisions = decide_in_turn(facts, self._directory.view, self._keys)
        for arrival, decision in zip(arrivals, decisions, strict=True):
            arrival.decision = decision
        return decisions

    def _store(self, arrivals: Sequence[_Arrival]) -> None:
        events = [arrival.decision.event for arrival in arrivals if arrival.decision is not None]
        if not events:
            return
        try:
            self._buffer.clicks(events, until=arrivals[0].until)
        except BufferUnavailable:
            metrics.UNCOUNTED.inc(len(events))
            _log.warning("visitors were redirected and not counted: %s", len(events))


def _waiting(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    """Neither the database nor the snapshot has told of any link: the visitor's browser asks again."""
    metrics.UNCOUNTED.inc()
    page = lost_page.waiting(lost_page.language_of(environ.get("HTTP_ACCEPT_LANGUAGE", ""))).encode()
    start_response("200 OK", [*lost_page.WAITING_HEADERS, ("content-length", str(len(page)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [page]


def request_facts(environ: "WSGIEnvironment") -> RequestFacts:
    """What the decision needs to know of a WSGI request."""
    header = environ.get
    return RequestFacts(  # in their order: by name they take three times as long
        environ["REQUEST_METHOD"],
        exchange.code_of(_text(environ["PATH_INFO"])),
        _text(header("QUERY_STRING", "")),
        environ["wsgi.url_scheme"] == "https",
        header("REMOTE_ADDR") or "",
        header("HTTP_COOKIE", ""),
        _text(header("HTTP_USER_AGENT", "")),
        _text(header("HTTP_REFERER", "")),
        exchange.purpose_of(header, _PURPOSES),
        header("HTTP_SEC_FETCH_DEST", ""),
        header("HTTP_SEC_GPC") == "1",
        header("HTTP_SEC_FETCH_SITE", ""),
        header("HTTP_SEC_FETCH_USER", ""),
        header("HTTP_SEC_FETCH_MODE", ""),
        header("HTTP_HOST", ""),
    )


def _text(value: str) -> str:
    """The text behind WSGI's strings, which carry bytes as Latin-1."""
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")
