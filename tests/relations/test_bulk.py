"""Acts on many commissions: killed half-way, two workers at once, decided meanwhile, a right that was taken away. Each counts once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from accounts_cast import give
from factories import NOW, make_partner
from money_cast import Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console.queries import money
from affiliate.errors import Invalid
from affiliate.relations import bulk, bulk_queries, jobs
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkStatus, BulkSubject

COUNT, BATCH = 40, 5
_HALF_WAY = f"""
import time
from affiliate.relations import bulk, bulk_money, jobs
bulk.BATCH, done = {BATCH}, []
act = bulk_money.do
def waits_in_the_third_batch(*arguments, **named):
    done.append(act(*arguments, **named))
    if len(done) == 2 * {BATCH} + 3:
        print("half-way", flush=True)
        time.sleep(600)
    return done[-1]
bulk_money.do = waits_in_the_third_batch
jobs.act_in_bulk()
"""


@pytest.fixture
def books(session: Session) -> Books:
    """Forty commissions that wait, and Alice, who manages."""
    books = open_books(session)
    give(session, session.get_one(User, books.alice.id), GrantRole.MANAGER, books.program)
    for number in range(COUNT):
        books.order(order_id=str(number))
    books.work()
    return books


def begin(books: Books, kind: BulkKind = BulkKind.APPROVE_COMMISSIONS, **arguments: str) -> BulkAct:
    rows = books.session.execute(sa.select(Commission.partner_id, Commission.conversion_id, Commission.id))
    act = bulk.start(
        books.session, program_id=books.program.id, kind=kind, arguments=arguments,
        chosen=[bulk.Chosen(*row) for row in rows], actor=books.alice, now=NOW, limit=BATCH,
    )  # fmt: skip
    books.session.commit()
    return act


def standing(act_id: UUID) -> tuple[int, int, BulkStatus]:
    with db.reading() as session:
        found = session.execute(sa.select(BulkAct.done, BulkAct.changed, BulkAct.status).where(BulkAct.id == act_id))
        done, changed, status = found.one()
        return done, changed, status


@pytest.mark.usefixtures("settings")
def test_an_act_killed_in_the_middle_of_a_batch_goes_on_and_approves_each_once(books: Books) -> None:
    act = begin(books)
    command, folder = [sys.executable, "-c", _HALF_WAY], Path(__file__).parents[2]
    with subprocess.Popen(command, env=dict(os.environ), cwd=folder, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "half-way\n"
        job.send_signal(signal.SIGKILL)
    assert standing(act.id) == (3 * BATCH, 3 * BATCH, BulkStatus.RUNNING)  # the first, and two of the job
    while jobs.act_in_bulk():
        pass
    assert standing(act.id) == (COUNT, COUNT, BulkStatus.DONE)
    books.session.expire_all()
    assert books.balances() == {"approved": COUNT * 10_00}
    assert bulk_queries.changed_minor(books.session, act_id=act.id) == COUNT * 10_00
    books.assert_proven()


def test_two_workers_on_one_act_do_each_commission_once(engine: Engine, books: Books) -> None:
    act, start = begin(books, BulkKind.DECLINE_COMMISSIONS, reason="Returned", why="returned"), threading.Barrier(2)

    def work() -> None:
        start.wait(20)
        while True:
            with Session(engine) as session:
                done = bulk.advance(session, limit=BATCH, now=NOW)
                session.commit()
            if not done:
                break

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while bulk.advance(books.session, limit=BATCH, now=NOW):  # whoever found the act in the other's hands had left
        books.session.commit()
    books.session.expire_all()
    found = bulk_queries.act_in(books.session, act_id=act.id, program_id=books.program.id)
    assert found is not None
    assert (found.done, found.changed, found.status) == (COUNT, COUNT, BulkStatus.DONE)
    assert books.balances() == {}
    assert bulk_queries.changed_minor(books.session, act_id=act.id) == COUNT * 10_00
    books.assert_proven()


def one_by_one(books: Books) -> None:
    while bulk.advance(books.session, limit=BATCH, now=NOW):
        books.session.commit()
    books.session.expire_all()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_decided_meanwhile_is_refused_with_its_reason_and_the_rest_is_done(books: Books) -> None:
    act = begin(books)
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.bob, "now": NOW}
    late = books.session.scalars(sa.select(Commission).where(Commission.status == CommissionStatus.PENDING)).first()
    assert late is not None
    commissions.decline(books.session, commission_id=late.id, reason="Own order", **facts)
    one_by_one(books)
    [refused] = bulk_queries.refusals(books.session, act_id=act.id, limit=9)
    assert (refused.commission_id, refused.refusal) == (
        late.id, "This commission can no longer be decided. Look at where it stands now.",
    )  # fmt: skip
    assert bulk_queries.changed_minor(books.session, act_id=act.id) == (COUNT - 1) * 10_00
    assert books.balances() == {"approved": (COUNT - 1) * 10_00}
    books.assert_proven()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_may_no_longer_manage_the_program_approves_nothing_more(books: Books) -> None:
    act = begin(books)
    books.session.execute(sa.delete(Grant))
    one_by_one(books)
    found = bulk_queries.act_in(books.session, act_id=act.id, program_id=books.program.id)
    assert found is not None
    assert (found.done, found.status) == (BATCH, BulkStatus.STOPPED)
    assert books.balances() == {"approved": BATCH * 10_00, "pending": (COUNT - BATCH) * 10_00}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_commission_of_another_program_is_refused(books: Books) -> None:
    elsewhere = open_books(books.session)
    act = bulk.start(
        books.session, program_id=elsewhere.program.id, kind=BulkKind.APPROVE_COMMISSIONS, arguments={},
        chosen=[bulk.Chosen(*row) for row in books.session.execute(sa.select(Commission.partner_id, Commission.conversion_id, Commission.id))],
        actor=elsewhere.alice, now=NOW,
    )  # fmt: skip
    assert (act.done, act.changed) == (COUNT, 0)
    assert books.balances() == {"pending": COUNT * 10_00}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_database_finds_itself_is_done_in_its_order_and_may_be_more_than_can_be_named(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SUBJECTS_MAX", BATCH)
    found = money.decidable(program_id=books.program.id, statuses={CommissionStatus.PENDING})
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW, "chosen": found}
    act = bulk.start(books.session, kind=BulkKind.APPROVE_COMMISSIONS, arguments={}, limit=BATCH, **facts)
    assert (act.total, act.done, act.changed) == (COUNT, BATCH, BATCH)
    newest = sa.select(Commission.id).order_by(Commission.earned_at.desc(), Commission.id.desc())
    noted = sa.select(BulkSubject.commission_id).order_by(BulkSubject.place)
    assert books.session.scalars(noted).all() == books.session.scalars(newest).all()
    assert books.balances() == {"approved": BATCH * 10_00, "pending": (COUNT - BATCH) * 10_00}
    for most in (COUNT - BATCH - 1, 0):
        monkeypatch.setattr(bulk, "FOUND_MAX", most)
        with pytest.raises(Invalid) as refusal:
            bulk.start(books.session, kind=BulkKind.APPROVE_COMMISSIONS, arguments={}, **facts)
        assert refusal.value.errors == {"all": ["Choose from 1 to 200,000 commissions."]}
    assert books.session.scalar(sa.select(sa.func.count()).select_from(BulkSubject)) == COUNT


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_too_many_or_without_a_reason_begins_nothing(session: Session) -> None:
    books = open_books(session)
    partner = make_partner(session, program=books.program)
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    many = [bulk.Chosen(partner.id, commission_id=ids.new()) for _ in range(bulk.SUBJECTS_MAX + 1)]
    with pytest.raises(Invalid) as refusal:
        bulk.start(session, kind=BulkKind.APPROVE_COMMISSIONS, arguments={}, chosen=many, **facts)
    assert refusal.value.errors == {"all": ["Choose from 1 to 200,000 commissions."]}
    with pytest.raises(Invalid):
        bulk.start(session, kind=BulkKind.REJECT_ORDERS, arguments={"reason": " "}, chosen=many[:1], **facts)
    assert session.scalar(sa.select(sa.func.count()).select_from(BulkAct)) == 0
