"""From the stream to committed rows: the consumer's rate against a bare COPY (or executemany) of the same rows.

Server, Redis and consumers share this machine's cores; the rate counts reading, decoding, verdicts, uniqueness, rollups and the
acknowledgement. It is that of `affiliate ingest`, as many of them as `affiliate up` starts on this database, from when they have
settled to when the stream is nearly empty. `BENCH_ROWS` says how far the table grows in between (10,000,000 rows, which take some
minutes and 10 GB).
"""

import contextlib
import gc
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import redis
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from figures import Figure

from affiliate import db, garbage, ids, settings, streams, up
from affiliate.ingest import bulk, clicks, partitions
from affiliate.ingest.consumer import BATCH_ENTRIES_MAX, BATCH_ENTRIES_MAX_SQLITE, PAGES_KIB
from affiliate.tracking import codec
from affiliate.tracking.codec import ClickEvent

sys.path.insert(0, str(Path(__file__).parent.parent))
import servers

ROOT = Path(__file__).parent.parent.parent
MEASURED = 60_000
ROUNDS = 3
GROWN = int(os.environ.get("BENCH_ROWS", "10000000"))
_CLICKS_A_SECOND = 500
_LINKS = 2_000
_START = datetime(2026, 11, 1, tzinfo=UTC)
_BROWSERS = [
    f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0" for version in range(80, 130)
]
_MARKED = 20_000
_FILLED_AT_ONCE = 500_000
_STREAM_FULL = 100_000
_SETTLED, _NEARLY_EMPTY = 90_000, 10_000  # of a stream of so many events: rates are taken between the two
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 0.01  # a hundredth of what the fastest takes, and cheap
_MB = 1024

_FILL = """
    INSERT INTO clicks (id, program_id, partner_id, link_id, occurred_at, received_at, verdict, source, visitor_id, subs,
        landing_url, referrer, referrer_host, user_agent, address_prefix, address_hash, country, consent)
    SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS bigint)), 12, '0') || '7' || substr(noise, 1, 3)
            || '8' || substr(noise, 4, 15) AS uuid),
        :program, (CAST(:partners AS uuid[]))[link], (CAST(:links AS uuid[]))[link], at, at, 'valid', 'redirect',
        CASE WHEN n % 2 = 0 THEN gen_random_uuid() END, '{"sub1": "campaign-1", "sub2": "newsletter"}',
        'https://www.shop.example/products/' || n % 1000, 'https://blog1.example/post/' || n % 100, 'blog1.example',
        :user_agent, '192.0.2.0/24', noise || noise, 'IT', 'given'
    FROM (SELECT n, md5(CAST(n AS text)) AS noise, 1 + CAST(floor(:of * power(random(), 3)) AS int) AS link,
              CAST(:began AS timestamptz) + n * interval '1 second' / :a_second AS at
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n OFFSET 0) AS made
"""


