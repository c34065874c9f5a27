"""Fraud rules tried on more orders than a page waits for: the same numbers as at once, killed and gone on, asked anew, one at a time."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import make_click, make_link, make_partner
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud import effects, policy, service
from affiliate.fraud import queries as fraud
from affiliate.fraud.policy import Policy
from affiliate.fraud.signals import Verdict
from affiliate.replay import jobs, trials
from affiliate.replay.models import FraudTrial, ReplayStatus

pytestmark = pytest.mark.usefixtures("settings")
ORDERS, BATCH = 9, 4
CREDITS = ORDERS + 3
STRICT, MILD = (policy.read({"rules": {"machine_network": {"action": action}}}, version=0) for action in ("reject", "off"))  # fmt: skip
"""Under the usual rules an order that came out of Tor waits for a manager."""


@pytest.fixture
def books(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Books:
    """Orders of the last days, three at each moment; of each moment one is of two partners, and one came out of Tor."""
    monkeypatch.setattr(effects, "BATCH", BATCH)
    books = open_books(session)
    link, other = make_link(session, program=books.program, partner=books.partner), make_partner(session, program=books.program)  # fmt: skip
    for number in range(ORDERS):
        at = now - timedelta(days=1 + number // 3)
        network = "tor" if number % 3 == 0 else None
        click = make_click(session, link=link, occurred_at=at - timedelta(minutes=30), network=network)
        order = books.order(order_id=str(number), click_id=click.id, occurred_at=at, received_at=at)
        if number % 3 == 0:
            shared = session.scalars(sa.select(Attribution.id).where(Attribution.conversion_id == order.id)).one()
            session.execute(sa.update(Credit).where(Credit.attribution_id == shared).values(share_bps=5_000))
            half = {"attribution_id": shared, "partner_id": other.id, "click_id": click.id, "share_bps": 5_000}
            session.add(Credit(id=ids.new(), **half))
    books.work(now=now)
    session.commit()
    return books


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders of these tests are more than a page waits for."""
    monkeypatch.setattr(trials, "AT_ONCE_MAX", CREDITS - 1)


def ask(books: Books, now: datetime, wanted: Policy = STRICT) -> FraudTrial:
    found = trials.ask(books.session, program_id=books.program.id, wanted=wanted, now=now)
    books.session.commit()
    return found


def stored(books: Books) -> FraudTrial:
    found = trials.of_program(books.session, program_id=books.program.id)
    books.session.commit()
    assert found is not None
    return found


def one_batch() -> None:
    with db.reading() as session:
        trial = trials.running(session)
        assert trial is not None
        values = trials.judged(session, trial)
    with db.transaction() as session:
        assert trials.save(session, trial_id=trial.id, done=trial.done, values=values, now=trial.ends_at)


