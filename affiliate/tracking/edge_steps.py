"""The adapter of `steps` on the edge: bytes in, the event on its way into the stream, bytes out."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from affiliate import clock
from affiliate.tracking import cors, metrics, steps
from affiliate.tracking.codec import Event, encode
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.parts import Parts
from affiliate.tracking.spool import SpoolUnavailable
from affiliate.tracking.steps import StepAnswer, StepRequest
from affiliate.tracking.wire import NotStored

if TYPE_CHECKING:
    from affiliate.tracking.edge import Exchange, Scope

Commit = Callable[[Event, bytes], Awaitable[None]]
"""Appends an event to its stream before it comes back. Raises NotStored."""


async def answer(scope: "Scope", exchanged: "Exchange", parts: Parts, commit: Commit) -> None:
    """Answer a request on `steps.PATH`."""
    if scope.method == "OPTIONS":
        exchanged.response_empty(200, [("allow", "OPTIONS, POST"), *_headers(scope, parts, None)])
        return
    if scope.method != "POST":
        exchanged.response_empty(405, [("allow", "OPTIONS, POST")])
        return
    found = await _stored(await _decided(scope, exchanged, parts), parts, commit)
    headers = [("content-type", "application/json"), *_headers(scope, parts, found)]
    if found.status == steps.unavailable(None).status:
        headers.append(("retry-after", str(steps.RETRY_AFTER_SECONDS)))
    exchanged.response_str(found.status, headers, found.body().decode())


async def _decided(scope: "Scope", exchanged: "Exchange", parts: Parts) -> StepAnswer:
    length = scope.headers.get("content-length") or ""
    if not length.isdecimal():
        payload: bytes | None = b""
    else:
        payload = await exchanged() if int(length) <= steps.BYTES_MAX else None
    request = StepRequest(payload, scope.headers.get("sec-gpc") == "1", clock.now())
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


def _headers(scope: "Scope", parts: Parts, found: StepAnswer | None) -> list[tuple[str, str]]:
    origin = scope.headers.get("origin")
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
