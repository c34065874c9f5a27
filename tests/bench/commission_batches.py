"""Commissions by jobs of a thousand against one RQ job per conversion: the same stage, database and queue included."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import money_stages
import redis
import servers
import sqlalchemy as sa
from figures import Figure
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from affiliate import db, queues, settings
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution
from affiliate.commissions import jobs, service
from affiliate.commissions.models import Commission

SINGLES = 200
BATCHED = money_stages.CONVERSIONS - SINGLES


def one() -> int:
    """What a job per conversion would do."""
    with db.transaction() as session:
        return service.commission_waiting(session, limit=1, now=money_stages.NOW)


def measure() -> Iterator[Figure]:
    """A thousand attributed conversions: two hundred by a job each, the rest by one job."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder, servers.valkey(Path(folder)) as address:
        before = dict(os.environ)
        os.environ |= {"AFFILIATE_DATABASE_URL": f"sqlite:///{folder}/bench.db", "AFFILIATE_REDIS_URL": address}
        settings.current.cache_clear()
        db.dispose()
        try:
            yield from _both()
        finally:
            db.dispose()
            os.environ.clear()
            os.environ.update(before)
            settings.current.cache_clear()


def _both() -> Iterator[Figure]:
    _fill()
    connection = queues.connection()
    singly = _run(connection, f"{__name__}.one", SINGLES) / SINGLES
    batched = _run(connection, f"{jobs.commission.__module__}.{jobs.commission.__name__}", 1) / BATCHED
    with db.reading() as session:
        done = session.scalar(sa.select(sa.func.count()).select_from(Commission))
    if done != money_stages.CONVERSIONS:
        raise RuntimeError(f"{done} of {money_stages.CONVERSIONS} were commissioned")
    yield Figure("commission, a job per conversion, µs a conversion", singly * 1_000_000)
    yield Figure("commission, a job per thousand, µs a conversion", batched * 1_000_000)
    yield Figure("commission, singly against by the thousand (ratio)", singly / batched, ">= 30")


def _fill() -> None:
    engine = db.make_engine(settings.current().database_url)
    money_stages.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        money_stages.fill(session, clicks=10_000)
        now = money_stages.NOW
        attribution.attribute_waiting(session, limit=money_stages.CONVERSIONS, clicks_until=now, now=now)
        session.commit()
        waiting = sa.select(sa.func.count()).where(Attribution.commissioned_at.is_(None))
        if session.scalar(waiting) != money_stages.CONVERSIONS:
            raise RuntimeError("not every conversion waits for its commission")
    engine.dispose()


def _run(connection: redis.Redis, func: str, times: int) -> float:
    """Seconds in which a worker does this job so many times, from the first enqueueing on."""
    queue = queues.queue("bench", connection=connection)
    began = time.perf_counter()
    for _ in range(times):
        queue.enqueue_call(func, result_ttl=0)
    SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="WARNING")
    return time.perf_counter() - began
