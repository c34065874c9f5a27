"""The question to SQL whether an event is known: answered in time, or given up."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa

from affiliate.tracking.known import _WORKERS, EventKind, KnownEvent, LookupWithDeadline

ID = UUID("01998f00-0000-7000-8000-0000000000a1")
ROW = KnownEvent(trust=3, fingerprint="a" * 64)


class Database:
    """A query that hangs until it is let go."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0

    def __call__(self, _kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        self.asked += 1
        self.answers.wait(30)
        return dict.fromkeys(identifiers, ROW)


@pytest.fixture
def database() -> Iterator[Database]:
    """A database that hangs, and is let go at the end of the test."""
    database = Database()
    yield database
    database.answers.set()


def test_an_answer_in_time_is_given(database: Database) -> None:
    database.answers.set()
    assert LookupWithDeadline(database, deadline_seconds=30)("conversion", [ID]) == {ID: ROW}


def test_a_database_that_hangs_counts_as_knowing_nothing(database: Database) -> None:
    assert LookupWithDeadline(database, deadline_seconds=0.01)("conversion", [ID]) == {}


def test_hanging_queries_hold_a_few_threads_and_the_rest_is_not_asked(database: Database) -> None:
    lookup = LookupWithDeadline(database, deadline_seconds=0.01)
    for _ in range(20):
        assert lookup("conversion", [ID]) == {}
    assert database.asked <= _WORKERS


def test_a_database_that_answers_again_is_asked_again(database: Database) -> None:
    lookup = LookupWithDeadline(database, deadline_seconds=0.01)
    for _ in range(6):
        lookup("conversion", [ID])
    database.answers.set()
    lookup._pool.shutdown(wait=True)
    fresh = LookupWithDeadline(database, deadline_seconds=30)
    assert fresh("conversion", [ID]) == {ID: ROW}
    assert lookup._free._value == _WORKERS


def test_a_database_that_refuses_counts_as_knowing_nothing() -> None:
    def refuse(_kind: EventKind, _identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        raise sa.exc.OperationalError("SELECT", {}, Exception("refused"))

    assert LookupWithDeadline(refuse)("refund", [ID]) == {}
