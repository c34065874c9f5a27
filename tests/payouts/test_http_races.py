"""Twenty people approve, pay and cancel one run at once over HTTP, and the web server dies in every third round: paid once, lost nothing."""

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import processes
import pytest
import requests
import sqlalchemy as sa
from accounts_cast import give, make_person, sign_in
from money_cast import MATURE, Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import GrantRole, User
from affiliate.app import create_app
from affiliate.commissions.models import Commission
from affiliate.ledger.models import LedgerTransfer, TransferKind
from affiliate.payouts import proof, service
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.settings import Settings

PEOPLE = 20
ROOT = Path(__file__).parents[2]


class Web:
    """The web server as a process of its own, which can be killed and started again."""

    def __init__(self, settings: Settings, said: Path) -> None:
        self.port = processes.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = dict(os.environ) | {
            "PORT": str(self.port), "AFFILIATE_DATABASE_URL": settings.database_url,
            "AFFILIATE_DATA_DIR": str(settings.data_dir), "AFFILIATE_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        self._said = said
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._said.open("ab") as said:
            command = [sys.executable, "-m", "affiliate.cli", "web"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=said, stderr=said, cwd=ROOT)
        processes.eventually(self._answers, "an answer of the web server")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        if self._process is not None:
            processes.end(self._process)


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[Web]:
    server = Web(settings, tmp_path / "said")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def books(settings: Settings, engine: Engine) -> Iterator[Books]:
    with Session(engine, expire_on_commit=False) as session:
        books = open_books(session)
        session.commit()
        yield books


@pytest.fixture
def browsers(settings: Settings, books: Books, web: Web) -> list[requests.Session]:
    """Twenty signed-in people of finance."""
    app = create_app(settings)
    app.config.update(WTF_CSRF_ENABLED=False)  # for the sign-in; the server that is raced asks for tokens
    people = [make_person(books.session, f"Payer{number}") for number in range(PEOPLE)]
    for one in people:
        give(books.session, one, GrantRole.FINANCE, books.program)
    books.session.commit()
    return [browser_of(app, one) for one in people]


def browser_of(app: Any, user: User) -> requests.Session:
    client, browser = app.test_client(), requests.Session()
    sign_in(client, user)
    for cookie in client._cookies.values():
        browser.cookies.set(cookie.key, cookie.value, domain="127.0.0.1", path="/")
    return browser


def press(browser: requests.Session, address: str, token: str) -> str:
    """One person presses a button; gives what the server said, or that it was gone."""
    form = {"csrf_token": token, "total": "10.00", "seen-first": "1", "reason": "Stop."}
    try:
        answer = browser.post(address, data=form, timeout=60, allow_redirects=False)
    except requests.RequestException:
        return "gone"
    return str(answer.status_code)


def token_of(browser: requests.Session, address: str) -> str:
    page = browser.get(address, timeout=60)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found.group(1)


def run_of(books: Books, *, approved: bool) -> PayoutRun:
    """A run of 10.00, proposed and in every other round approved already."""
    books.order()
    books.work(now=MATURE)
    now = max(clock.now(), MATURE + timedelta(days=1))
    run = service.propose(books.session, program_id=books.program.id, actor=books.alice, now=now)
    if approved:
        service.approve_run(books.session, run_id=run.id, program_id=run.program_id, actor=books.bob, now=now)
    books.session.commit()
    return run


def all_at_once(
    web: Web, books: Books, browsers: list[requests.Session], run: PayoutRun, *, kill: bool
) -> Counter[str]:
    address = f"{web.address}/console/{books.program.slug}/payouts/{ids.public('run', run.id)}"
    tokens = [token_of(browser, address) for browser in browsers]
    start = threading.Barrier(PEOPLE + kill)
    acts = ["approve", "paid", "cancel", "paid"]

    def act(number: int) -> str:
        start.wait()
        return press(browsers[number], f"{address}/{acts[number % len(acts)]}", tokens[number])

    with ThreadPoolExecutor(PEOPLE) as pool:
        answers = [pool.submit(act, number) for number in range(PEOPLE)]
        if kill:
            start.wait()
            processes.eventually(lambda: any(each.done() for each in answers), "a first answer")
            web.kill()
    if kill:
        web.start()
    return Counter(each.result() for each in answers)


def assert_paid_at_most_once(books: Books) -> None:
    """No payout was settled twice, no commission is in two payouts, nothing is lost, and the books balance."""
    session = books.session
    session.expire_all()
    assert proof.verify(session).findings == []
    settled = session.scalars(
        sa.select(LedgerTransfer.source_id).where(LedgerTransfer.kind == TransferKind.SETTLE)
    ).all()
    assert len(settled) == len(set(settled))
    paid = set(session.scalars(sa.select(Payout.id).where(Payout.status == PayoutStatus.PAID)))
    assert set(settled) == paid
    worth = session.scalar(sa.select(sa.cast(sa.func.sum(Commission.amount_minor), sa.BigInteger)))
    assert sum(books.balances().values()) == worth
    session.commit()


def play(rounds: int, web: Web, books: Books, browsers: list[requests.Session]) -> None:
    for number in range(rounds):
        run = run_of(books, approved=number % 2 == 1)
        answers = all_at_once(web, books, browsers, run, kill=number % 3 == 2)
        assert answers.keys() <= {"303", "409", "422", "503", "gone"}, answers
        assert_paid_at_most_once(books)


@pytest.mark.timeout(300)
def test_three_rounds_of_twenty_people_pay_nothing_twice(
    web: Web, books: Books, browsers: list[requests.Session]
) -> None:
    play(3, web, books, browsers)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_thirty_rounds_of_twenty_people_pay_nothing_twice(
    web: Web, books: Books, browsers: list[requests.Session]
) -> None:
    play(30, web, books, browsers)