def test_a_job_finds_what_the_page_finds_at_once(books: Books, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = ask(books, now)
    assert (at_once.status, at_once.done, at_once.total) == (ReplayStatus.DONE, CREDITS, CREDITS)
    assert trials.of_program(books.session, program_id=books.program.id) is None
    monkeypatch.setattr(trials, "AT_ONCE_MAX", CREDITS - 1)
    asked = ask(books, now)
    assert (asked.status, asked.done, asked.total) == (ReplayStatus.RUNNING, 0, CREDITS)
    one_batch()
    assert (stored(books).done, stored(books).status) == (BATCH, ReplayStatus.RUNNING)
    assert jobs.try_fraud_rules() >= CREDITS - BATCH
    assert jobs.try_fraud_rules() == 0
    found = stored(books)
    assert (found.status, found.done, found.total) == (ReplayStatus.DONE, CREDITS, CREDITS)
    assert (found.finished_at is not None, found.totals) == (True, at_once.totals)
    totals = trials.Totals.read(found.totals)
    assert totals.of("before", Verdict.FLAG) == totals.of("after", Verdict.REJECT) == (6, 3 * 10_00)
    assert totals.of("before", Verdict.REJECT) == totals.of("after", Verdict.FLAG) == (0, 0)
    assert totals.spoke["machine_network"] == 6


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_however_small_the_batches_every_credit_is_tried_once(
    books: Books, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for size in (1, 2, CREDITS, CREDITS + 1):
        monkeypatch.setattr(effects, "BATCH", size)
        trial = ask(books, now)
        found[size] = (trial.done, trial.totals["orders"], trial.totals["minor"])
    assert len({repr(numbers) for numbers in found.values()}) == 1


def test_a_batch_reads_nothing_of_the_days_before_its_place(books: Books, now: datetime) -> None:
    """The place is of two tables, so that no index begins there: the day is told of itself."""
    read: list[str] = []
    sa.event.listen(
        books.session.get_bind(), "before_cursor_execute", lambda *call: read.append(f"{call[2]} {call[3]}")
    )
    here = {"program_id": books.program.id, "starts_at": now - timedelta(days=29), "ends_at": now}
    first = fraud.credits_between(books.session, **here, after=None, limit=BATCH)
    fraud.credits_between(books.session, **here, after=fraud.Cursor.at(first[-1]), limit=BATCH)
    books.session.commit()
    earliest = ["{0.year}, {0.month}, {0.day}", "{0:%Y-%m-%d}"]  # as either database is told
    told = [any(day.format(here["starts_at"]) in one for day in earliest) for one in read if "FROM conversions" in one]
    assert told == [True, False]


_KILLED = f"""
import time
from affiliate.fraud import effects
from affiliate.replay import jobs, trials
effects.BATCH, judged, batches = {BATCH}, trials.judged, []
def waits_in_the_second_batch(*arguments):
    batches.append(judged(*arguments))
    if len(batches) == 2:
        print("half-way", flush=True)
        time.sleep(600)
    return batches[-1]
trials.judged = waits_in_the_second_batch
jobs.try_fraud_rules()
"""


@pytest.mark.usefixtures("many")
def test_a_job_that_is_killed_goes_on_from_its_last_batch(
    books: Books, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(books, now)
    command, folder = [sys.executable, "-c", _KILLED], Path(__file__).parents[2]
    with subprocess.Popen(command, env=dict(os.environ), cwd=folder, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "half-way\n"
        job.send_signal(signal.SIGKILL)
    assert stored(books).done == BATCH
    jobs.try_fraud_rules()
    found = stored(books)
    assert (found.done, found.status) == (CREDITS, ReplayStatus.DONE)
    monkeypatch.setattr(trials, "AT_ONCE_MAX", CREDITS)
    assert found.totals == ask(books, now).totals


@pytest.mark.usefixtures("many")
def test_the_same_question_goes_on_and_another_begins_anew(books: Books, now: datetime) -> None:
    first = ask(books, now)
    late = {"trial_id": first.id, "done": 0, "values": trials.judged(books.session, first)}
    books.session.commit()
    one_batch()
    assert not trials.save(books.session, **late, now=now)  # of two workers the slower
    again = ask(books, now + timedelta(minutes=1))
    assert (again.id, again.done) == (first.id, BATCH)
    asked = first.id
    other = ask(books, now + timedelta(minutes=2), MILD)
    assert (other.id == asked, other.done) == (False, 0)
    assert books.session.scalar(sa.select(sa.func.count()).select_from(FraudTrial)) == 1
    assert not trials.save(books.session, **late, now=now)  # a worker that was still at the question of before
    books.session.commit()
    jobs.try_fraud_rules()
    totals = trials.Totals.read(stored(books).totals)
    assert (totals.of("after", Verdict.REJECT), totals.of("before", Verdict.FLAG)) == ((0, 0), (6, 3 * 10_00))
    done = stored(books).id
    assert ask(books, now + timedelta(minutes=3), MILD).id != done  # one that is through is of the days of then


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rules_that_are_saved_meanwhile_do_not_mix_into_what_was_asked(books: Books, now: datetime) -> None:
    ask(books, now)
    one_batch()
    saved = replace(STRICT, answer_days=20)
    service.save_settings(
        books.session, program_id=books.program.id, wanted=saved, seen=0, actor=SYSTEM, now=now
    )  # fmt: skip
    books.session.commit()
    jobs.try_fraud_rules()
    assert trials.Totals.read(stored(books).totals).of("before", Verdict.FLAG)[0] == 6
    assert ask(books, now).base_version == 1


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_trial_that_cannot_go_on_says_so_and_holds_up_nobody(
    books: Books, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(books, now)

    def fails(*_arguments: object) -> None:
        raise ValueError("no such thing")

    with monkeypatch.context() as patched:
        patched.setattr(trials, "judged", fails)
        assert jobs.try_fraud_rules() == 0
    assert (stored(books).status, stored(books).error) == (ReplayStatus.FAILED, "ValueError: no such thing")
    failed = stored(books).id
    assert ask(books, now).id != failed
