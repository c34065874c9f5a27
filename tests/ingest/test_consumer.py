"""The consumer on real Valkey and both databases: nothing lost, nothing twice, poison aside, whoever is killed or away."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import servers
import sqlalchemy as sa
from event_cast import LINK_ID, NOW, PROGRAM_ID, click, numbered, sale
from factories import make_program

from affiliate import clock, db, ids, streams
from affiliate.accounts.actors import SYSTEM
from affiliate.ingest import consumer, letters, recount, service, taking
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.consumer import Consumer, stable_name
from affiliate.ingest.models import Click, ClickHour, Conversion, DeadLetter, RejectedEvent
from affiliate.ingest.rollup_models import SubClickHour
from affiliate.ingest.service import Stored
from affiliate.settings import Settings
from affiliate.tracking import codec
from affiliate.tracking.codec import Event

SECONDS_MAX = 60


@pytest.fixture(autouse=True)
def _awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that is told to stop notices at once: at the end of each test a second went into that."""
    monkeypatch.setattr(consumer, "BLOCK_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def program(request: pytest.FixtureRequest) -> None:
    """The program that the events belong to, in the database of the settings."""
    request.getfixturevalue("settings" if "settings" in request.fixturenames else "sqlite_settings")
    with db.transaction() as session:
        make_program(session, id=PROGRAM_ID)


def send(client: redis.Redis, *events: Event) -> None:
    with client.pipeline() as pipeline:
        for event in events:
            stream = streams.click_shard(0) if isinstance(event, codec.ClickEvent) else streams.order_shard(0)
            pipeline.xadd(stream, {streams.FIELD: codec.encode(event)})
        pipeline.execute()


def now_click(number: int, **changes: Any) -> codec.ClickEvent:
    """A click that is fresh by the system's clock, as the consumer reads it."""
    return click(number, occurred_at=clock.now(), **changes)


def waiting(client: redis.Redis) -> int:
    return sum(client.xlen(stream) for stream in (streams.click_shard(0), streams.order_shard(0)))


def count(table: type[db.Base]) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@contextmanager
def consuming(client: redis.Redis, **fields: Any) -> Iterator[Consumer]:
    """A consumer in a thread of this process."""
    member = Consumer(**{"connection": client, "name": "one", "after_commit": lambda: None} | fields)
    thread = threading.Thread(target=member.run)
    thread.start()
    try:
        yield member
    finally:
        member.stopping.set()
        thread.join(SECONDS_MAX)
    assert not thread.is_alive()


def test_events_become_rows_and_leave_the_streams(settings: Settings, redis_client: redis.Redis) -> None:
    told = threading.Event()
    send(redis_client, now_click(1), now_click(2), sale(click_id=numbered(1)))
    with consuming(redis_client, after_commit=told.set):
        until(lambda: waiting(redis_client) == 0)
        assert told.wait(SECONDS_MAX)
    assert (count(Click), count(Conversion)) == (2, 1)
    assert redis_client.xpending(streams.click_shard(0), streams.GROUP)["pending"] == 0
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW


def test_clicks_alone_wake_nobody(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    told = threading.Event()
    send(redis_client, now_click(1))
    with consuming(redis_client, after_commit=told.set):
        until(lambda: waiting(redis_client) == 0)
    assert not told.is_set()


def test_a_batch_delivered_again_changes_nothing(settings: Settings, redis_client: redis.Redis) -> None:
    for _ in range(2):
        send(redis_client, now_click(1), sale())
        with consuming(redis_client):
            until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(Conversion), count(DeadLetter)) == (1, 1, 0)


def test_poison_is_put_aside_and_the_rest_flows(settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, *(sale(str(number), delivery=number) for number in range(1, 8)))
    redis_client.xadd(streams.order_shard(0), {streams.FIELD: b"no event"})
    redis_client.xadd(streams.order_shard(0), {"other": b"field"})
    unknown = ids.new()
    send(redis_client, sale("8", delivery=8, program_id=unknown), *(sale(str(number)) for number in range(9, 12)))
    with consuming(redis_client):
        until(lambda: waiting(redis_client) == 0)
    assert count(Conversion) == 10
    with db.reading() as session:
        letters = session.scalars(sa.select(DeadLetter).order_by(DeadLetter.entry_id)).all()
    assert [letter.error.partition(":")[0] for letter in letters] == ["BadEvent", "BadEvent", "IntegrityError"]
    assert [letter.program_id for letter in letters] == [None, None, unknown]
    assert {letter.stream for letter in letters} == {streams.order_shard(0)}


def test_a_put_aside_event_is_stored_when_its_reason_is_gone(settings: Settings, redis_client: redis.Redis) -> None:
    later_program = ids.new()
    send(redis_client, sale(program_id=later_program))
    with consuming(redis_client):
        until(lambda: waiting(redis_client) == 0)
    with db.transaction() as session:
        make_program(session, id=later_program)
    with db.transaction() as session:
        assert letters.replay(session, limit=10, by=letters.Clerk(SYSTEM), now=NOW).stored == 1
    assert (count(Conversion), count(DeadLetter)) == (1, 0)


def test_entries_of_a_dead_consumer_are_taken_over(settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, now_click(1), sale())
    for stream in (streams.click_shard(0), streams.order_shard(0)):
        redis_client.xgroup_create(stream, streams.GROUP, id="0")
    redis_client.xreadgroup(streams.GROUP, "dead", {streams.click_shard(0): ">", streams.order_shard(0): ">"})
    with consuming(redis_client, stale_seconds=0.05):
        until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(Conversion)) == (1, 1)


