"""Events that waited on disk go into the streams when Redis is back: this process's own, and those of processes that are gone.

A file is taken by locking it and removed after its last event is acknowledged. A process that dies in between leaves it to
the next one, which sends all of it again: an id counts once. What cannot be read is put aside and counted, never thrown away.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from affiliate.tracking import lanes, metrics
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.codec import BadEvent, decode
from affiliate.tracking.spool import ASIDE, SUFFIX, Spool, Torn, records, sync_folder, waiting
from affiliate.tracking.wire import Entry, NotStored

EVERY_SECONDS = 1.0
BATCH = 200
YOUNG_SECONDS = 60.0
"""An empty file without a lock may be one that its maker is just about to lock."""

_log = logging.getLogger(__name__)


class Replay:
    """Brings what the spool holds into the streams, from a thread of its own."""

    def __init__(
        self,
        spool: Spool,
        *,
        append: Callable[[Sequence[Entry]], None],
        ping: Callable[[], None],
        breaker: Breaker,
    ) -> None:
        self._spool = spool
        self._append = append
        self._ping = ping
        self._breaker = breaker
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def start(self) -> None:
        """Look for files every second, for as long as the process lives."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present batch."""
        self._stopping.set()
        self._thread.join()

    def once(self) -> int:
        """Replay all that waits, if Redis answers; how many events went out."""
        files, _ = waiting(self._spool.folder)
        metrics.BREAKER.set(self._breaker.state(time.monotonic()) != "closed")
        if not files or not self._breaker.allows(time.monotonic()):
            return 0
        try:
            self._ping()
            self._breaker.succeeded()
            self._spool.seal()
            return sum(self._replay(path) for path in sorted(self._spool.folder.glob(f"*{SUFFIX}")))
        except NotStored as error:
            self._breaker.failed(time.monotonic())
            _log.warning("the spool waits: %s", error)
            return 0

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self.once()
            except OSError as error:
                _log.warning("the spool cannot be read: %s", error)

    def _replay(self, path: Path) -> int:
        with _taken(path) as data:
            if data is None:
                return 0
            sent = 0
            for entries in _batches(self._entries(path, data)):
                self._append(entries)
                sent += len(entries)
                metrics.REPLAYED.inc(len(entries))
            path.unlink()
            if sent:
                _log.info("%d events came from the spool", sent)
            return sent

    def _entries(self, path: Path, data: bytes) -> Iterator[Entry]:
        for found in records(data):
            if isinstance(found, Torn):
                _put_aside(path, found)
                continue
            try:
                yield lanes.stream_of(decode(found)), found
            except BadEvent as error:
                _log.error("an event in the spool cannot be read: %s", error)
                _put_aside(path, Torn(data.index(found), found))


@contextmanager
def _taken(path: Path) -> Iterator[bytes | None]:
    """The bytes of a file that nobody else writes or replays, while it is locked; nothing of any other."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        state = os.fstat(descriptor)
        is_new = not state.st_size and time.time() - state.st_mtime < YOUNG_SECONDS
        # Without a name it was replayed by somebody between our looking and our locking.
        yield None if is_new or not state.st_nlink else path.read_bytes()
    except BlockingIOError:
        yield None
    finally:
        os.close(descriptor)


def _put_aside(path: Path, torn: Torn) -> None:
    """Keep the bytes for a person to look at; their name says where they come from."""
    folder = path.parent / ASIDE
    folder.mkdir(exist_ok=True, mode=0o700)
    target = folder / f"{path.stem}-{torn.offset}"
    if target.exists():  # this file was replayed in part before
        return
    target.write_bytes(torn.data)
    target.chmod(0o600)
    sync_folder(folder)
    metrics.TORN.inc()
    _log.error("%d bytes of the spool could not be read and were put aside: %s", len(torn.data), target)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
