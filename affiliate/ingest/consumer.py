"""The loop of `affiliate ingest`: entries of the streams become rows in one transaction a batch, then they are acknowledged.

Committed before acknowledged: a crash in between delivers the batch again, and what is stored already changes nothing.
While PostgreSQL stores one batch, a second thread reads the next and makes its rows. SQLite stores in this process: there the next
batch is made afterwards, which takes no longer and gives other writers their turn.
"""

import contextlib
import fcntl
import logging
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import redis

from affiliate import db, garbage, settings, streams
from affiliate.ingest import leftovers, service, taking
from affiliate.ingest.service import Stored
from affiliate.ingest.taking import Entry

BATCH_ENTRIES_MAX = 5_000
PAGES_KIB = 16_000
"""What the inner pages of all indexes take on SQLite: with fewer each batch of clicks reads them again."""
BATCH_ENTRIES_MAX_SQLITE = 1_000  # its other writers get a turn only between batches: a fifth of the time
BLOCK_SECONDS = 1
STALE_SECONDS = 30  # an entry that its consumer has held this long belongs to whoever asks
CLAIM_EVERY_SECONDS = 5
GONE_SECONDS = 3600  # a consumer that was silent this long is dead
_DEADLINE_SECONDS = 5.0
_WAIT_SECONDS_MIN = 0.1
_WAIT_SECONDS_MAX = 5.0
_POLL_SECONDS = 0.05  # a cluster has no command that waits on several of its nodes

