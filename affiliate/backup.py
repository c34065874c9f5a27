"""A backup of everything while it runs, into a folder that becomes the DATA_DIR of another machine.

Events wander from the spool to Redis to the database, so these are copied in that order: one that moves meanwhile is in two
copies, and counts once by its id; never in none. What was paid is known by the same rows as before.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from affiliate import embedded, errors, queues
from affiliate.settings import Settings

DATABASE, DUMP = "affiliate.db", "database.dump"
_REDIS = "redis"
_PASSING = ("*.sock", "*.pid", "*.log", "*.lock", "metrics")
_REWRITE = "auto-aof-rewrite-percentage"
_REWRITE_SECONDS_MAX = 600


class NotEmpty(errors.Conflict):
    """The folder holds something: a backup is never put over another one."""


class NoDump(errors.Unavailable):
    """`pg_dump` is missing or failed; the message is its own."""


def make(settings: Settings, *, folder: Path) -> list[str]:
    """Write the backup and give the names of its parts. Under the folder's name stands a whole backup or none: it is made beside.

    Raises:
        NotEmpty: the folder exists and is not empty, lies in DATA_DIR, or is a volume of its own.
        NoDump: PostgreSQL could not be dumped.
    """
    folder, data_dir = folder.resolve(), settings.data_dir.resolve()
    if folder.is_relative_to(data_dir) or (folder.exists() and any(folder.iterdir())):
        raise NotEmpty("Name a folder that is empty or new, outside of DATA_DIR.")
    if folder.is_mount():
        raise NotEmpty(f"Name a new folder below {folder}: a whole volume cannot be put into its place at once.")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-unfinished-", dir=folder.parent))
    try:
        _fill(settings, beside)
        beside.rename(folder)  # fails where somebody else was faster
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return sorted(path.name for path in folder.iterdir())


def _fill(settings: Settings, folder: Path) -> None:
    data_dir = settings.data_dir.resolve()
    _copy(data_dir, folder, leave_out=(*_PASSING, f"{DATABASE}*", _REDIS))  # keys, spool
    folder.chmod(0o700)  # the copy took over the mode of DATA_DIR
    if settings.embedded_redis and (data_dir / _REDIS).exists():
        with _no_rewrite(settings):
            _copy(data_dir / _REDIS, folder / _REDIS, leave_out=(*_PASSING, "address"))  # the copy listens elsewhere
    _copy_database(settings, folder)


def _copy(source: Path, target: Path, *, leave_out: tuple[str, ...]) -> None:
    """A folder with all below it; a file that is gone when its turn comes has moved on."""

    def copy(one: str, other: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(one, other)
        return other

    if source.exists():
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns(*leave_out), copy_function=copy, dirs_exist_ok=True
        )


@contextlib.contextmanager
def _no_rewrite(settings: Settings) -> Iterator[None]:
    """Redis writes on meanwhile, but only at the end of its newest file: a copy is whole up to some moment."""
    if not embedded.answers(settings.redis_url):
        yield
        return
    client = queues.connection()
    before = client.config_get(_REWRITE)[_REWRITE] or ""
    client.config_set(_REWRITE, 0)
    try:
        deadline = time.monotonic() + _REWRITE_SECONDS_MAX
        while client.info("persistence")["aof_rewrite_in_progress"] and time.monotonic() < deadline:
            time.sleep(0.1)
        yield
    finally:
        client.config_set(_REWRITE, before)


def _copy_database(settings: Settings, folder: Path) -> None:
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        with (
            contextlib.closing(sqlite3.connect(str(url.database))) as source,
            contextlib.closing(sqlite3.connect(folder / DATABASE)) as target,
        ):
            source.backup(target)  # one step: it sees one instant, and writers go on beside it
        return
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    command = ["pg_dump", "--format=custom", f"--file={folder / DUMP}", f"--dbname={plain}"]
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    except FileNotFoundError as error:
        raise NoDump("pg_dump is not installed: install PostgreSQL's client of the server's version.") from error
    except subprocess.CalledProcessError as error:
        raise NoDump(error.stderr.strip()) from error
