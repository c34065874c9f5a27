"""A batch of stream entries becomes rows in one transaction; an event that cannot be stored is put aside, and the rest flows."""

import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy.exc

from affiliate import clock, db
from affiliate.ingest import labels, service
from affiliate.ingest.service import Stored
from affiliate.tracking import codec

_ABOUT_VALUES = ("22", "23", "54")
"""SQLSTATE classes that a value causes: bad data, a constraint, too long for an index or a document."""

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """One event in a stream. An entry without our field has no payload, and cannot be stored."""

    stream: str
    entry_id: bytes
    payload: bytes
    deliveries: int = 1  # how often it was given to a consumer, this time included


def read(batch: Sequence[Entry]) -> service.Ready:
    """The events of a batch, with all that can be made of them before the database is asked.

    Raises:
        BadEvent: one of them is none. What else an event may cause here is no reason to stop either: `take` puts it aside.
    """
    return service.prepare([codec.decode(entry.payload) for entry in batch], now=clock.now())


def take(batch: Sequence[Entry], ready: service.Ready | None = None) -> Stored:
    """Store a batch in one transaction; if it holds an event that cannot be stored, put that one aside and store the rest.

    `ready` is what `read` made of it, if that was done before.

    Raises:
        Exception: the database, and no event, is the reason (see `is_the_databases`). The batch can be taken again as a whole.
    """
    try:
        ready = ready or read(batch)
        with db.transaction() as session:
            stored = service.store(session, ready)
        labels.remember(session)
        return stored  # noqa: TRY300 - what it raises, the transaction raises
    except Exception as error:
        if is_the_databases(error):
            raise
        if len(batch) == 1:
            put_aside(batch[0], service.describe(error), program_id=_program_named(batch[0]))
            return Stored()
    # Halves, so that one bad event among thousands costs a few transactions and not thousands.
    middle = len(batch) // 2
    return take(batch[:middle]) + take(batch[middle:])


def is_the_databases(error: Exception) -> bool:
    """Whether an event cannot be the reason. The driver's own errors come bare where rows are copied, wrapped elsewhere."""
    if isinstance(error, sqlalchemy.exc.IntegrityError | sqlalchemy.exc.DataError):
        return False
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if cause is not None and hasattr(
        cause, "sqlstate"
    ):  # psycopg's errors, known by what they carry: SQLite needs no driver in memory
        return (cause.sqlstate or "")[:2] not in _ABOUT_VALUES
    return isinstance(error, sqlalchemy.exc.DBAPIError | sqlalchemy.exc.TimeoutError)


def _program_named(entry: Entry) -> UUID | None:
    """The program of an entry that cannot be stored; none where it cannot be read."""
    try:
        return codec.decode(entry.payload).program_id
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it must be kept
        return None


def put_aside(entry: Entry, error: str, *, program_id: UUID | None = None) -> None:
    """Keep an entry that cannot be stored, with its error, in a transaction of its own. It is not read: that may end the process."""
    log.error("%s %s cannot be stored: %s", entry.stream, entry.entry_id.decode(), error)
    with db.transaction() as session:
        service.put_aside(
            session,
            stream=entry.stream,
            entry_id=entry.entry_id.decode(),
            payload=entry.payload,
            error=error,
            program_id=program_id,
            now=clock.now(),
        )
