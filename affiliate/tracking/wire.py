"""Redis by hand, for the one command that every click waits for: packed bytes on a kept connection.

A client library costs 35 µs a call, this costs 6. Nothing is sent twice by itself: an append whose answer was cut may
have happened. Only a cluster's *moved* is followed, because the server that says so has done nothing.
"""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

from affiliate import streams

Entry = tuple[str, bytes]
"""A stream and the packed event to append to it."""

_PORT = 6379
_HOPS_MAX = 3  # from node to node of a cluster that is being rearranged
_READ_BYTES = 65_536
_SLACK = 0.1  # of a deadline: to be more exact would ask the kernel with each call
_MOVED = "MOVED "


class NotStored(Exception):  # noqa: N818 - read as a kind
    """The server did not acknowledge all of it. Some of it may have been stored all the same."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a Redis listens and how it lets us in, read from its address."""

    path: str = ""  # of a socket file; empty for host and port
    host: str = ""
    port: int = _PORT
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    uses_tls: bool = False
    authorities: str | None = None  # a file of certificates beside the system's

    @classmethod
    def of(cls, url: str) -> "Server":
        """The server behind an address of our settings; the first node of a cluster."""
        parts = urlsplit(url.replace("+cluster", "", 1))
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_file = parts.scheme == "unix"
        in_path = "0" if is_file else parts.path.strip("/")
        return cls(
            path=unquote(parts.path) if is_file else "",
            host=parts.hostname or "localhost",
            port=parts.port or _PORT,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=int(options.get("db") or in_path or 0),
            uses_tls=parts.scheme == "rediss",
            authorities=options.get("ssl_ca_certs"),
        )

    def __hash__(self) -> int:
        """Of what tells servers apart: each click asks for the connection to one."""
        return hash((self.path, self.host, self.port))

    @property
    def greeting(self) -> list[bytes]:
        """The commands that come first on a connection; each is answered with OK."""
        secrets = [part.encode() for part in (self.username, self.password) if part]
        said = [command(b"AUTH", *secrets)] if self.password else []
        return [*said, command(b"SELECT", str(self.database).encode())] if self.database else said

    def tls(self) -> ssl.SSLContext | None:
        """How to encrypt, if the address asks for it: certificates are checked."""
        return ssl.create_default_context(cafile=self.authorities) if self.uses_tls else None


def command(*parts: bytes) -> bytes:
    """A command as the server reads it."""
    return b"*%d\r\n%b" % (len(parts), b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))


def append_command(stream: str, payload: bytes) -> bytes:
    """The command that appends an event to a stream."""
    return b"%b$%d\r\n%b\r\n" % (_append_head(stream), len(payload), payload)


@lru_cache(maxsize=256)
def _append_head(stream: str) -> bytes:
    whole = command(b"XADD", stream.encode(), b"*", streams.FIELD, b"")
    return whole.removesuffix(b"$0\r\n\r\n")


def moved_to(reply: Any, server: Server) -> Server | None:
    """The node that has the stream now, if the reply says so."""
    text = str(reply) if isinstance(reply, hiredis.ReplyError) else ""
    if not text.startswith(_MOVED):
        return None
    host, _, port = text.rpartition(" ")[2].rpartition(":")
    return replace(server, host=host or server.host, port=int(port))


