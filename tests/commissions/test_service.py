"""Commissions on both databases: credited, reversed in any order, approved, declined; the books hold after each step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_click, make_link, make_order_event, make_partner, make_plan, make_program, make_refund
from money_cast import LIMIT, MATURE, Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.attribution.models import ORIGIN, Attribution, Credit
from affiliate.commissions import service, waiting_rates
from affiliate.commissions.models import (
    Commission,
    CommissionAdjustment,
    CommissionPlan,
    CommissionReason,
    CommissionStatus,
    DeclineReason,
)
from affiliate.currencies import service as currencies
from affiliate.currencies.convert import DayRates
from affiliate.errors import Invalid
from affiliate.ingest.models import OrderEventType, Refund, Trust
from affiliate.links import service as links
from affiliate.payouts import service as payouts


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def adjustments(books: Books) -> list[CommissionAdjustment]:
    by_time = sa.select(CommissionAdjustment).order_by(CommissionAdjustment.created_at, CommissionAdjustment.id)
    return list(books.session.scalars(by_time))


# --- a commission for each credit


def test_a_verified_sale_earns_a_pending_commission(books: Books) -> None:
    conversion = books.order(amount_minor=119_00, tax_minor=15_00, shipping_minor=4_00)
    books.work()
    commission = books.commission(conversion)
    assert (commission.status, commission.base_minor, commission.amount_minor) == ("pending", 100_00, 10_00)
    assert commission.matures_at == NOW + timedelta(days=30)
    assert commission.trace["groups"][0]["portions"][0]["rate_bps"] == 10_00
    assert books.balances() == {"pending": 10_00}
    books.assert_proven()


def test_a_commission_says_where_its_sale_came_from_as_its_credit_does(books: Books) -> None:
    link = make_link(books.session, program=books.program, partner=books.partner)
    click = make_click(
        books.session, link=link, subs={"sub1": "june"}, country="IT", referrer_host="blog.example", user_agent="iPhone"
    )
    coupon = links.create_coupon(
        books.session, program_id=books.program.id, partner_id=books.partner.id, code="JUNE", actor=SYSTEM, now=NOW
    )
    conversion = books.order(click_id=click.id)
    credit = books.session.scalars(sa.select(Credit)).one()
    credit.link_id, credit.coupon_id = link.id, coupon.id
    books.work()
    commission = books.commission(conversion)
    assert {name: getattr(commission, name) for name in ORIGIN} == {name: getattr(credit, name) for name in ORIGIN}
    assert (commission.click_id, commission.coupon_id, commission.sub1) == (click.id, coupon.id, "june")


def test_the_stage_takes_no_more_than_its_limit_and_drains_in_rounds(books: Books) -> None:
    for _ in range(5):
        books.order()
    done = [service.commission_waiting(books.session, limit=2, now=NOW) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    books.assert_proven()


def test_running_the_stage_twice_does_nothing_twice(books: Books) -> None:
    conversion = books.order()
    books.work()
    books.session.execute(sa.update(Attribution).values(commissioned_at=None))  # as if the mark had been lost
    books.work()
    assert books.commission(conversion).amount_minor == 10_00
    assert books.balances() == {"pending": 10_00}
    books.assert_proven()


@pytest.mark.parametrize(
    ("facts", "status"),
    [({"trust": Trust.OPEN}, "unverified"), ({"is_test": True}, "test"), ({"trust": Trust.SIGNED}, "pending")],
)
def test_only_verified_orders_that_are_no_tests_are_posted(books: Books, facts: dict[str, Any], status: str) -> None:
    conversion = books.order(**facts)
    books.work(now=MATURE)
    commission = books.commission(conversion)
    assert commission.amount_minor == 10_00
    if status == "pending":
        assert books.balances() == {"approved": 10_00}
    else:
        assert (commission.status, books.balances()) == (status, {})
    books.assert_proven()


def test_without_a_plan_there_is_a_commission_of_nothing_with_the_reason(session: Session) -> None:
    books = open_books(session)
    session.execute(sa.delete(CommissionPlan))
    conversion = books.order()
    books.work()
    commission = books.commission(conversion)
    assert (commission.amount_minor, commission.reason, commission.plan_id) == (0, CommissionReason.NO_PLAN, None)
    assert books.balances() == {}
    books.assert_proven()


def known_rates(books: Books, *, days_before: int = 1) -> None:
    days = [DayRates(NOW.date() - timedelta(days=days_before), "ecb", {"USD": "1.25", "PLN": "4.00"})]
    currencies.store(books.session, days=days, now=NOW)


def test_an_order_in_another_currency_is_paid_in_the_programs_and_refunded_in_its_own(books: Books) -> None:
    known_rates(books)
    conversion = books.order(currency="USD", amount_minor=125_00)
    books.work()
    commission = books.commission(conversion)
    assert (commission.currency, commission.base_minor, commission.amount_minor) == ("EUR", 100_00, 10_00)
    assert commission.trace["exchange"]["rate"] == "0.8"
    make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    books.work()
    assert books.balances() == {"pending": 5_00}
    make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    books.work()
    assert books.balances() == {}
    books.assert_proven()


def test_a_refund_without_a_currency_is_meant_in_the_orders(books: Books) -> None:
    """It was written with the two decimals of the program's."""
    days = [DayRates(NOW.date() - timedelta(days=1), "ecb", {"JPY": "125", "KWD": "1", "USD": "1.25"})]
    currencies.store(books.session, days=days, now=NOW)
    for currency, amount, refunded in (("JPY", 12_500, 6_250_00), ("KWD", 100_000, 50_00), ("USD", 125_00, 62_50)):
        conversion = books.order(currency=currency, amount_minor=amount)
        items = [{"sku": "a", "amount_minor": refunded}]
        make_refund(books.session, conversion=conversion, amount_minor=refunded, currency=None, items=items)
        books.work()
        commission = books.commission(conversion)
        assert (commission.revenue_minor, commission.amount_minor, commission.reversed_minor) == (100_00, 10_00, 5_00)
    books.assert_proven()


