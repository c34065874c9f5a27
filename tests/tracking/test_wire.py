"""Appending by hand, on real servers: what is acknowledged, what is not, and how a server lets us in."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import servers
from hypothesis import given
from hypothesis import strategies as st

from affiliate import streams
from affiliate.tracking import wire
from affiliate.tracking.wire import Appender, Connection, NotStored, Server

STREAM = streams.click_shard(0)
APPENDED = wire.append_command(STREAM, b"event")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that a test may freeze, fill or end."""
    with servers.valkey(tmp_path) as address:
        yield address


def payloads(client: redis.Redis) -> list[bytes]:
    return [fields[streams.FIELD] for _, fields in client.xrange(STREAM)]


def test_what_is_appended_is_in_the_stream_in_order(valkey_url: str, redis_client: redis.Redis) -> None:
    append = Appender(lambda: valkey_url)
    append([(STREAM, b"one"), (STREAM, b"two\r\n")])
    append([(STREAM, b"three")])
    assert payloads(redis_client) == [b"one", b"two\r\n", b"three"]


def test_threads_do_not_share_a_connection(valkey_url: str, redis_client: redis.Redis) -> None:
    append = Appender(lambda: valkey_url)
    threads = [threading.Thread(target=append, args=([(STREAM, b"%d" % number)],)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, payloads(redis_client))) == list(range(20))


def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    append = Appender(lambda: f"unix://{tmp_path}/redis.sock")
    for _ in range(2):
        with servers.valkey(tmp_path):
            append([(STREAM, b"event")])
        with pytest.raises(NotStored):
            append([(STREAM, b"lost")])


@pytest.mark.timeout(20)  # without a deadline it would wait for much longer
def test_a_server_that_hangs_is_left_after_the_deadline_and_its_late_answer_is_no_ones(own_server: str) -> None:
    client = redis.Redis.from_url(own_server)
    append, pid = Appender(lambda: own_server, deadline_seconds=0.05), client.info()["process_id"]
    append([(STREAM, b"before")])
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(NotStored):
        append([(STREAM, b"late")])
    os.kill(pid, signal.SIGCONT)
    patient = Appender(lambda: own_server, deadline_seconds=10)
    patient.ping()
    append = Appender(lambda: own_server, deadline_seconds=10)
    append([(STREAM, b"after")])
    assert payloads(client) == [b"before", b"late", b"after"]


def test_a_refusal_of_the_server_is_no_acknowledgement(own_server: str) -> None:
    redis.Redis.from_url(own_server).config_set("maxmemory", "1")
    with pytest.raises(NotStored, match="OOM"):
        Appender(lambda: own_server)([(STREAM, b"event")])


def test_a_server_asks_for_its_password(own_server: str) -> None:
    path = own_server.removeprefix("unix://")
    redis.Redis.from_url(own_server).config_set("requirepass", "p@ss word")
    Appender(lambda: f"unix://:p%40ss%20word@{path}?db=3")([(STREAM, b"event")])
    assert redis.Redis(unix_socket_path=path, password="p@ss word", db=3).xlen(STREAM) == 1
    with pytest.raises(NotStored, match="WRONGPASS"):
        Appender(lambda: f"unix://:wrong@{path}")([(STREAM, b"event")])
    with pytest.raises(NotStored, match="NOAUTH"):
        Appender(lambda: own_server)([(STREAM, b"event")])


@contextlib.contextmanager
def _answering(listener: socket.socket, answer: bytes) -> Iterator[list[bytes]]:
    """Somebody takes one connection and answers what comes with these bytes; gives what came, when it is over."""
    heard: list[bytes] = []

    def take() -> None:
        connected, _ = listener.accept()
        with connected:
            heard.append(connected.recv(65_536))
            connected.sendall(answer)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield heard
    thread.join()


@pytest.fixture
def odd_server() -> Iterator[tuple[socket.socket, str]]:
    """A socket that a test answers itself, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize("answer", [b"", b"+O", b"$5\r\nab", b"nonsense\r\n"])
def test_a_cut_or_senseless_answer_is_no_acknowledgement(odd_server: tuple[socket.socket, str], answer: bytes) -> None:
    listener, address = odd_server
    with _answering(listener, answer) as heard, pytest.raises(NotStored):
        Appender(lambda: address, deadline_seconds=10)([(STREAM, b"event")])
    assert heard == [APPENDED]


def test_a_stream_that_has_moved_to_another_node_is_followed(
    odd_server: tuple[socket.socket, str], valkey_url: str
) -> None:
    listener, address = odd_server
    with socket.create_server(("127.0.0.1", 0)) as other:
        moved = b"-MOVED 1 127.0.0.1:%d\r\n" % other.getsockname()[1]
        with _answering(listener, moved) as here, _answering(other, b"$3\r\n1-1\r\n") as there:
            Appender(lambda: address, deadline_seconds=10)([(STREAM, b"event")])
    assert (here, there) == ([APPENDED], [APPENDED])


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("unix:///run/red%20is.sock", Server(path="/run/red is.sock", host="localhost")),
        ("redis://:secret@r.example:7000/2", Server(host="r.example", port=7000, password="secret", database=2)),
        ("rediss://u:p@r.example", Server(host="r.example", username="u", password="p", uses_tls=True)),
        ("redis+cluster://r.example:7001", Server(host="r.example", port=7001)),
    ],
)
def test_an_address_says_where_a_server_is_and_how_it_lets_us_in(url: str, server: Server) -> None:
    assert Server.of(url) == server


@given(parts=st.lists(st.binary(max_size=20), min_size=1, max_size=4))
def test_commands_are_packed_as_the_library_packs_them(parts: list[bytes]) -> None:
    packed = redis.connection.Connection().pack_command(b"SET", *parts)
    assert wire.command(b"SET", *parts) == b"".join(packed)


@given(payload=st.binary(max_size=50))
def test_an_append_is_the_command_it_says(payload: bytes) -> None:
    assert wire.append_command(STREAM, payload) == wire.command(b"XADD", STREAM.encode(), b"*", streams.FIELD, payload)


def test_a_connection_starts_anew_after_a_failure(valkey_url: str) -> None:
    connection = Connection(Server.of(valkey_url), deadline_seconds=10)
    assert connection.call([wire.command(b"PING")]) == ["PONG"] or connection.call([wire.command(b"PING")]) == [b"PONG"]
    connection.close()
    assert len(connection.call([wire.command(b"PING"), wire.command(b"PING")])) == 2


class _Stopped(Exception):  # noqa: N818 - read as a kind
    """What a signal raises in the middle of a call."""


def _stop(_number: int, _frame: object) -> None:
    raise _Stopped


@pytest.fixture
def stopped_by_signal() -> Iterator[None]:
    """SIGUSR1 breaks off whatever the main thread does."""
    before = signal.signal(signal.SIGUSR1, _stop)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("stopped_by_signal")
def test_the_answer_to_a_call_that_was_broken_off_is_no_acknowledgement_of_the_next() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = Connection(Server(host="127.0.0.1", port=listener.getsockname()[1]), deadline_seconds=20)

        def serve() -> None:
            with listener.accept()[0] as first:
                first.recv(100)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
                first.sendall(b"+of the first\r\n")
                with listener.accept()[0] as second:
                    second.recv(100)
                    second.sendall(b"+of the second\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(_Stopped):
            connection.call([b"first"])
        assert connection.call([b"second"]) == [b"of the second"]
        thread.join()
        connection.close()
