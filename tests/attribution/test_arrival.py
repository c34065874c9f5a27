"""Whatever arrives first, and however often the stage looks in between: the same order has the same credit in the end."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from math import factorial
from typing import Any

import event_cast
import pytest
import sqlalchemy as sa
from event_cast import PROGRAM_ID, numbered
from factories import make_link, make_partner, make_program
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution import service
from affiliate.attribution.models import Attribution, Credit
from affiliate.ingest.models import Conversion
from affiliate.ingest.service import store_batch
from affiliate.tracking.codec import Event, Trust

VISITOR = numbered(70)


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def events(session: Session) -> list[Event]:
    """An order told by the tag and confirmed by the shop, its named click, and two clicks of its visitor."""
    program = make_program(session, id=PROGRAM_ID)
    links = [make_link(session, program=program, partner=make_partner(session, program=program)) for _ in range(2)]
    session.commit()
    first, second = ({"link_id": link.id, "partner_id": link.partner_id} for link in links)
    return [
        event_cast.click(1, **first),
        event_cast.click(2, visitor_id=VISITOR, seconds=600, **second),
        event_cast.click(3, visitor_id=VISITOR, seconds=1200, **first),
        event_cast.sale(trust=Trust.OPEN.value, visitor_id=VISITOR, amount_minor=90_00, delivery=1),
        event_cast.sale(visitor_id=VISITOR, click_id=numbered(1), delivery=2),
    ]


def outcome(session: Session) -> list[Any]:
    """The order as believed, its one current attribution, and who has its credit."""
    session.expire_all()
    (conversion,) = session.scalars(sa.select(Conversion))
    (current,) = session.scalars(sa.select(Attribution).where(Attribution.is_current))
    rows = session.scalars(sa.select(Credit).where(Credit.attribution_id == current.id))
    assert conversion.attributed_revision == conversion.revision == current.conversion_revision
    shares = [(credit.partner_id, credit.click_id, credit.share_bps) for credit in rows]
    return [conversion.amount_minor, conversion.trust, current.trace, shares]


def arrive(session: Session, event: Event, now: datetime) -> None:
    store_batch(session, events=[event], now=now)
    service.attribute_waiting(session, limit=10, clicks_until=now + timedelta(days=1), now=now)


def deliver(session: Session, arrivals: tuple[Event, ...], now: datetime) -> list[Any]:
    for event in arrivals:
        arrive(session, event, now)
    found = outcome(session)
    session.rollback()
    return found


def outcomes(session: Session, left: list[Event], now: datetime) -> Iterator[list[Any]]:
    """What becomes of each order in which these may arrive. Those that begin alike share their beginning."""
    if not left:
        yield outcome(session)
    for event in left:
        passing = session.begin_nested()
        arrive(session, event, now)
        yield from outcomes(session, [other for other in left if other is not event], now)
        passing.rollback()


def test_every_order_of_arrival_gives_the_same_credit(sqlite_session: Session, now: datetime) -> None:
    arrivals = events(sqlite_session)
    expected = deliver(sqlite_session, tuple(arrivals), now)
    assert [share[1] for share in expected[-1]] == [numbered(1)]
    found = list(outcomes(sqlite_session, arrivals, now))
    assert len(found) == factorial(len(arrivals))
    assert all(each == expected for each in found)


def test_a_click_that_is_being_stored_while_its_order_arrives_is_not_lost(
    engine: Engine, session: Session, now: datetime
) -> None:
    """Its batch looked for orders before this one was there, and the order is judged before the click can be seen."""
    click, *_others, order = events(session)
    with ThreadPoolExecutor(1) as pool, Session(engine) as storing:
        if engine.dialect.name == "postgresql":
            store_batch(storing, events=[click], now=now)
            store_batch(session, events=[order], now=now)
            session.commit()
            judged = pool.submit(_attribute, engine, now)
            _until(lambda: judged.done() or _somebody_waits(session))
        else:  # one writer at a time
            store_batch(session, events=[order], now=now)
            session.commit()
            judged = pool.submit(_attribute, engine, now)
            judged.result(30)
            store_batch(storing, events=[click], now=now)
        storing.commit()
        judged.result(30)
    _attribute(engine, now)
    assert [share[1] for share in outcome(session)[-1]] == [numbered(1)]


def _attribute(engine: Engine, now: datetime) -> int:
    with Session(engine) as own, own.begin():
        return service.attribute_waiting(own, limit=10, clicks_until=now + timedelta(days=1), now=now)


def _somebody_waits(session: Session) -> bool:
    waiting = session.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    session.rollback()
    return bool(waiting)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_clicks_after_their_order_give_the_same_credit_on_either_database(session: Session, now: datetime) -> None:
    arrivals = events(session)
    assert deliver(session, tuple(reversed(arrivals)), now) == deliver(session, tuple(arrivals), now)
