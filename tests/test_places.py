"""So many requests at once, and no more; one that fails gives its place back."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import processes
import pytest

from affiliate.places import Places


def test_so_many_requests_are_answered_at_once_and_the_others_wait_in_line() -> None:
    may_end, inside = threading.Event(), []

    def app(environ: Any, _start_response: Any) -> Iterable[bytes]:
        inside.append(environ["number"])
        may_end.wait(30)
        return [b"%d" % environ["number"]]

    places = Places(app, 2)
    with ThreadPoolExecutor(5) as threads:
        answers = [threads.submit(places, {"number": number}, lambda *_: None) for number in range(5)]
        processes.eventually(lambda: len(inside) == 2, "two inside")
        assert not places._free.acquire(timeout=0.05)
        may_end.set()
        assert [b"".join(answer.result(30)) for answer in answers] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_request_that_fails_gives_its_place_back() -> None:
    def app(_environ: Any, _start_response: Any) -> Iterable[bytes]:
        raise ValueError("broken")

    places = Places(app, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            places({}, lambda *_: None)