class Traffic:
    """Clicks as a busy program gets them, one after the other in time; the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._number = 0
        self._program = UUID(int=self._random.getrandbits(128))
        self._links = [(UUID(int=self._random.getrandbits(128)), UUID(int=number % 300)) for number in range(_LINKS)]

    def take(self, number: int) -> list[ClickEvent]:
        """The next so many."""
        return [self._next() for _ in range(number)]

    def pass_by(self, number: int) -> None:
        """Let so many be stored without anybody making them: the next ones come after them."""
        told: dict[str, Any] = {
            "program": self._program,
            "links": [link for link, _ in self._links],
            "partners": [partner for _, partner in self._links],
            "of": len(self._links),
            "user_agent": _BROWSERS[0],
            "began": _START,
            "a_second": _CLICKS_A_SECOND,
        }
        for first in range(self._number, self._number + number, _FILLED_AT_ONCE):
            last = min(first + _FILLED_AT_ONCE, self._number + number) - 1
            with db.transaction() as session:
                session.execute(sa.text(_FILL), told | {"first": first, "last": last})
        self._number += number

    def _next(self) -> ClickEvent:
        draw, at = self._random, _START + timedelta(seconds=self._number / _CLICKS_A_SECOND)
        self._number += 1
        link, partner = self._links[int(_LINKS * draw.random() ** 3)]
        return ClickEvent(
            click_id=UUID(int=ids.new_at(at).int),
            program_id=self._program,
            partner_id=partner,
            link_id=link,
            occurred_at=at,
            source="redirect",
            link_state="active",
            method="GET",
            purpose=None,
            fetch_dest="document",
            visitor_id=UUID(int=draw.getrandbits(128)) if draw.random() < 0.5 else None,
            subs={"sub1": f"campaign-{int(50 * draw.random() ** 3)}", "sub2": "newsletter"},
            landing_url=f"https://www.shop.example/products/{draw.randrange(1000)}",
            referrer=f"https://blog{int(40 * draw.random() ** 3)}.example/post/{draw.randrange(100)}",
            user_agent=draw.choice(_BROWSERS),
            address_prefix=f"192.0.{draw.randrange(256)}.0/24",
            address_hash=f"{draw.getrandbits(256):064x}",
            country=draw.choice(["IT", "PL", "DE", "FR"]),
            consent="given",
            fetch_site="cross-site",
            fetch_mode="navigate",
            fetch_user="?1",
        )


def measure() -> Iterator[Figure]:
    """SQLite, then PostgreSQL on an empty and on a grown table."""
    with _settled(), tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name:
        folder = Path(name)
        (folder / "valkey").mkdir()
        with servers.valkey(folder / "valkey") as redis_url:
            yield from _sqlite(folder, redis_url)
            (folder / "postgresql").mkdir()
            with servers.postgresql(folder / "postgresql", memory_mb=servers.LARGE_MB) as address:
                yield from _postgresql(address, redis_url, folder)


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Memory as `affiliate ingest` has it; the bare ways have it no worse."""
    db.hold_pages(PAGES_KIB)
    before = gc.get_threshold()
    garbage.settle()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _postgresql(address: str, redis_url: str, folder: Path) -> Iterator[Figure]:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    url = address.replace("postgresql://postgres@/postgres", "postgresql+psycopg://postgres@/bench")
    with _installation(url, redis_url, folder) as client:
        traffic = Traffic()
        empty, rate, copied = _ratio(client, traffic, _rows, _copy)
        yield Figure("PostgreSQL: bare COPY into an empty table, rows/s", copied)
        yield Figure("PostgreSQL: stream to rows by one consumer alone, rows/s", _flow(client, traffic, consumers=1))
        yield Figure("PostgreSQL: stream to rows, empty table, rows/s", rate)
        yield Figure("PostgreSQL: stream to rows / bare COPY, empty table", empty, ">= 0.25")
        yield from _memory(client, traffic)
        began = time.perf_counter()
        traffic.pass_by(GROWN)
        yield Figure(f"PostgreSQL: filled with {GROWN:,} rows, seconds", time.perf_counter() - began)
        with db.transaction() as session:
            session.connection().exec_driver_sql("ANALYZE clicks")
        grown, rate, copied = _ratio(client, traffic, _rows, _copy)
        yield Figure(f"PostgreSQL: bare COPY into {GROWN:,} rows, rows/s", copied)
        yield Figure(f"PostgreSQL: stream to rows, {GROWN:,} rows, rows/s", rate)
        yield Figure(f"PostgreSQL: stream to rows / bare COPY, {GROWN:,} rows", grown, ">= 0.25")
        yield Figure(
            "PostgreSQL: the larger of both ratios against the other", max(empty / grown, grown / empty), "<= 1.3"
        )


def _sqlite(folder: Path, redis_url: str) -> Iterator[Figure]:
    with _installation(f"sqlite:///{folder}/bench.db", redis_url, folder) as client:
        traffic = Traffic()
        with _other_writer(folder / "bench.db") as waits:
            yield Figure("SQLite: the first, with every label new, rows/s", _flow(client, traffic, consumers=1))
        yield Figure("SQLite: the longest wait of another writer meanwhile, ms", 1000 * max(waits), "<= 2500")
        ratio, rate, bare = _ratio(client, traffic, _plain_rows, _executemany)
        yield Figure("SQLite: bare executemany, rows/s", bare)
        yield Figure("SQLite: stream to rows, rows/s", rate)
        yield Figure("SQLite: stream to rows / bare executemany", ratio, ">= 0.25")


@contextlib.contextmanager
def _other_writer(file: Path) -> Iterator[list[float]]:
    """Somebody who saves something several times a second; how long each had to wait, in seconds."""
    waits, ending = [0.0], threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as connection:
            while not ending.wait(_POLL_SECONDS):
                began = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                waits.append(time.perf_counter() - began)
                connection.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        ending.set()
        thread.join()


