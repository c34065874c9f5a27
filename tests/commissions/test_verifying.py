"""A manager's word for an order, on both databases: it pays, it is bounded, and a higher source still overrules it."""

from datetime import timedelta
from typing import Any

import event_cast
import pytest
import sqlalchemy as sa
from event_cast import PROGRAM_ID
from factories import NOW, make_conversion
from money_cast import LIMIT, Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.attribution import service as attribution
from affiliate.commissions import verifying
from affiliate.commissions.models import Commission
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion, ConversionRevision, Trust
from affiliate.ingest.service import store_batch


def verify(books: Books, order: Conversion, **changes: Any) -> None:
    facts: dict[str, Any] = {
        "program_id": books.program.id,
        "note": "Seen in the shop",
        "actor": books.alice,
        "now": NOW,
    }
    verifying.verify(books.session, conversion_id=order.id, **facts | changes)
    books.session.expire_all()


def open_order(books: Books, **facts: Any) -> Conversion:
    order = books.order(trust=Trust.OPEN, **facts)
    books.work()
    return order


def test_a_verified_order_is_attributed_again_and_its_commission_posted(session: Session) -> None:
    books = open_books(session)
    order = open_order(books)
    assert books.balances() == {}
    verify(books, order)
    assert (order.trust, order.attributed_revision < order.revision) == (Trust.SIGNED, True)
    attribution.attribute_waiting(session, limit=LIMIT, clicks_until=NOW, now=NOW)
    books.work()
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "conversion.verify")).one()
    assert (event.details["amount_minor"], event.details["reason"]) == (100_00, "Seen in the shop")
    assert session.scalars(sa.select(ConversionRevision.trust)).all() == [Trust.OPEN]
    assert (
        session.scalars(sa.select(Commission).where(Commission.status == "unverified", Commission.is_live)).all() == []
    )
    books.assert_proven()


def test_the_shops_server_still_overrules_a_managers_word(session: Session) -> None:
    books = open_books(session, id=PROGRAM_ID)
    store_batch(session, events=[event_cast.sale(trust=Trust.OPEN.value, amount_minor=90_00, delivery=1)], now=NOW)
    order = session.scalars(sa.select(Conversion)).one()
    verify(books, order)
    again = event_cast.sale(trust=Trust.OPEN.value, amount_minor=90_00, delivery=2)
    store_batch(session, events=[again, event_cast.sale(amount_minor=80_00, delivery=3)], now=NOW)
    session.expire_all()
    assert (order.trust, order.amount_minor) == (Trust.SERVER, 80_00)


def test_managers_share_a_limit_that_grows_with_what_the_shop_confirms(session: Session) -> None:
    books = open_books(session)
    assert verifying.room(session, program_id=books.program.id, now=NOW).amount_minor == 500_00
    first, second = (open_order(books, amount_minor=300_00) for _ in range(2))
    verify(books, first)
    with pytest.raises(verifying.AboveLimit):
        verify(books, second, actor=books.bob)
    make_conversion(session, program=books.program, amount_minor=20_000_00, occurred_at=NOW - timedelta(days=3))
    assert verifying.room(session, program_id=books.program.id, now=NOW).amount_minor == 700_00
    verify(books, second)
    later = NOW + timedelta(days=31)
    assert verifying.room(session, program_id=books.program.id, now=later).amount_minor == 500_00


def test_what_needs_no_word_or_has_no_reason_is_refused(session: Session) -> None:
    books = open_books(session)
    for order in (books.order(), books.order(is_test=True, trust=Trust.OPEN)):
        with pytest.raises(verifying.NotToVerify):
            verify(books, order)
    foreign = open_order(books, currency="XAU")
    for refusal, changes in (
        (verifying.AboveLimit, {}),
        (Invalid, {"note": " "}),
        (verifying.UnknownOrder, {"program_id": books.partner.id}),
    ):
        with pytest.raises(refusal):
            verify(books, foreign, **changes)
