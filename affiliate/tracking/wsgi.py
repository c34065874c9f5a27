"""The WSGI adapter of the click decision, in front of Flask: `/r/<code>` is answered here, everything else passes through."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from affiliate import clock, ids
from affiliate.tracking import exchange, lost_page, metrics
from affiliate.tracking.buffer import Buffer, BufferUnavailable
from affiliate.tracking.decide import Decision, RequestFacts, decide
from affiliate.tracking.directory import Directory, DirectoryNotLoaded
from affiliate.tracking.keys import Keys

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PURPOSES = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in exchange.PURPOSES)
_log = logging.getLogger(__name__)


class ClickMiddleware:
    """Answers clicks itself; an unknown code goes on to the app, which has a friendly page for it."""

    def __init__(
        self, app: "WSGIApplication", *, keys: Keys, directory: Directory, buffer: Buffer, trusted_proxies: int
    ) -> None:
        self._app = app
        self._keys = keys
        self._directory = directory
        self._buffer = buffer
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
        now = clock.now()
        try:
            view = self._directory.view
        except DirectoryNotLoaded:
            return _waiting(environ, start_response)
        decision = decide(
            request_facts(environ),
            view,
            self._keys,
            now=now,
            click_id=ids.new_at(now),
            fresh_visitor_id=ids.random,
        )
        self._store(decision)
        if decision.location is None:
            return self._app(environ, start_response)
        start_response("302 Found", [*exchange.headers_of(decision, decision.location), ("Content-Length", "0")])
        return []

    def _store(self, decision: Decision) -> None:
        try:
            self._buffer.click(decision.event)
        except BufferUnavailable:
            metrics.UNCOUNTED.inc()
            _log.warning("a visitor was redirected and not counted")


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
