"""Threads that take turns: who is served with whom, and what each hears."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import processes
import pytest

from affiliate.tracking.turns import TurnLost, Turns

PATIENT_SECONDS = 30


class Work:
    """Doubles numbers, one turn at a time as the test lets it. Of an odd number it says that it cannot; 13 stops it."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.may_go_on = threading.Semaphore(0)

    def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        """The outcome of each."""
        self.turns.append(items)
        self.may_go_on.acquire(timeout=PATIENT_SECONDS)
        if 13 in items:
            raise KeyboardInterrupt
        return [ValueError(item) if item % 2 else item * 2 for item in items]


@pytest.fixture
def work() -> Work:
    """Work that waits for the test."""
    return Work()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads as a web server has them."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def in_line(turns: Turns[int, int], threads: ThreadPoolExecutor, *items: int) -> list["Future[int]"]:
    """A thread for each, waiting in this order behind one that is at work."""
    futures = []
    for item in items:
        futures.append(threads.submit(turns.take, item))
        processes.eventually(lambda: len(turns._ready) == len(futures), "a thread in line")
    return futures


def begun(turns: Turns[int, int], work: Work, threads: ThreadPoolExecutor, item: int) -> "Future[int]":
    """A thread that is at work for itself."""
    turn = threads.submit(turns.take, item)
    processes.eventually(lambda: work.turns[-1:] == [[item]], "a thread at work")
    return turn


def test_who_comes_while_one_works_is_served_in_one_turn_and_hears_its_own_outcome(
    work: Work, threads: ThreadPoolExecutor
) -> None:
    turns = Turns(work)
    first = begun(turns, work, threads, 2)
    others = in_line(turns, threads, 4, 5, 6)
    work.may_go_on.release(2)
    assert first.result(PATIENT_SECONDS) == 4
    assert (others[0].result(PATIENT_SECONDS), others[2].result(PATIENT_SECONDS)) == (8, 12)
    assert isinstance(others[1].exception(PATIENT_SECONDS), ValueError)
    assert work.turns == [[2], [4, 5, 6]]


@pytest.mark.timeout(60)  # those whom nobody wakes would wait for ever
def test_a_thread_that_is_stopped_leaves_nobody_waiting(work: Work, threads: ThreadPoolExecutor) -> None:
    turns = Turns(work)
    first = begun(turns, work, threads, 2)
    stopped, *others = in_line(turns, threads, 13, 4, 6)
    work.may_go_on.release(3)
    assert first.result(PATIENT_SECONDS) == 4
    assert isinstance(stopped.exception(PATIENT_SECONDS), KeyboardInterrupt)
    assert [type(other.exception(PATIENT_SECONDS)) for other in others] == [TurnLost, TurnLost]
    assert turns.take(8) == 16


def test_alone_a_thread_waits_for_nobody_and_many_are_all_served(threads: ThreadPoolExecutor) -> None:
    sizes: list[int] = []

    def double(items: list[int]) -> list[int | Exception]:
        sizes.append(len(items))
        return [item * 2 for item in items]

    turns: Turns[int, int] = Turns(double)
    assert turns.take(1) == 2
    assert list(threads.map(turns.take, range(2_000))) == [number * 2 for number in range(2_000)]
    assert sum(sizes) == 2_001
