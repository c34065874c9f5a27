"""The acts on payout runs, each followed by the proof of the books, for the tests of runs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from factories import make_refund
from money_cast import MATURE, Books

from affiliate.accounts.actors import Actor
from affiliate.ingest.models import Conversion
from affiliate.payouts import service
from affiliate.payouts.models import PayoutRun

PAYDAY = MATURE + timedelta(days=1)


def earn(books: Books, **fields: Any) -> Conversion:
    """An order whose commission is approved."""
    conversion = books.order(**fields)
    books.work(now=MATURE)
    return conversion


def propose(books: Books, actor: Actor | None = None) -> PayoutRun:
    return service.propose(books.session, program_id=books.program.id, actor=actor or books.alice, now=PAYDAY)


def step(books: Books, run: PayoutRun, act: Callable[..., None], actor: Actor, **facts: Any) -> None:
    act(books.session, run_id=run.id, program_id=books.program.id, actor=actor, now=PAYDAY, **facts)
    books.session.expire_all()
    books.assert_proven()


def approve(books: Books, run: PayoutRun) -> None:
    step(books, run, service.approve_run, books.bob)


def pay(books: Books, run: PayoutRun) -> None:
    step(books, run, service.mark_paid, books.alice)


def cancel(books: Books, run: PayoutRun) -> None:
    step(books, run, service.cancel_run, books.bob, reason="Wrong day.")


def refund(books: Books, conversion: Conversion, amount_minor: int | None = None) -> None:
    make_refund(books.session, conversion=conversion, amount_minor=amount_minor)
    books.work(now=PAYDAY)
    books.assert_proven()
