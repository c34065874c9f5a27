"""The streams: deadlines of the client, and the watermark of the clicks."""

import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from event_cast import PROGRAM_ID, numbered
from redis.crc import key_slot

from affiliate import ids, settings, streams
from affiliate.settings import Settings
from affiliate.tracking import rawlog

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


@pytest.fixture
def three_shards(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFILIATE_STREAM_SHARDS", "3")
    settings.current.cache_clear()


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


def test_a_stuck_click_holds_the_watermark_no_longer_than_its_term(redis_client: redis.Redis) -> None:
    redis_client.xadd(streams.click_shard(0), {"e": b"1"}, id=at(3600))
    redis_client.xadd(streams.click_shard(0), {"e": b"2"}, id=at(10))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=60)


def test_the_slowest_shard_holds_the_watermark_and_an_idle_one_does_not(
    three_shards: None, redis_client: redis.Redis
) -> None:
    redis_client.xadd(streams.click_shard(2), {"e": b"1"}, id=at(40))
    redis_client.xadd(streams.click_shard(1), {"e": b"2"}, id=at(20))
    assert streams.clicks_ingested_until(redis_client, now=NOW) == NOW - timedelta(seconds=40)


def test_everything_about_an_order_lies_in_one_slot(three_shards: None) -> None:
    for number in range(50):
        order_id = f"order {number}"
        stream = streams.order_stream(PROGRAM_ID, order_id)
        keys = {
            stream,
            streams.fingerprint_key(numbered(number), 3, program_id=PROGRAM_ID, order_id=order_id),
            streams.raw_log_key(PROGRAM_ID, order_id),
        }
        assert len({key_slot(key.encode()) for key in keys}) == 1
        assert stream in streams.all_order_streams()


def test_the_shards_fill_evenly_and_a_thing_always_goes_to_the_same(three_shards: None) -> None:
    orders = Counter(streams.order_stream(PROGRAM_ID, str(number)) for number in range(900))
    clicks = Counter(streams.click_stream(ids.new()) for _ in range(900))
    for filled in (orders, clicks):
        assert len(filled) == 3
        assert min(filled.values()) > 200
    assert streams.order_stream(PROGRAM_ID, "1001") == "aff:{o1}:orders"


def test_the_log_of_a_program_is_read_from_every_shard(three_shards: None, redis_client: redis.Redis) -> None:
    for number in range(6):
        request = rawlog.RawRequest(
            NOW + timedelta(seconds=number), "api", "conversion", {"order_id": str(number)}, 202
        )
        rawlog.append(redis_client, request, program_id=PROGRAM_ID)
        key = streams.raw_log_key(PROGRAM_ID, f"order {number}")
        redis_client.xadd(key, {"e": rawlog.packed(request), "s": 202, "r": ""})
    assert len(rawlog.last(redis_client, program_id=PROGRAM_ID)) == 12
    newest = rawlog.last(redis_client, program_id=PROGRAM_ID, limit=2)
    assert [request.summary["order_id"] for request in newest] == ["5", "5"]


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
