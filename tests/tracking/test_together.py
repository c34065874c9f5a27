"""Threads that write together, on real servers and on sockets that a test answers itself: who is answered, and with what."""

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hiredis
import processes
import pytest
import redis
import servers

from affiliate import streams
from affiliate.tracking import wire
from affiliate.tracking.together import Lane, Together
from affiliate.tracking.wire import NotStored, Server

STREAM = streams.click_shard(0)
PATIENT_SECONDS = 30


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads as a web server has them."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that a test answers itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENT_SECONDS)
        yield listening


def lane_to(listener: socket.socket, *, deadline_seconds: float = PATIENT_SECONDS) -> Lane:
    """A lane that leads to the test."""
    return Lane(Server(host="127.0.0.1", port=listener.getsockname()[1]), deadline_seconds=deadline_seconds)


def behind(lane: Lane, threads: ThreadPoolExecutor, commands: Sequence[bytes]) -> list["Future[list[Any]]"]:
    """A thread for each command, which wait in this order while another one writes."""
    futures = []
    for one in commands:
        futures.append(threads.submit(lane.call, [one]))
        processes.eventually(lambda: len(lane._turns._ready) == len(futures), "a thread in line")
    return futures


def payloads(client: redis.Redis) -> list[bytes]:
    """The events in the stream, in their order."""
    entries: Any = client.xrange(STREAM)
    return [fields[streams.FIELD] for _, fields in entries]


def test_every_thread_is_answered_when_its_event_is_in_the_stream(
    valkey_url: str, redis_client: redis.Redis, threads: ThreadPoolExecutor
) -> None:
    append = Together(lambda: valkey_url)

    def add(number: int) -> bool:
        payload = b"%d" % number
        append([(STREAM, payload)])
        return payload in payloads(redis_client)

    assert all(threads.map(add, range(200)))
    assert redis_client.xlen(STREAM) == 200


def test_those_who_come_while_one_writes_go_out_in_one_write_and_each_hears_its_own_answer(
    listener: socket.socket, threads: ThreadPoolExecutor
) -> None:
    lane = lane_to(listener)
    first = threads.submit(lane.call, [b"first"])
    connected, _ = listener.accept()
    with connected:
        assert connected.recv(100) == b"first"
        others = behind(lane, threads, [b"one", b"two", b"three"])
        connected.sendall(b"+1\r\n")
        assert connected.recv(100) == b"onetwothree"
        connected.sendall(b"+a\r\n-OOM no room\r\n+c\r\n")
        assert first.result(PATIENT_SECONDS) == [b"1"]
        one, two, three = (future.result(PATIENT_SECONDS)[0] for future in others)
    assert (one, three) == (b"a", b"c")
    assert isinstance(two, hiredis.ReplyError)


def test_a_cut_answer_fails_those_whose_answers_are_missing_and_the_next_begin_anew(
    listener: socket.socket, threads: ThreadPoolExecutor
) -> None:
    lane = lane_to(listener)
    first = threads.submit(lane.call, [b"first"])
    connected, _ = listener.accept()
    with connected:
        connected.recv(100)
        others = behind(lane, threads, [b"one", b"two"])
    with pytest.raises(NotStored):
        first.result(PATIENT_SECONDS)
    again, _ = listener.accept()
    with again:
        assert again.recv(100) == b"onetwo"
        again.sendall(b"+a\r\n+b\r\n")
        assert [future.result(PATIENT_SECONDS) for future in others] == [[b"a"], [b"b"]]


@pytest.mark.timeout(20)  # without a deadline they would wait for ever
def test_a_server_that_hangs_fails_all_who_wait_and_is_found_again(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with servers.valkey(tmp_path) as address:
        client = redis.Redis.from_url(address)
        append = Together(lambda: address, deadline_seconds=0.2)
        append([(STREAM, b"before")])
        pid = client.info()["process_id"]
        os.kill(pid, signal.SIGSTOP)
        lost = [threads.submit(append, [(STREAM, b"lost")]) for _ in range(8)]
        assert all(isinstance(future.exception(PATIENT_SECONDS), NotStored) for future in lost)
        os.kill(pid, signal.SIGCONT)
        Together(lambda: address, deadline_seconds=PATIENT_SECONDS).ping()
        append([(STREAM, b"after")])
        assert payloads(client)[-1] == b"after"


@pytest.mark.timeout(20)
def test_the_deadline_counts_from_when_a_thread_came_not_from_when_its_turn_came(
    listener: socket.socket, threads: ThreadPoolExecutor
) -> None:
    lane = lane_to(listener)
    first = threads.submit(lane.call, [b"first"])
    connected, _ = listener.accept()
    with connected:
        connected.recv(100)
        [late] = behind(lane, threads, [b"late"])
        [seat] = lane._turns._ready
        commands, until = seat.item
        assert until < time.monotonic() + PATIENT_SECONDS
        seat.item = commands, until - PATIENT_SECONDS  # as if it had waited for all of its time
        connected.sendall(b"+1\r\n")
        assert first.result(PATIENT_SECONDS) == [b"1"]
        assert isinstance(late.exception(PATIENT_SECONDS / 2), NotStored)


@pytest.mark.timeout(20)  # those whom nobody wakes would wait for ever
def test_a_writer_that_breaks_off_leaves_nobody_waiting(listener: socket.socket, threads: ThreadPoolExecutor) -> None:
    lane = lane_to(listener)
    first = threads.submit(lane.call, [b"first"])
    connected, _ = listener.accept()
    with connected:
        connected.recv(100)
        nonsense: Any = None
        broken, other, last = behind(lane, threads, [nonsense, b"other", b"last"])
        connected.sendall(b"+1\r\n")
        assert first.result(PATIENT_SECONDS) == [b"1"]
        assert isinstance(broken.exception(PATIENT_SECONDS), TypeError)
        assert isinstance(other.exception(PATIENT_SECONDS), NotStored)
        assert isinstance(last.exception(PATIENT_SECONDS), NotStored)
    after = threads.submit(lane.call, [b"after"])
    again, _ = listener.accept()  # anew: what was on its way on the other answers nobody
    with again:
        assert again.recv(100) == b"after"
        again.sendall(b"+2\r\n")
        assert after.result(PATIENT_SECONDS) == [b"2"]


def test_a_stream_on_another_node_is_followed_there(listener: socket.socket, threads: ThreadPoolExecutor) -> None:
    append = Together(lambda: f"redis://127.0.0.1:{listener.getsockname()[1]}/0", deadline_seconds=PATIENT_SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = threads.submit(append, [(STREAM, b"event")])
        here, _ = listener.accept()
        with here:
            here.recv(1000)
            here.sendall(b"-MOVED 1 127.0.0.1:%d\r\n" % other.getsockname()[1])
            there, _ = other.accept()
            with there:
                assert there.recv(1000) == wire.append_command(STREAM, b"event")
                there.sendall(b"$3\r\n1-1\r\n")
                done.result(PATIENT_SECONDS)