log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Entries for one transaction, and what was made of them ahead."""

    entries: Sequence[Entry]
    ready: service.Ready | None = None


@dataclass(slots=True)
class Consumer:
    """One member of the group. `after_commit` is called when a batch brought something that a later stage waits for."""

    connection: redis.Redis
    name: str
    after_commit: Callable[[], object]
    stale_seconds: float = STALE_SECONDS
    stopping: threading.Event = field(default_factory=threading.Event)
    _ready: bool = False
    _failures: int = 0
    _claim_at: float = 0.0
    _reader: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "ingest-reader"))
    _ahead: Future[list[Batch]] | None = None  # the next batches; kept when something else fails, for they are ours

    def run(self) -> None:
        """Take batches until `stopping` is set. Redis or the database away: wait, with growing pauses, and go on."""
        while not self.stopping.is_set():
            try:
                self._prepare()
                for batch in self._batches():
                    self._finish(batch)
            except streams.ERRORS as error:
                self._ready = False
                self._pause("Redis", error)
        self._leave()

    def _leave(self) -> None:
        """Store what was read ahead, and sign off."""
        try:
            for batch in self._read() if self._ahead else ():
                self._finish(batch)
            self._sign_off()
        except streams.ERRORS as error:
            log.info("could not sign off (%s)", error)
        self._reader.shutdown()

    def _prepare(self) -> None:
        """The groups may be gone: a Redis that was emptied or replaced knows nothing of them.

        What stands under our name was ours before we were killed or lost the connection: nobody else works on it.
        """
        if self._ready:
            return
        for stream in _streams():
            self._make_group(stream)
        for stream in _streams():
            while not self.stopping.is_set() and (batch := self._claimed(stream, own=True)):
                self._finish(Batch(batch))
        self._ready = True

    def _make_group(self, stream: str) -> None:
        try:
            self.connection.xgroup_create(stream, streams.GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _batches(self) -> Iterator[Batch]:
        """What others left behind, then what is new; waits a moment when there is nothing."""
        if time.monotonic() >= self._claim_at:
            self._claim_at = time.monotonic() + min(self.stale_seconds, CLAIM_EVERY_SECONDS)
            yield from self._left_behind()
        found = self._read()
        self._failures = 0
        if found and not _on_sqlite():
            self._ahead = self._reader.submit(self._next)
        yield from found

    def _read(self) -> list[Batch]:
        """The next batches: those that were read ahead, if any were."""
        reading, self._ahead = self._ahead or self._reader.submit(self._next), None
        return reading.result()

    def _next(self) -> list[Batch]:
        found, limit = self._new(), _batch_limit()
        parts = (found[start : start + limit] for start in range(0, len(found), limit))
        return [Batch(entries, _made_ready(entries)) for entries in parts]

    def _new(self) -> list[Entry]:
        """What nobody has read yet, from every shard."""
        wanted: dict[Any, Any] = dict.fromkeys(_streams(), ">")
        limit = _batch_limit()
        if not streams.is_cluster(self.connection):
            answer: Any = self.connection.xreadgroup(
                streams.GROUP, self.name, wanted, count=limit, block=int(BLOCK_SECONDS * 1000)
            )
        else:
            with self.connection.pipeline(transaction=False) as pipeline:
                for stream in wanted:
                    pipeline.xreadgroup(streams.GROUP, self.name, {stream: ">"}, count=limit)
                answer = [pair for found in pipeline.execute() for pair in found]
            if not answer:
                self.stopping.wait(_POLL_SECONDS)
        return [entry for stream, found in answer or () for entry in leftovers.entries(stream.decode(), found)]

    def _left_behind(self) -> Iterator[Batch]:
        """Entries whose consumer died."""
        for stream in _streams():
            while batch := self._claimed(stream):
                log.warning("taking over %s entries of %s that another consumer left", len(batch), stream)
                yield Batch(batch)
            self._forget_the_dead(stream)

    def _claimed(self, stream: str, *, own: bool = False) -> list[Entry]:
        idle_seconds = 0 if own else self.stale_seconds
        return leftovers.claim(
            self.connection, stream, name=self.name, idle_seconds=idle_seconds, limit=_batch_limit(), own=own
        )

    def _forget_the_dead(self, stream: str) -> None:
        for consumer in self.connection.xinfo_consumers(stream, streams.GROUP):
            if not consumer["pending"] and consumer["idle"] > GONE_SECONDS * 1000:
                self.connection.xgroup_delconsumer(stream, streams.GROUP, consumer["name"])

    def _finish(self, batch: Batch) -> None:
        """Store and acknowledge. Until the database takes the batch nothing else can be done; a stop leaves it pending."""
        while (stored := self._stored(batch)) is None:
            if self.stopping.is_set():
                return
        self._failures = 0
        self._acknowledge(batch.entries)
        if stored.conversions or stored.order_events or stored.refunds:
            self._tell()

    def _stored(self, batch: Batch) -> Stored | None:
        """What became of the batch; none when the database did not take it, after a pause."""
        try:
            return self._take(batch)
        except Exception as error:
            if not taking.is_the_databases(error):
                raise
            self._pause("the database", error)
        return None

    def _take(self, batch: Batch) -> Stored:
        """A single entry that comes again may be what ended those who tried it before: then it is put aside untried."""
        entry = batch.entries[0]
        if len(batch.entries) > 1 or entry.deliveries == 1:
            return taking.take(batch.entries, batch.ready)
        tries = leftovers.begin_alone(self.connection, entry)
        try:
            if tries <= leftovers.ALONE_MAX:
                return taking.take(batch.entries)
            taking.put_aside(entry, f"the process ended each of the {tries - 1} times that it tried to store this")
            return Stored()
        finally:
            leftovers.end_alone(self.connection, entry)

    def _tell(self) -> None:
        try:
            self.after_commit()
        except redis.RedisError as error:  # the stages' own sweep finds the rows a little later
            log.warning("could not tell the next stage (%s)", error)

    def _acknowledge(self, batch: Sequence[Entry]) -> None:
        by_stream: dict[str, list[bytes]] = {}
        for entry in batch:
            by_stream.setdefault(entry.stream, []).append(entry.entry_id)
        for stream, entry_ids in by_stream.items():
            with self.connection.pipeline(transaction=True) as pipeline:
                pipeline.xack(stream, streams.GROUP, *entry_ids)
                pipeline.xdel(stream, *entry_ids)
                pipeline.execute()

    def _pause(self, what: str, error: Exception) -> None:
        self._failures += 1
        seconds = min(_WAIT_SECONDS_MIN * 2 ** min(self._failures, 10), _WAIT_SECONDS_MAX) * random.uniform(0.5, 1)
        log.warning("%s does not answer (%s); waiting %.1f s", what, service.describe(error), seconds)
        self.stopping.wait(seconds)

    def _sign_off(self) -> None:
        """Unless entries are left to be taken over: with the name they would be forgotten."""
        for stream in _streams():
            for consumer in self.connection.xinfo_consumers(stream, streams.GROUP):
                if consumer["name"] == self.name.encode() and not consumer["pending"]:
                    self.connection.xgroup_delconsumer(stream, streams.GROUP, self.name)


def _made_ready(entries: Sequence[Entry]) -> service.Ready | None:
    """What can be made of them ahead; none where one cannot be stored: `take` finds out which, and puts it aside."""
    try:
        return taking.read(entries)
    except Exception:  # noqa: BLE001 - whatever it is, it comes again there
        return None


def _streams() -> tuple[str, ...]:
    return (*streams.all_click_streams(), *streams.all_order_streams())


def _on_sqlite() -> bool:
    return settings.current().database_url.startswith("sqlite")


def _batch_limit() -> int:
    return BATCH_ENTRIES_MAX_SQLITE if _on_sqlite() else BATCH_ENTRIES_MAX


@contextlib.contextmanager
def stable_name(folder: Path) -> Iterator[str]:
    """A name that the next life of this process gets again, and no other process on this host has meanwhile.

    The lowest number whose file nobody has locked; the system lets go of the lock of a process that was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        file = (folder / f"consumer-{number}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        with file:
            yield f"{socket.gethostname()}-{number}"
        return


def _connected(stopping: threading.Event) -> redis.Redis | None:
    """A cluster tells of its nodes before the first command; until it does, wait."""
    while not stopping.is_set():
        try:
            return streams.client(deadline_seconds=_DEADLINE_SECONDS)
        except streams.ERRORS as error:
            log.warning("Redis does not answer (%s)", service.describe(error))
            stopping.wait(_WAIT_SECONDS_MAX)
    return None


def run(*, after_commit: Callable[[], object] = lambda: None, stale_seconds: float = STALE_SECONDS) -> None:
    """Consume until SIGTERM or SIGINT, which let the batch in hand be finished."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with stable_name(settings.current().data_dir / "ingest") as name:
        connection = _connected(stopping)
        if connection is None:
            return
        log.info("taking events as %s", name)
        db.hold_pages(PAGES_KIB)
        garbage.settle()  # a third of what storing a batch took was looking at its events for cycles
        Consumer(
            connection=connection,
            name=name,
            after_commit=after_commit,
            stale_seconds=stale_seconds,
            stopping=stopping,
        ).run()
    log.info("ended")
