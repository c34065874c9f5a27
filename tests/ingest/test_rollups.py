"""The rollups: every click counted once in each of them, capped labels, reversible verdicts, and a recount that would tell."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from event_cast import LINK_ID, NOW, PROGRAM_ID, click, numbered, sale
from factories import make_program
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from processes import eventually
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ingest import labels, service
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.models import Click, Conversion
from affiliate.ingest.recount import recount
from affiliate.ingest.rollup_models import (
    OTHER,
    ROLLUPS,
    CountryClickHour,
    CreativeClickHour,
    ReferrerClickHour,
    SubClickHour,
)
from affiliate.tracking.codec import ClickEvent

VALID, BOT, DUPLICATE = ClickVerdict.VALID, ClickVerdict.BOT, ClickVerdict.DUPLICATE


@pytest.fixture(autouse=True)
def few_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cap that a test can reach."""
    monkeypatch.setattr(labels, "LABELS_MAX", 3)


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine) as session:
        yield session
    engine.dispose()


def store(session: Session, *clicks: ClickEvent) -> None:
    service.store_batch(session, events=clicks, now=NOW)
    session.commit()


def sums(session: Session, rollup: Any) -> dict[ClickVerdict, int]:
    """What a rollup says in all, by verdict."""
    rows = session.execute(sa.select(rollup.verdict, sa.func.sum(rollup.clicks)).group_by(rollup.verdict))
    return {verdict: int(clicks) for verdict, clicks in rows if clicks}


def by(session: Session, column: Any) -> dict[str, int]:
    """What a rollup says by one of its columns."""
    rows = session.execute(sa.select(column, sa.func.sum(column.class_.clicks)).group_by(column))
    return {str(key): int(clicks) for key, clicks in rows if clicks}


def agree(session: Session) -> bool:
    """Whether all rollups say what the clicks say."""
    return not recount(session, limit=10, now=NOW).differences


def test_every_rollup_counts_every_click_once_and_that_of_creatives_those_that_came_by_one(session: Session) -> None:
    store(
        session,
        click(1, subs={"sub1": "mail"}, country="IT", referrer="https://www.blog.example/a?b"),
        click(2, user_agent="curl/8", country="PL", creative="crv_1"),
        click(3, creative="crv_1", partner_id=ids.new(), link_id=ids.new(), referrer="https://blog.example/c"),
    )
    for rollup in ROLLUPS:
        assert sums(session, rollup) == {VALID: 2 if rollup is not CreativeClickHour else 1, BOT: 1}
    assert by(session, CountryClickHour.country) == {"IT": 1, "PL": 1, "": 1}
    assert by(session, ReferrerClickHour.referrer_host) == {"blog.example": 2, "": 1}
    assert by(session, SubClickHour.sub) == {"mail": 1, "": 2}
    assert agree(session)


def test_a_test_of_the_installation_counts_nowhere(session: Session) -> None:
    store(session, click(1, is_test=True))
    assert [sums(session, rollup) for rollup in ROLLUPS] == [{}] * len(ROLLUPS)
    assert agree(session)


def test_labels_beyond_the_cap_of_a_day_count_together(session: Session) -> None:
    store(session, *(click(number, subs={"sub1": f"s{number}"}) for number in range(5)))
    assert by(session, SubClickHour.sub) == {"s0": 1, "s1": 1, "s2": 1, OTHER: 2}
    store(session, *(click(10 + number, subs={"sub1": f"s{number}"}) for number in range(5)))
    assert by(session, SubClickHour.sub) == {"s0": 2, "s1": 2, "s2": 2, OTHER: 4}
    tomorrow = NOW + timedelta(hours=13)
    store(session, click(20, subs={"sub1": "s4"}, occurred_at=tomorrow))
    assert by(session, SubClickHour.sub)["s4"] == 1
    store(session, click(21, partner_id=ids.new(), subs={"sub1": "s4"}))
    assert by(session, SubClickHour.sub)["s4"] == 2
    store(session, *(click(30 + number, creative=f"c{number}") for number in range(5)))
    assert by(session, CreativeClickHour.creative) == {"c0": 1, "c1": 1, "c2": 1, OTHER: 2}
    assert agree(session)


def test_a_batch_that_was_rolled_back_leaves_no_label_behind(session: Session) -> None:
    for number in (1, 2):  # the second one sees the label that the first one took in
        service.store_batch(session, events=[click(number, subs={"sub1": "gone"})], now=NOW)
    session.rollback()
    with Session(session.get_bind()) as another:
        store(another, click(9, subs={"sub1": "gone"}))
        assert by(another, SubClickHour.sub) == {"gone": 1}
        assert agree(another)


def test_two_batches_at_once_admit_no_label_too_many(engine: Engine) -> None:
    another_link = UUID(int=LINK_ID.int + 1)

    def second() -> None:
        with Session(engine) as own:
            store(own, *(click(10 + n, link_id=another_link, subs={"sub1": f"second-{n}"}) for n in range(3)))

    with Session(engine) as first, ThreadPoolExecutor(1) as pool:
        service.store_batch(first, events=[click(n, subs={"sub1": f"first-{n}"}) for n in range(3)], now=NOW)
        stored = pool.submit(second)
        until_somebody_waits(engine)
        first.commit()
        stored.result(30)
        assert by(first, SubClickHour.sub)[OTHER] == 3
        assert agree(first)


