"""Whatever arrives first, and however much later the rest: the same books. All stages run after each arrival."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import event_cast
import pytest
import sqlalchemy as sa
from event_cast import NOW, PROGRAM_ID, numbered
from factories import make_link, make_partner, make_plan, make_program
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission
from affiliate.ingest.service import store_batch
from affiliate.ledger import queries as ledger
from affiliate.payouts import proof
from affiliate.tracking.codec import Event

GAPS = (timedelta(0), timedelta(seconds=1), timedelta(hours=1))
LIMIT = 100
LEFT = 10_00 - 3_33 - 3_34
"""Of a commission of 10.00, after refunds of 33.33 and 33.33 of 100.00: the sums are rounded, not the parts."""


def events(session: Session) -> list[Event]:
    """A click, its order, and two refunds."""
    program = make_program(session, id=PROGRAM_ID)
    make_plan(session, program=program)
    link = make_link(session, program=program, partner=make_partner(session, program=program))
    session.commit()
    refunds = [event_cast.refund(name, amount_minor=33_33, delivery=number) for name, number in (("r1", 8), ("r2", 9))]
    click = event_cast.click(1, link_id=link.id, partner_id=link.partner_id)
    return [click, event_cast.sale(click_id=numbered(1)), *refunds]


def books(session: Session, arrivals: Sequence[Event], gap: timedelta) -> tuple[list[Any], dict[str, int]]:
    """What stands in the end: the live commissions, and the partner's accounts. Nothing is kept."""
    now = NOW + timedelta(hours=1)
    for event in arrivals:
        store_batch(session, events=[event], now=now)
        work(session, now)
        now += gap
    session.expire_all()
    found = list(session.scalars(sa.select(Commission).where(Commission.is_live)))
    told = [(one.status, one.amount_minor, one.reversed_minor) for one in found]
    accounts = ledger.balances_of(session, program_id=PROGRAM_ID, partner_id=found[0].partner_id)
    assert proof.verify(session).findings == []
    session.rollback()
    return told, {name.value: minor for name, minor in accounts.items() if minor}


def work(session: Session, now: datetime) -> None:
    attribution.attribute_waiting(session, limit=LIMIT, clicks_until=now + timedelta(days=1), now=now)
    commissions.commission_waiting(session, limit=LIMIT, now=now)
    commissions.reverse_waiting(session, limit=LIMIT, now=now)


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.mark.parametrize("gap", GAPS, ids=["at once", "a second apart", "an hour apart"])
def test_click_order_and_refunds_in_any_order_give_the_same_books(sqlite_session: Session, gap: timedelta) -> None:
    told = events(sqlite_session)
    first, second = told[-2:]  # of one amount: the other way round would be the same again
    for arrivals in permutations(told):
        if arrivals.index(first) > arrivals.index(second):
            continue
        assert books(sqlite_session, arrivals, gap) == ([("pending", 10_00, 10_00 - LEFT)], {"pending": LEFT})


def test_the_books_are_the_same_on_either_database(session: Session) -> None:
    click, order, *refunds = events(session)
    expected = ([("pending", 10_00, 10_00 - LEFT)], {"pending": LEFT})
    assert books(session, [*refunds, order, click], GAPS[1]) == expected