def test_an_order_without_a_rate_earns_nothing_until_its_rate_is_known(books: Books) -> None:
    conversion = books.order(currency="USD", amount_minor=125_00)
    books.work()
    commission = books.commission(conversion)
    assert (commission.amount_minor, commission.reason) == (0, CommissionReason.NO_EXCHANGE_RATE)
    assert waiting_rates.look_again(books.session, limit=LIMIT) == 0
    known_rates(books)
    assert waiting_rates.look_again(books.session, limit=LIMIT) == 1
    books.amend(conversion)  # what attribution does when it is asked again
    books.work()
    assert books.commission(conversion).amount_minor == 10_00
    assert waiting_rates.look_again(books.session, limit=LIMIT) == 0
    books.assert_proven()


def test_the_plan_in_force_on_the_day_of_the_order_counts(books: Books) -> None:
    make_plan(books.session, program=books.program, rate_bps=20_00, effective_from=NOW)
    before = books.order(occurred_at=NOW - timedelta(seconds=1))
    on_the_dot = books.order(occurred_at=NOW)
    books.work()
    assert books.commission(before).amount_minor == 10_00
    assert books.commission(on_the_dot).amount_minor == 20_00


def test_the_shares_of_an_order_add_up_to_its_commission(books: Books) -> None:
    others = [make_partner(books.session, program=books.program) for _ in range(2)]
    conversion = books.order(amount_minor=100_01)
    attribution = books.session.scalars(sa.select(Attribution)).one()
    credit = books.session.scalars(sa.select(Credit)).one()
    credit.share_bps = 33_34
    for partner in others:
        facts = {"attribution_id": attribution.id, "partner_id": partner.id, "share_bps": 33_33}
        books.session.add(Credit(id=partner.id, **facts))
    books.session.flush()
    books.work()
    whole = books.session.scalars(sa.select(Commission.amount_minor).where(Commission.conversion_id == conversion.id))
    assert sum(whole) == 10_00
    books.assert_proven()


# --- newer versions