class Connection:
    """One kept connection with a deadline for each call, for one thread at a time."""

    def __init__(self, server: Server, *, deadline_seconds: float) -> None:
        self._server = server
        self._deadline_seconds = deadline_seconds
        self._patience_seconds = 0.0  # of the kernel, at each send and receive
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader()

    def call(self, commands: Sequence[bytes], *, until: float | None = None) -> list[Any]:
        """The answers to these commands, sent in one write. An answer that is an error is an exception in the list.

        `until` is a moment of the monotonic clock, for those who have waited already.

        Raises:
            NotStored: no connection, or not every answer within the deadline. The next call begins anew.
        """
        if until is None:
            until = time.monotonic() + self._deadline_seconds
        try:
            if self._socket is None:
                self._connect(until)
            self._bound(until)
            return self._exchange(commands, until)
        except (OSError, hiredis.HiredisError) as error:
            self.close()
            raise NotStored(f"{type(error).__name__}: {error}") from error
        except BaseException:  # stopped in the middle: the answers that still come would be taken for the next call's
            self.close()
            raise

    def close(self) -> None:
        """End the connection: what still comes over it answers nobody."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._reader = None, hiredis.Reader()

    def _connect(self, until: float) -> None:
        server = self._server
        if server.path:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(_left(until))
            self._socket.connect(server.path)
        else:
            self._socket = socket.create_connection((server.host, server.port), timeout=_left(until))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = server.tls()
        if context is not None:
            self._socket = context.wrap_socket(self._socket, server_hostname=server.host)
        self._patience_seconds = 0.0
        self._bound(until)
        for answer in self._exchange(server.greeting, until):
            if isinstance(answer, hiredis.ReplyError):
                raise ConnectionRefusedError(str(answer))

    def _bound(self, until: float) -> None:
        """Give the kernel the time that is left, if that is another one than it has: mostly it is the whole deadline."""
        left = _left(until)
        if self._socket is not None and abs(left - self._patience_seconds) > self._deadline_seconds * _SLACK:
            _wait_in_kernel(self._socket, left)
            self._patience_seconds = left

    def _exchange(self, commands: Sequence[bytes], until: float) -> list[Any]:
        connected = self._socket
        if connected is None or not commands:
            return []
        connected.sendall(b"".join(commands))
        answers: list[Any] = []
        while True:
            data = connected.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError("the server hung up")
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                answers.append(answer)
            if len(answers) >= len(commands):
                return answers
            if time.monotonic() > until:  # it answers in drops
                raise TimeoutError("not every answer came within the deadline")


class Channel(Protocol):
    """A way to a server and back."""

    def call(self, commands: Sequence[bytes], *, until: float | None = None) -> list[Any]:
        """The answers to these commands, in their order; `NotStored` where one of them did not come in time."""
        ...


class Appender:
    """Appends events to the streams. Each thread has connections of its own, kept between calls."""

    def __init__(self, url: Callable[[], str], *, deadline_seconds: float = streams.DEADLINE_SECONDS) -> None:
        self._url = url
        self._deadline_seconds = deadline_seconds
        self._kept = _Kept()
        self._homes: dict[str, Server] = {}  # streams that a cluster has on another node than the first

    def __call__(self, entries: Sequence[Entry], *, until: float | None = None) -> None:
        """Append all of them, until a moment of the monotonic clock if they have waited already.

        Raises:
            NotStored: one of them at least was not acknowledged.
        """
        waiting = list(entries)
        for _ in range(_HOPS_MAX):
            waiting = self._append(waiting, until)
            if not waiting:
                return
        raise NotStored("the cluster is being rearranged")

    def ping(self) -> None:
        """Find out whether the server answers.

        Raises:
            NotStored: it does not.
        """
        [answer] = self._connection(_server(self._url())).call([command(b"PING")])
        if isinstance(answer, hiredis.ReplyError):
            raise NotStored(str(answer))

    def _append(self, entries: Sequence[Entry], until: float | None) -> list[Entry]:
        """Append what can be appended; the entries that belong on another node."""
        first = _server(self._url())
        if not self._homes:
            return self._append_to(first, entries, until)
        by_server = _grouped(entries, lambda entry: self._homes.get(entry[0], first))
        return [moved for server, its in by_server.items() for moved in self._append_to(server, its, until)]

    def _append_to(self, server: Server, entries: Sequence[Entry], until: float | None) -> list[Entry]:
        answers = self._connection(server).call([append_command(*entry) for entry in entries], until=until)
        moved = []
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, hiredis.ReplyError):
                self._homes[entry[0]] = _home(answer, server)
                moved.append(entry)
        return moved

    def _connection(self, server: Server) -> Channel:
        kept = self._kept.connections
        found = kept.get(server)
        if found is None:
            found = kept[server] = Connection(server, deadline_seconds=self._deadline_seconds)
        return found


class _Kept(threading.local):
    """The connections of a thread."""

    def __init__(self) -> None:
        self.connections: dict[Server, Connection] = {}


@lru_cache(maxsize=8)
def _server(url: str) -> Server:
    return Server.of(url)


def _grouped(entries: Iterable[Entry], server_of: Callable[[Entry], Server]) -> dict[Server, Sequence[Entry]]:
    grouped: dict[Server, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(server_of(entry), []).append(entry)
    return dict(grouped)


def _home(answer: hiredis.ReplyError, server: Server) -> Server:
    home = moved_to(answer, server)
    if home is None:
        raise NotStored(str(answer))
    return home


def _wait_in_kernel(connected: socket.socket, seconds: float) -> None:
    """Give each send and each receive this long. Python's own timeouts ask the kernel four times more often."""
    span = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    connected.settimeout(None)
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        connected.setsockopt(socket.SOL_SOCKET, option, span)


def _left(until: float) -> float:
    """The seconds until a moment: at least a little, because zero would mean not to wait at all."""
    return max(until - time.monotonic(), 0.001)