def _memory(client: redis.Redis, traffic: Traffic) -> Iterator[Figure]:
    """What `affiliate ingest` takes with its stream full, early on its way and at the end."""
    _send(client, traffic.take(_STREAM_FULL))
    with _consuming(1) as (process,):
        _until_left(client, _STREAM_FULL * 3 // 4, process)
        early = _most_resident_mb(process)
        _until_left(client, 0, process)
        late = _most_resident_mb(process)
    yield Figure(f"ingest, memory with {_STREAM_FULL:,} events waiting, MB", late)
    yield Figure("ingest, memory at the end against a quarter of the way (ratio)", late / early, "<= 1.2")


@contextlib.contextmanager
def _consuming(number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [str(ROOT / ".venv" / "bin" / "affiliate"), "ingest"]
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _until_left(
    client: redis.Redis, number: int, *processes: subprocess.Popen[bytes], look: float = _POLL_SECONDS
) -> int:
    """Wait until at most so many events are left; give how many are."""
    while (left := int(client.xlen(streams.click_shard(0)))) > number:
        for process in processes:
            if process.poll() is not None:
                raise RuntimeError(f"ingest ended with {process.returncode}")
        time.sleep(look)
    return left


def _most_resident_mb(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / _MB


def _ratio(
    client: redis.Redis, traffic: Traffic, rows_of: Callable[[Sequence[ClickEvent]], Any], bare: Callable[[Any], None]
) -> tuple[float, float, float]:
    """The middle of a few rounds of each, turn by turn on one growing table: ratio, our rate, the bare rate.

    A ratio is that of two neighbours: this machine is now quicker and now slower by a third.
    """
    ours, others = [], []
    for _ in range(ROUNDS):
        rows = rows_of(traffic.take(MEASURED))
        began = time.perf_counter()
        bare(rows)
        others.append(len(rows) / (time.perf_counter() - began))
        ours.append(_flow(client, traffic, consumers=up.consumers(settings.current())))
    ratios = [our / bare for our, bare in zip(ours, others, strict=True)]
    return statistics.median(ratios), statistics.median(ours), statistics.median(others)


def _flow(client: redis.Redis, traffic: Traffic, *, consumers: int) -> float:
    """Rows a second of so many consumers side by side."""
    _send(client, traffic.take(_STREAM_FULL))
    with _consuming(consumers) as processes:
        first = _until_left(client, _SETTLED, *processes, look=_LOOK_SECONDS)
        began = time.perf_counter()
        last = _until_left(client, _NEARLY_EMPTY, *processes, look=_LOOK_SECONDS)
        rate = (first - last) / (time.perf_counter() - began)
        _until_left(client, 0, *processes)
    return rate


def _send(client: redis.Redis, events: Sequence[ClickEvent]) -> None:
    for start in range(0, len(events), _MARKED):
        with client.pipeline(transaction=False) as pipeline:
            for event in events[start : start + _MARKED]:
                pipeline.xadd(streams.click_stream(event.click_id), {streams.FIELD: codec.encode(event)})
            pipeline.execute()


def _rows(events: Sequence[ClickEvent]) -> list[tuple[Any, ...]]:
    return clicks.prepare(events=events, now=_START).rows


def _plain_rows(events: Sequence[ClickEvent]) -> list[tuple[Any, ...]]:
    """With instants as SQLite's driver takes them, which costs the bare way nothing."""
    return [tuple([str(part) if isinstance(part, datetime) else part for part in row]) for row in _rows(events)]


def _copy(rows: Sequence[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), BATCH_ENTRIES_MAX):
        with db.transaction() as session:
            driver: Any = session.connection().connection.driver_connection
            names = ", ".join(bulk.CLICK_COLUMNS)
            with driver.cursor() as cursor, cursor.copy(f"COPY clicks ({names}) FROM STDIN") as copy:
                for row in rows[start : start + BATCH_ENTRIES_MAX]:
                    copy.write_row(row)


def _executemany(rows: Sequence[tuple[Any, ...]]) -> None:
    names, marks = ", ".join(bulk.CLICK_COLUMNS), ", ".join("?" * len(bulk.CLICK_COLUMNS))
    statement = f"INSERT INTO clicks ({names}) VALUES ({marks})"  # noqa: S608 - our names
    for start in range(0, len(rows), BATCH_ENTRIES_MAX_SQLITE):
        with db.transaction() as session:
            session.connection().exec_driver_sql(statement, list(rows[start : start + BATCH_ENTRIES_MAX_SQLITE]))


@contextlib.contextmanager
def _installation(url: str, redis_url: str, folder: Path) -> Iterator[redis.Redis]:
    """A migrated database and an empty stream, as the settings of this process."""
    before = dict(os.environ)
    os.environ |= {"AFFILIATE_DATABASE_URL": url, "AFFILIATE_REDIS_URL": redis_url, "DATA_DIR": str(folder / "data")}
    settings.current.cache_clear()
    db.dispose()
    engine = db.make_engine(url)
    with engine.connect() as connection:
        config = Config(toml_file=str(ROOT / "pyproject.toml"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    with db.transaction() as session:
        partitions.ensure(session, now=_START)
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    try:
        yield client
    finally:
        client.close()
        db.dispose()
        os.environ.clear()
        os.environ |= before
        settings.current.cache_clear()
