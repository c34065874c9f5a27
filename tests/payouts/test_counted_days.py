"""Sums of whole days by status follow commissions into their payouts."""

from datetime import timedelta

import sqlalchemy as sa
from money_cast import MATURE, NOW, Books, open_books
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.payouts import service
from affiliate.reports import day_counting, statuses

PAYDAY = MATURE + timedelta(days=1)


def count(books: Books) -> None:
    """Count the days that are due, as the job does."""
    since = (NOW - timedelta(days=60)).date()
    for due in day_counting.due(books.session, since=since, now=PAYDAY, limit=1_000):
        counted = day_counting.count(books.session, due=due)
        assert counted is not None
        assert day_counting.save(books.session, counted=counted, now=PAYDAY)


def told(books: Books) -> list[tuple[str, int]]:
    """What stands counted of the order's day, and the rest from the rows."""
    found = statuses.totals(books.session, program_id=books.program.id)
    return [(one.status.value, one.left_minor) for one in found]


def test_each_step_of_a_payout_puts_the_orders_day_in_doubt(session: Session) -> None:
    books = open_books(session)
    books.order(occurred_at=NOW - timedelta(days=40), amount_minor=300_00)
    books.work(now=MATURE)
    count(books)
    assert told(books) == [("approved", 30_00)]
    run = service.propose(session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    assert told(books) == [("in_payout", 30_00)]
    count(books)
    session.execute(sa.update(Commission).values(amount_minor=1))  # without a note: so it is the sums that are read
    assert told(books) == [("in_payout", 30_00)]
    session.execute(sa.update(Commission).values(amount_minor=30_00))
    service.approve_run(session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    service.mark_paid(session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    assert told(books) == [("paid", 30_00)]
