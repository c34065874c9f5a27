"""The way through a cluster, by settings alone: what is stored by the edge's steps becomes rows, and every step stays in its slot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
import sqlalchemy as sa
from event_cast import NOW, PROGRAM_ID, click, numbered, rejection, sale
from factories import make_program

from affiliate import clock, db, settings, streams
from affiliate.ingest.consumer import Consumer
from affiliate.ingest.models import Click, Conversion, RejectedEvent
from affiliate.settings import Settings
from affiliate.tracking import rawlog
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.buffer import Buffer
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.spool import Spool
from affiliate.tracking.submissions import Outcome, Submission
from affiliate.tracking.wire import Appender


@pytest.fixture
def cluster(sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster with four shards of each kind, and the program in the database."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    with db.transaction() as session:
        make_program(session, id=PROGRAM_ID)
    with servers.valkey_cluster(folder) as address:
        monkeypatch.setenv("AFFILIATE_STREAM_URL", address)
        monkeypatch.setenv("AFFILIATE_STREAM_SHARDS", "4")
        settings.current.cache_clear()
        yield


def buffer_in(folder: Path) -> Buffer:
    appender = Appender(lambda: settings.current().stream_url)
    return Buffer(append=appender, spool=Spool(folder / "spool", bytes_max=0), breaker=Breaker())


def request(order_id: str) -> RawRequest:
    return RawRequest(NOW, "api", "conversion", {"order_id": order_id}, 202)


def test_events_pass_through_a_cluster_once(cluster: None, tmp_path: Path) -> None:
    connection = streams.client(deadline_seconds=5)
    buffer = buffer_in(tmp_path)
    submissions = [Submission.of(sale(str(number), delivery=number + 1), request(str(number))) for number in range(20)]
    assert buffer.submit(submissions) == [Outcome.ACCEPTED] * 20
    assert buffer.submit(submissions) == [Outcome.KNOWN] * 20
    for number in range(20):
        buffer.click(click(number, occurred_at=clock.now()))
    buffer.reject(rejection(), request=request("1001"))
    assert len(rawlog.last(connection, program_id=PROGRAM_ID)) == 41
    assert streams.clicks_ingested_until(connection, now=clock.now()) < clock.now()

    consumer = Consumer(connection=connection, name="one", after_commit=lambda: None)
    while any(connection.xlen(name) for name in (*streams.all_click_streams(), *streams.all_order_streams())):
        consumer._prepare()
        for batch in consumer._batches():
            consumer._finish(batch)
    with db.reading() as session:
        rows = [
            session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (Click, Conversion, RejectedEvent)
        ]
    assert rows == [20, 20, 1]
    now = clock.now()
    assert streams.clicks_ingested_until(connection, now=now) == now


def test_a_cluster_that_is_away_fails_as_any_server_does() -> None:
    with pytest.raises(streams.ERRORS):
        streams._client("redis+cluster://127.0.0.1:1", 0.2).ping()


def test_a_dead_consumer_of_a_cluster_is_followed_by_another(cluster: None, tmp_path: Path) -> None:
    connection = streams.client(deadline_seconds=5)
    buffer_in(tmp_path).click(click(1, occurred_at=clock.now()))
    dead = Consumer(connection=connection, name="dead", after_commit=lambda: None)
    dead._prepare()
    assert len(dead._new()) == 1
    heir = Consumer(connection=connection, name="heir", after_commit=lambda: None, stale_seconds=0)
    heir._prepare()
    for batch in heir._left_behind():
        heir._finish(batch)
    with db.reading() as session:
        assert session.scalar(sa.select(Click.id)) == numbered(1)
    assert connection.xlen(streams.click_stream(numbered(1))) == 0
