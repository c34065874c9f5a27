"""Runs on both databases: what enters them, who is paid, and the straight way to the partner."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner
from money_cast import MATURE, Books, open_books
from payout_cast import PAYDAY, approve, earn, pay, propose
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import queries, service
from affiliate.payouts.models import Payout, PayoutPolicy
from affiliate.payouts.schedule import Blocked, Cadence


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def test_a_run_is_proposed_by_one_approved_by_another_and_paid(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    assert (run.status, run.total_minor, run.currency) == ("proposed", 10_00, "EUR")
    assert books.commission(conversion).status == "in_payout"
    assert books.balances() == {"approved": 10_00}  # proposing locks, it moves nothing
    approve(books, run)
    assert books.balances() == {"in_transit": 10_00}
    pay(books, run)
    assert books.balances() == {"paid": 10_00}
    commission = books.commission(conversion)
    assert (commission.status, commission.paid_at) == ("paid", PAYDAY)
    assert (run.status, run.proposed_by_id, run.approved_by_id, run.paid_by_id) == (
        "paid", books.alice.id, books.bob.id, books.alice.id,
    )  # fmt: skip
    (payout,) = books.session.scalars(sa.select(Payout))
    assert (payout.status, payout.paid_at) == ("paid", PAYDAY)


def test_each_step_leaves_its_audit_row(books: Books) -> None:
    earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)
    rows = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.subject_id == run.id))
    assert {(row.action, row.actor_id) for row in rows} == {
        ("payout_run.propose", books.alice.id),
        ("payout_run.approve", books.bob.id),
        ("payout_run.pay", books.alice.id),
    }


def test_a_run_takes_every_partner_in_a_constant_number_of_statements(books: Books, count_queries: Any) -> None:
    def statements(partners: int) -> int:
        for _ in range(partners):
            books.order(partner=make_partner(books.session, program=books.program))
        books.work(now=MATURE)
        with count_queries() as counter:
            run = propose(books)
            service.approve_run(books.session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
            service.mark_paid(books.session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
        return len(counter)

    assert statements(2) == statements(20)
    books.assert_proven()


def test_only_matured_commissions_enter_a_run(books: Books) -> None:
    books.order()
    books.work(now=NOW)
    with pytest.raises(service.NothingToPay):
        propose(books)


def test_a_commission_enters_one_run_only(books: Books) -> None:
    earn(books)
    propose(books)
    with pytest.raises(service.NothingToPay):
        propose(books)
    later = earn(books, amount_minor=50_00)
    assert propose(books).total_minor == 5_00
    assert books.commission(later).status == "in_payout"
    books.assert_proven()


def test_below_the_minimum_a_partner_waits_until_it_has_earned_enough(session: Session) -> None:
    books = open_books(session, payout_min_minor=25_00)
    earn(books)
    ((due, reason),) = queries.preview(session, program_id=books.program.id, now=PAYDAY).blocked
    assert (due.amount_minor, reason) == (10_00, Blocked.BELOW_MINIMUM)
    earn(books, amount_minor=150_00)
    assert propose(books).total_minor == 25_00
    books.assert_proven()


@pytest.mark.parametrize("status", [EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED, EnrollmentStatus.REJECTED])
def test_an_inactive_partner_is_left_out_and_the_others_are_paid(books: Books, status: EnrollmentStatus) -> None:
    other = make_partner(books.session, program=books.program)
    stopped = earn(books)
    earn(books, partner=other)
    books.session.execute(sa.update(Enrollment).where(Enrollment.partner_id == books.partner.id).values(status=status))
    preview = queries.preview(books.session, program_id=books.program.id, now=PAYDAY)
    assert [due.partner_id for due in preview.payable] == [other.id]
    assert [reason for _, reason in preview.blocked] == [Blocked.PARTNER_INACTIVE]
    assert propose(books).total_minor == 10_00
    assert books.commission(stopped).status == "approved"
    books.assert_proven()


def test_the_preview_is_what_is_proposed(books: Books) -> None:
    earn(books)
    preview = queries.preview(books.session, program_id=books.program.id, now=PAYDAY)
    run = propose(books)
    (payout,) = queries.payouts_of(books.session, run_id=run.id)
    (due,) = preview.payable
    assert preview.total_minor == run.total_minor
    assert (due.partner_id, due.amount_minor) == (payout.partner_id, payout.amount_minor)


def test_another_programs_commissions_stay_out(books: Books) -> None:
    elsewhere = open_books(books.session)
    earn(elsewhere)
    with pytest.raises(service.NothingToPay):
        propose(books)


def test_net_days_let_a_commission_wait_after_its_approval(books: Books) -> None:
    earn(books)
    books.session.add(
        PayoutPolicy(
            program_id=books.program.id, cadence=Cadence.MONTHLY, net_days=2, is_one_person=False, updated_at=NOW
        )
    )
    books.session.flush()
    with pytest.raises(service.NothingToPay):
        propose(books)
    later = {"program_id": books.program.id, "now": MATURE + timedelta(days=2)}
    assert service.propose(books.session, actor=books.alice, **later).total_minor == 10_00
    books.assert_proven()
