"""Two at once, twice, and killed in the middle: real connections on both databases, one true outcome."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_partner, make_refund, make_user
from money_cast import LIMIT, MATURE, Books, open_books, person
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.errors import DomainError
from affiliate.payouts import service
from affiliate.payouts.models import Payout, PayoutRun

AT_ONCE = 8
PAYDAY = MATURE + timedelta(days=1)
Act = Callable[[Session], Any]


@pytest.fixture
def books(session: Session) -> Books:
    books = open_books(session)
    for _ in range(3):
        books.order()
    books.work(now=MATURE)
    session.commit()
    return books


def race(books: Books, engine: Engine, acts: list[Act]) -> Counter[str]:
    """Do all acts at once, each in a transaction of its own; gives how each ended: `done`, or the error's code."""
    books.session.commit()
    start = threading.Barrier(len(acts))
    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(lambda act: attempt(engine, act, start), acts))


def attempt(engine: Engine, act: Act, start: threading.Barrier | None = None) -> str:
    """How one act in a transaction of its own ended."""
    with Session(engine) as session:
        if start:
            start.wait()
        try:
            act(session)
            session.commit()
        except DomainError as refusal:
            return refusal.code
        except OperationalError as busy:  # SQLite waits for five seconds: on a busy machine the others need longer
            if "locked" not in str(busy.orig):
                raise
            session.rollback()
            return attempt(engine, act)
    return "done"


def propose(books: Books) -> Act:
    facts = {"program_id": books.program.id, "actor": books.alice, "now": PAYDAY}
    return lambda session: service.propose(session, **facts)


def on_run(act: Callable[..., None], run: PayoutRun, actor: Actor, **more: Any) -> Act:
    facts = {"run_id": run.id, "program_id": run.program_id, "actor": actor, "now": PAYDAY} | more
    return lambda session: act(session, **facts)


def on_commission(act: Callable[..., None], commission: Commission, actor: Actor, **more: Any) -> Act:
    facts = {"commission_id": commission.id, "program_id": commission.program_id, "actor": actor, "now": MATURE} | more
    return lambda session: act(session, **facts)


def reverse(session: Session) -> int:
    return commissions.reverse_waiting(session, limit=LIMIT, now=PAYDAY)