def test_entries_of_a_living_consumer_are_left_to_it(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, now_click(1))
    redis_client.xgroup_create(streams.click_shard(0), streams.GROUP, id="0")
    redis_client.xreadgroup(streams.GROUP, "living", {streams.click_shard(0): ">"})
    send(redis_client, now_click(2))
    with consuming(redis_client):
        until(lambda: count(Click) == 1)
    assert waiting(redis_client) == 1


def test_two_consumers_share_the_work_and_count_each_event_once(settings: Settings, redis_client: redis.Redis) -> None:
    link = {"address_hash": "a", "link_id": LINK_ID}
    events = [now_click(number, **link) for number in range(400)]
    orders = [sale(str(number % 50), delivery=number + 1) for number in range(300)]
    send(redis_client, *events, *orders)
    with consuming(redis_client, name="one"), consuming(redis_client, name="two"):
        send(redis_client, *events, *orders)
        until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(Conversion), count(DeadLetter)) == (400, 50, 0)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(ClickHour.clicks))) == 400


def test_consumers_side_by_side_share_the_rows_of_every_count(
    settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links of other classes of locks, so that nothing but the rows themselves makes them wait; each fourth click comes twice."""
    for name in ("BATCH_ENTRIES_MAX", "BATCH_ENTRIES_MAX_SQLITE"):
        monkeypatch.setattr(consumer, name, 7)
    events = [
        now_click(
            number, address_hash=f"{number // 4} {min(number % 4, 2)}", link_id=numbered(number // 4 % 40),
            partner_id=numbered(500 + number // 4 % 7), subs={"sub1": f"s{number % 11}"},
        )
        for number in range(1200)
    ]  # fmt: skip
    send(redis_client, *events)
    with consuming(redis_client, name="one"), consuming(redis_client, name="two"):
        send(redis_client, *events[::3])
        until(lambda: waiting(redis_client) == 0)
    with db.reading() as session:
        found = recount.recount(session, limit=5, now=clock.now())
        [shards] = session.scalars(sa.select(sa.func.count(SubClickHour.shard.distinct())))
    assert (found.differences, found.by_verdict) == ([], {ClickVerdict.VALID: 900, ClickVerdict.DUPLICATE: 300})
    assert (count(Click), count(DeadLetter), shards) == (1200, 0, 1)


def test_a_redis_that_was_emptied_is_prepared_again(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, now_click(1))
    with consuming(redis_client):
        until(lambda: count(Click) == 1)
        redis_client.flushall()
        send(redis_client, now_click(1), now_click(2))
        until(lambda: count(Click) == 2 and waiting(redis_client) == 0)
    assert (count(Click), count(DeadLetter)) == (2, 0)


def test_a_database_that_refuses_is_waited_for(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    with db.transaction() as session:
        session.execute(sa.text("ALTER TABLE clicks RENAME TO gone"))
    send(redis_client, now_click(1))
    with consuming(redis_client):
        until(lambda: redis_client.xpending(streams.click_shard(0), streams.GROUP)["pending"] == 1)
        with db.transaction() as session:
            session.execute(sa.text("ALTER TABLE gone RENAME TO clicks"))
        until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(DeadLetter)) == (1, 0)


def test_a_stop_while_the_database_refuses_leaves_the_entry_to_others(
    sqlite_settings: Settings, redis_client: redis.Redis
) -> None:
    with db.transaction() as session:
        session.execute(sa.text("ALTER TABLE clicks RENAME TO gone"))
    send(redis_client, now_click(1))
    with consuming(redis_client):
        until(lambda: redis_client.xpending(streams.click_shard(0), streams.GROUP)["pending"] == 1)
    assert waiting(redis_client) == 1
    assert redis_client.xpending(streams.click_shard(0), streams.GROUP)["pending"] == 1


def test_a_redis_that_is_away_is_waited_for(sqlite_settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    folder.mkdir()
    client = redis.Redis(unix_socket_path=str(folder / "redis.sock"), socket_timeout=5, retry=servers.NEVER_AGAIN)
    with consuming(client):
        with servers.valkey(folder):
            send(client, now_click(1))
            until(lambda: count(Click) == 1)
        with servers.valkey(folder):
            send(client, now_click(2))
            until(lambda: count(Click) == 2)
    assert count(DeadLetter) == 0


def test_a_consumer_that_ends_in_order_signs_off(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    with consuming(redis_client):
        until(lambda: redis_client.exists(streams.order_shard(0)) == 1)
        until(lambda: len(redis_client.xinfo_consumers(streams.click_shard(0), streams.GROUP)) == 1)
    assert redis_client.xinfo_consumers(streams.click_shard(0), streams.GROUP) == []


def test_a_consumer_that_is_told_to_stop_stores_what_it_has_read_ahead(
    settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite nothing is: others write while the next batch is made."""
    for name in ("BATCH_ENTRIES_MAX", "BATCH_ENTRIES_MAX_SQLITE"):
        monkeypatch.setattr(consumer, name, 5)
    ahead = 0 if settings.database_url.startswith("sqlite") else 5
    send(redis_client, *(now_click(number) for number in range(20)))
    member = Consumer(connection=redis_client, name="one", after_commit=lambda: None)
    take = taking.take

    def stop_when_more_was_read(*batch: Any) -> Stored:
        until(lambda: member._ahead is None or member._ahead.done())
        member.stopping.set()
        return take(*batch)

    monkeypatch.setattr(taking, "take", stop_when_more_was_read)
    member.run()
    assert (count(Click), waiting(redis_client)) == (5 + ahead, 15 - ahead)
    assert redis_client.xinfo_consumers(streams.click_shard(0), streams.GROUP) == []


PROCESS = """
from affiliate import tables
from affiliate.ingest import consumer
consumer.BATCH_ENTRIES_MAX = 500
consumer.run(stale_seconds=1)
"""


def start(code: str = PROCESS) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ.copy(), stderr=subprocess.DEVNULL)


