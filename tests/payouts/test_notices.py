"""The mails that payouts call for: written apart from the money, once, also after a kill in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import make_partner, make_user
from money_cast import Books, open_books
from payout_cast import approve, cancel, earn, pay, propose
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from tax_cast import make_buyer, make_profile, make_rule

from affiliate import clock, db
from affiliate.mailer import OutboxMail
from affiliate.payouts import jobs, notices
from affiliate.payouts.models import NoticeKind, PayoutNotice
from affiliate.settings import Settings

PARTNERS = 3
KILLED_IN_THE_SECOND_BATCH = """
import os, signal
from affiliate.payouts import jobs, notices
hand_over, calls = notices.hand_over, []
def killed(session, *, letters):
    calls.append(hand_over(session, letters=letters))
    session.flush()
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls[-1]
notices.hand_over, jobs.NOTICES_BATCH = killed, 1
jobs.tell()
"""


def paid_partners(session: Session) -> Books:
    """Three partners with a person each, paid by one run."""
    books = open_books(session)
    earn(books)
    for number in range(1, PARTNERS):
        user = make_user(session, email=f"partner{number}@example.test")
        earn(books, partner=make_partner(session, program=books.program, user=user))
    run = propose(books)
    approve(books, run)
    pay(books, run)
    return books


def told() -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(OutboxMail.recipient)))


def test_the_money_leaves_notices_and_a_job_writes_each_mail_once(settings: Settings) -> None:
    with db.transaction() as session:
        paid_partners(session)
    assert told() == []
    assert [jobs.tell(), jobs.tell()] == [PARTNERS, 0]
    assert len(set(told())) == len(told()) == PARTNERS


def test_a_job_killed_in_the_middle_is_finished_by_the_next_and_nobody_is_told_twice(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        paid_partners(session)
    command = [sys.executable, "-c", KILLED_IN_THE_SECOND_BATCH]
    ended = subprocess.run(command, env=dict(os.environ), cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(told()) == 1
    assert jobs.tell() == PARTNERS - 1
    assert len(set(told())) == len(told()) == PARTNERS


def test_two_jobs_that_wrote_the_same_letters_hand_them_over_once(session: Session, engine: Engine) -> None:
    paid_partners(session)
    session.commit()
    letters = [notices.written(session, limit=PARTNERS, now=clock.now()) for _ in range(2)]
    session.commit()
    with Session(engine) as one, one.begin():
        assert notices.hand_over(one, letters=letters[0]) == PARTNERS
    with Session(engine) as other, other.begin():
        assert notices.hand_over(other, letters=letters[1]) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxMail)) == PARTNERS


@pytest.fixture
def taxed(session: Session) -> Books:
    """A partner that writes its own invoices."""
    books = open_books(session)
    make_buyer(session, books.program)
    make_rule(session, books.program)
    make_profile(session, books.program, books.partner.id)
    earn(books)
    return books


def test_nobody_is_asked_for_the_invoice_of_a_run_that_was_taken_back(taxed: Books) -> None:
    run = propose(taxed)
    assert taxed.session.scalars(sa.select(PayoutNotice.kind)).all() == [NoticeKind.INVOICE_WANTED]
    cancel(taxed, run)
    assert taxed.mails() == []
    assert taxed.session.scalars(sa.select(PayoutNotice)).all() == []
