"""The job of the stage, with the streams beside it: it waits for clicks on their way, and for a Redis that is away only so long."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from factories import make_conversion, make_program

from affiliate import clock, db, streams
from affiliate.attribution import jobs
from affiliate.attribution.models import Attribution
from affiliate.settings import Settings


def order(*, received_at: datetime, **fields: Any) -> None:
    with db.transaction() as session:
        make_conversion(session, program=make_program(session), received_at=received_at, **fields)


def attributions() -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Attribution)) or 0


def test_what_waits_is_attributed_once(settings: Settings) -> None:
    order(received_at=clock.now())
    assert (jobs.attribute(), jobs.attribute()) == (1, 0)
    assert attributions() == 1


def test_an_order_waits_while_an_earlier_click_is_not_a_row(
    sqlite_settings: Settings, redis_client: redis.Redis
) -> None:
    entry: Any = redis_client.xadd(streams.click_shard(0), {streams.FIELD: b"a click"})
    order(received_at=clock.now() + timedelta(milliseconds=1))
    assert jobs.attribute() == 0
    redis_client.xdel(streams.click_shard(0), entry)
    assert jobs.attribute() == 1


def test_without_redis_only_the_patience_counts(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = streams._client(f"unix://{tmp_path / 'no.sock'}", 0.2)
    monkeypatch.setattr(streams, "client", lambda: nowhere)
    order(received_at=clock.now())
    assert jobs.attribute() == 0
    order(received_at=clock.now() - timedelta(seconds=61))
    assert jobs.attribute() == 1
