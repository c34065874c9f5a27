"""What operators are told: by the pages for people, and by the numbers for Prometheus."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import servers
from conftest import using_settings
from flask import Flask
from flask.testing import FlaskClient

from affiliate.tracking import durability
from affiliate.tracking.spool import ASIDE, Spool


@pytest.fixture
def policy(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server whose eviction a test may change."""
    yield redis_client
    redis_client.config_set("maxmemory-policy", "noeviction")


def checks(client: FlaskClient) -> dict[str, dict[str, object]]:
    """What `/readyz` says of each part."""
    answer = client.get("/readyz")
    assert answer.json is not None
    found: dict[str, dict[str, object]] = answer.json["checks"]
    return found


def test_a_server_that_does_not_sync_each_event_weakens_a_promise(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    found = checks(client)["redis"]
    assert found["status"] == "degraded"
    assert "durability" in str(found["finding"])
    assert (found["eviction"], found["appendfsync"]) == ("noeviction", "everysec")


@pytest.mark.parametrize("eviction", ["allkeys-lru", "volatile-ttl"])
def test_a_server_that_evicts_is_down(client: FlaskClient, policy: redis.Redis, eviction: str) -> None:
    policy.config_set("maxmemory-policy", eviction)
    found = checks(client)["redis"]
    assert found["status"] == "down"
    assert eviction in str(found["finding"])
    assert client.get("/readyz").status_code == 503


def test_nothing_starts_on_a_server_that_evicts(tmp_path: Path) -> None:
    with servers.valkey(tmp_path) as address, using_settings({"AFFILIATE_REDIS_URL": address}):
        assert durability.of(redis.Redis.from_url(address)).is_full
        durability.refuse_eviction()
        redis.Redis.from_url(address).config_set("maxmemory-policy", "allkeys-lfu")
        with pytest.raises(durability.Evicts, match="noeviction"):
            durability.refuse_eviction()


def test_events_on_disk_are_told(client: FlaskClient, redis_client: redis.Redis, app: Flask) -> None:
    assert checks(client)["spool"] == {"status": "ok", "files": 0, "bytes": 0, "put_aside": 0, "breaker": "closed"}
    folder = Path(app.extensions["affiliate_tracker"].spool_folder)
    Spool(folder, bytes_max=1_000).append([b"event"])
    found = checks(client)["spool"]
    assert (found["status"], found["files"], found["bytes"]) == ("degraded", 1, 13)
    (folder / ASIDE).mkdir()
    (folder / ASIDE / "piece").touch()
    assert "could not be read" in str(checks(client)["spool"]["finding"])


def test_prometheus_gets_the_same_facts(client: FlaskClient, redis_client: redis.Redis) -> None:
    told = client.get("/metrics").text
    for line in (
        'affiliate_check{check="redis"} 0.5',
        'affiliate_check{check="spool"} 1.0',
        "affiliate_spool_bytes 0.0",
        "affiliate_events_accepted_total",
        "affiliate_clicks_uncounted_total",
    ):
        assert line in told