def test_killed_in_the_middle_it_loses_nothing_and_counts_nothing_twice(
    settings: Settings, redis_client: redis.Redis
) -> None:
    orders = [sale(str(number), delivery=number + 1) for number in range(300)]
    send(redis_client, *(now_click(number) for number in range(2000)), *orders)
    for enough in (200, 1000):
        process = start()
        until(lambda enough=enough: count(Click) >= enough)  # type: ignore[misc]
        process.kill()
        process.wait(SECONDS_MAX)
    process = start()
    try:
        until(lambda: waiting(redis_client) == 0)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) in {0, -signal.SIGTERM}  # it may not have got so far as to listen
    assert (count(Click), count(Conversion), count(DeadLetter)) == (2000, 300, 0)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(ClickHour.clicks))) == 2000


ENDED_BY_AN_EVENT = """
import os
from affiliate import tables
from affiliate.ingest import consumer, service
of_clicks, store = service.clicks.prepare, service.store
def read(events, now):
    if any(event.creative == "deadly" for event in events):
        os.kill(os.getpid(), 9)
    return of_clicks(events=events, now=now)
def stored(session, ready):
    if any(getattr(event, "order_id", "") == "deadly" for events in ready.others.values() for event in events):
        os.kill(os.getpid(), 9)
    return store(session, ready)
service.clicks.prepare, service.store = read, stored
consumer.run()
"""


@pytest.mark.faults
def test_an_event_that_ends_the_process_is_put_aside_alone(
    sqlite_settings: Settings, redis_client: redis.Redis
) -> None:
    send(redis_client, *(sale("deadly" if number == 5 else str(number), delivery=number) for number in range(1, 11)))
    _live_on(redis_client)
    assert (count(Conversion), count(DeadLetter)) == (9, 1)


@pytest.mark.faults
def test_an_event_that_ends_the_process_when_it_is_read_ahead_is_put_aside_alone(
    sqlite_settings: Settings, redis_client: redis.Redis
) -> None:
    send(redis_client, *(now_click(number, creative="deadly" if number == 705 else None) for number in range(1000)))
    _live_on(redis_client)
    assert (count(Click), count(DeadLetter)) == (999, 1)


def _live_on(redis_client: redis.Redis) -> None:
    """One process after the other, until nothing waits."""
    lives = 0
    while waiting(redis_client):
        lives += 1
        assert lives < 10, "it never ended"
        process = start(ENDED_BY_AN_EVENT)
        until(lambda process=process: process.poll() is not None or not waiting(redis_client))  # type: ignore[misc]
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS_MAX) == 0


def test_a_name_is_taken_by_one_process_and_free_for_its_next_life(tmp_path: Path) -> None:
    with stable_name(tmp_path) as first, stable_name(tmp_path) as second:
        assert first != second
    with stable_name(tmp_path) as again:
        assert again == first


