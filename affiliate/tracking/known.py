"""Whether SQL knows an event already, asked with a deadline: the tracker goes on without an answer."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

DEADLINE_SECONDS = 0.2
_WORKERS = 8

_log = logging.getLogger(__name__)
EventKind = Literal["conversion", "order", "refund"]


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """What SQL holds under an id: the fingerprint of its body, and the trust of who sent it."""

    trust: int
    fingerprint: str


Lookup = Callable[[EventKind, Sequence[UUID]], Mapping[UUID, KnownEvent]]
"""A query of ingest, handed in by the composition: ingest stands above the tracker."""


def nothing_known(_kind: EventKind, _identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
    """The lookup of a tracker without a database: ingest decides."""
    return {}


def patiently(lookup: Lookup) -> Lookup:
    """The lookup without a deadline, or nothing when it fails: for a file of this machine, which no network can hang."""

    def ask(kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        try:
            return lookup(kind, identifiers)
        except sa.exc.SQLAlchemyError as error:
            _log.warning("known events were not looked up: %s", type(error).__name__)
            return {}

    return ask


class LookupWithDeadline:
    """A lookup that answers within a deadline, or with nothing. Hanging queries hold at most a few threads, never a request."""

    def __init__(self, lookup: Lookup, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._lookup = lookup
        self._deadline_seconds = deadline_seconds
        self._free = threading.Semaphore(_WORKERS)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="known")

    def __call__(self, kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        """What SQL knows of these ids; nothing when it does not answer in time or has not answered others yet."""
        if not self._free.acquire(blocking=False):
            return {}
        try:
            return self._pool.submit(self._run, kind, identifiers).result(self._deadline_seconds)
        except (NoAnswer, sa.exc.SQLAlchemyError) as error:
            _log.warning("known events were not looked up: %s", type(error).__name__)
            return {}

    def _run(self, kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        try:
            return self._lookup(kind, identifiers)
        finally:
            self._free.release()
