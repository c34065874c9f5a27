"""Refunds in another currency than their order: turned by the order's rate; without one put aside, seen, and settled once."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_refund
from money_cast import LIMIT, Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.commissions import losses, set_aside
from affiliate.commissions.models import CommissionAdjustment
from affiliate.currencies import service as currencies
from affiliate.currencies.convert import DayRates
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion, Refund
from affiliate.money import Money


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def know_rates(books: Books, *, days_before: int = 1, dollars: str = "1.25") -> None:
    """Of the order's day; a refund comes an hour after its order."""
    days = [DayRates(NOW.date() - timedelta(days=days_before), "ecb", {"USD": dollars, "JPY": "160"})]
    currencies.store(books.session, days=days, now=NOW)


def reversed_of(books: Books, conversion: Conversion) -> int:
    return books.commission(conversion).reversed_minor


def aside(books: Books) -> list[str]:
    return [row.order_id for row in set_aside.waiting(books.session, program_id=books.program.id)]


def test_a_refund_in_another_currency_takes_by_the_rate_of_the_orders_day(books: Books) -> None:
    know_rates(books)
    currencies.store(
        books.session, days=[DayRates(NOW.date() + timedelta(days=4), "ecb", {"USD": "2.00"})], now=NOW
    )  # by it the same money would be 31.25 euro
    conversion = books.order()
    make_refund(
        books.session, conversion=conversion, amount_minor=62_50, currency="USD", occurred_at=NOW + timedelta(days=5),
        items=[{"sku": "a", "amount_minor": 31_25}],
    )  # fmt: skip
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (5_00, [])
    make_refund(books.session, conversion=conversion, amount_minor=8_000, currency="JPY")
    books.work()
    assert (reversed_of(books, conversion), books.balances()) == (10_00, {})
    books.assert_proven()


@pytest.mark.parametrize("refund_first", [False, True])
def test_without_a_rate_it_is_put_aside_and_taken_once_the_rate_is_stored(books: Books, *, refund_first: bool) -> None:
    conversion = books.order()
    if not refund_first:
        books.work()
    make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    make_refund(books.session, conversion=conversion, amount_minor=10_00)
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (1_00, [conversion.order_id])
    assert set_aside.look_again(books.session, limit=1) == 0
    know_rates(books)
    assert set_aside.look_again(books.session, limit=1) == 1
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (6_00, [])
    assert set_aside.look_again(books.session, limit=1) == 0
    books.assert_proven()


def settle(books: Books, amount: Money, **changes: Any) -> None:
    refund = books.session.scalars(sa.select(Refund)).one()
    of_order = {"refund_id": refund.id, "conversion_id": refund.conversion_id}
    facts: dict[str, Any] = of_order | {"program_id": books.program.id, "note": "Bank slip 17"} | changes
    set_aside.settle(books.session, **facts, amount=amount, actor=SYSTEM, now=NOW)


def test_a_manager_settles_it_once_and_a_rate_that_comes_later_changes_nothing(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    books.work()
    with pytest.raises(Invalid):
        settle(books, Money(50_00, "USD"))
    with pytest.raises(Invalid):
        settle(books, Money(50_00, "EUR"), note=" ")
    settle(books, Money(48_00, "EUR"))
    books.work()
    with pytest.raises(set_aside.NotSetAside):
        settle(books, Money(50_00, "EUR"))
    know_rates(books)
    set_aside.look_again(books.session, limit=LIMIT)
    books.work()
    taken = books.session.scalars(sa.select(CommissionAdjustment.amount_minor)).all()
    assert (reversed_of(books, conversion), taken) == (4_80, [4_80])
    told = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "refund.settle")).one()
    assert (told.details["amount_minor"], told.details["reason"]) == (48_00, "Bank slip 17")
    books.assert_proven()


def test_it_goes_on_when_the_order_turns_out_to_be_in_its_currency(books: Books) -> None:
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=50_00, currency="XAU")
    books.work()
    assert aside(books) == [conversion.order_id]
    conversion.currency = "XAU"
    books.amend(conversion)
    books.work()
    assert aside(books) == []


def test_a_rate_that_comes_later_changes_nothing_of_a_refund_that_was_taken(books: Books) -> None:
    know_rates(books, days_before=5)
    conversion = books.order()
    refund = make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    books.work()
    know_rates(books, days_before=1, dollars="2.50")
    make_refund(books.session, conversion=conversion, amount_minor=10_00)
    books.work()
    assert reversed_of(books, conversion) == 6_00
    named = losses.exchanges(books.session, refund_ids=[refund.id])[refund.id]
    assert (str(named.rate), named.day) == ("4/5", NOW.date() - timedelta(days=5))
    books.assert_proven()


def test_an_order_of_another_day_has_its_refunds_turned_by_the_rate_of_that_day(books: Books) -> None:
    know_rates(books, days_before=5)
    conversion = books.order()
    refund = make_refund(books.session, conversion=conversion, amount_minor=62_50, currency="USD")
    books.work()
    know_rates(books, days_before=0, dollars="2.50")
    books.amend(conversion, occurred_at=NOW + timedelta(days=1))
    books.work()
    assert reversed_of(books, conversion) == 2_50
    assert str(losses.exchanges(books.session, refund_ids=[refund.id])[refund.id].rate) == "2/5"
    books.session.expire_all()
    assert (refund.exchange or {})["rate"] == "0.4"
    books.assert_proven()


def test_a_managers_word_counts_for_the_currency_that_it_named(books: Books) -> None:
    know_rates(books)
    conversion = books.order()
    make_refund(books.session, conversion=conversion, amount_minor=50_00, currency="XAU")
    books.work()
    settle(books, Money(48_00, "EUR"))
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (4_80, [])
    books.amend(conversion, currency="USD")
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (0, [conversion.order_id])
    settle(books, Money(60_00, "USD"))
    books.work()
    assert (reversed_of(books, conversion), aside(books)) == (4_80, [])
    books.assert_proven()
