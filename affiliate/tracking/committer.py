"""Group commit: every click that is ready goes out in one write, and nobody is answered before the server acknowledged it.

While a group is under way the next one gathers: alone a click waits for nobody, and the more come, the cheaper each is.
For the event loop. One connection for each server, kept; answers come back in the order of the commands. A server that is
silent for longer than the deadline fails everything that waits for it, once; what was sent may have been stored all the same.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
import msgspec

from affiliate import streams
from affiliate.tracking import metrics
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.wire import NotStored, Server, append_command, moved_to

WAITING_MAX = 50_000  # events in line for a server; more are told at once that it does not keep up

_HOPS_MAX = 3


class Job(msgspec.Struct, eq=False, gc=False):  # made by C code: each click needs one
    """An event under way. `done` is so when the event is acknowledged, or fails with `NotStored`."""

    done: "asyncio.Future[None]"
    stream: str = ""
    payload: bytes = b""
    hops: int = 0

    def fail(self, error: Exception) -> None:
        """Tell whoever waits, if somebody still does."""
        if not self.done.done():
            self.done.set_exception(error)


class Committer:
    """Appends events to the streams for one event loop."""

    def __init__(self, url: str, breaker: Breaker, *, deadline_seconds: float = streams.DEADLINE_SECONDS) -> None:
        self._first = Server.of(url)
        self._breaker = breaker
        self._deadline_seconds = deadline_seconds
        self._lanes: dict[Server, _Lane] = {}
        self._lane_of: dict[str, _Lane] = {}  # by stream: a cluster has some on another node than the first
        self._loop = asyncio.get_running_loop()

    def send(self, job: Job) -> None:
        """Append the event of this job in the next write."""
        lane = self._lane_of.get(job.stream) or self._assign(job.stream, self._first)
        lane.send(job)

    def close(self) -> None:
        """End the connections."""
        for lane in self._lanes.values():
            lane.fail(NotStored("the process ends"))

    def _assign(self, stream: str, server: Server) -> "_Lane":
        lane = self._lanes.get(server)
        if lane is None:
            lane = self._lanes[server] = _Lane(server, self._settle, self._note_failure, self._deadline_seconds)
        self._lane_of[stream] = lane
        return lane

    def _settle(self, server: Server, answered: list[tuple[Job, Any]]) -> None:
        """Tell those whose answers came; send on what a cluster has on another node."""
        accepted, refused = 0, None
        for job, answer in answered:
            if not isinstance(answer, hiredis.ReplyError):
                accepted += 1
                if not job.done.done():
                    job.done.set_result(None)
            elif (home := moved_to(answer, server)) and job.hops < _HOPS_MAX:
                job.hops += 1
                self._assign(job.stream, home).send(job)
            else:
                refused = NotStored(str(answer))
                job.fail(refused)
        metrics.ACCEPTED.inc(accepted)
        if refused is not None:
            self._note_failure()
        elif accepted:
            self._breaker.succeeded()

    def _note_failure(self) -> None:
        self._breaker.failed(time.monotonic())


class _Lane:
    """The way to one server."""

    def __init__(
        self,
        server: Server,
        settle: Callable[[Server, list[tuple[Job, Any]]], None],
        note_failure: Callable[[], None],
        deadline_seconds: float,
    ) -> None:
        self._server = server
        self._settle = settle
        self._note_failure = note_failure
        self._deadline_seconds = deadline_seconds
        self._loop = asyncio.get_running_loop()
        self._ready: list[Job] = []
        self._ready_since = 0.0
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def send(self, job: Job) -> None:
        """Take an event into the next write."""
        sent = len(self._wire.sent) if self._wire is not None else 0
        if sent + len(self._ready) >= WAITING_MAX:
            job.fail(NotStored("the server does not keep up"))
            return
        if not self._ready:
            self._ready_since = self._loop.time()
            self._loop.call_soon(self._flush)
        self._ready.append(job)
        if self._timer is None:
            self._timer = self._loop.call_later(self._deadline_seconds, self._check)

    def fail(self, error: Exception) -> None:
        """Give up what waits, and the connection with it: what still comes over it answers nobody."""
        jobs = [*(self._wire.sent if self._wire is not None else ()), *self._ready]
        if self._wire is not None:
            self._wire.abandon()
        self._wire, self._ready = None, []
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if jobs:
            self._note_failure()
        for job in jobs:
            job.fail(error)

    def _flush(self) -> None:
        if self._wire is not None:
            if self._ready and not self._wire.sent:
                jobs, self._ready = self._ready, []
                self._wire.write(jobs, since=self._ready_since)
        elif self._connecting is None and self._ready:
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        server = self._server
        try:
            if server.path:
                _, wire = await self._loop.create_unix_connection(lambda: _Wire(self._hear, self.fail), server.path)
            else:
                _, wire = await self._loop.create_connection(
                    lambda: _Wire(self._hear, self.fail), server.host, server.port, ssl=server.tls()
                )
        except OSError as error:
            self._connecting = None
            self.fail(NotStored(f"{type(error).__name__}: {error}"))
            return
        self._connecting, self._wire = None, wire
        wire.greet(server.greeting)
        self._flush()

    def _hear(self, answered: list[tuple[Job, Any]]) -> None:
        self._flush()  # the server works while we answer
        self._settle(self._server, answered)

    def _check(self) -> None:
        """Whether the first event of a group has waited for too long; if not, look again when it would have."""
        self._timer = None
        if self._wire is not None and self._wire.sent:
            since = self._wire.since
        elif self._ready:
            since = self._ready_since
        else:
            return
        left = since + self._deadline_seconds - self._loop.time()
        if left <= 0:
            self.fail(NotStored("no answer within the deadline"))
        else:
            self._timer = self._loop.call_later(left, self._check)


class _Wire(asyncio.Protocol):
    """One connection: commands out, answers back in their order."""

    def __init__(self, hear: Callable[[list[tuple[Job, Any]]], None], fail: Callable[[Exception], None]) -> None:
        self.sent: deque[Job] = deque()
        self.since = 0.0  # when the first of these was ready
        self._hear = hear
        self._fail: Callable[[Exception], None] | None = fail
        self._reader = hiredis.Reader()
        self._greetings = 0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep the way out."""
        self._transport = transport

    def greet(self, commands: list[bytes]) -> None:
        """Say what comes first on a connection."""
        self._greetings = len(commands)
        self._transport.write(b"".join(commands))

    def write(self, jobs: list[Job], *, since: float) -> None:
        """Send events in one write, the first of which has been ready since that moment."""
        self.since = since
        self.sent.extend(jobs)
        self._transport.write(b"".join([append_command(job.stream, job.payload) for job in jobs]))

    def data_received(self, data: bytes) -> None:
        """Match what came with what was sent."""
        try:
            answered = self._answers(data)
        except (hiredis.HiredisError, ConnectionError) as error:
            self._lose(error)
            return
        if answered:
            self._hear(answered)

    def _answers(self, data: bytes) -> list[tuple[Job, Any]]:
        self._reader.feed(data)
        answered = []
        while (answer := self._reader.gets()) is not False:
            if self._greetings:
                self._greetings -= 1
                if isinstance(answer, hiredis.ReplyError):
                    raise ConnectionRefusedError(str(answer))
            elif not self.sent:
                raise ConnectionError("an answer that nobody waits for")
            else:
                answered.append((self.sent.popleft(), answer))
        return answered

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the server hung up."""
        self._lose(exc or ConnectionResetError("the server hung up"))

    def abandon(self) -> None:
        """End the connection; it is heard no more."""
        self._fail = None
        self._hear = lambda _answered: None
        self._transport.abort()

    def _lose(self, error: Exception) -> None:
        if self._fail is not None:
            self._fail(NotStored(f"{type(error).__name__}: {error}"))
