"""Group commit for threads: those who come while a write is under way go out together in the next one.

`committer` does the same for an event loop. Nobody is answered before the server acknowledged its event.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from affiliate import streams
from affiliate.tracking.turns import TurnLost, Turns
from affiliate.tracking.wire import Appender, Connection, NotStored, Server


class Lane:
    """One kept connection, and the threads that share it. Whoever finds nobody writing writes for all who are there."""

    def __init__(self, server: Server, *, deadline_seconds: float) -> None:
        self._connection = Connection(server, deadline_seconds=deadline_seconds)
        self._deadline_seconds = deadline_seconds
        self._turns: Turns[tuple[Sequence[bytes], float], list[Any]] = Turns(self._exchange)

    def call(self, commands: Sequence[bytes], *, until: float | None = None) -> list[Any]:
        """The answers to these commands. An answer that is an error is an exception in the list.

        Raises:
            NotStored: no connection, or not every answer by then; without `until` the deadline counts from now.
        """
        if until is None:
            until = time.monotonic() + self._deadline_seconds
        try:
            return self._turns.take((commands, until))
        except TurnLost as error:
            raise NotStored(*error.args) from error

    def _exchange(self, jobs: list[tuple[Sequence[bytes], float]]) -> list[list[Any] | NotStored]:
        commands = [command for its, _ in jobs for command in its]
        try:
            answers = iter(self._connection.call(commands, until=min(until for _, until in jobs)))
        except NotStored as error:
            return [NotStored(*error.args) for _ in jobs]  # one for each: it will tell where it was raised
        return [[next(answers) for _ in its] for its, _ in jobs]


class Together(Appender):
    """Appends events to the streams: one connection to each server, which all threads of the process share."""

    def __init__(self, url: Callable[[], str], *, deadline_seconds: float = streams.DEADLINE_SECONDS) -> None:
        super().__init__(url, deadline_seconds=deadline_seconds)
        self._lanes: dict[Server, Lane] = {}

    def _connection(self, server: Server) -> Lane:
        lane = self._lanes.get(server)
        if lane is None:  # of two who come at once, one's is taken
            lane = self._lanes.setdefault(server, Lane(server, deadline_seconds=self._deadline_seconds))
        return lane