def test_a_newer_attribution_takes_the_commission_from_one_partner_and_gives_it_to_another(books: Books) -> None:
    rival = make_partner(books.session, program=books.program)
    conversion = books.order()
    books.work()
    books.amend(conversion, partner=rival)
    books.work()
    old = books.session.scalars(sa.select(Commission).where(Commission.partner_id == books.partner.id)).one()
    assert (old.status, old.reason, old.is_live) == ("reversed", CommissionReason.SUPERSEDED, False)
    assert (books.balances(), books.balances(rival)) == ({}, {"pending": 10_00})
    books.assert_proven()


def test_a_version_of_yesterdays_facts_waits_for_the_attribution_of_todays(books: Books) -> None:
    conversion = books.order()
    conversion.revision = 2  # ingest was faster than attribution
    books.session.flush()
    books.work()
    assert books.session.scalars(sa.select(Commission)).all() == []
    conversion.revision = 1
    books.amend(conversion, amount_minor=50_00)
    books.work()
    assert books.commission(conversion).amount_minor == 5_00
    books.assert_proven()


def test_a_confirmed_sale_replaces_the_unverified_one_without_a_trace_in_the_books(books: Books) -> None:
    conversion = books.order(trust=Trust.OPEN, amount_minor=999_00)
    books.work()
    books.amend(conversion, trust=Trust.SERVER, amount_minor=100_00)
    books.work()
    assert books.commission(conversion).status == "pending"
    assert books.balances() == {"pending": 10_00}
    books.assert_proven()


def test_an_order_without_credit_any_more_loses_its_commission(books: Books) -> None:
    conversion = books.order()
    books.work(now=MATURE)
    books.amend(conversion)
    books.session.execute(
        sa.delete(Credit).where(Credit.attribution_id.in_(sa.select(Attribution.id).where(Attribution.is_current)))
    )
    books.work(now=MATURE)
    assert books.balances() == {}
    assert not books.session.scalars(sa.select(Commission).where(Commission.is_live)).all()
    books.assert_proven()


def test_refunds_taken_from_the_old_version_are_taken_from_the_new_one(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=40_00)
    books.work()
    assert books.balances() == {"pending": 6_00}
    books.amend(conversion, amount_minor=80_00)
    service.commission_waiting(books.session, limit=LIMIT, now=NOW)
    commission = books.commission(conversion)
    assert (commission.amount_minor, commission.reversed_minor) == (8_00, 4_00)  # in the same step
    books.assert_proven()


# --- refunds and cancellations


def test_a_refund_in_two_parts_reverses_the_whole_commission(books: Books) -> None:
    conversion = books.order(amount_minor=33_33)
    books.work()
    make_refund(books.session, conversion=conversion, amount_minor=11_11)
    books.work()
    assert books.commission(conversion).reversed_minor == 1_11
    make_refund(books.session, conversion=conversion, amount_minor=22_22)
    books.work()
    commission = books.commission(conversion)
    assert (commission.reversed_minor, commission.status) == (3_33, CommissionStatus.REVERSED)
    assert commission.reason is CommissionReason.REFUNDED
    assert books.balances() == {}
    books.assert_proven()


def test_a_refund_without_amount_takes_all_that_remains(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=25_00)
    make_refund(books.session, conversion=conversion, amount_minor=None, occurred_at=NOW + timedelta(days=1))
    books.work()
    assert sorted(row.amount_minor for row in adjustments(books)) == [2_50, 7_50]
    assert books.balances() == {}
    books.assert_proven()


def test_a_refund_beyond_the_order_is_recorded_and_takes_no_more_than_there_was(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=150_00)
    books.work()
    (taken,) = adjustments(books)
    assert (taken.amount_minor, taken.exceeds_original) == (10_00, True)
    books.assert_proven()


def test_a_cancelled_order_earns_nothing(books: Books) -> None:
    conversion = books.order()
    books.work(now=MATURE)
    make_order_event(books.session, conversion=conversion)
    books.work(now=MATURE)
    commission = books.commission(conversion)
    assert (commission.status, commission.reason) == ("reversed", CommissionReason.ORDER_CANCELLED)
    assert books.balances() == {}
    books.assert_proven()


