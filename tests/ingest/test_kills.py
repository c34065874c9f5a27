"""Ingest, Redis and PostgreSQL are killed at random moments under load: nothing is lost, nothing is counted twice."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import servers
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from event_cast import PROGRAM_ID, click, sale
from factories import make_program
from processes import eventually

from affiliate import clock, db, settings, streams
from affiliate.ingest.models import Click, Conversion, DeadLetter
from affiliate.ingest.recount import recount
from affiliate.tracking import codec

ROOT = Path(__file__).parent.parent.parent
INGEST = """
from affiliate import tables
from affiliate.ingest import consumer
consumer.BATCH_ENTRIES_MAX = 200
consumer.run(stale_seconds=2)
"""
CLICKS, ORDERS, KILLS = 4_000, 400, 9


class Tree:
    """The three processes; each is killed and started again in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folders = {name: folder / name for name in ("redis", "postgresql")}
        for each in self._folders.values():
            each.mkdir()
        self._stacks: dict[str, ExitStack] = {}
        self.redis_url = self._serve("redis")
        self.database_url = self._serve("postgresql")
        self._ingest: subprocess.Popen[bytes] | None = None

    def _serve(self, name: str) -> str:
        stack = self._stacks[name] = ExitStack()
        if name == "redis":
            return stack.enter_context(servers.valkey(self._folders[name]))
        return stack.enter_context(servers.postgresql(self._folders[name], survives_kill=True))

    def ingest(self) -> None:
        """Start ingest, as a supervisor does."""
        log = (self._folders["redis"] / "ingest.log").open("ab")
        self._ingest = subprocess.Popen([sys.executable, "-c", INGEST], stderr=log, env=os.environ.copy())

    def kill(self, name: str) -> None:
        """End it without a word, and start it again."""
        if name == "ingest":
            assert self._ingest is not None
            self._ingest.kill()
            self._ingest.wait()
            return self.ingest()
        pid_file = self._folders[name] / "data" / "postmaster.pid"
        if name == "redis":
            pid = int(redis.Redis.from_url(self.redis_url).info("server")["process_id"])
        else:
            pid = int(pid_file.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self._stacks[name].close()
        if name == "postgresql":
            pid_file.unlink(missing_ok=True)
        eventually(lambda: self._came_back(name), f"{name} is back")
        return None

    def _came_back(self, name: str) -> bool:
        with contextlib.suppress(TimeoutError):  # its backends still end
            self._serve(name)
            return True
        return False

    def end(self) -> None:
        """End all of it."""
        if self._ingest is not None:
            self._ingest.kill()
            self._ingest.wait()
        for stack in self._stacks.values():
            stack.close()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    with psycopg.connect(tree.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    url = tree.database_url.replace("postgresql://postgres@/postgres", "postgresql+psycopg://postgres@/shop")
    monkeypatch.setenv("AFFILIATE_ENV", "test")
    monkeypatch.setenv("AFFILIATE_DATABASE_URL", url)
    monkeypatch.setenv("AFFILIATE_REDIS_URL", tree.redis_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    settings.current.cache_clear()
    db.dispose()
    engine = db.make_engine(url)
    with engine.connect() as connection:
        config = Config(toml_file=str(ROOT / "pyproject.toml"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    with db.transaction() as session:
        make_program(session, id=PROGRAM_ID)
    db.dispose()
    yield tree
    db.dispose()
    tree.end()
    settings.current.cache_clear()


def send(url: str, events: list[codec.Event]) -> None:
    """What a client does: send until it is acknowledged, and so now and then twice."""
    client = redis.Redis.from_url(url, socket_timeout=2)
    for event in events:
        is_click = isinstance(event, codec.ClickEvent)
        stream = streams.click_shard(0) if is_click else streams.order_shard(0)
        while True:
            try:
                client.xadd(stream, {streams.FIELD: codec.encode(event)})
                break
            except redis.RedisError:
                time.sleep(0.05)


@pytest.mark.faults
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_moments_lose_nothing_and_double_nothing(tree: Tree, seed: int) -> None:
    chance = random.Random(seed)
    orders = [sale(str(number), delivery=number + 1) for number in range(ORDERS)]
    clicks = [click(number, occurred_at=clock.now(), address_hash=f"{number % 50:x}") for number in range(CLICKS)]
    events: list[Any] = [*orders, *clicks]
    chance.shuffle(events)
    tree.ingest()
    sender = threading.Thread(target=send, args=(tree.redis_url, events))
    sender.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 1.5))
        tree.kill(chance.choice(["ingest", "ingest", "redis", "postgresql"]))
    sender.join()
    client = redis.Redis.from_url(tree.redis_url)
    eventually(lambda: empty(client), "all is taken")
    assert (count(Click), count(Conversion), count(DeadLetter)) == (CLICKS, ORDERS, 0)
    with db.reading() as session:
        found = recount(session, limit=5, now=clock.now())
    assert (found.raw, list(found.differences)) == (CLICKS, [])


def empty(client: redis.Redis) -> bool:
    return not any(client.xlen(name) for name in (streams.click_shard(0), streams.order_shard(0)))


def count(table: Callable[..., Any]) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
