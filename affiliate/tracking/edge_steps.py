"""The adapter of `steps` on the edge: a request in, the event on its way into the stream, an answer out. It knows no server."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from affiliate import clock
from affiliate.tracking import cors, metrics, steps
from affiliate.tracking.codec import Event, encode
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.parts import Parts
from affiliate.tracking.spool import SpoolUnavailable
from affiliate.tracking.steps import StepAnswer, StepRequest
from affiliate.tracking.wire import NotStored

Commit = Callable[[Event, bytes], Awaitable[None]]
"""Appends an event to its stream before it comes back. Raises NotStored."""
Header = Callable[[str], str | None]
"""A header by its name in lower case."""

_ALLOW = ("allow", "OPTIONS, POST")
_DIGITS_MAX = 8


class Answer(NamedTuple):
    """What goes out."""

    status: int
    headers: list[tuple[str, str]]
    text: str


def body_length(header: Header) -> int | None:
    """How many bytes of the body are to be read; null for more than anybody needs."""
    length = header("content-length") or ""
    if not (length.isascii() and length.isdecimal()):
        return 0
    return int(length) if len(length) < _DIGITS_MAX and int(length) <= steps.BYTES_MAX else None


async def answer(method: str, header: Header, payload: bytes | None, parts: Parts, commit: Commit) -> Answer:
    """Answer a request on `steps.PATH`; its body is null where `body_length` is."""
    if method == "OPTIONS":
        return Answer(200, [_ALLOW, *_headers(header, parts, None)], "")
    if method != "POST":
        return Answer(405, [_ALLOW], "")
    request = StepRequest(payload, header("sec-gpc") == "1", clock.now())
    found = await _stored(_decided(request, parts), parts, commit)
    headers = [("content-type", "application/json"), *_headers(header, parts, found)]
    if found.status == steps.unavailable(None).status:
        headers.append(("retry-after", str(steps.RETRY_AFTER_SECONDS)))
    return Answer(found.status, headers, found.body().decode())


def _decided(request: StepRequest, parts: Parts) -> StepAnswer:
    try:
        return steps.decide(request, parts.directory.view, parts.keys)
    except DirectoryNotLoaded:
        return steps.unavailable(None)


async def _stored(found: StepAnswer, parts: Parts, commit: Commit) -> StepAnswer:
    """The answer, once its event is in a durable place; another one where no place took it."""
    if found.event is None:
        return found
    payload = encode(found.event)
    try:
        await commit(found.event, payload)
    except NotStored:
        try:
            await parts.spool.keep(payload)
        except SpoolUnavailable:
            metrics.REFUSED.inc()
            return steps.unavailable(found.program)
        metrics.SPOOLED.inc()
    return found


def _headers(header: Header, parts: Parts, found: StepAnswer | None) -> list[tuple[str, str]]:
    origin = header("origin")
    always = [("cache-control", "no-store")]
    if not origin:
        return always
    opened = cors.headers(origin, _hosts(parts, found))
    return [*always, ("vary", "Origin"), *((name.lower(), value) for name, value in opened.items())]


def _hosts(parts: Parts, found: StepAnswer | None) -> Iterable[str]:
    """The hosts of the request's program; where it is not known (a preflight), those of all of them."""
    if found is not None and found.program is not None:
        return found.program.allowed_hosts
    try:
        return [host for program in parts.directory.view.programs.values() for host in program.allowed_hosts]
    except DirectoryNotLoaded:
        return []
