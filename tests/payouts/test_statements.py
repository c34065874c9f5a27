"""A statement is the ledger in a partner's words: balances add up line by line, and a minus names its order."""

from datetime import timedelta

import pytest
from factories import NOW, make_refund
from money_cast import MATURE, Books, open_books
from sqlalchemy.orm import Session

from affiliate.ledger import beancount
from affiliate.ledger import queries as ledger
from affiliate.payouts import service, statements
from affiliate.payouts.statements import OWED, Statement, statement

PAYDAY = MATURE + timedelta(days=1)
LATER = PAYDAY + timedelta(days=10)


@pytest.fixture
def books(session: Session) -> Books:
    """10.00 and 20.00 earned, 30.00 paid, then 4.00 of the first taken back, and 5.00 earned anew."""
    books = open_books(session)
    first = books.order(order_id="FIRST")
    books.order(order_id="SECOND", amount_minor=200_00)
    books.work(now=MATURE)
    facts = {"program_id": books.program.id, "now": PAYDAY}
    run = service.propose(session, actor=books.alice, **facts)
    service.approve_run(session, run_id=run.id, actor=books.bob, **facts)
    service.mark_paid(session, run_id=run.id, actor=books.bob, **facts)
    make_refund(session, conversion=first, amount_minor=40_00)
    books.order(order_id="THIRD", amount_minor=50_00)
    books.work(now=LATER)
    return books


def read(
    books: Books, *, limit: int = 100, starts_at: object = NOW, ends_at: object = LATER + timedelta(days=1)
) -> Statement:
    whose = {"program_id": books.program.id, "partner_id": books.partner.id, "currency": "EUR"}
    return statement(books.session, **whose, starts_at=starts_at, ends_at=ends_at, limit=limit)


def test_every_line_says_what_it_is_for_and_the_balances_run_on(books: Books) -> None:
    found = read(books)
    lines = {(one.kind.value, one.amount.amount_minor, one.order_id) for one in found.lines}
    earned = {("approve", 10_00, "FIRST"), ("approve", 20_00, "SECOND"), ("approve", 5_00, "THIRD")}
    assert lines == earned | {("settle", -30_00, None), ("claw_back", -4_00, "FIRST")}
    balance = found.opening
    for one in found.lines:
        balance += one.amount
        assert one.balance == balance
    assert (found.opening.amount_minor, found.closing, found.is_whole) == (0, balance, True)


def test_the_closing_balance_is_what_the_ledger_holds(books: Books) -> None:
    balances = ledger.balances_of(books.session, program_id=books.program.id, partner_id=books.partner.id)
    assert read(books).closing.amount_minor == sum(balances[name] for name in OWED)


@pytest.mark.parametrize("cut", [NOW, MATURE, PAYDAY, PAYDAY + timedelta(seconds=1), LATER])
def test_a_period_closes_where_the_next_one_opens(books: Books, cut: object) -> None:
    before, after = read(books, ends_at=cut), read(books, starts_at=cut)
    assert before.closing == after.opening
    assert len(before.lines) + len(after.lines) == len(read(books).lines)


def test_a_short_list_still_closes_with_the_true_balance(books: Books) -> None:
    found = read(books, limit=2)
    assert (len(found.lines), found.is_whole, found.closing.amount_minor) == (2, False, 1_00)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_a_file_holds_every_line_however_few_are_read_at_once(
    books: Books, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(statements, "LINES_AT_ONCE", at_once)
    whose = {"program_id": books.program.id, "partner_id": books.partner.id, "currency": "EUR"}
    opening, lines = statements.whole(books.session, **whose, starts_at=NOW, ends_at=LATER + timedelta(days=1))
    found = read(books)
    assert (opening, list(lines)) == (found.opening, found.lines)
    assert found.lines[-1].balance == found.closing


def test_beancount_gets_transactions_that_add_up_to_zero(books: Books) -> None:
    lines = list(beancount.lines(ledger.every_transfer(books.session, program_id=books.program.id), title='A "shop"'))
    assert lines[0] == 'option "title" "A \\"shop\\""'
    amounts = [line.split() for line in lines if line.startswith("  ") and line.endswith(" EUR")]
    assert len(amounts) == 2 * len([line for line in lines if " * " in line])
    for debit, credit in zip(amounts[::2], amounts[1::2], strict=True):
        assert debit[1] == credit[1].removeprefix("-")
        assert credit[1].startswith("-")
    opened = [line.split()[2] for line in lines if " open " in line]
    assert {name for name, *_ in amounts} == set(opened)
    assert len(opened) == len(set(opened))
