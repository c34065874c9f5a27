"""What the rules compare moves with the credits in force, in the stages' own transactions, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from factories import NOW, make_attribution, make_click, make_conversion, make_link, make_partner, make_refund
from money_cast import LIMIT, Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.commissions import service as commissions
from affiliate.fraud.models import FraudDay, FraudOrder
from affiliate.fraud.recount import recount
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner

DAY = timedelta(days=1)


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def order(books: Books, **fields: object) -> Conversion:
    """An order half an hour after a click of the partner."""
    link = make_link(books.session, program=books.program, partner=books.partner)
    click = make_click(books.session, link=link, occurred_at=NOW - timedelta(minutes=30))
    conversion = make_conversion(books.session, program=books.program, click_id=click.id, occurred_at=NOW, **fields)
    make_attribution(books.session, conversion=conversion, partner=books.partner)
    return conversion


def moves_to(books: Books, conversion: Conversion, partner: Partner | None) -> None:
    """Another attribution, made by hand, with another credit or none."""
    conversion.revision += 1
    present = sa.update(Attribution).where(Attribution.conversion_id == conversion.id).values(is_current=False)
    books.session.execute(present)
    make_attribution(books.session, conversion=conversion, partner=partner, version=conversion.revision)


def sums(books: Books) -> dict[str, tuple[int, int, int]]:
    """Orders, those by a click and those sent back, by day and whose."""
    books.session.expire_all()
    names = {books.program.id: "program", books.partner.id: "partner"}
    assert recount(books.session, limit=LIMIT) == []
    return {
        f"{row.day} {names.get(row.owner_id, 'other')}": (row.orders, row.orders_by_click, row.orders_refunded)
        for row in books.session.scalars(sa.select(FraudDay))
        if row.orders or row.orders_refunded
    }


def test_the_sums_follow_the_credits_in_force_and_what_is_sent_back(books: Books) -> None:
    today = NOW.date()
    first, second, _test = order(books), order(books), order(books, is_test=True)
    books.work()
    assert sums(books) == {f"{today} partner": (2, 2, 0), f"{today} program": (2, 2, 0)}
    for _ in range(2):  # two parts of one order are one order sent back
        make_refund(books.session, conversion=first, amount_minor=1_00)
        books.work()
    assert sums(books) == {f"{today} partner": (2, 2, 1), f"{today} program": (2, 2, 1)}

    other = make_partner(books.session, program=books.program)
    first.occurred_at = NOW - DAY  # the shop's server says so
    moves_to(books, first, other)
    books.work()
    yesterday = today - DAY
    assert sums(books) == {
        f"{today} partner": (1, 1, 0), f"{today} program": (1, 1, 0),
        f"{yesterday} other": (1, 1, 1), f"{yesterday} program": (1, 1, 1),
    }  # fmt: skip
    moves_to(books, first, None)
    second.revision += 1  # will be attributed again: until then it counts as it did
    books.work()
    assert sums(books) == {f"{today} partner": (1, 1, 0), f"{today} program": (1, 1, 0)}


def test_a_refund_that_came_before_its_order_counts_with_it(books: Books) -> None:
    conversion = order(books)
    make_refund(books.session, conversion=conversion, amount_minor=1_00)
    commissions.reverse_waiting(books.session, limit=LIMIT, now=NOW)
    books.work()
    assert sums(books)[f"{NOW.date()} partner"] == (1, 1, 1)


def test_a_job_that_dies_counts_nothing(books: Books, engine: Engine) -> None:
    order(books)
    books.session.commit()
    with Session(engine) as dying:
        assert commissions.commission_waiting(dying, limit=LIMIT, now=NOW) == 1
        dying.rollback()  # killed before the commit
    assert sums(books) == {}
    books.work()
    assert sums(books)[f"{NOW.date()} partner"] == (1, 1, 0)


def test_a_sum_that_is_wrong_is_found(books: Books) -> None:
    order(books)
    books.work()
    books.session.execute(sa.update(FraudDay).where(FraudDay.owner_id == books.partner.id).values(orders=2))
    (found,) = recount(books.session, limit=LIMIT)
    assert (found.owner_id, found.day) == (str(books.partner.id), str(NOW.date()))
    books.session.execute(sa.delete(FraudDay))
    assert len(recount(books.session, limit=LIMIT)) == 2
    books.session.execute(sa.delete(FraudOrder))
    assert recount(books.session, limit=LIMIT) == []
