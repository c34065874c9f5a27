"""What operators are told: by the pages for people, and by the numbers for Prometheus."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import processes
import pytest
import redis
import servers
from conftest import using_settings
from factories import make_partner, make_program
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, ids, streams
from affiliate.ledger import postings
from affiliate.ledger import service as ledger
from affiliate.money import Money
from affiliate.settings import Settings
from affiliate.tracking import durability
from affiliate.tracking.breaker import FAILURES_MAX
from affiliate.tracking.facts import View
from affiliate.tracking.spool import ASIDE, Spool


@pytest.fixture
def policy(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server whose eviction a test may change."""
    yield redis_client
    redis_client.config_set("maxmemory-policy", "noeviction")


def checks(client: FlaskClient) -> dict[str, dict[str, Any]]:
    """What `/readyz` says of each part."""
    answer = client.get("/readyz")
    assert answer.json is not None
    found: dict[str, dict[str, Any]] = answer.json["checks"]
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
        durability.check()
        redis.Redis.from_url(address).config_set("maxmemory-policy", "allkeys-lfu")
        with pytest.raises(durability.Evicts, match="noeviction"):
            durability.check()


@pytest.mark.parametrize("command", ["web", "edge", "ingest"])
def test_no_process_starts_on_a_server_that_evicts(
    sqlite_settings: Settings, policy: redis.Redis, command: str
) -> None:
    policy.config_set("maxmemory-policy", "allkeys-lru")
    environment = os.environ | {"PORT": str(processes.free_port())}
    process = subprocess.Popen(
        [sys.executable, "-m", "affiliate.cli", command], env=environment, stderr=subprocess.PIPE
    )
    try:
        _, said = process.communicate(timeout=processes.SECONDS_MAX)
    finally:
        processes.end(process)
    assert process.returncode != 0
    assert b"set maxmemory-policy noeviction" in said


def test_a_server_that_may_lose_events_is_told_at_the_start(
    sqlite_settings: Settings, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    durability.check()
    assert [record.message for record in caplog.records] == [durability.WEAK]


def test_events_on_disk_are_told(client: FlaskClient, redis_client: redis.Redis, app: Flask) -> None:
    assert checks(client)["spool"] == {"status": "ok", "files": 0, "bytes": 0, "put_aside": 0, "breaker": "closed"}
    folder = Path(app.extensions["affiliate_tracker"].spool.folder)
    Spool(folder, bytes_max=1_000).append([b"event"])
    found = checks(client)["spool"]
    assert (found["status"], found["files"], found["bytes"]) == ("degraded", 1, 13)
    (folder / ASIDE).mkdir()
    (folder / ASIDE / "piece").touch()
    assert "could not be read" in str(checks(client)["spool"]["finding"])


def test_without_redis_it_is_ready_and_says_what_waits(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    away = streams._client(f"unix://{tmp_path}/nobody.sock", 0.2)
    monkeypatch.setattr(streams, "client", lambda **_: away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert "kept on disk" in answer.json["checks"]["redis"]["finding"]


def test_without_redis_and_room_on_disk_it_is_down(client: FlaskClient, app: Flask, redis_client: redis.Redis) -> None:
    tracked = app.extensions["affiliate_tracker"]
    tracked.spool._bytes_max = 0
    assert checks(client)["spool"]["status"] == "degraded"
    tracked.breaker.failures = FAILURES_MAX
    assert checks(client)["spool"]["status"] == "down"
    assert client.get("/readyz").status_code == 503


def test_without_the_database_it_is_ready_as_long_as_it_knows_the_links(
    client: FlaskClient, app: Flask, sqlite_url: str
) -> None:
    sqlite = Path(sqlite_url.removeprefix("sqlite:///"))
    sqlite.unlink()
    sqlite.mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["database"]["status"]) == (503, "down")
    app.extensions["affiliate_tracker"].directory._view = View()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert "Pages and reports wait" in answer.json["checks"]["database"]["finding"]


def test_the_lag_is_told_in_events_and_seconds_by_shard(client: FlaskClient, redis_client: redis.Redis) -> None:
    stream = streams.click_shard(0)
    for seconds in (90, 30):
        redis_client.xadd(stream, {streams.FIELD: b"event"}, id=f"{int((time.time() - seconds) * 1000)}-0")
    found = checks(client)["streams"]
    assert (found["status"], found["waiting"][stream]) == ("degraded", 2)
    assert found["lag_seconds"][stream] >= 90
    assert found["lag_seconds"][streams.order_shard(0)] == 0
    told = client.get("/metrics").text
    assert f'affiliate_stream_waiting{{stream="{stream}"}} 2.0' in told
    [seconds] = re.findall(re.escape(f'affiliate_stream_lag_seconds{{stream="{stream}"}}') + " (.+)", told)
    assert float(seconds) >= 90


@pytest.mark.parametrize(
    ("findings", "hours", "status"), [([], 1, "ok"), ([], 30, "degraded"), (["Somebody was here."], 1, "degraded")]
)
def test_the_last_proof_of_the_books_is_told_and_links_go_on(
    client: FlaskClient, app_session: Session, findings: list[str], hours: int, status: str
) -> None:
    ledger.record_proof(app_session, transfers=7, findings=findings, now=clock.now() - timedelta(hours=hours))
    app_session.commit()
    found = checks(client)["books"]
    assert (found["status"], found["transfers"], found["age_hours"]) == (status, 7, hours)
    assert found.get("findings", []) == findings
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(("minutes", "status"), [(1, "ok"), (20, "degraded")])
def test_transfers_that_no_seal_covers_are_told_after_a_while(
    client: FlaskClient, app_session: Session, minutes: int, status: str
) -> None:
    facts = {"program_id": make_program(app_session).id, "partner_id": make_partner(app_session).id}
    made = postings.accrue(**facts, commission_id=ids.new(), amount=Money(1, "EUR"))
    ledger.post(app_session, postings=made, now=clock.now() - timedelta(minutes=minutes))
    app_session.commit()
    assert checks(client)["seals"]["status"] == status


def test_prometheus_gets_the_same_facts(client: FlaskClient, redis_client: redis.Redis) -> None:
    told = client.get("/metrics").text
    for line in (
        'affiliate_check{check="redis"} 0.5',
        'affiliate_check{check="spool"} 1.0',
        "affiliate_spool_bytes 0.0",
        "affiliate_redis_persists 0.0",
        "affiliate_redis_evicts 0.0",
        "affiliate_events_accepted_total",
        "affiliate_clicks_uncounted_total",
    ):
        assert line in told
