"""Runs on both databases: what enters, who may approve, what is netted, what a cancelled run gives back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from factories import NOW, make_grant, make_member, make_order_event, make_partner, make_program, make_refund, make_user
from money_cast import MATURE, Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import AuditEvent, GrantRole
from affiliate.commissions import service as commissions
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import details, queries, service
from affiliate.payouts.models import Payout, PayoutPolicy, PayoutRun, PayoutStatus
from affiliate.payouts.schedule import Blocked, Cadence
from affiliate.payouts.vault import Vault

PAYDAY = MATURE + timedelta(days=1)


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


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


# --- the straight way


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


# --- who is paid


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


# --- refunds around a payout


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


# --- cancelling


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


# --- four eyes and foreign hands


def test_the_person_who_proposed_a_run_cannot_approve_it(books: Books) -> None:
    earn(books)
    run = propose(books)
    with pytest.raises(service.SamePerson):
        step(books, run, service.approve_run, books.alice)
    assert books.balances() == {"approved": 10_00}


def test_the_database_refuses_one_person_for_both_and_money_without_approval(books: Books) -> None:
    earn(books)
    run = propose(books)
    books.session.commit()
    for values in ({"approved_by_id": books.alice.id}, {"status": PayoutStatus.PAID}):
        with pytest.raises(sa.exc.IntegrityError):
            books.session.execute(sa.update(PayoutRun).where(PayoutRun.id == run.id).values(values))
        books.session.rollback()


@pytest.mark.parametrize("nobody", [SYSTEM, Actor(kind="key", id=None)])
def test_only_a_person_moves_a_run(books: Books, nobody: Actor) -> None:
    earn(books)
    with pytest.raises(service.NotAPerson):
        propose(books, nobody)
    run = propose(books)
    for act, facts in ((service.approve_run, {}), (service.mark_paid, {}), (service.cancel_run, {"reason": "No."})):
        with pytest.raises(service.NotAPerson):
            step(books, run, act, nobody, **facts)


def test_somebody_elses_run_is_not_found(books: Books) -> None:
    earn(books)
    run = propose(books)
    elsewhere = make_program(books.session)
    for act, facts in ((service.approve_run, {}), (service.mark_paid, {}), (service.cancel_run, {"reason": "No."})):
        with pytest.raises(service.UnknownRun):
            act(books.session, run_id=run.id, program_id=elsewhere.id, actor=books.bob, now=PAYDAY, **facts)


def test_a_step_out_of_order_is_a_conflict_and_changes_nothing(books: Books) -> None:
    earn(books)
    run = propose(books)
    with pytest.raises(service.WrongStatus):
        pay(books, run)
    approve(books, run)
    with pytest.raises(service.WrongStatus):
        approve(books, run)
    pay(books, run)
    for act in (pay, approve, cancel):
        with pytest.raises(service.WrongStatus) as refusal:
            act(books, run)
        assert refusal.value.status == "paid"
    assert books.balances() == {"paid": 10_00}
    books.assert_proven()


def test_a_cancelled_run_stays_cancelled(books: Books) -> None:
    earn(books)
    run = propose(books)
    cancel(books, run)
    for act in (approve, pay, cancel):
        with pytest.raises(service.WrongStatus):
            act(books, run)
    books.assert_proven()


def test_a_commission_in_a_run_can_no_longer_be_declined(books: Books) -> None:
    conversion = earn(books)
    propose(books)
    with pytest.raises(commissions.WrongStatus):
        commissions.decline(
            books.session, commission_id=books.commission(conversion).id, program_id=books.program.id, reason="No.",
            actor=books.alice, now=PAYDAY,
        )  # fmt: skip


def test_an_order_cancelled_inside_a_run_is_owed_back_once(books: Books) -> None:
    conversion = earn(books)
    run = propose(books)
    make_order_event(books.session, conversion=conversion)
    books.work(now=PAYDAY)
    refund(books, conversion)
    approve(books, run)
    pay(books, run)
    assert books.balances() == {"paid": 10_00, "clawback": -10_00}


# --- the mail


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
    assert books.session.scalars(sa.select(OutboxMail)).all() == []
    pay(books, run)
    mails = {mail.recipient: mail for mail in books.session.scalars(sa.select(OutboxMail))}
    assert mails.keys() == {"ada@example.test", "bruno@example.test"}
    assert "€10.00" in mails["ada@example.test"].body_text
    assert "10,00\N{NO-BREAK SPACE}€" in mails["bruno@example.test"].body_text
    assert f"/portal/{books.program.slug}/payouts" in mails["ada@example.test"].body_text


# --- one of many: taken out, failed, settled apart


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


# --- who may approve how much


def test_one_person_may_do_both_only_where_the_program_says_so_and_the_run_tells(books: Books) -> None:
    earn(books)
    run = propose(books)
    facts = {
        "cadence": Cadence.MANUAL,
        "net_days": 0,
        "payer_name": "",
        "payer_account": "",
        "vault": Vault([Fernet.generate_key().decode()]),
    }
    with pytest.raises(service.SamePerson):
        step(books, run, service.approve_run, books.alice)
    details.set_policy(
        books.session, program_id=books.program.id, is_one_person=True, actor=books.bob, now=NOW, **facts
    )
    step(books, run, service.approve_run, books.alice)
    assert books.session.get_one(PayoutRun, run.id).is_single_handed


def test_nobody_approves_above_the_limit_of_the_grant(books: Books) -> None:
    earn(books)
    run = propose(books)
    finance = make_user(books.session)
    grant = make_grant(books.session, user=finance, role=GrantRole.FINANCE, program=books.program)
    grant.payout_limit_minor = 9_99
    books.session.flush()
    with pytest.raises(service.AboveLimit):
        step(books, run, service.approve_run, Actor(kind="user", id=finance.id))
    grant.payout_limit_minor = 10_00
    books.session.flush()
    step(books, run, service.approve_run, Actor(kind="user", id=finance.id))


def test_a_sum_that_was_not_seen_is_neither_proposed_nor_approved(books: Books) -> None:
    earn(books)
    facts = {"program_id": books.program.id, "now": PAYDAY}
    with pytest.raises(service.SumChanged):
        service.propose(books.session, actor=books.alice, seen_minor=9_00, **facts)
    run = service.propose(books.session, actor=books.alice, seen_minor=10_00, **facts)
    with pytest.raises(service.SumChanged):
        service.approve_run(books.session, run_id=run.id, actor=books.bob, seen_minor=9_00, **facts)


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
