"""Twenty people propose, approve, pay and cancel one run at once over HTTP, while its order is refunded: paid once, lost nothing.

In every third round web server and worker are killed in the middle.
"""

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import processes
import pytest
import requests
import sqlalchemy as sa
from accounts_cast import give, make_person, sign_in
from factories import make_refund
from money_cast import Books, open_books
from processes import eventually
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, db, ids, queues, worker
from affiliate.accounts.models import GrantRole, User
from affiliate.app import create_app
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ingest.models import Conversion, Refund
from affiliate.ledger.models import LedgerTransfer, TransferKind
from affiliate.money import Money
from affiliate.payouts import proof
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.settings import Settings

PEOPLE = 20
BUSY = "503"  # a database that is waited for too long is an honest answer
ACTS = ("approve", "paid", "cancel", "paid")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What one person was told: a status, or that the server was gone."""

    act: str
    said: str
    page: str = ""


class Servers:
    """Web server, worker and cron as processes of their own, which can be killed and started again."""

    def __init__(self, settings: Settings, said: Path) -> None:
        port = processes.free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._environment = dict(os.environ) | {
            "PORT": str(port), "AFFILIATE_DATABASE_URL": settings.database_url,
            "AFFILIATE_DATA_DIR": str(settings.data_dir), "AFFILIATE_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        self._said = said
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        for name in names:
            with self._said.open("ab") as said:
                command = [sys.executable, "-m", "affiliate.cli", *name.split()]
                started = subprocess.Popen(command, env=self._environment, stdout=said, stderr=said, cwd=ROOT)
                self._running[name] = started

    def wait(self) -> None:
        eventually(self._answers, "an answer of the web server")

    def _answers(self) -> bool:
        assert self._running["web"].poll() is None, f"web has ended: {self.words()}"
        try:
            return requests.get(f"{self.address}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def words(self) -> str:
        """The last that they have said."""
        return self._said.read_text()[-4_000:]

    def kill(self, *names: str) -> None:
        for name in names or tuple(self._running):
            processes.end(self._running.pop(name))


@pytest.fixture
def servers(settings: Settings, tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(settings, tmp_path / "said")
    try:
        servers.start("web", "worker stages", "cron")  # they come up while people sign in
        yield servers
    finally:
        servers.kill()


@pytest.fixture
def books(settings: Settings, engine: Engine) -> Iterator[Books]:
    with Session(engine, expire_on_commit=False) as session:
        books = open_books(session)
        session.commit()
        yield books


@pytest.fixture
def browsers(settings: Settings, books: Books, servers: Servers) -> list[requests.Session]:
    """Twenty signed-in people of finance."""
    app = create_app(settings)
    app.config.update(WTF_CSRF_ENABLED=False)  # for the sign-in; the server that is raced asks for tokens
    people = [make_person(books.session, f"Payer{number}") for number in range(PEOPLE)]
    for one in people:
        give(books.session, one, GrantRole.FINANCE, books.program)
    books.session.commit()
    browsers = [browser_of(app, one) for one in people]
    servers.wait()
    return browsers


def browser_of(app: Any, user: User) -> requests.Session:
    client, browser = app.test_client(), requests.Session()
    sign_in(client, user)
    for cookie in client._cookies.values():
        browser.cookies.set(cookie.key, cookie.value, domain="127.0.0.1", path="/")
    return browser


class Sampler(threading.Thread):
    """Somebody who proves the books without a pause while others move money."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self.engine, self.done = engine, threading.Event()
        self.proofs: list[list[str]] = []

    def run(self) -> None:
        while not self.done.is_set() or not self.proofs:
            with db.read_only(), Session(self.engine) as session:
                self.proofs.append(proof.verify(session).findings)


