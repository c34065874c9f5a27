"""A backup made under load becomes another machine: its books balance, its events are there, and nothing is paid again."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import processes
import pytest
import redis
import sqlalchemy as sa
from money_cast import MATURE, Books, open_books
from processes import eventually
from sqlalchemy.orm import Session

from affiliate import db, embedded
from affiliate.ledger.models import LedgerTransfer, TransferKind
from affiliate.payouts import proof, service
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.settings import embedded_redis_url

PAYDAY = MATURE + timedelta(days=1)


def affiliate(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line of the machine whose DATA_DIR this is."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
    environment |= {"AFFILIATE_DATA_DIR": str(home), "AFFILIATE_ENV": "development"}
    command = [sys.executable, "-m", "affiliate.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """The DATA_DIR of a machine with a migrated database and keys."""
    folder = tmp_path / "var"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "affiliate.db")
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
    """An order, its run, paid."""
    books.order()
    books.work(now=MATURE)
    facts = {"program_id": books.program.id, "now": PAYDAY}
    run = service.propose(books.session, actor=books.alice, **facts)
    service.approve_run(books.session, run_id=run.id, actor=books.bob, **facts)
    service.mark_paid(books.session, run_id=run.id, actor=books.bob, **facts)
    books.session.commit()


class Load(threading.Thread):
    """Somebody who sells and pays without a pause, and a stream that grows."""

    def __init__(self, home: Path, events: redis.Redis) -> None:
        super().__init__()
        self.engine, self.events = db.make_engine(f"sqlite:///{home / 'affiliate.db'}"), events
        self.rounds, self.done = 0, threading.Event()

    def run(self) -> None:
        with Session(self.engine, expire_on_commit=False) as session:
            books = open_books(session)
            while not self.done.is_set():
                pay_once(books)
                self.events.xadd("events", {"round": self.rounds})
                self.rounds += 1


def test_a_backup_under_load_is_whole_and_pays_nothing_again(home: Path, events: redis.Redis, tmp_path: Path) -> None:
    load, folder = Load(home, events), tmp_path / "backup"
    load.start()
    eventually(lambda: load.rounds > 2 or not load.is_alive(), "some payouts")
    made, known = affiliate(home, "backup", str(folder)), load.rounds
    load.done.set()
    load.join()
    assert made.returncode == 0, made.stderr
    assert (folder.stat().st_mode & 0o777, (folder / "details-keys").read_text()) == (0o700, "a key\n")
    verified = affiliate(folder, "ledger", "verify")
    assert verified.stdout.startswith("The books balance:"), verified.stderr
    engine = db.make_engine(f"sqlite:///{folder / 'affiliate.db'}")
    with Session(engine) as session:
        settled = session.scalars(sa.select(LedgerTransfer.source_id).filter_by(kind=TransferKind.SETTLE)).all()
        assert 2 < len(settled) <= load.rounds
        assert len(settled) == len(set(settled))
        (run, *_) = session.scalars(sa.select(PayoutRun).filter_by(status=PayoutStatus.PAID))
        actor = service.Actor(kind="user", id=run.proposed_by_id)
        with pytest.raises(service.WrongStatus):
            service.mark_paid(session, run_id=run.id, program_id=run.program_id, actor=actor, now=PAYDAY)
        assert proof.verify(session).findings == []
    engine.dispose()
    for restored in running(folder):
        assert 2 < restored.xlen("events") <= load.rounds
    assert known > 2


def test_a_backup_is_never_put_over_another_one(home: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "old").touch()
    for folder in (full, home / "inside"):
        refused = affiliate(home, "backup", str(folder))
        assert (refused.returncode, "empty or new" in refused.stderr) == (2, True)
