"""The streams: deadlines of the client, and the watermark of the clicks."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from affiliate import streams
from affiliate.settings import Settings

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


def at(seconds: int) -> str:
    """The id of an entry that arrived so many seconds before NOW."""
    return f"{int((NOW - timedelta(seconds=seconds)).timestamp() * 1000)}-0"


def read_one(client: redis.Redis) -> None:
    """What ingest does first: take an entry, without acknowledging it."""
    client.xreadgroup(streams.GROUP, "one", {streams.click_shard(0): ">"}, count=1)


def test_nothing_waits_where_no_click_ever_came(redis_client: redis.Redis) -> None:
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW


def test_clicks_wait_before_the_first_consumer_has_made_its_group(redis_client: redis.Redis) -> None:
    redis_client.xadd(streams.click_shard(0), {"e": b"1"}, id=at(30))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=30)


def test_a_click_that_nobody_has_read_holds_the_watermark(redis_client: redis.Redis) -> None:
    redis_client.xgroup_create(streams.click_shard(0), streams.GROUP, id="0", mkstream=True)
    redis_client.xadd(streams.click_shard(0), {"e": b"1"}, id=at(30))
    redis_client.xadd(streams.click_shard(0), {"e": b"2"}, id=at(10))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=30)


def test_a_click_that_was_read_and_not_acknowledged_holds_the_watermark(redis_client: redis.Redis) -> None:
    redis_client.xgroup_create(streams.click_shard(0), streams.GROUP, id="0", mkstream=True)
    redis_client.xadd(streams.click_shard(0), {"e": b"1"}, id=at(30))
    redis_client.xadd(streams.click_shard(0), {"e": b"2"}, id=at(10))
    read_one(redis_client)
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=30)

    redis_client.xack(streams.click_shard(0), streams.GROUP, at(30))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=10)


def test_an_idle_stream_is_up_to_date_whether_or_not_its_entries_are_deleted(redis_client: redis.Redis) -> None:
    redis_client.xgroup_create(streams.click_shard(0), streams.GROUP, id="0", mkstream=True)
    for seconds in (30, 10):
        redis_client.xadd(streams.click_shard(0), {"e": b"1"}, id=at(seconds))
        read_one(redis_client)
        redis_client.xack(streams.click_shard(0), streams.GROUP, at(seconds))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW
    redis_client.xdel(streams.click_shard(0), at(30), at(10))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW


def test_the_client_reaches_the_server_of_the_settings(sqlite_settings: Settings) -> None:
    assert streams.client().ping()


def test_a_server_that_hangs_is_given_up_after_one_try(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "hangs.sock"))
        listener.listen()
        hanging = streams._client(f"unix://{tmp_path}/hangs.sock", 0.05)
        with pytest.raises(redis.TimeoutError):
            hanging.xadd(streams.click_shard(0), {"e": b"1"})
        listener.settimeout(0.2)
        listener.accept()[0].close()
        with pytest.raises(TimeoutError):  # a second try would have connected again
            listener.accept()
