"""What both adapters read of a request and say in an answer, so that they cannot differ in it. Pure."""

from collections.abc import Callable

from affiliate.tracking.decide import Decision

PREFIX = "/r/"
METHODS = frozenset({"GET", "HEAD"})
PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Where a browser says that it only prefetches: the standard, then older ones."""


def code_of(path: str) -> str:
    """The code in a path that begins with the prefix."""
    return path[len(PREFIX) :].rstrip("/").lower()


def purpose_of(header: Callable[[str], str | None], names: tuple[str, ...]) -> str:
    """What a browser says of a request that nobody may have asked for, by the first of these headers that it sent."""
    for name in names:
        if text := header(name):
            return text
    return ""


def headers_of(decision: Decision, location: str) -> list[tuple[str, str]]:
    """The headers of a redirect."""
    headers = [("location", location), ("cache-control", "no-store")]
    if decision.cookie is not None:
        headers.append(("set-cookie", decision.cookie))
    return headers


def behind_proxies(header: str, count: int) -> str | None:
    """What the outermost of `count` trusted proxies wrote into a forwarding header; null when fewer of them wrote."""
    parts = [part.strip().strip('"') for part in header.split(",")] if header else []
    return (parts[-count] or None) if count and len(parts) >= count else None
