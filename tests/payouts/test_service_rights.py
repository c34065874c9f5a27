"""Who may move a run, up to which sum, and in which order. On both databases."""

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from factories import NOW, make_grant, make_program, make_user
from money_cast import Books, open_books
from payout_cast import PAYDAY, approve, cancel, earn, pay, propose, step
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import GrantRole
from affiliate.commissions import service as commissions
from affiliate.payouts import details, service
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.vault import Vault


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


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


def test_a_commission_in_a_run_can_no_longer_be_declined(books: Books) -> None:
    conversion = earn(books)
    propose(books)
    with pytest.raises(commissions.WrongStatus):
        commissions.decline(
            books.session, commission_id=books.commission(conversion).id, program_id=books.program.id, reason="No.",
            actor=books.alice, now=PAYDAY,
        )  # fmt: skip


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