class Race:
    """Rounds of one program: each has an order, a run of it, and everybody at once."""

    def __init__(self, servers: Servers, books: Books, browsers: list[requests.Session], engine: Engine) -> None:
        self.servers, self.books, self.browsers, self.engine = servers, books, browsers, engine
        self.payouts = f"{servers.address}/console/{books.program.slug}/payouts"
        self.tokens = [found["csrf_token"] for found in map(self._fields, browsers)]

    def play(self, rounds: int) -> Counter[PayoutStatus]:
        """Play, and look after each round; gives how the runs ended."""
        for number in range(1, rounds + 1):
            conversion, run = self.earned(), self.proposed_once()
            if is_approved := number % 2 == 0:
                self.approve(run)
            is_killed = number % 3 == 0
            answers = self.all_at_once(run, conversion, is_killed=is_killed)
            self.assert_true(run, answers, is_killed=is_killed, is_last_step=is_approved)
            self.assert_paid_at_most_once()
        self.books.session.expire_all()
        return Counter(self.books.session.scalars(sa.select(PayoutRun.status)))

    def earned(self) -> Conversion:
        """An order whose commission of 10.00 a manager has approved."""
        books = self.books
        conversion = books.order()
        books.work()
        facts = {"commission_id": books.commission(conversion).id, "program_id": books.program.id, "actor": books.alice}
        commissions.approve(books.session, **facts, now=clock.now())
        books.session.commit()
        return conversion

    def proposed_once(self) -> PayoutRun:
        """Everybody proposes at once: one run comes of it, and who was too late sees it."""
        forms = self._forms(self.payouts)
        answers = self._together(
            [partial(self._press, number, self.payouts, forms[number]) for number in range(PEOPLE)]
        )
        said = Counter(answer.said for answer in answers)
        assert said["303"] == 1, said
        assert said.keys() <= {"303", "409", BUSY}, said
        run = self.books.session.scalars(sa.select(PayoutRun).order_by(PayoutRun.id.desc()).limit(1)).one()
        self.books.session.commit()
        assert all(ids.public("run", run.id) in answer.page for answer in answers if answer.said == "409")
        return run

    def approve(self, run: PayoutRun) -> None:
        """Two people say yes, of whom at most one has proposed it."""
        for number, form in enumerate(self._forms(self._address(run), run)[:2]):
            self._press(number, f"{self._address(run)}/approve", form)
        assert self._status(run) is PayoutStatus.APPROVED

    def all_at_once(self, run: PayoutRun, conversion: Conversion, *, is_killed: bool) -> list[Answer]:
        """Twenty people press, half of the order is refunded meanwhile, and on top of it web and worker may be killed."""
        address = self._address(run)
        forms, buttons = self._forms(address, run), [f"{address}/{ACTS[n % len(ACTS)]}" for n in range(PEOPLE)]
        acts = [partial(self._press, number, buttons[number], forms[number]) for number in range(PEOPLE)]
        sampler = Sampler(self.engine)
        sampler.start()
        try:
            *answers, _stored = self._together([*acts, partial(self._refund, conversion)], is_killed=is_killed)
            eventually(self._refunds_are_taken, "the refund in the books")
        finally:
            sampler.done.set()
            sampler.join()
        assert sampler.proofs
        assert not any(sampler.proofs)
        return answers

    def assert_true(self, run: PayoutRun, answers: list[Answer], *, is_killed: bool, is_last_step: bool) -> None:
        """Who was told that it is done was told the truth, and who was too late sees how it ended."""
        status, address = self._status(run), self._address(run)
        done = Counter(answer.act for answer in answers if answer.said == "303")
        assert done["paid"] <= (status is PayoutStatus.PAID), done
        assert done["cancel"] <= (status is PayoutStatus.CANCELLED), done
        said = {answer.said for answer in answers}
        assert said <= {"303", "409", "422", BUSY} | ({"gone"} if is_killed else set()), (said, self.servers.words())
        for answer in answers:
            # An approval that is pressed before anybody has paid or taken back is too late as well, and sees what is left.
            if is_last_step and answer.said == "409" and answer.act != "approve":
                assert f'action="{urlsplit(address).path}/' not in answer.page  # nothing is left to do
                assert ("Taken back by" in answer.page) == (status is PayoutStatus.CANCELLED)

    def assert_paid_at_most_once(self) -> None:
        """No payout was settled twice, no commission is in two payouts, nothing is lost, and the books balance."""
        session = self.books.session
        session.expire_all()
        assert proof.verify(session).findings == []
        settled = session.scalars(
            sa.select(LedgerTransfer.source_id).where(LedgerTransfer.kind == TransferKind.SETTLE)
        ).all()
        assert len(settled) == len(set(settled))
        assert set(settled) == set(session.scalars(sa.select(Payout.id).where(Payout.status == PayoutStatus.PAID)))
        worth = sa.func.sum(Commission.amount_minor - Commission.reversed_minor)
        assert sum(self.books.balances().values()) == session.scalar(sa.select(sa.cast(worth, sa.BigInteger)))
        session.commit()

    def _together(self, acts: list[Any], *, is_killed: bool = False) -> list[Answer]:
        start = threading.Barrier(len(acts) + is_killed)

        def begin(act: Callable[[], Answer]) -> Answer:
            start.wait()
            return act()

        with ThreadPoolExecutor(len(acts)) as pool:
            answers = [pool.submit(begin, act) for act in acts]
            if is_killed:
                start.wait()
                eventually(lambda: any(each.done() for each in answers), "a first answer")
                self.servers.kill("web", "worker stages")
        if is_killed:
            self.servers.start("web", "worker stages")
            self.servers.wait()
        return [each.result() for each in answers]

    def _forms(self, address: str, run: PayoutRun | None = None) -> list[dict[str, str]]:
        """What each would send from this page: a token, the sum it shows, every note ticked by who may approve."""
        fields = self._fields(self.browsers[0], address) | self._fields(self.browsers[1], address)
        if run is not None:
            fields |= {"total": Money(run.total_minor, run.currency).text(), "reason": "Stop."}
        return [fields | {"csrf_token": token} for token in self.tokens]

    def _fields(self, browser: requests.Session, address: str = "") -> dict[str, str]:
        page = browser.get(address or self.payouts, timeout=60).text
        fields = dict(re.findall(r'name="(csrf_token|total_minor)" value="([^"]+)"', page))
        assert "csrf_token" in fields, page[:500]
        return fields | dict.fromkeys(re.findall(r'name="(seen-[^"]+)"', page), "1")

    def _press(self, number: int, address: str, form: dict[str, str]) -> Answer:
        act = address.rpartition("/")[2]
        try:
            answer = self.browsers[number].post(address, data=form, timeout=60, allow_redirects=False)
        except requests.RequestException:
            return Answer(act, "gone")
        assert "/payouts" in answer.headers.get("Location", "/payouts")  # nobody is asked to sign in again
        return Answer(act, str(answer.status_code), answer.text)

    def _refund(self, conversion: Conversion) -> Answer:
        """As ingest does it: the row first, tried until a busy database takes it, then the worker is woken."""
        eventually(lambda: self._is_stored(conversion), "the refund in its table")
        worker.wake(queues.connection())
        return Answer("refund", "stored")

    def _is_stored(self, conversion: Conversion) -> bool:
        try:
            with Session(self.engine) as session, session.begin():
                make_refund(session, conversion=conversion, amount_minor=50_00)
        except sa.exc.OperationalError as error:
            if not db.is_away(error):
                raise
            return False
        return True

    def _refunds_are_taken(self) -> bool:
        with db.read_only(), Session(self.engine) as session:
            refunds, taken = (
                session.scalar(sa.select(sa.func.count()).select_from(table))
                for table in (Refund, CommissionAdjustment)
            )
        return refunds == taken

    def _address(self, run: PayoutRun) -> str:
        return f"{self.payouts}/{ids.public('run', run.id)}"

    def _status(self, run: PayoutRun) -> PayoutStatus:
        with db.read_only(), Session(self.engine) as session:
            return session.get_one(PayoutRun, run.id).status


@pytest.mark.timeout(300)
def test_a_round_of_twenty_people_pays_nothing_twice(
    servers: Servers, books: Books, browsers: list[requests.Session], engine: Engine
) -> None:
    ended = Race(servers, books, browsers, engine).play(1)
    assert ended.total() == 1


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_thirty_rounds_of_twenty_people_pay_nothing_twice(
    servers: Servers, books: Books, browsers: list[requests.Session], engine: Engine
) -> None:
    ended = Race(servers, books, browsers, engine).play(30)
    assert ended.total() == 30
