"""Two at once: whoever is second finds the work done, and no cent moves twice."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import NOW, make_refund
from money_cast import LIMIT, MATURE, Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.commissions import plans, service, validating
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionPlan, ValidationFile
from affiliate.commissions.takings import BooksMoved
from affiliate.commissions.terms import simple
from affiliate.errors import Conflict

Step = Callable[[Session], Any]


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def together(engine: Engine, *steps: Step) -> list[str]:
    """Do the steps at the same time, each in a transaction of its own; the names of what was refused."""
    start, refused = threading.Barrier(len(steps)), []

    def run(step: Step) -> None:
        with Session(engine, expire_on_commit=False) as session:
            start.wait(20)
            try:
                step(session)
                session.commit()
            except Conflict as refusal:
                session.rollback()
                refused.append(type(refusal).__name__)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return refused


def test_two_workers_make_each_commission_once(engine: Engine, books: Books) -> None:
    for _ in range(20):
        make_refund(books.session, conversion=books.order(), amount_minor=50_00)
    books.session.commit()

    def commission(session: Session) -> None:
        service.commission_waiting(session, limit=LIMIT, now=NOW)

    def reverse(session: Session) -> None:
        service.reverse_waiting(session, limit=LIMIT, now=NOW)

    assert together(engine, commission, reverse, commission, reverse) == []
    books.work()
    assert books.balances() == {"pending": 100_00}
    assert books.session.scalar(sa.select(sa.func.count()).select_from(CommissionAdjustment)) == 20
    books.assert_proven()


def test_a_commission_is_declined_once(engine: Engine, books: Books) -> None:
    commission_id = books.commission_of_new_order().id
    facts: dict[str, Any] = {"commission_id": commission_id, "program_id": books.program.id, "now": NOW}
    books.session.commit()

    def decline(session: Session) -> None:
        service.decline(session, reason="No.", actor=books.bob, **facts)

    assert together(engine, decline, decline) == ["WrongStatus"]
    books.session.expire_all()
    assert books.session.get_one(Commission, commission_id).reversed_minor == 10_00
    assert books.balances() == {}
    books.assert_proven()


def test_a_file_confirmed_twice_at_once_is_confirmed_once(engine: Engine, books: Books) -> None:
    books.order(order_id="a")
    books.work()
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    text = "order_id,status,amount\na,approved,40.00\n"
    file = validating.upload(books.session, name="a.csv", content=text.encode(), currency="EUR", **facts)
    books.session.commit()

    def confirm(session: Session) -> None:
        validating.confirm(session, file_id=file.id, **facts)

    assert together(engine, confirm, confirm, confirm) == ["AlreadyConfirmed"] * 2
    books.session.expire_all()
    assert books.balances() == {"approved": 4_00}
    books.assert_proven()


def test_two_workers_on_one_file_do_each_line_once(engine: Engine, books: Books) -> None:
    """Whoever comes second to a batch finds the file further on: it does the next one, or nothing and tries again."""
    for number in range(12):
        books.order(order_id=str(number))
    books.work()
    text = "\n".join(["order_id,status,amount", *(f"{number},approved,40.00" for number in range(12))])
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    file = validating.upload(books.session, name="a.csv", content=text.encode(), currency="EUR", **facts)
    validating.confirm(books.session, file_id=file.id, **facts, limit=2)
    books.session.commit()

    def advance(session: Session) -> None:
        while not _is_finished(session, file.id):
            with contextlib.suppress(BooksMoved), session.begin_nested():
                validating.advance(session, limit=2, now=NOW)
            session.commit()
            session.expire_all()

    assert together(engine, advance, advance) == []
    books.session.expire_all()
    assert (file.lines_done, books.balances()) == (12, {"approved": 12 * 4_00})
    assert books.session.scalar(sa.select(sa.func.count()).select_from(CommissionAdjustment)) == 12
    books.assert_proven()


def _is_finished(session: Session, file_id: UUID) -> bool:
    return session.scalars(sa.select(ValidationFile.finished_at).where(ValidationFile.id == file_id)).one() is not None


def test_one_draft_is_published_once_and_two_never_from_the_same_moment(engine: Engine, books: Books) -> None:
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    drafts = [plans.draft(books.session, name=name, terms=simple(rate_bps=1), **facts).id for name in ("a", "b")]
    books.session.commit()

    def publish(plan_id: UUID) -> Step:
        return lambda session: plans.publish(session, plan_id=plan_id, effective_from=MATURE, **facts)

    refused = together(engine, *(publish(plan_id) for plan_id in (*drafts, *drafts)))
    assert len(refused) == 3
    published = sa.select(sa.func.count()).where(
        CommissionPlan.id.in_(drafts), CommissionPlan.published_at.is_not(None)
    )
    assert books.session.scalar(published) == 1
