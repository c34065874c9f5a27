"""Fixtures: real Valkey, a migrated database on SQLite and on PostgreSQL for each test, the Flask app and its client."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from xdist.scheduler import LoadScopeScheduling

from affiliate import db, garbage
from affiliate import settings as settings_module
from affiliate.settings import Settings

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))  # `import factories`, `import servers`

import servers  # noqa: E402 - found through the path above
import warm  # noqa: E402 - the same

MEMORY, MEMORY_BYTES_MIN = Path("/dev/shm"), 2 * 1024**3  # noqa: S108 - Linux's own folder for files in memory


def _is_roomy(folder: Path) -> bool:
    """Whether what the tests write and run has room there; a container's is often small, or runs nothing."""
    try:
        system = os.statvfs(folder)
    except OSError:
        return False
    return system.f_bavail * system.f_frsize >= MEMORY_BYTES_MIN and not system.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)


if "TMPDIR" not in os.environ and _is_roomy(MEMORY):
    # Each copy of a PostgreSQL database is 750 files: making and removing them on a disk took a quarter of all time.
    tempfile.tempdir = str(MEMORY)
warm.keep()
# An example may take as long as it takes: on a busy machine one of 200 ms, the library's own limit, fails a test that is right.
hypothesis_settings.register_profile(
    "any", hypothesis_settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any")
_numbers = count(1)
SECRET_KEY = "a-secret-that-only-tests-know-0123456789"


class _Together(LoadScopeScheduling):
    """Any process runs any test, but what shares one installation or one demo stays in one process, and comes first.

    Not xdist's own groups: those of 3.8 have no effect under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in _SHARED if nodeid.startswith(place)), nodeid)


_SHARED = ("tests/flow/", "tests/demo/test_service.py", "tests/test_translations.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How the tests are divided among processes."""
    return _Together(config, log)


def pytest_collection_finish() -> None:
    """All tests and all code are loaded: looking for garbage among them again and again took a fifth of the time."""
    garbage.settle()


@sa.event.listens_for(Engine, "connect")
def _without_disk(connection: Any, _record: Any) -> None:
    """In the tests' own process SQLite waits for no disk, as PostgreSQL here does not; servers that tests kill do."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=OFF")


def migrate(engine: Engine) -> None:
    """Run all migrations over this engine's database."""
    with engine.connect() as connection:
        config = Config(toml_file=str(ROOT / "pyproject.toml"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of this worker's Valkey."""
    with servers.valkey(tmp_path_factory.mktemp("valkey"), durable=False) as address:
        yield address


@pytest.fixture
def redis_client(valkey_url: str) -> Iterator[redis.Redis]:
    """An empty Valkey."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = db.make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection to close writes the log back into the file
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """This worker's PostgreSQL with a migrated database named `template`."""
    # Not below pytest's own folder: the next pytest of the same person closes that one to PostgreSQL's ordinary user.
    with tempfile.TemporaryDirectory(prefix="affiliate-postgresql-") as name:
        folder = Path(name) / "server"
        folder.mkdir()
        yield from _migrated_postgresql(folder)


def _migrated_postgresql(folder: Path) -> Iterator[str]:
    with servers.postgresql(folder) as address:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE template")
        engine = db.make_engine(_psycopg_url(address, "template"))
        migrate(engine)
        engine.dispose()
        yield address


def _psycopg_url(address: str, name: str) -> str:
    return address.replace("postgresql://postgres@/postgres", f"postgresql+psycopg://postgres@/{name}")


def _copy_postgresql(address: str, name: str, *, of: str) -> str:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY")
    return _psycopg_url(address, name)


Furnish = Callable[[Session], None]


@pytest.fixture
def furnish() -> Furnish | None:
    """What writes the rows that each test of a file finds in its own database: a file that wants some has a fixture of this name.

    It runs once per process and kind of database; the tests get copies.
    """
    return None


@pytest.fixture(scope="session")
def furnished() -> dict[tuple[str, Furnish], Any]:
    """The databases in which somebody has written already, to copy."""
    return {}


def _written(url: str, furnish: Furnish) -> None:
    engine = db.make_engine(url)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        furnish(session)
    engine.dispose()


def _sqlite_template(template: Path, furnish: Furnish | None, furnished: dict[tuple[str, Furnish], Any]) -> Path:
    if furnish is None:
        return template
    if ("sqlite", furnish) not in furnished:
        copy = template.with_name(f"furnished_{next(_numbers)}.db")
        shutil.copy(template, copy)
        _written(f"sqlite:///{copy}", furnish)
        furnished["sqlite", furnish] = copy
    path: Path = furnished["sqlite", furnish]
    return path


def _postgresql_template(address: str, furnish: Furnish | None, furnished: dict[tuple[str, Furnish], Any]) -> str:
    if furnish is None:
        return "template"
    if ("postgresql", furnish) not in furnished:
        name = f"furnished_{next(_numbers)}"
        _written(_copy_postgresql(address, name, of="template"), furnish)
        furnished["postgresql", furnish] = name
    return str(furnished["postgresql", furnish])


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    furnish: Furnish | None,
    furnished: dict[tuple[str, Furnish], Any],
) -> Iterator[str]:
    """A fresh migrated database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        copy = tmp_path / "affiliate.db"
        shutil.copy(_sqlite_template(request.getfixturevalue("sqlite_template"), furnish, furnished), copy)
        yield f"sqlite:///{copy}"
    else:
        address, name = request.getfixturevalue("postgresql_server"), f"test_{next(_numbers)}"
        yield _copy_postgresql(address, name, of=_postgresql_template(address, furnish, furnished))
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(
    sqlite_template: Path, tmp_path: Path, furnish: Furnish | None, furnished: dict[tuple[str, Furnish], Any]
) -> str:
    """A fresh migrated SQLite database, for tests that need only one."""
    copy = tmp_path / "affiliate.db"
    shutil.copy(_sqlite_template(sqlite_template, furnish, furnished), copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the fresh database, on both kinds in turn."""
    engine = db.make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on the fresh database. Commit to let other connections see."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


def _environment(tmp_path: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "AFFILIATE_ENV": "test",
        "AFFILIATE_DATA_DIR": str(tmp_path / "var"),
        "AFFILIATE_DATABASE_URL": database_url,
        "AFFILIATE_REDIS_URL": redis_url,
        "AFFILIATE_SECRET_KEY": SECRET_KEY,
        "AFFILIATE_BASE_URL": "http://localhost",
    }


@contextlib.contextmanager
def using_settings(environment: dict[str, str]) -> Iterator[Settings]:
    """This process reads these settings: `settings.current()`, `db.transaction()` and jobs see them."""
    before = dict(os.environ)
    os.environ.update(environment)
    settings_module.current.cache_clear()
    db.dispose()
    try:
        yield settings_module.current()
    finally:
        db.dispose()
        os.environ.clear()
        os.environ.update(before)
        settings_module.current.cache_clear()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, valkey_url: str, redis_client: redis.Redis) -> Iterator[Settings]:
    """Settings of this process on the fresh database (both kinds in turn) and an empty Valkey."""
    with using_settings(_environment(tmp_path, database_url, valkey_url)) as settings:
        yield settings


@pytest.fixture
def sqlite_settings(tmp_path: Path, sqlite_url: str, valkey_url: str, redis_client: redis.Redis) -> Iterator[Settings]:
    """Settings of this process on SQLite and an empty Valkey."""
    with using_settings(_environment(tmp_path, sqlite_url, valkey_url)) as settings:
        yield settings


@pytest.fixture
def app(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application on SQLite. Forms need no token here; the tests of tokens switch them on."""
    from affiliate.accounts import limits
    from affiliate.app import create_app

    # A Redis that a busy machine lets wait is not one that is away: counting would begin anew in memory.
    monkeypatch.setattr(limits, "REDIS_SECONDS_MAX", 60)
    app = create_app(sqlite_settings)
    app.config.update(WTF_CSRF_ENABLED=False)
    return app


@pytest.fixture
def app_session(app: Flask, sqlite_url: str) -> Iterator[Session]:
    """A session beside the app, on the app's database, to prepare and to check. Commit to let the app see."""
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()


@pytest.fixture
def now() -> datetime:
    """The instant at which tests happen."""
    return datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


class QueryCounter:
    """Counts the statements that an engine executes."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)


@pytest.fixture
def count_queries() -> Any:
    """A context manager that counts the SQL statements of all engines of this process."""

    @contextlib.contextmanager
    def counting() -> Iterator[QueryCounter]:
        counter = QueryCounter()

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("PRAGMA", "BEGIN")):
                counter.statements.append(statement)

        sa.event.listen(Engine, "before_cursor_execute", note)
        try:
            yield counter
        finally:
            sa.event.remove(Engine, "before_cursor_execute", note)

    return counting
