"""Group commit for threads: those who come while a write is under way go out together in the next one.

`committer` does the same for an event loop. A thread that waits for an answer of its own gives the interpreter away twice a click
and fetches it back twice; with the others' it does so about once. Nobody is answered before the server acknowledged the event.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from affiliate import streams
from affiliate.tracking.wire import Appender, Connection, NotStored, Server


class _Job:
    """The commands of one thread, and where it waits."""

    __slots__ = ("answers", "commands", "following", "gate", "leads", "since")

    def __init__(self, commands: Sequence[bytes], since: float) -> None:
        self.commands = commands
        self.since = since
        self.leads = False
        self.answers: list[Any] | NotStored = NotStored("the thread that wrote for all was stopped")
        self.following: _Job | None = None  # whom to wake
        self.gate = threading.Lock()
        self.gate.acquire()


class Lane:
    """One kept connection, and the threads that share it. Whoever finds nobody writing writes for all who are there."""

    def __init__(self, server: Server, *, deadline_seconds: float) -> None:
        self._connection = Connection(server, deadline_seconds=deadline_seconds)
        self._deadline_seconds = deadline_seconds
        self._lock = threading.Lock()  # of the two below; held for an instant
        self._ready: list[_Job] = []
        self._is_led = False

    def call(self, commands: Sequence[bytes]) -> list[Any]:
        """The answers to these commands. An answer that is an error is an exception in the list.

        Raises:
            NotStored: no connection, or not every answer within the deadline, which counts from now.
        """
        job = _Job(commands, time.monotonic())
        with self._lock:
            self._ready.append(job)
            if not self._is_led:
                self._is_led = job.leads = True
        if not job.leads:
            job.gate.acquire()  # no limit of its own: whoever leads is bound to the deadline of the first in line
        try:
            if job.leads:
                self._lead()
        finally:
            if job.following is not None:  # one wakes the next: all at once would queue for the interpreter
                job.following.gate.release()
        if isinstance(job.answers, NotStored):
            raise NotStored(*job.answers.args) from job.answers
        return job.answers

    def _lead(self) -> None:
        """Write for all who are ready, the caller first among them, and pass the lead on."""
        with self._lock:
            jobs, self._ready = self._ready, []
        try:
            self._exchange(jobs)
        except NotStored as error:
            for job in jobs:
                job.answers = error
        finally:
            for job, following in itertools.pairwise(jobs):
                job.following = following
            self._pass_on()

    def _exchange(self, jobs: Sequence[_Job]) -> None:
        commands = [command for job in jobs for command in job.commands]
        answers = iter(self._connection.call(commands, until=jobs[0].since + self._deadline_seconds))
        for job in jobs:
            job.answers = [next(answers) for _ in job.commands]

    def _pass_on(self) -> None:
        with self._lock:
            self._is_led = bool(self._ready)
            successor = self._ready[0] if self._ready else None
        if successor is not None:
            successor.leads = True
            successor.gate.release()


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
