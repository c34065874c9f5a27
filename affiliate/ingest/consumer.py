"""The loop of `affiliate ingest`: entries of the streams become rows in one transaction a batch, then they are acknowledged.

Committed before acknowledged: a crash in between delivers the batch again, and what is stored already changes nothing.
"""

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis
import sqlalchemy.exc

from affiliate import clock, db, settings, streams
from affiliate.ingest import service
from affiliate.ingest.service import Stored
from affiliate.tracking import codec

BATCH_ENTRIES_MAX = 500
BLOCK_SECONDS = 1
STALE_SECONDS = 30  # an entry that its consumer has held this long belongs to whoever asks
CLAIM_EVERY_SECONDS = 5
GONE_SECONDS = 3600  # a consumer that was silent this long is dead
_DEADLINE_SECONDS = 5.0
_WAIT_SECONDS_MIN = 0.1
_WAIT_SECONDS_MAX = 5.0
_BREATH_SECONDS = 0.01  # between full batches on SQLite, whose other writers get a turn only when nobody holds the lock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in a stream. An entry without our field has no payload, and cannot be stored."""

    stream: str
    entry_id: bytes
    payload: bytes


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
    _cursors: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> None:
        """Take batches until `stopping` is set. Redis or the database away: wait, with growing pauses, and go on."""
        while not self.stopping.is_set():
            try:
                self._prepare()
                for batch in self._batches():
                    self._finish(batch)
            except redis.RedisError as error:
                self._ready = False
                self._pause("Redis", error)
        self._leave()

    def _prepare(self) -> None:
        """The groups may be gone: a Redis that was emptied or replaced knows nothing of them."""
        if not self._ready:
            for stream in (*streams.all_click_streams(), *streams.all_order_streams()):
                try:
                    self.connection.xgroup_create(stream, streams.GROUP, id="0", mkstream=True)
                except redis.ResponseError as error:
                    if "BUSYGROUP" not in str(error):
                        raise
            self._ready = True

    def _batches(self) -> Iterator[list[Entry]]:
        """What others left behind, then what is new; waits a moment when there is nothing."""
        if time.monotonic() >= self._claim_at:
            self._claim_at = time.monotonic() + min(self.stale_seconds, CLAIM_EVERY_SECONDS)
            yield from self._stale()
        answer: Any = self.connection.xreadgroup(
            streams.GROUP,
            self.name,
            dict.fromkeys((*streams.all_click_streams(), *streams.all_order_streams()), ">"),
            count=BATCH_ENTRIES_MAX,
            block=BLOCK_SECONDS * 1000,
        )
        self._failures = 0
        for stream, found in answer or ():
            yield _entries(stream.decode(), found)

    def _stale(self) -> Iterator[list[Entry]]:
        """Entries whose consumer died. A full batch means that there are more: the next turn looks on at once."""
        for stream in (*streams.all_click_streams(), *streams.all_order_streams()):
            cursor, found, *_ = self.connection.xautoclaim(
                stream,
                streams.GROUP,
                self.name,
                min_idle_time=int(self.stale_seconds * 1000),
                start_id=self._cursors.get(stream, b"0-0"),
                count=BATCH_ENTRIES_MAX,
            )
            self._cursors[stream] = cursor
            if found:
                self._claim_at = 0.0
                log.warning("taking over %s entries of %s that another consumer left", len(found), stream)
                yield _entries(stream, found)
            self._forget_the_dead(stream)

    def _forget_the_dead(self, stream: str) -> None:
        for consumer in self.connection.xinfo_consumers(stream, streams.GROUP):
            if not consumer["pending"] and consumer["idle"] > GONE_SECONDS * 1000:
                self.connection.xgroup_delconsumer(stream, streams.GROUP, consumer["name"])

    def _finish(self, batch: list[Entry]) -> None:
        """Store and acknowledge. Until the database takes the batch nothing else can be done; a stop leaves it pending."""
        while not self.stopping.is_set():
            try:
                stored = take(batch)
            except sqlalchemy.exc.SQLAlchemyError as error:
                self._pause("the database", error)
                continue
            self._failures = 0
            self._acknowledge(batch)
            if stored.conversions or stored.order_events or stored.refunds:
                self._tell()
            if len(batch) == BATCH_ENTRIES_MAX and settings.current().database_url.startswith("sqlite"):
                self.stopping.wait(_BREATH_SECONDS)
            return

    def _tell(self) -> None:
        try:
            self.after_commit()
        except redis.RedisError as error:  # the stages' own sweep finds the rows a little later
            log.warning("could not tell the next stage (%s)", error)

    def _acknowledge(self, batch: list[Entry]) -> None:
        entry_ids = [entry.entry_id for entry in batch]
        with self.connection.pipeline() as pipeline:
            pipeline.xack(batch[0].stream, streams.GROUP, *entry_ids)
            pipeline.xdel(batch[0].stream, *entry_ids)
            pipeline.execute()

    def _pause(self, what: str, error: Exception) -> None:
        self._failures += 1
        seconds = min(_WAIT_SECONDS_MIN * 2 ** min(self._failures, 10), _WAIT_SECONDS_MAX) * random.uniform(0.5, 1)
        log.warning("%s does not answer (%s); waiting %.1f s", what, service.describe(error), seconds)
        self.stopping.wait(seconds)

    def _leave(self) -> None:
        """Sign off, unless entries are left to be taken over: with the name they would be forgotten."""
        try:
            for stream in (*streams.all_click_streams(), *streams.all_order_streams()):
                for consumer in self.connection.xinfo_consumers(stream, streams.GROUP):
                    if consumer["name"] == self.name.encode() and not consumer["pending"]:
                        self.connection.xgroup_delconsumer(stream, streams.GROUP, self.name)
        except redis.RedisError as error:
            log.info("could not sign off (%s)", error)


