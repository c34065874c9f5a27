"""Connections to PostgreSQL that give up: a process that hangs answers nobody, and breaks no connection either.

Keepalives find a machine that is gone, and a statement timeout is kept by the server; only a deadline of our own finds a
server that is stopped in the middle. The pages' engine has one (`give_up`): a request waits a moment for a connection, and
for an answer as long as any page may take. Who could not connect tells the others: for a few seconds one of them asks
again, and the rest is refused at once, because links and orders want the same threads. Jobs wait as long as a connection stands.
"""

import threading
import time
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.errors import _WaitTimeout

CONNECT_SECONDS = 3
ALIVE_SECONDS = 3.0
"""How long a connection from the pool may take to show that it lives."""
STATEMENT_SECONDS = 20
ANSWER_SECONDS = STATEMENT_SECONDS + 5.0
"""The server's own limit comes first, and ends the statement there too."""
PAUSE_SECONDS = 5.0

_INTERVAL_SECONDS = 0.1


class Hangs(psycopg.OperationalError):
    """The server did not answer in time, or has not answered somebody else a moment ago."""


class Gate:
    """Who may ask. After a failure one asks every few seconds, for all others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_again_at: float | None = None

    def enter(self) -> None:
        """Ask, unless the server hung just now.

        Raises:
            Hangs: it did.
        """
        with self._lock:
            if self._asked_again_at is None:
                return
            if time.monotonic() < self._asked_again_at:
                raise Hangs("PostgreSQL did not answer a moment ago")
            self._asked_again_at = time.monotonic() + PAUSE_SECONDS

    def settle(self, *, answered: bool) -> None:
        """Tell what came of it."""
        with self._lock:
            self._asked_again_at = None if answered else time.monotonic() + PAUSE_SECONDS


class Connection(psycopg.Connection[Any]):
    """A connection whose every answer has a deadline."""

    deadline_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> Any:
        """Wait for an answer.

        Raises:
            Hangs: it did not come in time; the connection is closed.
        """
        seconds = self.deadline_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise Hangs(f"PostgreSQL did not answer within {seconds:g} s") from error


def give_up(engine: sa.Engine) -> None:
    """Let no connection of this engine wait for ever."""
    gate, ping = Gate(), engine.dialect.do_ping

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Connection:
        gate.enter()
        options = f"{named.get('options', '')} -c statement_timeout={STATEMENT_SECONDS * 1000}"
        try:
            connection = Connection.connect(
                *arguments, **named | {"connect_timeout": CONNECT_SECONDS, "options": options}
            )
        except psycopg.errors.ConnectionTimeout:
            gate.settle(answered=False)
            raise
        gate.settle(answered=True)
        return connection

    def asked(dbapi_connection: Any) -> bool:
        """Whether a connection from the pool lives. One alone may be lost on its way; a server that hangs takes no new one either."""
        gate.enter()
        dbapi_connection.deadline_seconds = ALIVE_SECONDS
        lives = ping(dbapi_connection)
        dbapi_connection.deadline_seconds = ANSWER_SECONDS
        gate.settle(answered=True)
        return lives

    engine.dialect.do_ping = asked  # type: ignore[method-assign]
