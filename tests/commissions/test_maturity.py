"""From where the validation period runs, and what a commission awaits before it can mature."""

from datetime import timedelta

import pytest
from factories import NOW, make_order_event
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate.commissions import service
from affiliate.commissions.maturity import Milestone, Terms, maturity
from affiliate.ingest.models import OrderEventType
from affiliate.programs.rules import ValidationStart

DAY = timedelta(days=1)
PAID, SHIPPED, DELIVERED = Milestone.PAID, Milestone.SHIPPED, Milestone.DELIVERED


@pytest.mark.parametrize(
    ("start", "method", "events", "days", "awaits"),
    [
        ("order", None, {}, 30, None),
        ("order", "card", {PAID: 5}, 30, None),
        ("payment", None, {}, 30, PAID),
        ("payment", None, {SHIPPED: 3}, 30, PAID),
        ("payment", None, {PAID: 2}, 32, None),
        ("shipping", None, {SHIPPED: 4}, 34, None),
        ("delivery", None, {SHIPPED: 4}, 30, DELIVERED),
        ("delivery", None, {DELIVERED: 6}, 36, None),
        ("order", "COD", {}, 30, PAID),
        ("order", "cash_on_delivery", {PAID: 6}, 30, None),
        ("order", "cod", {PAID: 40}, 40, None),  # never before it is paid
        ("delivery", "cod", {DELIVERED: 6}, 36, PAID),
        ("delivery", "cod", {PAID: 7}, 30, DELIVERED),
        ("delivery", "cod", {DELIVERED: 6, PAID: 7}, 36, None),
    ],
)
def test_the_period_runs_from_where_the_program_says(
    start: str, method: str | None, events: dict[Milestone, int], days: int, awaits: Milestone | None
) -> None:
    terms = Terms(NOW, ValidationStart(start), 30, method)
    found = maturity(terms, events={kind: NOW + DAY * after for kind, after in events.items()})
    assert (found.matures_at - NOW, found.awaits) == (DAY * days, awaits)


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session, validation_start=ValidationStart.DELIVERY)


def test_a_commission_waits_for_the_delivery_and_then_for_its_period(books: Books) -> None:
    order = books.order(payment_method="cod")
    books.work(now=NOW + DAY * 100)
    assert (books.balances(), books.commission(order).awaits) == ({"pending": 10_00}, DELIVERED)
    make_order_event(books.session, conversion=order, type=OrderEventType.DELIVERED, occurred_at=NOW + DAY * 80)
    assert service.release_awaiting(books.session, limit=9) == 1
    assert (books.commission(order).awaits, books.commission(order).matures_at) == (PAID, NOW + DAY * 110)
    assert service.release_awaiting(books.session, limit=9) == 0
    make_order_event(books.session, conversion=order, type=OrderEventType.PAID, occurred_at=NOW + DAY * 120)
    assert service.release_awaiting(books.session, limit=9) == 1
    books.work(now=NOW + DAY * 119)
    assert books.balances() == {"pending": 10_00}
    books.work(now=NOW + DAY * 120)
    assert books.balances() == {"approved": 10_00}
    books.assert_proven()


def test_events_that_came_before_the_order_count_at_once(books: Books) -> None:
    order = books.order()
    make_order_event(books.session, conversion=order, type=OrderEventType.DELIVERED, occurred_at=NOW + DAY)
    make_order_event(books.session, conversion=order, type=OrderEventType.PAID, is_test=True)
    books.work()
    assert (books.commission(order).awaits, books.commission(order).matures_at) == (None, NOW + DAY * 31)
