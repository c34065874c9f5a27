"""`affiliate up`: what belongs to the tree, in which order it starts, and what may stand in the way."""

import errno
import fcntl
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from affiliate import embedded, errors, welcome
from affiliate.settings import Settings
from affiliate.supervisor import Stopped, Supervisor, Terminal

REDIS_SECONDS_MAX = 30.0  # a long append-only file takes its time
WEB_SECONDS_MAX = 60.0
HEAD_START_SECONDS = 5.0  # for what answers people: all at once would keep each other from it on a small machine
_COMMAND = [sys.executable, "-m", "affiliate.cli"]
_ANSWERING = {"web": ["web"], "edge": ["edge"]}
_WORKING = {
    "stages": ["worker", "stages"],
    "slow": ["worker", "slow"],
    "cron": ["cron"],
}


class CannotStart(errors.Unavailable):
    """Something outside stands in the way; the message says what, and what to do."""


@contextmanager
def lock(data_dir: Path) -> Iterator[None]:
    """Only one tree of processes works on a data directory.

    Raises:
        CannotStart: the directory cannot be written, or another tree works on it.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "run.lock").open("a+")
    except OSError as error:
        raise CannotStart(
            f"DATA_DIR {data_dir} cannot be written ({error.strerror}): choose another folder or change its owner."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise CannotStart(
                f"Another server (process {file.read().strip() or 'unknown'}) works on {data_dir}: "
                "stop it first, or choose another folder with DATA_DIR."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Refuse early, and in words, where the web server would fail later.

    Raises:
        CannotStart: somebody listens there, or we may not.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[4])
            probe.listen(1)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        advice = "stop what uses it, or choose another with PORT" if taken else "check AFFILIATE_HOST and PORT"
        raise CannotStart(f"Cannot listen on {host} port {port} ({error.strerror}): {advice}.") from error


def run(settings: Settings) -> int:
    """Start everything, keep it alive until a signal comes, stop it; the exit status.

    Raises:
        CannotStart: something outside stands in the way; nothing is left running.
    """
    with lock(settings.data_dir):
        check_port(settings.host, settings.port)
        check_port(settings.host, settings.edge_port)
        shutil.rmtree(settings.data_dir / "metrics", ignore_errors=True)  # what the last run counted
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # a heap per thread keeps what it frees: 13 MB in all
        supervisor = Supervisor(Terminal(prefixed=settings.log_format == "text"))
        try:
            return _serve(supervisor, settings)
        except Stopped:
            supervisor.say("stopping")
            return 0
        finally:
            supervisor.end(last="redis")


def _serve(supervisor: Supervisor, settings: Settings) -> int:
    if settings.embedded_redis:
        _start_redis(supervisor, settings)
    status = supervisor.run_to_end([*_COMMAND, "prepare"])
    if status != 0:
        return status
    for name, arguments in _ANSWERING.items():
        supervisor.start(name, [*_COMMAND, *arguments])
    supervisor.wait_until(lambda: _pages_answer(settings), seconds=HEAD_START_SECONDS)
    for name, arguments in (_ingesting(settings) | _WORKING).items():
        supervisor.start(name, [*_COMMAND, *arguments])
    if supervisor.wait_until(lambda: _pages_answer(settings), seconds=WEB_SECONDS_MAX):
        for line in welcome.lines(settings, demo=_demo(settings)):
            supervisor.say(line)
    else:
        supervisor.say("The pages do not answer yet: the lines above say why.")
    return supervisor.forever()


def consumers(settings: Settings) -> int:
    """How many `ingest` run side by side: SQLite has one writer; on PostgreSQL a second one fills the time in which the first waits for it."""
    return 1 if settings.database_url.startswith("sqlite") else 2


def _ingesting(settings: Settings) -> dict[str, list[str]]:
    return {f"ingest{number if number > 1 else ''}": ["ingest"] for number in range(1, consumers(settings) + 1)}


def _start_redis(supervisor: Supervisor, settings: Settings) -> None:
    url = settings.redis_url
    embedded.end_orphan(url)
    supervisor.start("redis", embedded.command(data_dir=settings.data_dir, url=url))
    if not supervisor.wait_until(lambda: embedded.answers(url), seconds=REDIS_SECONDS_MAX):
        raise CannotStart(f"The embedded Redis does not start: {settings.data_dir}/redis/redis.log says why.")


def _pages_answer(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - where to ask, not where to listen
    with suppress(OSError), socket.create_connection((host, settings.port), timeout=1) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return client.recv(64).startswith(b"HTTP/1.1 200")
    return False


def _demo(settings: Settings) -> dict[str, Any] | None:
    """What the demo says about itself, if there is one. Not for a log, which keeps passwords longer than a terminal."""
    if settings.log_format == "json":
        return None
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((settings.data_dir / "demo.json").read_text())
        return found
    return None