def _entries(stream: str, found: Sequence[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    return [Entry(stream, entry_id, (fields or {}).get(streams.FIELD, b"")) for entry_id, fields in found]


def take(batch: Sequence[Entry]) -> Stored:
    """Store a batch in one transaction; if it holds an event that cannot be stored, put that one aside and store the rest.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database, and no event, is the reason. The batch can be taken again as a whole.
    """
    try:
        with db.transaction() as session:
            events = [codec.decode(entry.payload) for entry in batch]
            return service.store_batch(session, events=events, now=clock.now())
    except Exception as error:
        if _is_the_databases(error):
            raise
        if len(batch) == 1:
            _put_aside(batch[0], error)
            return Stored()
    # Halves, so that one bad event among five hundred costs a few transactions and not five hundred.
    middle = len(batch) // 2
    return take(batch[:middle]) + take(batch[middle:])


def _is_the_databases(error: Exception) -> bool:
    """Whether an event cannot be the reason: only its values can break a constraint or a type."""
    about_values = (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError)
    return isinstance(error, sqlalchemy.exc.DBAPIError | sqlalchemy.exc.TimeoutError) and not isinstance(
        error, about_values
    )


def _put_aside(entry: Entry, error: Exception) -> None:
    log.error("%s %s cannot be stored: %s", entry.stream, entry.entry_id.decode(), service.describe(error))
    with db.transaction() as session:
        service.put_aside(
            session,
            stream=entry.stream,
            entry_id=entry.entry_id.decode(),
            payload=entry.payload,
            error=service.describe(error),
            now=clock.now(),
        )


def run(*, after_commit: Callable[[], object] = lambda: None, stale_seconds: float = STALE_SECONDS) -> None:
    """Consume until SIGTERM or SIGINT, which let the batch in hand be finished."""
    consumer = Consumer(
        connection=streams.client(deadline_seconds=_DEADLINE_SECONDS),
        name=f"{socket.gethostname()}-{os.getpid()}",
        after_commit=after_commit,
        stale_seconds=stale_seconds,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stopping.set())
    log.info("taking events as %s", consumer.name)
    consumer.run()
    log.info("ended")
