"""Helpers that watch real processes from outside."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_ESTABLISHED = "01"
_PORTS = range(10_000, 32_000)
SECONDS_MAX = 180  # generous: the machine may be busy


def eventually(true: Callable[[], bool], what: str, *, seconds: float = SECONDS_MAX) -> None:
    """Wait until something is true; fail in words when it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


def free_port() -> int:
    """A port that is free now, and so is the one after it, where the edge listens.

    It stands below those that the kernel gives to connections going out: no other test's connection takes it meanwhile.
    """
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        here, beside = ("127.0.0.1", port), ("127.0.0.1", port + 1)
        with contextlib.suppress(OSError), socket.create_server(here), socket.create_server(beside):
            return port


def unread(port: int) -> dict[int, int]:
    """What waits in the kernel of each connection to this port of the loopback, by the port that it comes from.

    A connection that is not yet accepted is one too; one that the server has closed is none.
    Columns of /proc/net/tcp: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[1] == f"0100007F:{port:04X}" and row[3] == _ESTABLISHED]
    return {int(row[2].partition(":")[2], 16): int(row[4].partition(":")[2], 16) for row in ours}


def lives(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def tree(pid: int) -> set[int]:
    """The process and everything below it."""
    found = {pid}
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return found
    for child in children:
        found |= tree(child)
    return found


def command_of(pid: int) -> str:
    """The command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def end(process: subprocess.Popen[bytes]) -> None:
    """Take a process and its tree down after a test, whatever happened."""
    for pid in tree(process.pid) - {process.pid}:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()
