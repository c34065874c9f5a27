"""A tree of real processes: lines, restarts, and an end that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import processes
import pytest
from processes import eventually, lives

from affiliate.supervisor import DRAIN_SECONDS_MAX, RESTART_SECONDS_MAX, Child

DRIVER = """
import sys
import affiliate.supervisor
from affiliate.supervisor import Stopped, Supervisor, Terminal
affiliate.supervisor.DRAIN_SECONDS_MAX = float(sys.argv[1])
supervisor = Supervisor(Terminal())
try:
    for spec in sys.argv[2:]:
        name, code = spec.split("=", 1)
        supervisor.start(name, [sys.executable, "-u", "-c", code])
    supervisor.forever()
except Stopped:
    pass
finally:
    supervisor.end(last="last")
"""
SLEEP = "import time; time.sleep(1000)"
NOTE_PID = "import os, pathlib; pathlib.Path('{folder}/{name}').write_text(str(os.getpid())); "

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor with children given as name=code; what it says goes to a file."""
    started = []

    def start(*, drain_seconds_max: float = DRAIN_SECONDS_MAX, **children: str) -> subprocess.Popen[bytes]:
        arguments = [f"{name}={code}" for name, code in children.items()]
        with (tmp_path / "said").open("wb") as said:
            command = [sys.executable, "-c", DRIVER, str(drain_seconds_max), *arguments]
            process = subprocess.Popen(command, stdout=said, stderr=said)
        started.append(process)
        return process

    yield start
    for process in started:
        processes.end(process)


def _said(folder: Path) -> str:
    return (folder / "said").read_text()


def _noted(folder: Path, name: str) -> int:
    """The process that a child noted, once it has."""
    path = folder / name
    eventually(lambda: path.exists() and path.read_text() != "", f"the note of {name}")
    return int(path.read_text())


def _noting(folder: Path, name: str, then: str = SLEEP) -> str:
    return NOTE_PID.format(folder=folder, name=name) + then


def test_each_line_carries_the_name_of_its_process(start: Start, tmp_path: Path) -> None:
    start(web=f"print('one'); print('two'); {SLEEP}", ingest=f"import sys; sys.stderr.write('half\\n'); {SLEEP}")
    eventually(lambda: _said(tmp_path).count("\n") >= 3, "three lines")
    assert sorted(_said(tmp_path).splitlines()) == ["ingest  | half", "web     | one", "web     | two"]


def test_last_words_without_an_end_of_line_are_passed_on(start: Start, tmp_path: Path) -> None:
    start(web="import sys; sys.stdout.write('farewell')")
    eventually(lambda: "web     | farewell\n" in _said(tmp_path), "the last words")
    assert "web has stopped (exit status 0) and starts again in 0.5 s" in _said(tmp_path)


def test_a_killed_child_comes_back(start: Start, tmp_path: Path) -> None:
    start(web=_noting(tmp_path, "pid"))
    first = _noted(tmp_path, "pid")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: _noted(tmp_path, "pid") != first, "a new process")
    assert lives(_noted(tmp_path, "pid"))
    assert "web has stopped (SIGKILL)" in _said(tmp_path)


def test_what_a_killed_child_had_started_ends_with_it(start: Start, tmp_path: Path) -> None:
    grandchild = _noting(tmp_path, "grandchild")
    start(
        web=_noting(
            tmp_path, "child", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
        )
    )
    old = _noted(tmp_path, "grandchild")
    os.kill(_noted(tmp_path, "child"), signal.SIGKILL)
    eventually(lambda: not lives(old), "the end of the grandchild")
    assert not lives(old)


def test_the_delay_grows_with_each_failure_and_starts_over_after_a_steady_time() -> None:
    child = Child("web", [])
    assert [child.delay_seconds(now=1.0) for _ in range(4)] == [0.5, 1, 2, 4]
    assert [child.delay_seconds(now=1.0) for _ in range(9)][-1] == RESTART_SECONDS_MAX
    assert child.delay_seconds(now=1000.0) == 0.5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_every_process(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    supervisor = start(web=_noting(tmp_path, "web"), ingest=_noting(tmp_path, "ingest"))
    pids = [_noted(tmp_path, "web"), _noted(tmp_path, "ingest")]
    supervisor.send_signal(number)
    assert supervisor.wait(processes.SECONDS_MAX) == 0
    assert [lives(pid) for pid in pids] == [False, False]


def test_a_child_that_will_not_stop_is_killed(start: Start, tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); "
    supervisor = start(drain_seconds_max=0.5, web=deaf + _noting(tmp_path, "web"))
    stubborn = _noted(tmp_path, "web")
    supervisor.terminate()
    assert supervisor.wait(processes.SECONDS_MAX) == 0
    assert not lives(stubborn)
    assert "web did not stop in time" in _said(tmp_path)


def test_a_signal_that_make_passes_on_once_more_hurries_nobody(start: Start, tmp_path: Path) -> None:
    draining = (
        "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.5), print('drained'), sys.exit())); "
    )
    supervisor = start(web=draining + _noting(tmp_path, "web"))
    _noted(tmp_path, "web")
    supervisor.terminate()
    time.sleep(0.1)  # or the system makes one signal of the two
    supervisor.terminate()
    supervisor.wait(processes.SECONDS_MAX)
    assert "drained" in _said(tmp_path)
    assert "killed" not in _said(tmp_path)


def test_the_last_child_ends_after_all_others(start: Start, tmp_path: Path) -> None:
    saying = "import signal, sys, time; signal.signal(15, lambda *_: ({}, print('{} ends'), sys.exit())); "
    supervisor = start(
        last=saying.format("0", "last") + _noting(tmp_path, "last"),
        web=saying.format("time.sleep(1)", "web") + _noting(tmp_path, "web"),
    )
    _noted(tmp_path, "last")
    _noted(tmp_path, "web")
    supervisor.terminate()
    supervisor.wait(processes.SECONDS_MAX)
    *before, end = _said(tmp_path).splitlines()
    assert any("web" in line for line in before)  # it ended, or was killed after its seven seconds
    assert end == "last    | last ends"


def test_children_end_when_the_supervisor_is_killed(start: Start, tmp_path: Path) -> None:
    supervisor = start(web=_noting(tmp_path, "web"))
    child = _noted(tmp_path, "web")
    supervisor.kill()
    eventually(lambda: not lives(child), "the end of the child")
    assert not lives(child)


def test_a_reader_that_stops_reading_stops_nothing(tmp_path: Path) -> None:
    talkative = "print('x' * 1_000_000, flush=True); " * 3 + _noting(tmp_path, "web")
    command = [sys.executable, "-c", DRIVER, str(DRAIN_SECONDS_MAX), f"web={talkative}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as supervisor:
        try:
            child = _noted(tmp_path, "web")  # it got past its three megabytes
            supervisor.terminate()
            assert supervisor.wait(processes.SECONDS_MAX) == 0
            assert not lives(child)
        finally:
            processes.end(supervisor)
