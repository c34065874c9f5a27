"""Clicks in a table a month, and their end: whole months on PostgreSQL, bounded steps elsewhere, never before the traces are safe."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from event_cast import NOW, click
from factories import make_conversion, make_program
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.ingest import partitions, retention, service
from affiliate.ingest.models import ChannelTouch, Click
from affiliate.ingest.recount import recount
from affiliate.ingest.rollup_models import ClickLabel
from affiliate.tracking.codec import ClickEvent

LONG_AGO = NOW - timedelta(days=500)


def at(moment: datetime, **changes: object) -> ClickEvent:
    return click(1, click_id=ids.new_at(moment), occurred_at=moment, **changes)


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def rows_of(session: Session, table: str) -> int:
    return int(session.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - our names


def months(session: Session) -> int:
    return int(session.scalar(sa.text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'clicks'::regclass")) or 0)


def test_the_months_to_come_have_their_table_and_making_them_twice_makes_nothing(session: Session) -> None:
    made = partitions.ensure(session, now=NOW)
    assert partitions.ensure(session, now=NOW) == []
    if is_postgresql(session):
        assert made == ["clicks_2026_11", "clicks_2026_12", "clicks_2027_01", "clicks_2027_02"]
        service.store_batch(session, events=[at(NOW)], now=NOW)
        assert rows_of(session, "clicks_2026_11") == 1


def test_clicks_that_came_before_their_table_move_into_it(session: Session) -> None:
    first_ms = datetime(2026, 11, 1, tzinfo=UTC)
    events = [at(first_ms), at(first_ms - timedelta(milliseconds=1)), at(NOW)]
    service.store_batch(session, events=events, now=NOW)
    session.commit()
    partitions.ensure(session, now=NOW)
    session.commit()
    assert rows_of(session, "clicks") == 3
    if is_postgresql(session):
        assert (rows_of(session, "clicks_2026_11"), rows_of(session, partitions.DEFAULT)) == (2, 1)
    assert not service.store_batch(session, events=events, now=NOW)


def test_clicks_go_when_their_term_is_over_and_the_counts_stay(session: Session) -> None:
    make_program(session)
    then = datetime(2025, 3, 20, tzinfo=UTC)
    partitions.ensure(session, now=then)
    service.store_batch(session, events=[at(then, subs={"sub1": "x"}), at(then + timedelta(days=60))], now=then)
    service.store_batch(session, events=[at(NOW)], now=NOW)
    session.commit()
    counted = rows_of(session, "click_hours_link")
    last_day = datetime(2026, 5, 7, tzinfo=UTC)
    assert retention.expire_clicks(session, limit=10, now=last_day).months in ([], ["clicks_2025_03"])
    assert rows_of(session, "clicks") == 2
    later = last_day + timedelta(days=100)
    retention.expire_clicks(session, limit=10, now=later)
    assert rows_of(session, "clicks") == 1
    assert rows_of(session, "click_hours_link") == counted
    assert session.scalar(sa.select(sa.func.count()).select_from(ClickLabel)) == 0
    assert not recount(session, limit=10, now=later).differences


def test_clicks_outside_of_months_go_in_bounded_steps(session: Session) -> None:
    service.store_batch(session, events=[at(LONG_AGO + timedelta(seconds=n)) for n in range(5)], now=LONG_AGO)
    assert [retention.expire_clicks(session, limit=2, now=NOW).clicks for _ in range(4)] == [2, 2, 1, 0]


def test_touches_of_other_channels_go_with_the_clicks(session: Session) -> None:
    program_id = make_program(session).id
    for moment in (LONG_AGO, NOW):
        touch = {"channel": "google_ads", "evidence": "gclid", "occurred_at": moment}
        session.add(ChannelTouch(id=ids.new_at(moment), program_id=program_id, **touch))
    session.flush()
    assert [retention.expire_clicks(session, limit=5, now=NOW).touches for _ in range(2)] == [1, 0]
    assert rows_of(session, "channel_touches") == 1


def test_no_click_goes_while_orders_wait_for_their_attribution(session: Session) -> None:
    service.store_batch(session, events=[at(LONG_AGO)], now=LONG_AGO)
    make_conversion(session, program=make_program(session), received_at=NOW - timedelta(days=2))
    assert retention.expire_clicks(session, limit=10, now=NOW).clicks == 0
    session.execute(sa.text("UPDATE conversions SET attributed_revision = revision"))
    assert retention.expire_clicks(session, limit=10, now=NOW).clicks == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Click)) == 0


@pytest.mark.parametrize(
    ("table", "ours"), [("clicks_2026_11", True), ("clicks_default", True), ("clicks", False), ("clicks_new", False)]
)
def test_parts_of_clicks_are_known_by_name(table: str, ours: bool) -> None:
    assert partitions.is_partition(table) == ours
