"""Payouts of one run that go ways of their own, and the mail that tells of them. On both databases."""

import pytest
from factories import make_member, make_partner, make_user
from money_cast import Books, open_books
from payout_cast import approve, cancel, earn, pay, propose, refund, step
from sqlalchemy.orm import Session

from affiliate.payouts import queries, service
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def test_everybody_of_a_paid_partner_gets_a_mail_in_their_language(books: Books) -> None:
    ada = make_user(books.session, email="ada@example.test", name="Ada")
    bruno = make_user(books.session, email="bruno@example.test", name="Bruno", locale="it")
    gone = make_user(books.session, email="gone@example.test", active=False)
    partner = make_partner(books.session, program=books.program)
    for user in (ada, bruno, gone):
        make_member(books.session, user=user, partner=partner)
    earn(books, partner=partner)
    run = propose(books)
    approve(books, run)
    assert books.mails() == []
    pay(books, run)
    mails = {mail.recipient: mail for mail in books.mails()}
    assert mails.keys() == {"ada@example.test", "bruno@example.test"}
    assert "€10.00" in mails["ada@example.test"].body_text
    assert "10,00\N{NO-BREAK SPACE}€" in mails["bruno@example.test"].body_text
    assert f"/portal/{books.program.slug}/payouts" in mails["ada@example.test"].body_text
    assert "Ciao Bruno" in mails["bruno@example.test"].body_text


def two_partners(books: Books) -> tuple[PayoutRun, list[Payout]]:
    """A proposed run that pays 10.00 to one partner and 20.00 to another."""
    earn(books)
    earn(books, partner=make_partner(books.session, program=books.program), amount_minor=200_00)
    run = propose(books)
    return run, sorted(queries.payouts_of(books.session, run_id=run.id), key=lambda payout: payout.amount_minor)


def status_of(books: Books, run: PayoutRun) -> PayoutStatus:
    books.session.expire_all()
    return books.session.get_one(PayoutRun, run.id).status


def test_a_payout_taken_out_makes_the_run_smaller_and_waits_for_the_next(books: Books) -> None:
    run, (small, large) = two_partners(books)
    step(books, run, service.take_out, books.bob, payout_id=large.id, reason="We are asking them.")
    assert books.session.get_one(PayoutRun, run.id).total_minor == 10_00
    approve(books, run)
    pay(books, run)
    assert propose(books).total_minor == 20_00
    assert books.session.get_one(Payout, small.id).status == "paid"
    books.assert_proven()


def test_a_run_from_which_everything_is_taken_out_is_cancelled(books: Books) -> None:
    run, payouts = two_partners(books)
    for payout in payouts:
        step(books, run, service.take_out, books.bob, payout_id=payout.id, reason="No.")
    assert status_of(books, run) is PayoutStatus.CANCELLED


def test_a_failed_payout_comes_back_and_the_run_ends_with_the_last_outcome(books: Books) -> None:
    run, (small, large) = two_partners(books)
    approve(books, run)
    step(books, run, service.mark_failed, books.bob, only=[small.id], reason="Account closed.")
    assert books.balances() == {"approved": 10_00}
    assert status_of(books, run) is PayoutStatus.APPROVED
    step(books, run, service.mark_paid, books.alice, only=[large.id])
    assert status_of(books, run) is PayoutStatus.PAID
    assert propose(books).total_minor == 10_00
    books.assert_proven()


def test_what_was_netted_by_a_failed_payout_is_owed_again(books: Books) -> None:
    first = earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)
    refund(books, first, 40_00)
    earn(books, amount_minor=200_00)
    second = propose(books)
    approve(books, second)
    (payout,) = queries.payouts_of(books.session, run_id=second.id)
    step(books, second, service.mark_failed, books.bob, only=[payout.id], reason="Account closed.")
    assert books.balances() == {"approved": 20_00, "clawback": -4_00, "paid": 10_00}
    assert status_of(books, second) is PayoutStatus.CANCELLED


def test_an_outcome_counts_once(books: Books) -> None:
    run, (small, large) = two_partners(books)
    approve(books, run)
    step(books, run, service.mark_paid, books.alice, only=[small.id])
    for act, facts in ((service.mark_paid, {}), (service.mark_failed, {"reason": "Late."})):
        with pytest.raises(service.WrongStatus):
            step(books, run, act, books.alice, only=[small.id], **facts)
    with pytest.raises(service.PartlySettled):
        cancel(books, run)
    step(books, run, service.mark_failed, books.alice, only=[small.id, large.id], reason="The rest.")
    books.assert_proven()
