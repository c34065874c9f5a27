"""Processes kept alive as one tree in the foreground. One loop, no threads.

Each child leads a process group of its own, so that a child's own children end with it. A child that ends comes back with
a growing delay. The end of this process, even by SIGKILL, ends the children (the kernel sends them SIGTERM).
"""

import ctypes
import logging
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

RESTART_SECONDS_MIN = 0.5
RESTART_SECONDS_MAX = 30.0
STEADY_SECONDS = 60.0  # a child that lived this long starts without delay again
ONE_STOP_SECONDS = 1.0  # signals so close are one: `make` passes on what its whole group got already
DRAIN_SECONDS_MAX = 7.0  # then SIGKILL: with Redis last, all is over within ten seconds
LAST_SECONDS_MAX = 2.0
_LINE_BYTES_MAX = 4096  # what a pipe takes in one piece
_PR_SET_PDEATHSIG = 1
log = logging.getLogger(__name__)
_COLOURS = (36, 32, 35, 33, 34, 96, 92)


class Stopped(Exception):  # noqa: N818 - not an error
    """The person at the terminal, or the system, asked us to stop."""


@dataclass(slots=True)
class Child:
    """A process to keep alive."""

    name: str
    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0  # when it is down: the moment to start it
    failures: int = 0
    rest: bytes = b""  # the beginning of a line whose end has not come yet

    def delay_seconds(self, *, now: float) -> float:
        """How long to wait before it starts again, longer with each failure in a row."""
        self.failures = 1 if now - self.started_at > STEADY_SECONDS else self.failures + 1
        return float(min(RESTART_SECONDS_MIN * 2 ** (self.failures - 1), RESTART_SECONDS_MAX))


