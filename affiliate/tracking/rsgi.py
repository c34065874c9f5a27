"""What granian tells of a request over RSGI and how it takes an answer, and the facts that the decision needs of it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from affiliate.tracking import exchange
from affiliate.tracking.decide import RequestFacts

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


def request_facts(scope: Scope, *, trusted_proxies: int) -> RequestFacts:
    """What the decision needs to know of a request over RSGI."""
    headers = _headers(scope)
    header: Callable[..., str] = headers.get
    address, is_secure = scope.client.rpartition(":")[0].strip("[]"), scope.scheme == "https"
    host = header("host", "")
    if trusted_proxies:
        address = exchange.behind_proxies(header("x-forwarded-for", ""), trusted_proxies) or address
        scheme = exchange.behind_proxies(header("x-forwarded-proto", ""), trusted_proxies)
        is_secure = scheme == "https" if scheme else is_secure
        host = exchange.behind_proxies(header("x-forwarded-host", ""), trusted_proxies) or host
    return RequestFacts(  # in their order: by name they take three times as long
        scope.method,
        exchange.code_of(scope.path),
        scope.query_string,
        is_secure,
        address,
        header("cookie", ""),
        header("user-agent", ""),
        header("referer", ""),
        "" if _PURPOSES.isdisjoint(headers) else exchange.purpose_of(header, exchange.PURPOSES),
        header("sec-fetch-dest", ""),
        header("sec-gpc") == "1",
        header("sec-fetch-site", ""),
        header("sec-fetch-user", ""),
        header("sec-fetch-mode", ""),
        host,
    )


_PURPOSES = frozenset(exchange.PURPOSES)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by their lower-case names; lines of one name are put together as WSGI servers do it."""
    pairs = scope.headers.items()  # all at once: asking for each by itself costs four times as much
    headers = dict(pairs)
    if len(headers) < len(pairs):
        headers = {name: (";" if name == "cookie" else ",").join(scope.headers.get_all(name)) for name in headers}
    return headers
