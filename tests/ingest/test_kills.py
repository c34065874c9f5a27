"""Every process is killed at random moments under load: nothing that was acknowledged is lost, nothing counts twice."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import fault_site
import processes
import psycopg
import pytest
import servers
from alembic import command
from alembic.config import Config
from event_cast import sale
from fault_site import INGEST, Counted, Shop, Site, Visitors
from processes import eventually

from affiliate import db, streams
from affiliate.tracking import codec

ROOT = Path(__file__).parent.parent.parent
OURS = ("web", "edge", *INGEST, "redis")
KILLS = 12
POISON = (
    codec.encode(sale("p1")).replace(b',"api"', b""),
    codec.encode(sale("p2", coupon="X")).replace(b'"X"', b'"X\\u0000"'),
    codec.encode(sale("p3", coupon="X")).replace(b'"X"', b'"\\ud800"'),
    b"[99" + codec.encode(sale("p4"))[2:],
    b'[2,"' + b"x" * 10_000_000 + b'"]',
)
"""A field too few, NUL, half a character, a version of tomorrow, ten megabytes."""


class Database:
    """A PostgreSQL that is killed, and started again in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        address = self._stack.enter_context(servers.postgresql(folder, survives_kill=True))
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        self.url = address.replace("postgresql://postgres@/postgres", "postgresql+psycopg://postgres@/shop")
        engine = db.make_engine(self.url)
        with engine.connect() as migrated:
            config = Config(toml_file=str(ROOT / "pyproject.toml"))
            config.attributes["connection"] = migrated
            command.upgrade(config, "head")
        engine.dispose()

    def restart(self) -> None:
        """Kill it without a word, and wait until it is back."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """`kill -9` of all its processes: who asks is refused."""
        pid_file = self._folder / "data" / "postmaster.pid"
        for pid in processes.tree(int(pid_file.read_text().split()[0])):
            with contextlib.suppress(ProcessLookupError):  # a backend that had ended
                os.kill(pid, signal.SIGKILL)
        self.end()
        pid_file.unlink(missing_ok=True)

    def start(self) -> None:
        """Start it in its folder."""
        self._stack.enter_context(servers.postgresql(self._folder, survives_kill=True))

    def end(self) -> None:
        """Take it down."""
        self._stack.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database."""
    (tmp_path / "postgresql").mkdir()
    database = Database(tmp_path / "postgresql")
    yield database
    database.end()


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Iterator[Site]:
    """Everything that takes an event on its way to a row."""
    (tmp_path / "site").mkdir()
    with fault_site.running(tmp_path / "site", database.url, "web", "edge", *INGEST) as site:
        yield site


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_moments_lose_nothing_and_double_nothing(database: Database, site: Site, seed: int) -> None:
    chance = random.Random(seed)
    with (
        Visitors(site, "web", per_second=40) as at_web,
        Visitors(site, "edge", per_second=40) as at_edge,
        Shop(site) as shop,
    ):
        for number in range(KILLS):
            time.sleep(chance.uniform(0.1, 1.5))
            if number < len(POISON):
                site.redis.xadd(streams.order_shard(0), {streams.FIELD: POISON[number]})
            name = chance.choice([*OURS, "postgresql"])
            if name == "postgresql":
                database.restart()
            else:
                site.restart(name)
        for load in (at_web, at_edge, shop):
            load.have_gone_on(10)
    counted = Counted.of(site)
    assert counted.wrongs(shop, at_web, at_edge) == {}
    assert counted.dead_letters == len(POISON)


@pytest.mark.faults
def test_while_postgresql_refuses_pages_say_so_and_links_and_orders_go_on(database: Database, site: Site) -> None:
    """Connections that were good a moment ago stand in the pool."""
    with ThreadPoolExecutor(_PAGES) as pool:

        def pages() -> set[int]:
            return set(pool.map(lambda _: site.get("web", "/apply/ondera").status, range(_PAGES)))

        assert pages() == {200}
        with Visitors(site, "web") as at_web, Visitors(site, "edge") as at_edge, Shop(site) as shop:
            database.kill()
            for load in (at_web, at_edge, shop):
                load.have_gone_on(10)
            assert pages() == {503}
            database.start()
        eventually(lambda: pages() == {200}, "pages")
    assert Counted.of(site).wrongs(shop, at_web, at_edge) == {}


_PAGES = 10
