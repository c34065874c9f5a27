"""Group work for threads: those who come while a turn is under way are served together in the next one.

Whoever finds nobody at work works for all who are there, itself first among them: alone a thread waits for nobody, and the more
come, the cheaper each is. A thread that waits for an answer of its own gives the interpreter away twice and fetches it back
twice; with the others' it does so about once.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class TurnLost(Exception):  # noqa: N818 - read as a kind
    """The thread that worked for all was stopped; what it had begun may have happened."""


class _Seat(Generic[Item]):
    """One thread in line: what it brought, and what came of it."""

    __slots__ = ("following", "gate", "item", "leads", "outcome")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads = False
        self.outcome: Any = TurnLost("the thread that worked for all was stopped")
        self.following: _Seat[Item] | None = None  # whom to wake
        self.gate = threading.Lock()
        self.gate.acquire()


class Turns(Generic[Item, Outcome]):
    """Threads in line for the same work.

    `work` gets the items of all who are ready, and gives an outcome for each. An outcome that is an exception is raised in the
    thread whose item it is of. It has to come to an end by itself: those in line wait without a limit of their own.
    """

    def __init__(self, work: Callable[[list[Item]], Sequence[Outcome | Exception]]) -> None:
        self._work = work
        self._lock = threading.Lock()  # of the two below; held for an instant
        self._ready: list[_Seat[Item]] = []
        self._is_led = False

    def take(self, item: Item) -> Outcome:
        """What comes of this item.

        Raises:
            TurnLost: whoever led the turn was stopped.
        """
        seat = _Seat(item)
        with self._lock:
            self._ready.append(seat)
            if not self._is_led:
                self._is_led = seat.leads = True
        if not seat.leads:
            seat.gate.acquire()
        try:
            if seat.leads:
                self._lead()
        finally:
            self._wake_after(seat)
        if isinstance(seat.outcome, Exception):
            raise seat.outcome
        outcome: Outcome = seat.outcome
        return outcome

    def _lead(self) -> None:
        """Work for all who are ready, the caller first among them."""
        with self._lock:
            seats, self._ready = self._ready, []
        try:
            outcomes = self._work([seat.item for seat in seats])
            for seat, outcome in zip(seats, outcomes, strict=True):
                seat.outcome = outcome
        finally:
            for seat, following in itertools.pairwise(seats):
                seat.following = following

    def _wake_after(self, seat: _Seat[Item]) -> None:
        """Wake one, which wakes the next: all at once would queue for the interpreter. The last gives the lead to whoever came since."""
        if seat.following is not None:
            seat.following.gate.release()
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            self._is_led = bool(self._ready)
            successor = self._ready[0] if self._ready else None
        if successor is not None:
            successor.leads = True
            successor.gate.release()
