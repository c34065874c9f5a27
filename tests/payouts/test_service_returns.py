"""What is refunded around a payout, and what a cancelled run gives back. On both databases."""

import pytest
from factories import make_order_event, make_partner
from money_cast import Books, open_books
from payout_cast import PAYDAY, approve, cancel, earn, pay, propose, refund, step
from sqlalchemy.orm import Session

from affiliate.errors import Invalid
from affiliate.payouts import queries, service
from affiliate.payouts.schedule import Blocked


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def test_a_refund_before_the_run_makes_it_smaller(books: Books) -> None:
    conversion = earn(books)
    refund(books, conversion, 30_00)
    assert propose(books).total_minor == 7_00


def test_a_refund_inside_a_run_leaves_its_amount_and_is_netted_by_a_later_one(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    refund(books, conversion)
    assert books.balances() == {"approved": 10_00, "clawback": -10_00}
    approve(books, run)
    assert books.balances() == {"in_transit": 10_00, "clawback": -10_00}
    pay(books, run)
    earn(books, amount_minor=250_00)
    second = propose(books)
    (payout,) = queries.payouts_of(books.session, run_id=second.id)
    assert (payout.earned_minor, payout.clawed_back_minor, payout.amount_minor) == (25_00, 10_00, 15_00)
    approve(books, second)
    pay(books, second)
    assert books.balances() == {"paid": 25_00}  # 10 then 15: what was earned in the end


def test_a_clawback_waits_while_its_own_payout_is_open(books: Books) -> None:
    first = earn(books)
    run = propose(books)
    refund(books, first)
    earn(books)
    assert propose(books).total_minor == 10_00  # nothing was paid yet, so nothing is owed back
    approve(books, run)
    books.assert_proven()


def test_a_negative_balance_is_carried_until_it_is_earned_back(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)
    refund(books, conversion)
    earn(books, amount_minor=60_00)
    ((due, reason),) = queries.preview(books.session, program_id=books.program.id, now=PAYDAY).blocked
    assert (due.amount_minor, reason) == (-4_00, Blocked.NEGATIVE_BALANCE)
    with pytest.raises(service.NothingToPay):
        propose(books)
    earn(books, amount_minor=60_00)
    assert propose(books).total_minor == 2_00
    books.assert_proven()


def test_a_paid_commission_that_loses_its_attribution_is_owed_back(books: Books) -> None:
    rival = make_partner(books.session, program=books.program)
    conversion = earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)
    books.amend(conversion, partner=rival)
    books.work(now=PAYDAY)
    assert books.balances() == {"paid": 10_00, "clawback": -10_00}
    assert books.balances(rival) == {"approved": 10_00}
    books.assert_proven()


@pytest.mark.parametrize("approved", [False, True])
def test_a_cancelled_run_gives_everything_back(books: Books, approved: bool) -> None:
    conversion = earn(books)
    run = propose(books)
    if approved:
        approve(books, run)
    cancel(books, run)
    assert books.balances() == {"approved": 10_00}
    commission = books.commission(conversion)
    assert (commission.status, commission.payout_id) == ("approved", None)
    assert (run.status, run.reason, run.cancelled_by_id) == ("cancelled", "Wrong day.", books.bob.id)
    again = propose(books)
    approve(books, again)
    pay(books, again)
    assert books.balances() == {"paid": 10_00}


@pytest.mark.parametrize("approved", [False, True])
def test_what_was_refunded_inside_a_cancelled_run_is_taken_from_the_commission_itself(
    books: Books, approved: bool
) -> None:
    partly, wholly = earn(books), earn(books, amount_minor=40_00)
    run = propose(books)
    refund(books, partly, 30_00)
    refund(books, wholly)
    if approved:
        approve(books, run)
    cancel(books, run)
    assert books.balances() == {"approved": 7_00}
    assert (books.commission(partly).status, books.commission(wholly).status) == ("approved", "reversed")
    refund(books, partly, 20_00)
    assert books.balances() == {"approved": 5_00}
    assert propose(books).total_minor == 5_00


def test_a_clawback_netted_by_a_cancelled_run_is_owed_again(books: Books) -> None:
    first = earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)
    refund(books, first)
    earn(books, amount_minor=300_00)
    second = propose(books)
    approve(books, second)
    cancel(books, second)
    assert books.balances() == {"approved": 30_00, "clawback": -10_00, "paid": 10_00}
    assert propose(books).total_minor == 20_00
    books.assert_proven()


def test_a_superseded_commission_ends_when_its_run_is_cancelled(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    books.amend(conversion, amount_minor=90_00)
    books.work(now=PAYDAY)
    cancel(books, run)
    assert books.balances() == {"approved": 9_00}
    assert propose(books).total_minor == 9_00


def test_cancelling_needs_a_reason(books: Books) -> None:
    earn(books)
    run = propose(books)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid):
            step(books, run, service.cancel_run, books.bob, reason=reason)


def test_a_cancelled_run_stays_cancelled(books: Books) -> None:
    earn(books)
    run = propose(books)
    cancel(books, run)
    for act in (approve, pay, cancel):
        with pytest.raises(service.WrongStatus):
            act(books, run)
    books.assert_proven()


def test_an_order_cancelled_inside_a_run_is_owed_back_once(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    make_order_event(books.session, conversion=conversion)
    books.work(now=PAYDAY)
    refund(books, conversion)
    approve(books, run)
    pay(books, run)
    assert books.balances() == {"paid": 10_00, "clawback": -10_00}