def test_a_shipped_order_loses_nothing(books: Books) -> None:
    conversion = books.order()
    make_order_event(books.session, conversion=conversion, type=OrderEventType.SHIPPED)
    books.work()
    assert (books.balances(), adjustments(books)) == ({"pending": 10_00}, [])


def test_a_test_refund_leaves_a_real_order_alone_and_a_real_one_a_test(books: Books) -> None:
    real, trial = books.order(), books.order(is_test=True)
    make_refund(books.session, conversion=real, amount_minor=None, is_test=True)
    make_order_event(books.session, conversion=trial, is_test=False)
    books.work()
    assert books.commission(real).reversed_minor == 0
    assert books.commission(trial).reversed_minor == 0


def test_what_is_refunded_before_it_is_verified_is_not_posted(books: Books) -> None:
    conversion = books.order(trust=Trust.OPEN)
    make_refund(books.session, conversion=conversion, amount_minor=None)
    books.work()
    commission = books.commission(conversion)
    assert (commission.status, commission.reversed_minor) == ("unverified", 10_00)
    assert books.balances() == {}
    books.assert_proven()


def test_a_refund_for_an_unknown_order_waits_without_holding_up_the_others(books: Books) -> None:
    conversion = books.order()
    refund = make_refund(books.session, conversion=conversion, amount_minor=None)
    orphan = make_refund(books.session, conversion=conversion, amount_minor=None)
    orphan.conversion_id = books.program.id  # an order that never came
    books.session.flush()
    assert service.reverse_waiting(books.session, limit=LIMIT, now=NOW) == 2
    books.session.expire_all()
    assert refund.taken_at == orphan.taken_at == NOW
    assert service.reverse_waiting(books.session, limit=LIMIT, now=NOW) == 0


def test_the_order_of_arrival_does_not_matter(books: Books) -> None:
    """Every order in which an order, its two refunds and its cancellation can be worked on ends in the same books."""

    def parts(conversion: Any) -> dict[str, Callable[[], Any]]:
        return {
            "work": books.work,
            "third": lambda: make_refund(books.session, conversion=conversion, amount_minor=33_33),
            "fifth": lambda: make_refund(books.session, conversion=conversion, amount_minor=20_00),
            "again": books.work,
        }

    for order in permutations(["work", "third", "fifth", "again"]):
        conversion = books.order()
        acts = parts(conversion)
        for act in order:
            acts[act]()
        books.work()
        assert books.commission(conversion).reversed_minor == 5_33, order
    books.assert_proven()


def test_a_batch_takes_a_constant_number_of_statements(books: Books, count_queries: Any) -> None:
    def statements(orders: int) -> int:
        for _ in range(orders):
            make_refund(books.session, conversion=books.order(), amount_minor=10_00)
        books.session.flush()
        with count_queries() as counter:
            service.commission_waiting(books.session, limit=LIMIT, now=NOW)
            service.reverse_waiting(books.session, limit=LIMIT, now=NOW)
            service.approve_due(books.session, limit=LIMIT, now=MATURE)
        return len(counter)

    assert statements(2) == statements(40)


# --- approval


def test_a_commission_is_approved_when_its_validation_period_is_over(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=10_00)
    books.work(now=MATURE - timedelta(microseconds=1))
    assert books.commission(conversion).status == "pending"
    books.work(now=MATURE)
    commission = books.commission(conversion)
    assert (commission.status, commission.approved_at) == ("approved", MATURE)
    assert books.balances() == {"approved": 9_00}
    books.assert_proven()


def test_a_manager_approves_early_once_and_it_is_written_down(books: Books) -> None:
    commission = books.commission_of_new_order()
    facts = {"commission_id": commission.id, "program_id": books.program.id, "actor": books.alice, "now": NOW}
    service.approve(books.session, **facts)
    assert books.balances() == {"approved": 10_00}
    with pytest.raises(service.WrongStatus) as refusal:
        service.approve(books.session, **facts)
    assert refusal.value.status == "approved"
    (event,) = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.subject_id == commission.id))
    assert (event.action, event.actor_id) == ("commission.approve", books.alice.id)
    books.assert_proven()


