"""`affiliate up` from outside: it comes up, heals itself, leaves nothing behind, and says in one sentence why it cannot start."""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import commands
import factories
import processes
import pytest
from processes import command_of, eventually, lives, tree
from sqlalchemy.orm import Session

from affiliate import up
from affiliate.db import make_engine
from affiliate.demo import cast
from affiliate.settings import Settings

pytestmark = pytest.mark.timeout(600)  # each test starts a dozen processes, on a machine that may be busy

Environment = dict[str, str]
Start = Callable[..., subprocess.Popen[bytes]]
Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "affiliate.cli"]
PROCESSES = {
    "redis": "valkey-server",
    "web": "affiliate.cli web",
    "edge": "affiliate.cli edge",
    "ingest": "affiliate.cli ingest",
    "stages": "affiliate.cli worker stages",
    "slow": "affiliate.cli worker slow",
    "cron": "affiliate.cli cron",
}


@pytest.mark.parametrize(
    ("address", "number"), [("sqlite:///var/affiliate.db", 1), ("postgresql+psycopg:///affiliate", 2)]
)
def test_on_postgresql_a_second_consumer_fills_the_time_in_which_the_first_waits(
    settings: Settings, address: str, number: int
) -> None:
    assert up.consumers(dataclasses.replace(settings, database_url=address)) == number


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Settings of an installation of our own: everything embedded, a free port, no demo."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
    return inherited | {
        "PORT": str(processes.free_port()),
        "DATA_DIR": str(tmp_path / "var"),
        "AFFILIATE_ENV": "test",
        "AFFILIATE_SECRET_KEY": "only-tests-know-this-0123456789-abcdef",
    }


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `affiliate up`; what it says goes to a file."""
    started = []

    def start(environment: Environment) -> subprocess.Popen[bytes]:
        with (tmp_path / "said").open("ab") as said:
            process = subprocess.Popen([*COMMAND, "up"], env=environment, stdout=said, stderr=said)
        started.append(process)
        return process

    yield start
    for process in started:
        processes.end(process)


def _get(environment: Environment, path: str) -> int | None:
    """The status of a page, or None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{environment['PORT']}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _await_ready(environment: Environment, said: Path) -> None:
    answered = f"answers at http://127.0.0.1:{environment['PORT']}"
    eventually(lambda: answered in said.read_text(), "the welcome")
    assert _get(environment, "/healthz") == 200


def _one(supervisor: subprocess.Popen[bytes], pattern: str) -> set[int]:
    return {pid for pid in tree(supervisor.pid) if pattern in command_of(pid)}


def _ended(pids: set[int]) -> bool:
    return not any(lives(pid) for pid in pids)