def proposed(books: Books) -> PayoutRun:
    run = service.propose(books.session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    books.session.commit()
    return run


def approved(books: Books) -> PayoutRun:
    run = proposed(books)
    on_run(service.approve_run, run, books.bob)(books.session)
    books.session.commit()
    return run


def test_of_many_proposals_at_once_one_holds_everything(books: Books, engine: Engine) -> None:
    assert race(books, engine, [propose(books)] * AT_ONCE) == {"done": 1, "nothing_to_pay": AT_ONCE - 1}
    assert books.session.scalars(sa.select(Payout.amount_minor)).all() == [30_00]
    books.assert_proven()


def test_of_many_approvals_at_once_one_sends_the_money(books: Books, engine: Engine) -> None:
    run = proposed(books)
    people = [person(make_user(books.session)) for _ in range(AT_ONCE - 1)]
    acts = [on_run(service.approve_run, run, actor) for actor in [*people, books.alice]]
    assert race(books, engine, acts) == {"done": 1, "wrong_status": AT_ONCE - 2, "same_person": 1}
    assert books.balances() == {"in_transit": 30_00}
    books.assert_proven()


def test_a_payout_is_paid_once_however_many_say_so(books: Books, engine: Engine) -> None:
    run = approved(books)
    ended = race(books, engine, [on_run(service.mark_paid, run, books.alice)] * AT_ONCE)
    assert ended == {"done": 1, "wrong_status": AT_ONCE - 1}
    assert books.balances() == {"paid": 30_00}
    assert len(books.mails()) == 1
    books.assert_proven()


def test_paying_and_cancelling_at_once_ends_in_one_of_the_two(books: Books, engine: Engine) -> None:
    run = approved(books)
    pay = on_run(service.mark_paid, run, books.alice)
    cancel = on_run(service.cancel_run, run, books.bob, reason="Stop.")
    assert race(books, engine, [pay, cancel] * (AT_ONCE // 2))["done"] == 1
    assert books.balances() in ({"paid": 30_00}, {"approved": 30_00})
    books.assert_proven()


def test_refunds_against_a_payment_are_owed_back_whichever_is_first(books: Books, engine: Engine) -> None:
    run = approved(books)
    for commission in books.session.scalars(sa.select(Commission)).all():
        make_refund(books.session, conversion=books.conversion(commission), amount_minor=50_00)
    pay = on_run(service.mark_paid, run, books.alice)
    ended = race(books, engine, [pay, reverse] * (AT_ONCE // 2))
    assert ended == {"done": 1 + AT_ONCE // 2, "wrong_status": AT_ONCE // 2 - 1}
    assert books.balances() == {"paid": 30_00, "clawback": -15_00}
    books.assert_proven()


def test_approving_and_cancelling_at_once_leaves_the_books_true(books: Books, engine: Engine) -> None:
    run = proposed(books)
    approve = on_run(service.approve_run, run, books.bob)
    cancel = on_run(service.cancel_run, run, books.alice, reason="Stop.")
    race(books, engine, [approve, cancel] * (AT_ONCE // 2))
    assert books.balances() == {"approved": 30_00}  # cancelled, whether it was approved for a moment or not
    books.assert_proven()


def test_refunds_cancellations_and_proposals_at_once_lose_no_cent(books: Books, engine: Engine) -> None:
    for commission in books.session.scalars(sa.select(Commission)).all():
        conversion = books.conversion(commission)
        make_refund(books.session, conversion=conversion, amount_minor=30_00)
        make_refund(books.session, conversion=conversion, amount_minor=20_00)
    assert race(books, engine, [propose(books), reverse] * (AT_ONCE // 2))["books_moved"] == 0
    taken = books.session.scalars(sa.select(CommissionAdjustment.amount_minor)).all()
    assert sorted(taken) == [2_00] * 3 + [3_00] * 3
    books.assert_proven()


def test_a_refund_that_is_being_taken_is_waited_for_by_the_proposal(books: Books, engine: Engine) -> None:
    (commission, *_) = books.session.scalars(sa.select(Commission)).all()
    make_refund(books.session, conversion=books.conversion(commission), amount_minor=50_00)
    proposal = propose(books)
    books.session.commit()
    with Session(engine) as first, ThreadPoolExecutor(1) as pool:
        reverse(first)  # not committed yet: the amounts that others read are about to be wrong
        second = pool.submit(attempt, engine, proposal)
        with pytest.raises(TimeoutError):
            second.result(0.5)  # it waits
        first.commit()
        assert second.result(30) == "done"
    assert books.session.scalars(sa.select(Payout.amount_minor)).all() == [25_00]
    books.assert_proven()


def test_jobs_at_once_give_each_credit_one_commission(books: Books, engine: Engine) -> None:
    for _ in range(20):
        conversion = books.order()
        make_refund(books.session, conversion=conversion, amount_minor=50_00)
    books.session.commit()
    stages: list[Act] = [
        lambda session: commissions.commission_waiting(session, limit=7, now=MATURE),
        lambda session: commissions.reverse_waiting(session, limit=7, now=MATURE),
        lambda session: commissions.approve_due(session, limit=7, now=MATURE),
    ]
    for _ in range(6):
        assert race(books, engine, stages * 2).keys() == {"done"}
    books.work(now=MATURE)
    books.session.commit()
    assert books.balances() == {"approved": 30_00 + 20 * 5_00}
    books.assert_proven()


def test_a_commission_is_approved_once_by_a_manager_and_the_job_together(books: Books, engine: Engine) -> None:
    commission = books.commission_of_new_order()
    approve = on_commission(commissions.approve, commission, books.alice)
    decline = on_commission(commissions.decline, commission, books.bob, reason="No.")
    job: Act = lambda session: commissions.approve_due(session, limit=LIMIT, now=MATURE)  # noqa: E731 - a name for the list
    race(books, engine, [approve, approve, decline, decline, job, job])
    assert books.balances() in ({"approved": 30_00}, {"approved": 40_00})
    books.assert_proven()


def test_what_was_killed_before_its_commit_leaves_nothing_and_is_done_again(books: Books, engine: Engine) -> None:
    rival = make_partner(books.session, program=books.program)
    conversion = books.order()
    books.work()
    books.amend(conversion, partner=rival)
    make_refund(books.session, conversion=conversion, amount_minor=50_00)
    before, proposal = books.balances(), propose(books)
    books.session.commit()
    with Session(engine) as killed:
        assert commissions.commission_waiting(killed, limit=LIMIT, now=PAYDAY) == 1
        assert reverse(killed) == 1
        proposal(killed)
        killed.connection().invalidate()  # the connection dies as it does with its process
    books.session.rollback()
    assert (books.balances(), books.balances(rival)) == (before, {})
    books.work(now=PAYDAY)
    books.session.commit()
    assert (books.balances(), books.balances(rival)) == ({"approved": 30_00}, {"approved": 5_00})
    books.assert_proven()