def test_a_reversed_commission_cannot_be_approved(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=None)
    books.work()
    commission_id = books.commission(conversion).id
    with pytest.raises(service.WrongStatus):
        service.approve(
            books.session, commission_id=commission_id, program_id=books.program.id, actor=books.alice, now=NOW
        )


@pytest.mark.parametrize("matured", [False, True])
def test_a_manager_declines_what_is_left_with_a_reason_for_the_partner(books: Books, matured: bool) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=30_00)
    books.work(now=MATURE if matured else NOW)
    commission = books.commission(conversion)
    service.decline(
        books.session, commission_id=commission.id, program_id=books.program.id, reason=" Own purchase. ",
        why=DeclineReason.OWN_PURCHASE, actor=books.alice, now=NOW,
    )  # fmt: skip
    commission = books.commission(conversion)
    assert (commission.status, commission.reason) == ("declined", CommissionReason.DECLINED_BY_MANAGER)
    assert commission.reversed_minor == 10_00
    assert {row.note for row in adjustments(books)} == {None, "Own purchase."}
    assert {row.decline_reason for row in adjustments(books)} == {None, DeclineReason.OWN_PURCHASE}
    assert books.balances() == {}
    books.assert_proven()


def test_declining_needs_a_reason(books: Books) -> None:
    commission = books.commission_of_new_order()
    for reason in ("", "   ", "x" * 501):
        with pytest.raises(Invalid, match="wrong"):
            service.decline(
                books.session, commission_id=commission.id, program_id=books.program.id, reason=reason,
                actor=books.alice, now=NOW,
            )  # fmt: skip


def test_what_was_declined_stays_declined_when_the_order_is_amended(books: Books) -> None:
    conversion = books.order()
    books.work()
    commission = books.commission(conversion)
    service.decline(
        books.session, commission_id=commission.id, program_id=books.program.id, reason="Fraud.",
        actor=books.alice, now=NOW,
    )  # fmt: skip
    books.session.expire_all()
    books.amend(conversion, amount_minor=500_00)
    books.work()
    again = books.commission(conversion)
    assert again.id != commission.id
    assert (again.status, again.reversed_minor) == ("declined", 50_00)
    assert books.balances() == {}
    books.assert_proven()


def test_somebody_elses_commission_is_not_found(books: Books) -> None:
    commission = books.commission_of_new_order()
    elsewhere = make_program(books.session)
    facts = {"commission_id": commission.id, "program_id": elsewhere.id, "actor": books.alice, "now": NOW}
    with pytest.raises(service.UnknownCommission):
        service.approve(books.session, **facts)
    with pytest.raises(service.UnknownCommission):
        service.decline(books.session, **facts, reason="No.")
    assert books.balances() == {"pending": 10_00}


def test_marks_of_the_queue_carry_the_moment_of_the_work(books: Books, now: datetime) -> None:
    make_refund(books.session, conversion=books.order(), amount_minor=1)
    books.work(now=now)
    assert books.session.scalars(sa.select(Attribution.commissioned_at)).all() == [now]
    assert books.session.scalars(sa.select(Refund.taken_at)).all() == [now]


def test_an_order_amended_up_and_down_after_its_payout_is_settled_by_the_difference(books: Books) -> None:
    conversion = books.order()
    books.work(now=MATURE)
    facts: dict[str, Any] = {"program_id": books.program.id, "now": MATURE}
    run = payouts.propose(books.session, actor=books.alice, **facts)
    payouts.approve_run(books.session, run_id=run.id, actor=books.bob, **facts)
    payouts.mark_paid(books.session, run_id=run.id, actor=books.bob, **facts)
    for amount_minor, owed in ((150_00, 5_00), (70_00, -3_00), (100_00, 0)):
        books.amend(conversion, amount_minor=amount_minor)
        books.work(now=MATURE)
        balances = books.balances()
        assert balances.get("approved", 0) + balances.get("clawback", 0) == owed
        assert balances["paid"] == 10_00
        books.assert_proven()