def _loading_all(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def _refusal(environment: Environment, *arguments: str, run: Run = commands.run) -> str:
    """The one sentence with which a command refuses."""
    answer = run(environment, *(arguments or ("up",)))
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    [line] = answer.stderr.strip().splitlines()
    return line


def test_it_comes_up_heals_every_process_and_ends_without_a_trace(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    supervisor = start(environment)
    _await_ready(environment, tmp_path / "said")
    for name, pattern in PROCESSES.items():
        before = _one(supervisor, pattern)
        assert before, f"{name} does not run"
        os.kill(max(before), signal.SIGKILL)  # of the web server's two, the one that answers
        eventually(lambda before=before: _ended(before), f"the end of {name}")
        eventually(lambda pattern=pattern: bool(_one(supervisor, pattern)), f"another {name}")
    eventually(lambda: _get(environment, "/healthz") == 200, "the pages")
    everybody = tree(supervisor.pid)
    supervisor.terminate()
    assert supervisor.wait(processes.SECONDS_MAX) == 0
    assert _ended(everybody)


def test_one_tree_per_folder_and_a_killed_one_makes_room_for_the_next(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    first = start(environment)
    _await_ready(environment, tmp_path / "said")
    assert all(path.stat().st_mode & 0o077 == 0 for path in Path(environment["DATA_DIR"]).iterdir())
    assert f"(process {first.pid}) works on {environment['DATA_DIR']}" in _refusal(environment, run=_loading_all)
    everybody = tree(first.pid)
    first.kill()
    eventually(lambda: _ended(everybody), "the end of the whole tree")
    (tmp_path / "said").write_text("")
    second = start(environment)
    _await_ready(environment, tmp_path / "said")
    second.send_signal(signal.SIGINT)
    assert second.wait(processes.SECONDS_MAX) == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_runs_on_a_postgresql_and_a_redis_of_ones_own(
    start: Start, environment: Environment, tmp_path: Path, database_url: str, valkey_url: str
) -> None:
    of_ones_own = {"AFFILIATE_DATABASE_URL": database_url, "AFFILIATE_REDIS_URL": valkey_url}
    supervisor = start(environment | of_ones_own | {"AFFILIATE_LOG_FORMAT": "json"})
    _await_ready(environment, tmp_path / "said")
    assert _get(environment, "/readyz") == 200
    assert _one(supervisor, PROCESSES["redis"]) == set()
    assert not (tmp_path / "var" / "affiliate.db").exists()
    supervisor.terminate()
    assert supervisor.wait(processes.SECONDS_MAX) == 0
    assert all(json.loads(line)["message"] for line in (tmp_path / "said").read_text().splitlines())


@pytest.mark.parametrize("beside", [0, 1])
def test_a_taken_port_is_named(environment: Environment, beside: int) -> None:
    port = int(environment["PORT"]) + beside
    with socket.create_server(("127.0.0.1", port)):
        assert f"port {port} (Address already in use)" in _refusal(environment)


@pytest.mark.parametrize("folder", ["file/var", "/proc/var"])
def test_a_data_dir_that_cannot_be_written_is_named(environment: Environment, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    line = _refusal(environment | {"DATA_DIR": str(tmp_path / folder)})
    assert f"DATA_DIR {tmp_path / folder} cannot be written" in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AFFILIATE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/shop", "check AFFILIATE_DATABASE_URL"),
        ("AFFILIATE_DATABASE_URL", "mysql://localhost/shop", "PostgreSQL and SQLite are supported"),
        ("AFFILIATE_DATABASE_URL", "nonsense", "is not a database address"),
        ("AFFILIATE_DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("AFFILIATE_REDIS_URL", "redis://127.0.0.1:1/0", "check AFFILIATE_REDIS_URL"),
        ("AFFILIATE_REDIS_URL", "localhost", "AFFILIATE_REDIS_URL is not a Redis address"),
        ("AFFILIATE_SMTPURL", "smtp://localhost", "AFFILIATE_SMTPURL: Unknown field"),
        ("PORT", "eighty", "AFFILIATE_PORT: Not a valid integer"),
        ("AFFILIATE_ENV", "production", "AFFILIATE_SECRET_KEY is too short"),
    ],
)
def test_a_wrong_setting_is_named(environment: Environment, name: str, value: str, expected: str) -> None:
    short = {"AFFILIATE_SECRET_KEY": "short"} if value == "production" else {}
    line = _refusal(environment | short | {name: value})
    assert expected in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (("/postgres?", "/nothing?"), 'database "nothing" does not exist'),
        (("postgres@", "ghost:secret@"), 'role "ghost" does not exist'),
    ],
)
def test_what_postgresql_refuses_is_passed_on(
    environment: Environment, postgresql_server: str, wrong: tuple[str, str], expected: str
) -> None:
    line = _refusal(environment | {"AFFILIATE_DATABASE_URL": postgresql_server.replace(*wrong)})
    assert expected in line
    assert "secret" not in line


def _database(environment: Environment, revision: str | None) -> None:
    folder = Path(environment["DATA_DIR"])
    folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder / "affiliate.db")) as connection, connection:
        if revision:
            connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])


@pytest.mark.parametrize("command", [("worker", "stages"), ("worker", "slow"), ("ingest",), ("db", "check")])
def test_a_database_without_tables_is_named(environment: Environment, command: tuple[str, ...]) -> None:
    _database(environment, None)
    assert "has no tables yet" in _refusal(environment, *command)


def test_a_database_of_a_newer_version_is_left_alone(environment: Environment) -> None:
    _database(environment, "fffff")
    assert "stands at fffff, which this version does not know" in _refusal(environment)


def test_a_file_that_is_no_database_is_named(environment: Environment) -> None:
    folder = Path(environment["DATA_DIR"])
    folder.mkdir(parents=True)
    (folder / "affiliate.db").write_text("this is not a database, whatever its name says" * 100)
    assert "file is not a database" in _refusal(environment)


def test_production_refuses_a_database_with_the_demos_people(environment: Environment, sqlite_template: Path) -> None:
    folder = Path(environment["DATA_DIR"])
    folder.mkdir(parents=True)
    shutil.copy(sqlite_template, folder / "affiliate.db")
    engine = make_engine(f"sqlite:///{folder / 'affiliate.db'}")
    with Session(engine) as session, session.begin():
        factories.make_user(session, email=cast.STAFF[0].email)
    engine.dispose()
    assert "This database holds the demo" in _refusal(environment | {"AFFILIATE_ENV": "production"})


def test_a_missing_system_library_is_named(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "flask.py").write_text("import ctypes; ctypes.CDLL('libnowhere.so.1')")
    line = _refusal(environment | {"PYTHONPATH": str(tmp_path)}, run=_loading_all)
    assert "system library libnowhere.so.1 is missing" in line