def until_somebody_waits(engine: Engine) -> None:
    """On SQLite whoever began to write is alone in any case."""
    if engine.dialect.name == "postgresql":
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            eventually(lambda: bool(watcher.scalar(waits)), "the second batch waits for the first")


def test_an_older_click_that_turns_out_to_be_a_repeat_moves_in_every_rollup(session: Session) -> None:
    store(session, click(2, seconds=3, address_hash="a", subs={"sub1": "x"}, country="IT", creative="c"))
    store(session, click(1, address_hash="a", subs={"sub1": "y"}, country="PL", creative="c"))
    for rollup in ROLLUPS:
        assert sums(session, rollup) == {VALID: 1, DUPLICATE: 1}
    assert agree(session)


def test_an_overruled_verdict_moves_every_rollup_and_asks_for_another_attribution(session: Session) -> None:
    make_program(session, id=PROGRAM_ID)
    store(session, click(1, user_agent="curl/8", subs={"sub1": "x"}, creative="c"))
    service.store_batch(session, events=[sale(click_id=numbered(1))], now=NOW)
    session.execute(sa.update(Conversion).values(attributed_revision=1))
    assert service.overrule(session, click_id=numbered(1), expected=BOT, verdict=VALID, now=NOW)
    assert not service.overrule(session, click_id=numbered(1), expected=BOT, verdict=VALID, now=NOW)
    for rollup in ROLLUPS:
        assert sums(session, rollup) == {VALID: 1}
    assert session.scalar(sa.select(Conversion.revision)) == 2
    assert agree(session)


def test_no_rule_overrules_a_person(session: Session) -> None:
    store(session, click(1, address_hash="a"), click(2, seconds=1, address_hash="a"))
    assert service.overrule(session, click_id=numbered(2), expected=DUPLICATE, verdict=VALID, now=NOW)
    store(session, click(3, seconds=2, address_hash="a"))
    assert session.scalar(sa.select(Click.verdict).where(Click.id == numbered(2))) == VALID
    assert agree(session)


def test_a_click_after_its_term_is_shown_and_counts_nowhere(session: Session) -> None:
    service.store_batch(session, events=[click(1, occurred_at=NOW - timedelta(days=400))], now=NOW)
    assert session.scalar(sa.select(sa.func.count()).select_from(Click)) == 0
    assert sums(session, ROLLUPS[0]) == {}
    found = session.execute(sa.text("SELECT kind, reason FROM rejected_events")).one()
    assert tuple(found) == ("click", "past_retention")


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.__tablename__)
def test_a_recount_finds_a_number_that_moved_alone(session: Session, rollup: Any) -> None:
    store(session, click(1), click(2, subs={"sub1": "x"}, referrer="https://a.example/", creative="c"))
    assert agree(session)
    session.execute(sa.update(rollup).values(clicks=rollup.clicks + 1))
    found = recount(session, limit=1, now=NOW)
    assert [(each.rollup, each.counted - each.clicks) for each in found.differences] == [(rollup.__tablename__, 1)]
    assert (found.raw, found.by_verdict) == (2, {VALID: 2})


TRAFFIC = st.lists(
    st.builds(
        click,
        st.integers(0, 12),
        seconds=st.sampled_from([0.0, 4.0, 8.0, 3600.0]),
        address_hash=st.sampled_from(["a", "b"]),
        user_agent=st.sampled_from(
            ["Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "curl/8"]
        ),
        subs=st.sampled_from([{}, {"sub1": "1"}, {"sub1": "2"}, {"sub1": "3"}, {"sub1": "4"}, {"sub1": "5"}]),
        country=st.sampled_from([None, "IT", "PL"]),
        creative=st.sampled_from([None, "c1", "c2", "c3", "c4"]),
        referrer=st.sampled_from([None, "https://a.example/x", "nonsense://["]),
    ),
    max_size=12,
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(TRAFFIC, max_size=4))
def test_whatever_comes_the_rollups_agree(sqlite_session: Session, batches: list[list[ClickEvent]]) -> None:
    for batch in batches:
        service.store_batch(sqlite_session, events=batch, now=NOW)
    assert agree(sqlite_session)
    sqlite_session.rollback()


def test_labels_that_others_added_are_found_though_own_ones_are_remembered(session: Session) -> None:
    store(session, *(click(number, subs={"sub1": name}) for number, name in enumerate("ab")))
    labels.remember(session)
    store(session, click(2, subs={"sub1": "c"}))
    session.info.clear()  # as if another process had stored it: this one remembers nothing of it
    store(session, *(click(number, subs={"sub1": name}) for number, name in enumerate("cd", start=3)))
    assert by(session, SubClickHour.sub) == {"a": 1, "b": 1, "c": 2, OTHER: 1}
    assert agree(session)