@dataclass(slots=True)
class Terminal:
    """Where lines go. It never blocks: a reader that has stopped reading must not stop the servers."""

    descriptor: int = 1
    prefixed: bool = True
    width: int = 8
    colours: dict[str, int] = field(default_factory=dict)
    dropped: int = 0

    def line(self, name: str, text: str) -> None:
        """One line of a process."""
        if self.prefixed:
            text = f"{self._label(name)} {text}"
        if self.dropped:
            text = f"({self.dropped} lines dropped, because nobody read them)\n{text}"
        self.dropped = 0 if self._write(f"{text}\n") else self.dropped + 1

    def _label(self, name: str) -> str:
        label = f"{name:<{self.width}}|"
        if not os.isatty(self.descriptor) or os.environ.get("NO_COLOR"):
            return label
        colour = self.colours.setdefault(name, _COLOURS[len(self.colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"

    def _write(self, text: str) -> bool:
        data = text.encode(errors="replace")
        for start in range(0, len(data), _LINE_BYTES_MAX):
            if not select.select([], [self.descriptor], [], 0)[1]:
                return False
            try:
                os.write(self.descriptor, data[start : start + _LINE_BYTES_MAX])
            except OSError:  # the terminal is gone; the servers go on
                return False
        return True


class Supervisor:
    """Starts children, passes on what they say, brings them back, and ends them."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._stop_signals = 0
        self._stop_noted_at = -ONE_STOP_SECONDS
        self._wake_reader, wake_writer = os.pipe()
        for descriptor in (self._wake_reader, wake_writer):
            os.set_blocking(descriptor, False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_stop)

    def _note_stop(self, _number: int, _frame: object) -> None:
        if time.monotonic() - self._stop_noted_at >= ONE_STOP_SECONDS:
            self._stop_noted_at = time.monotonic()
            self._stop_signals += 1

    def say(self, text: str) -> None:
        """One line of our own; an entry of the log where machines read."""
        if self.terminal.prefixed:
            self.terminal.line("up", text)
        elif text:
            log.info(text)

    def start(self, name: str, argv: list[str]) -> Child:
        """Start a process and keep it alive from now on."""
        child = Child(name, argv)
        self.children.append(child)
        self._spawn(child)
        return child

    def run_to_end(self, argv: list[str]) -> int:
        """Run a command that ends by itself and give its exit status. Its errors go where ours go.

        Raises:
            Stopped: a signal came first.
        """
        child = Child("up", argv)
        self._spawn(child, errors=None)
        try:
            while (status := self._status(child)) is None:
                self.step()
        finally:
            self._bury(child)
        return status

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> bool:
        """Go on with the loop until something is ready, or until the time is over.

        Raises:
            Stopped: a signal came first.
        """
        deadline = time.monotonic() + seconds
        while not (done := ready()) and time.monotonic() < deadline:
            self.step()
        return done

    def step(self, seconds: float = 0.1) -> None:
        """One turn: pass on lines, bring back children that ended.

        Raises:
            Stopped: a signal came.
        """
        self._listen(seconds)
        if self._stop_signals:
            raise Stopped
        for child in self.children:
            if child.process is not None and self._status(child) is not None:
                self._plan_restart(child)
            elif child.process is None and time.monotonic() >= child.start_at:
                self._spawn(child)

    def forever(self) -> NoReturn:
        """Keep the children alive until a signal comes.

        Raises:
            Stopped: it came.
        """
        while True:
            self.step(1.0)

    def end(self, *, last: str) -> None:
        """Let every child finish what it does and stop it, the one named `last` after the others; then make sure."""
        self._stop_signals = 0
        self._end([child for child in self.children if child.name != last], DRAIN_SECONDS_MAX)
        self._end([child for child in self.children if child.name == last], LAST_SECONDS_MAX)

    def _end(self, children: list[Child], seconds: float) -> None:
        running = [child for child in children if child.process is not None]
        for child in running:
            _signal_group(child, signal.SIGTERM, leader_only=True)
        deadline = time.monotonic() + seconds
        while any(self._status(child) is None for child in running):
            if time.monotonic() > deadline or self._stop_signals:  # a second Ctrl-C: now
                break
            self._listen(0.1)
        for child in running:
            if self._status(child) is None:
                self.say(f"{child.name} did not stop in time and is killed")
            self._bury(child)

    def _spawn(self, child: Child, *, errors: int | None = subprocess.STDOUT) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own commands
            child.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the others in order
            preexec_fn=self._follow_parent(),  # noqa: PLW1509 - safe: this process has no threads
        )
        child.started_at = time.monotonic()
        output = _stdout(child)
        os.set_blocking(output, False)
        self._selector.register(output, selectors.EVENT_READ, child)

    def _follow_parent(self) -> Callable[[], None] | None:
        """Ask the kernel to end a child when we are gone, however we went."""
        libc, parent = self._libc, os.getpid()
        if libc is None:
            return None

        def follow() -> None:
            libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != parent:  # gone already, between fork and here
                os._exit(1)

        return follow

    def _listen(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            if key.data is None:
                os.read(self._wake_reader, 512)
            else:
                self._read(key.data)

    def _read(self, child: Child) -> bool:
        """Pass on the lines that are there; whether there may be more."""
        try:
            data = os.read(_stdout(child), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(_stdout(child))
            return False
        *lines, child.rest = (child.rest + data).split(b"\n")
        if len(child.rest) > 16 * _LINE_BYTES_MAX:
            lines, child.rest = [*lines, child.rest], b""
        for line in lines:
            self.terminal.line(child.name, line.decode(errors="replace"))
        return True

    @staticmethod
    def _status(child: Child) -> int | None:
        """The exit status of a child that has ended: negative for a signal. It stays a zombie, so that its group's number stays ours."""
        if child.process is None:
            return None
        found = os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def _plan_restart(self, child: Child) -> None:
        status = self._status(child) or 0
        self._bury(child)
        delay = child.delay_seconds(now=time.monotonic())
        child.start_at = time.monotonic() + delay
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        self.say(f"{child.name} has stopped ({how}) and starts again in {delay:g} s")

    def _bury(self, child: Child) -> None:
        """Kill what is left of a child's group, pass on its last words, and forget the process."""
        if child.process is None:
            return
        _signal_group(child, signal.SIGKILL)
        child.process.wait()
        while _stdout(child) in self._selector.get_map() and self._read(child):
            pass
        if child.rest:
            self.terminal.line(child.name, child.rest.decode(errors="replace"))
        if _stdout(child) in self._selector.get_map():
            self._selector.unregister(_stdout(child))
        child.process.stdout.close()  # type: ignore[union-attr]
        child.process, child.rest = None, b""


def _stdout(child: Child) -> int:
    if child.process is None or child.process.stdout is None:
        raise RuntimeError(f"{child.name} does not run")
    return child.process.stdout.fileno()


def _signal_group(child: Child, number: signal.Signals, *, leader_only: bool = False) -> None:
    if child.process is None:
        return
    with suppress(ProcessLookupError):
        (os.kill if leader_only else os.killpg)(child.process.pid, number)
