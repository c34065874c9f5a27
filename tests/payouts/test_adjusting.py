"""Entries by hand on both databases: a second person above the limit, paid or netted by the next run, written off when a partner left."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_grant, make_partner, make_program, make_refund
from money_cast import MATURE, Books, open_books
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.errors import Invalid
from affiliate.money import AMOUNT_MINOR_MAX, Money
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import adjusting, queries, service, statements
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus, Payout, PayoutPolicy, PayoutRun
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.steps import AboveLimit, NotAPerson

PAYDAY = MATURE + timedelta(days=1)


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def enter(books: Books, minor: int, kind: AdjustmentKind = AdjustmentKind.BONUS, **facts: Any) -> Adjustment:
    said = {"program_id": books.program.id, "partner_id": books.partner.id, "actor": books.alice, "now": PAYDAY}
    said |= {"kind": kind, "amount": Money(minor, "EUR"), "reason": "A good month."}
    entry = adjusting.enter(books.session, **said | facts)
    books.assert_proven()
    return entry


def decide(books: Books, entry: Adjustment, act: Any = adjusting.approve, **facts: Any) -> Adjustment:
    said = {"adjustment_id": entry.id, "program_id": books.program.id, "actor": books.bob, "now": PAYDAY}
    act(books.session, **said | facts)
    books.assert_proven()
    return entry


def policy(books: Books, **facts: Any) -> None:
    said = {"cadence": Cadence.MANUAL, "net_days": 0, "is_one_person": False, "updated_at": NOW}
    books.session.merge(PayoutPolicy(program_id=books.program.id, **said | facts))
    books.session.flush()


def run(books: Books, *steps: Any) -> PayoutRun:
    """A run moved through these steps."""
    found = service.propose(books.session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    for act in steps:
        facts = {"reason": "Stop."} if act is service.cancel_run else {}
        act(books.session, run_id=found.id, program_id=books.program.id, actor=books.bob, now=PAYDAY, **facts)
        books.session.expire_all()
        books.assert_proven()
    return found


def test_a_bonus_waits_for_a_second_person_and_is_paid_with_the_next_run(books: Books) -> None:
    entry = enter(books, 25_00)
    assert (entry.status, books.balances()) == (AdjustmentStatus.PROPOSED, {})
    decide(books, entry)
    assert (entry.status, entry.is_single_handed) == (AdjustmentStatus.POSTED, False)
    assert books.balances() == {"approved": 25_00}
    books.order()
    books.work(now=MATURE)
    paid = run(books, service.approve_run, service.mark_paid)
    (payout,) = queries.payouts_of(books.session, run_id=paid.id)
    assert (payout.earned_minor, entry.payout_id) == (35_00, payout.id)
    assert books.balances() == {"paid": 35_00}


def test_a_correction_below_zero_is_netted_by_the_next_run(books: Books) -> None:
    decide(books, enter(books, -4_00, AdjustmentKind.CORRECTION))
    assert books.balances() == {"clawback": -4_00}
    books.order()
    books.work(now=MATURE)
    paid = run(books, service.approve_run, service.mark_paid)
    (payout,) = queries.payouts_of(books.session, run_id=paid.id)
    assert (payout.earned_minor, payout.clawed_back_minor, payout.amount_minor) == (10_00, 4_00, 6_00)
    assert books.balances() == {"paid": 6_00}


def test_entries_of_a_cancelled_run_wait_for_the_next_one(books: Books) -> None:
    given, taken = enter(books, 25_00), enter(books, -4_00, AdjustmentKind.CORRECTION)
    decide(books, given)
    decide(books, taken)
    run(books, service.approve_run, service.cancel_run)
    assert books.balances() == {"approved": 25_00, "clawback": -4_00}
    run(books, service.approve_run, service.mark_paid)
    assert books.balances() == {"paid": 21_00}


@pytest.mark.parametrize("is_approved", [False, True])
def test_an_entry_is_decided_once(books: Books, is_approved: bool) -> None:
    entry = enter(books, 25_00)
    decide(books, entry, adjusting.approve if is_approved else adjusting.decline)
    for act in (adjusting.approve, adjusting.decline):
        with pytest.raises(adjusting.AlreadyDecided) as refusal:
            decide(books, entry, act)
        assert refusal.value.status is entry.status
    assert books.balances() == ({"approved": 25_00} if is_approved else {})


def test_who_made_an_entry_can_withdraw_but_not_approve_it(books: Books) -> None:
    entry = enter(books, 25_00)
    with pytest.raises(adjusting.SecondPersonWanted):
        decide(books, entry, actor=books.alice)
    decide(books, entry, adjusting.decline, actor=books.alice)
    assert entry.status is AdjustmentStatus.DECLINED


def test_one_person_is_enough_within_the_limit_which_small_entries_use_up_together(books: Books) -> None:
    policy(books, adjustment_limit_minor=50_00)
    first, second, third = enter(books, 30_00), enter(books, -20_00, AdjustmentKind.CORRECTION), enter(books, 1)
    assert [each.status.value for each in (first, second, third)] == ["posted", "posted", "proposed"]
    later = enter(books, 50_00, now=PAYDAY + adjusting.LIMIT_PERIOD)
    assert (later.status, later.is_single_handed) == (AdjustmentStatus.POSTED, True)


def test_a_company_of_one_needs_no_second_person(books: Books) -> None:
    policy(books, is_one_person=True)
    assert enter(books, 900_00).is_single_handed


def test_nobody_approves_an_entry_above_the_limit_of_the_grant(books: Books) -> None:
    bob = books.session.get_one(User, books.bob.id)
    make_grant(books.session, user=bob, role=GrantRole.FINANCE, program=books.program).payout_limit_minor = 20_00
    with pytest.raises(AboveLimit):
        decide(books, enter(books, 20_01))
    decide(books, enter(books, 20_00))


def test_the_database_refuses_one_person_for_both(books: Books) -> None:
    entry = enter(books, 25_00)
    change = sa.update(Adjustment).where(Adjustment.id == entry.id)
    with pytest.raises(IntegrityError):
        books.session.execute(change.values(status="posted", decided_by_id=entry.entered_by_id, decided_at=NOW))


@pytest.mark.parametrize(
    ("minor", "kind", "facts"),
    [
        (0, AdjustmentKind.BONUS, {}),
        (-1, AdjustmentKind.BONUS, {}),
        (-1, AdjustmentKind.MAKE_GOOD, {}),
        (1, AdjustmentKind.BONUS, {"reason": "  "}),
        (1, AdjustmentKind.BONUS, {"amount": Money(1, "PLN")}),
        (AMOUNT_MINOR_MAX + 1, AdjustmentKind.BONUS, {}),
    ],
)
def test_a_wrong_entry_is_refused(books: Books, minor: int, kind: AdjustmentKind, facts: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        enter(books, minor, kind, **facts)


def test_entries_are_made_by_people_for_partners_of_the_program(books: Books) -> None:
    with pytest.raises(NotAPerson):
        enter(books, 1, actor=SYSTEM)
    stranger = make_partner(books.session, program=make_program(books.session))
    with pytest.raises(adjusting.UnknownEntry):
        enter(books, 1, partner_id=stranger.id)
    entry = enter(books, 1)
    with pytest.raises(adjusting.UnknownEntry):
        decide(books, entry, program_id=make_program(books.session).id)


def test_each_step_leaves_its_audit_row(books: Books) -> None:
    entry = decide(books, enter(books, 25_00))
    rows = sa.select(AuditEvent).where(AuditEvent.subject_id == entry.id).order_by(AuditEvent.position)
    found = books.session.scalars(rows).all()
    assert [row.action for row in found] == ["adjustment.enter", "adjustment.post"]
    assert found[1].details["amount_minor"] == 25_00
    assert found[1].details["reason"] == "A good month."


def test_an_entry_stands_in_the_statement_with_its_reason(books: Books) -> None:
    decide(books, enter(books, 25_00))
    whose = {"program_id": books.program.id, "partner_id": books.partner.id, "currency": "EUR"}
    found = statements.statement(books.session, **whose, starts_at=NOW, ends_at=PAYDAY + timedelta(days=1), limit=9)
    (line,) = found.lines
    assert (line.amount, line.note, found.closing) == (Money(25_00, "EUR"), "A good month.", Money(25_00, "EUR"))


# --- write-offs


def owing(books: Books, *, left: bool = True) -> None:
    """The partner was paid 10.00 for an order that came back, has earned 3.00 since, and left."""
    conversion = books.order()
    books.work(now=MATURE)
    run(books, service.approve_run, service.mark_paid)
    make_refund(books.session, conversion=conversion, amount_minor=None)
    books.order(amount_minor=30_00)
    books.work(now=MATURE)
    if left:
        gone = sa.update(Enrollment).where(Enrollment.partner_id == books.partner.id)
        books.session.execute(gone.values(status=EnrollmentStatus.BANNED))


def give_up(books: Books) -> Adjustment:
    whose = {"program_id": books.program.id, "partner_id": books.partner.id}
    return adjusting.write_off(books.session, **whose, reason="Moved away.", actor=books.alice, now=PAYDAY)


def test_the_debt_of_a_partner_that_left_is_written_off_less_what_it_has_earned(books: Books) -> None:
    owing(books)
    entry = decide(books, give_up(books))
    assert (entry.kind, entry.amount_minor) == (AdjustmentKind.WRITE_OFF, 7_00)
    assert books.balances() == {"paid": 10_00, "approved": 3_00, "clawback": -3_00}
    with pytest.raises(adjusting.NothingOwed):
        give_up(books)


def test_a_partner_that_comes_back_after_a_write_off_is_paid_what_it_earns_from_then_on(books: Books) -> None:
    owing(books)
    decide(books, give_up(books))
    back = sa.update(Enrollment).where(Enrollment.partner_id == books.partner.id)
    books.session.execute(back.values(status=EnrollmentStatus.APPROVED))
    books.order(amount_minor=50_00)
    books.work(now=MATURE)
    paid = run(books, service.approve_run, service.mark_paid)
    (payout,) = books.session.scalars(sa.select(Payout).where(Payout.run_id == paid.id))
    assert (payout.earned_minor, payout.clawed_back_minor, payout.amount_minor) == (8_00, 3_00, 5_00)
    assert books.balances() == {"paid": 15_00}


def test_the_debt_of_an_active_partner_is_not_written_off(books: Books) -> None:
    owing(books, left=False)
    with pytest.raises(adjusting.StillHere):
        give_up(books)


def test_a_write_off_that_is_too_large_by_now_is_refused(books: Books) -> None:
    owing(books)
    entry = give_up(books)
    decide(books, enter(books, 5_00))
    with pytest.raises(adjusting.NothingOwed):
        decide(books, entry)


def test_a_debt_written_off_whole_is_no_due_any_more(books: Books) -> None:
    decide(books, enter(books, -4_00, AdjustmentKind.CORRECTION))
    gone = sa.update(Enrollment).where(Enrollment.partner_id == books.partner.id)
    books.session.execute(gone.values(status=EnrollmentStatus.PAUSED))
    decide(books, give_up(books))
    assert books.balances() == {}
    schedule = queries.preview(books.session, program_id=books.program.id, now=PAYDAY)
    assert (schedule.payable, schedule.blocked) == ([], [])


@pytest.mark.parametrize("kind", [AdjustmentKind.VOLUME, AdjustmentKind.CREDIT])
def test_nobody_types_what_is_reckoned_or_comes_of_an_order(books: Books, kind: AdjustmentKind) -> None:
    """A credit that was typed would be given as money, without the order that it is for."""
    with pytest.raises(Invalid) as refusal:
        enter(books, 25_00, kind)
    assert list(refusal.value.errors) == ["kind"]
    assert books.session.scalars(sa.select(Adjustment)).all() == []
