"""A backup made under load becomes another machine: its books balance, its events are there, and nothing is paid again."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import commands
import processes
import psycopg
import pytest
import redis
import servers
import sqlalchemy as sa
from money_cast import MATURE, Books, open_books
from processes import eventually
from sqlalchemy.orm import Session

from affiliate import backup, db, embedded
from affiliate.accounts.actors import Actor
from affiliate.ledger.models import LedgerTransfer, TransferKind
from affiliate.payouts import proof, queries, service
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.settings import Settings, embedded_redis_url

PAYDAY = MATURE + timedelta(days=1)


def affiliate(home: Path, *words: str, database_url: str = "") -> subprocess.CompletedProcess[str]:
    """The command line of the machine whose DATA_DIR this is."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
    environment |= {"AFFILIATE_DATA_DIR": str(home), "AFFILIATE_ENV": "development"}
    environment |= {"PATH": f"{servers.postgresql_clients()}:{os.environ['PATH']}"}
    environment |= {"AFFILIATE_DATABASE_URL": database_url} if database_url else {}
    return commands.run(environment, *words)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The DATA_DIR of a machine with keys, whose database lies elsewhere."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "details-keys").write_text("a key\n")
    return folder


@pytest.fixture
def events(home: Path) -> Iterator[redis.Redis]:
    """The embedded Redis of that machine."""
    yield from running(home)


def running(folder: Path) -> Iterator[redis.Redis]:
    url = embedded_redis_url(folder)
    process = subprocess.Popen(embedded.command(data_dir=folder, url=url))
    eventually(lambda: embedded.answers(url), "an answer of Redis")
    yield redis.Redis.from_url(url)
    processes.end(process)


def pay_once(books: Books) -> None:
    """An order and its run until it is paid, each step a transaction of its own."""
    books.order()
    books.work(now=MATURE)
    books.session.commit()
    facts = {"program_id": books.program.id, "now": PAYDAY}
    run = service.propose(books.session, actor=books.alice, **facts)
    books.session.commit()
    for step in (service.approve_run, service.mark_paid):
        step(books.session, run_id=run.id, actor=books.bob, **facts)
        books.session.commit()


class Load(threading.Thread):
    """Somebody who sells and pays without a pause, and a stream that grows."""

    def __init__(self, database_url: str, events: redis.Redis) -> None:
        super().__init__()
        self.engine, self.events = db.make_engine(database_url), events
        self.rounds, self.done = 0, threading.Event()

    def run(self) -> None:
        with Session(self.engine, expire_on_commit=False) as session:
            books = open_books(session)
            while not self.done.is_set():
                pay_once(books)
                self.events.xadd("events", {"round": self.rounds})
                self.rounds += 1
        self.engine.dispose()


@contextlib.contextmanager
def restored(folder: Path, database_url: str) -> Iterator[str]:
    """The address of the database on the empty machine that the backup became, put there as the manual says."""
    if not (folder / "database.dump").exists():
        yield f"sqlite:///{folder / 'affiliate.db'}"
        return
    with psycopg.connect(plain(database_url), autocommit=True) as server:
        server.execute("CREATE DATABASE empty_machine TEMPLATE template0")
        address = sa.make_url(database_url).set(database="empty_machine").render_as_string()
        command = [servers.postgresql_clients() / "pg_restore", f"--dbname={plain(address)}", folder / "database.dump"]
        subprocess.run(command, check=True, timeout=120)
        yield address
        server.execute("DROP DATABASE empty_machine WITH (FORCE)")


def plain(address: str) -> str:
    """The address as PostgreSQL's own programs take it."""
    return sa.make_url(address).set(drivername="postgresql").render_as_string()


def test_a_backup_under_load_is_whole_and_pays_nothing_again(
    home: Path, events: redis.Redis, tmp_path: Path, database_url: str
) -> None:
    load, folder = Load(database_url, events), tmp_path / "backup"
    load.start()
    eventually(lambda: load.rounds > 2 or not load.is_alive(), "some payouts")
    made, known = affiliate(home, "backup", str(folder), database_url=database_url), load.rounds
    load.done.set()
    load.join()
    assert made.returncode == 0, made.stderr
    assert (folder.stat().st_mode & 0o777, (folder / "details-keys").read_text()) == (0o700, "a key\n")
    with restored(folder, database_url) as address:
        verified = affiliate(folder, "ledger", "verify", database_url=address)
        assert verified.stdout.startswith("The books balance:"), verified.stderr
        assert_nothing_is_paid_again(address, rounds=load.rounds)
    for stream in running(folder):
        assert 2 < stream.xlen("events") <= load.rounds
    assert known > 2


def assert_nothing_is_paid_again(address: str, *, rounds: int) -> None:
    """Each payout that was paid is so still, and can be neither paid nor proposed another time."""
    engine = db.make_engine(address)
    with Session(engine) as session:
        settled = session.scalars(sa.select(LedgerTransfer.source_id).filter_by(kind=TransferKind.SETTLE)).all()
        assert 2 < len(settled) <= rounds
        assert len(settled) == len(set(settled))
        (run, *_) = session.scalars(sa.select(PayoutRun).filter_by(status=PayoutStatus.PAID))
        facts = {"program_id": run.program_id, "actor": Actor(kind="user", id=run.proposed_by_id), "now": PAYDAY}
        with pytest.raises(service.WrongStatus):
            service.mark_paid(session, run_id=run.id, **facts)
        again = [due.commissions for due in queries.preview(session, program_id=run.program_id, now=PAYDAY).payable]
        assert sum(again) <= 1  # the order that was on its way when the copy was made
        assert proof.verify(session).findings == []
    engine.dispose()


def test_a_backup_is_never_put_over_another_one(sqlite_settings: Settings, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "old").touch()
    for folder in (full, sqlite_settings.data_dir / "inside"):
        with pytest.raises(backup.NotEmpty, match="empty or new"):
            backup.make(sqlite_settings, folder=folder)


def test_who_has_no_pg_dump_is_told_what_to_install(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    elsewhere = replace(sqlite_settings, database_url="postgresql+psycopg://nobody@localhost/nothing")
    with pytest.raises(backup.NoDump, match="install PostgreSQL's client"):
        backup.make(elsewhere, folder=tmp_path / "backup")
    assert [path for path in tmp_path.iterdir() if "backup" in path.name] == []  # not even a part of one