def test_what_stands_under_its_own_name_is_taken_up_at_once(settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, now_click(1), sale())
    for stream in (streams.click_shard(0), streams.order_shard(0)):
        redis_client.xgroup_create(stream, streams.GROUP, id="0")
        redis_client.xreadgroup(streams.GROUP, "one", {stream: ">"})
    with consuming(redis_client, name="one"):
        until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(Conversion)) == (1, 1)


def test_an_entry_deleted_before_it_was_acknowledged_is_no_poison(
    sqlite_settings: Settings, redis_client: redis.Redis
) -> None:
    send(redis_client, now_click(1), now_click(2))
    redis_client.xgroup_create(streams.click_shard(0), streams.GROUP, id="0")
    answer: Any = redis_client.xreadgroup(streams.GROUP, "one", {streams.click_shard(0): ">"})
    redis_client.xdel(streams.click_shard(0), answer[0][1][0][0])
    with consuming(redis_client, name="one"):
        until(lambda: waiting(redis_client) == 0)
    assert (count(Click), count(DeadLetter)) == (1, 0)


POISON = {
    "a field is missing": codec.encode(sale("p1")).replace(b',"api"', b""),
    "NUL": codec.encode(sale("p2", coupon="X")).replace(b'"X"', b'"X\\u0000"'),
    "a lone surrogate": codec.encode(sale("p3", coupon="X")).replace(b'"X"', b'"\\ud800"'),
    "a version of tomorrow": b"[99" + codec.encode(sale("p4"))[2:],
    "ten megabytes": b'[2,"' + b"x" * 10_000_000 + b'"]',
    "not even bytes of text": b"\xff\xfe",
    "longer than its column": codec.encode(sale("p5", currency="EURO")),
}


def test_every_kind_of_poison_is_put_aside_while_good_events_flow(
    settings: Settings, redis_client: redis.Redis
) -> None:
    for number, payload in enumerate(POISON.values()):
        send(redis_client, now_click(2 * number), sale(str(number), delivery=number + 1))
        redis_client.xadd(streams.order_shard(0), {streams.FIELD: payload})
    with consuming(redis_client):
        until(lambda: waiting(redis_client) == 0)
    taken = 1 if settings.database_url.startswith("sqlite") else 0  # it knows no lengths
    assert (count(Click), count(Conversion)) == (len(POISON), len(POISON) + taken)
    assert count(DeadLetter) == len(POISON) - taken
    with db.reading() as session:
        assert max(map(len, session.scalars(sa.select(DeadLetter.payload)))) < 2_000_000


def test_one_event_twenty_times_at_once_and_again_after_a_week_counts_once(
    settings: Settings, redis_client: redis.Redis
) -> None:
    events = [now_click(1), sale(click_id=numbered(1))]
    send(redis_client, *(event for _ in range(20) for event in events))
    with consuming(redis_client, name="one"), consuming(redis_client, name="two"):
        until(lambda: waiting(redis_client) == 0)
    a_week_later = clock.now() + timedelta(days=7)
    with db.transaction() as session:
        assert not service.store_batch(session, events=events, now=a_week_later)
    assert (count(Click), count(Conversion), count(RejectedEvent)) == (1, 1, 0)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(ClickHour.clicks))) == 1


def test_a_group_or_a_stream_that_is_gone_is_made_again(sqlite_settings: Settings, redis_client: redis.Redis) -> None:
    send(redis_client, now_click(1))
    with consuming(redis_client):
        until(lambda: count(Click) == 1)
        redis_client.xgroup_destroy(streams.click_shard(0), streams.GROUP)
        send(redis_client, now_click(2))
        until(lambda: count(Click) == 2)
        redis_client.delete(streams.click_shard(0), streams.order_shard(0))
        send(redis_client, now_click(3), sale())
        until(lambda: (count(Click), count(Conversion)) == (3, 1))
    assert count(DeadLetter) == 0


def test_a_database_that_hangs_is_waited_for(settings: Settings, redis_client: redis.Redis) -> None:
    engine = db.make_engine(settings.database_url)
    with engine.connect() as other, consuming(redis_client):
        is_postgresql = engine.dialect.name == "postgresql"  # on SQLite whoever began to write is alone
        other.exec_driver_sql("LOCK TABLE clicks IN ACCESS EXCLUSIVE MODE" if is_postgresql else "SELECT 1")
        send(redis_client, now_click(1))
        until(lambda: redis_client.xpending(streams.click_shard(0), streams.GROUP)["pending"] == 1)
        other.rollback()
        until(lambda: waiting(redis_client) == 0)
    engine.dispose()
    assert (count(Click), count(DeadLetter)) == (1, 0)
