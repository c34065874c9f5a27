"""Where events wait on disk while Redis is away: append-only files, synced before anybody gets an answer.

A file holds records, each with its length and checksum. The process that writes a file holds a lock on it, so that a file
without a lock is finished or an orphan, and any process may take it (`replay`). A thread of its own writes: all records that are
ready go into one write and one fsync, and a disk that hangs costs its callers a deadline once, not each time.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import queue
import secrets
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from pathlib import Path

from affiliate.tracking.breaker import Breaker
from affiliate.tracking.codec import EVENT_BYTES_MAX

DEADLINE_SECONDS = 1.0
"""How long a caller waits for the disk: longer than a slow one takes, and short enough for a visitor."""
FILE_BYTES_MAX = 16 * 1024 * 1024
GROUP_MAX = 1_000
WAITING_MAX = 20_000  # callers in line for the disk; more are told at once that it does not keep up
ROOM_BYTES = 64 * 1024  # some hundred clicks
SUFFIX = ".spool"
ASIDE = "aside"

_HEAD = struct.Struct("<II")  # length and CRC-32 of what follows
_log = logging.getLogger(__name__)
_Job = tuple[bytes, Future[None]]


class SpoolUnavailable(Exception):  # noqa: N818 - read as a kind
    """The disk is full or too slow, or the spool has reached its limit."""


@dataclass(frozen=True, slots=True)
class Torn:
    """Bytes of a file that are no record, from this offset on."""

    offset: int
    data: bytes


def record(payload: bytes) -> bytes:
    """A payload as it stands in a file."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def records(data: bytes) -> Iterator[bytes | Torn]:
    """The payloads in a file, and what is torn: a record alone whose length can be believed, else the rest of the file."""
    offset = 0
    while offset < len(data):
        if len(data) - offset < _HEAD.size:
            yield Torn(offset, data[offset:])
            return
        length, checksum = _HEAD.unpack_from(data, offset)
        end = offset + _HEAD.size + length
        payload = data[offset + _HEAD.size : end]
        if not 0 < length <= EVENT_BYTES_MAX or end > len(data):
            yield Torn(offset, data[offset:])
            return
        yield payload if zlib.crc32(payload) == checksum else Torn(offset, data[offset:end])
        offset = end


def waiting(folder: Path) -> tuple[int, int]:
    """How many files wait in a spool, of any process, and their bytes."""
    sizes = [size for name, size in _sizes(folder) if name.endswith(SUFFIX) and size]
    return len(sizes), sum(sizes)


def put_aside(folder: Path) -> int:
    """How many pieces could not be read and wait for a person."""
    with contextlib.suppress(FileNotFoundError):
        return sum(1 for _ in (folder / ASIDE).iterdir())
    return 0


class Spool:
    """The way into the spool for one process. Its thread and its file begin with the first event."""

    def __init__(self, folder: Path, *, bytes_max: int, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self.folder = folder
        self._bytes_max = bytes_max
        self._deadline_seconds = deadline_seconds
        self._breaker = Breaker()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._file_lock = threading.Lock()
        self._file: _File | None = None

    def append(self, payloads: Sequence[bytes]) -> None:
        """Keep these events on disk, all of them.

        Raises:
            SpoolUnavailable: they are not known to be on disk.
        """
        kept = self.submit(payloads)
        try:
            kept.result(self._deadline_seconds)
        except (NoAnswer, OSError) as error:
            kept.cancel()
            self._breaker.failed(time.monotonic())
            _log.warning("the spool took nothing: %s", error or "the disk is too slow")
            raise SpoolUnavailable(str(error)) from error
        self._breaker.succeeded()

    async def keep(self, payload: bytes) -> None:
        """The same for one event and for who must not be blocked.

        Raises:
            SpoolUnavailable: it is not known to be on disk.
        """
        kept = self.submit([payload])
        try:
            await asyncio.wait_for(asyncio.wrap_future(kept), self._deadline_seconds)
        except (TimeoutError, OSError) as error:
            self._breaker.failed(time.monotonic())
            raise SpoolUnavailable(str(error)) from error
        self._breaker.succeeded()

    def submit(self, payloads: Sequence[bytes]) -> "Future[None]":
        """Have these events written; the future is done when they are on disk, or fails with an `OSError`.

        Raises:
            SpoolUnavailable: the disk failed just now, or too many wait for it.
        """
        if self._jobs.qsize() >= WAITING_MAX or not self._breaker.allows(time.monotonic()):
            raise SpoolUnavailable("the disk does not keep up")
        self._start()
        kept: Future[None] = Future()
        self._jobs.put((b"".join(map(record, payloads)), kept))
        return kept

    @property
    def has_room(self) -> bool:
        """Whether the limit leaves room for a few more events."""
        return sum(size for _, size in _sizes(self.folder)) + ROOM_BYTES <= self._bytes_max

    def seal(self) -> None:
        """End the present file, so that it can be replayed; the next event begins another one."""
        with self._file_lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        while True:
            jobs = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while len(jobs) < GROUP_MAX:
                    jobs.append(self._jobs.get_nowait())
            # Who has given up is not written for: the answer has left.
            jobs = [job for job in jobs if job[1].set_running_or_notify_cancel()]
            try:
                self._write(b"".join(data for data, _ in jobs))
            except OSError as error:
                for _, kept in jobs:
                    kept.set_exception(error)
            else:
                for _, kept in jobs:
                    kept.set_result(None)

    def _write(self, data: bytes) -> None:
        with self._file_lock:
            if sum(size for _, size in _sizes(self.folder)) + len(data) > self._bytes_max:
                raise OSError(f"the spool has reached its limit of {self._bytes_max} bytes")
            if self._file is not None and self._file.size >= FILE_BYTES_MAX:
                self._file.close()
                self._file = None
            if self._file is None:
                self._file = _File.new(self.folder)
            try:
                self._file.write(data)
            except OSError:
                # What a failed write or sync left is unknown. The file is finished, and its torn end will be put aside.
                self._file.close()
                self._file = None
                raise


class _File:
    """A file that this process writes, locked for as long as it is open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = 0

    @classmethod
    def new(cls, folder: Path) -> "_File":
        """A new file, named so that the order of names is the order of time."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}{SUFFIX}"
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink == 0:  # somebody took the empty file for an orphan's
            os.close(descriptor)
            raise OSError("the new file is gone")
        sync_folder(folder)  # without it, a power cut takes the name away and the records with it
        return cls(descriptor)

    def write(self, data: bytes) -> None:
        """Append and sync."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
        os.fdatasync(self._descriptor)
        self.size += len(data)

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sizes(folder: Path) -> list[tuple[str, int]]:
    """Every file in the spool with its size, what was put aside too."""
    found: list[tuple[str, int]] = []
    for place in (folder, folder / ASIDE):
        with contextlib.suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    found.append((entry.name, entry.stat().st_size))
    return found
