"""Attribution on PostgreSQL: by jobs of a thousand against one RQ job per conversion, and over a growing number of clicks; replay.

`AFFILIATE_BENCH_CLICKS=10000000` goes to ten million clicks; that takes a quarter of an hour to fill.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import money_stages
import redis
import servers
import sqlalchemy as sa
from figures import Figure
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from affiliate import db, ids, queues, settings
from affiliate.attribution import service
from affiliate.attribution.policy import Model, Policy
from affiliate.ingest import partitions
from affiliate.ingest.models import Conversion, Trust
from affiliate.links.models import Link
from affiliate.programs.models import Program
from affiliate.replay import engine
from affiliate.replay.engine import Question, Totals

NOW = money_stages.NOW
BATCH = 1_000
BATCHES = 3
SINGLES = 200
KEPT = (100_000, int(os.environ.get("AFFILIATE_BENCH_CLICKS", "1000000")))
DAYS = 28

_CLICKS = sa.text(
    """
    INSERT INTO clicks (id, program_id, partner_id, link_id, occurred_at, received_at, verdict, source, visitor_id, subs,
                        landing_url, referrer_host, country, consent)
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
            || '8' || substr(md5(n::text), 4, 15))::uuid,
           :program, :partner, :link, at, at, 'valid', 'redirect', md5('visitor' || n)::uuid, '{}', '/', '', '', 'none'
    FROM (SELECT n, CAST(:start AS timestamptz) + (n * CAST(:step AS interval)) AS at
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n) AS numbered
    """
)


def one() -> int:
    """What a job per conversion would do."""
    with db.transaction() as session:
        return service.attribute_waiting(session, limit=1, clicks_until=NOW, now=NOW)


def measure() -> Iterator[Figure]:
    """Thousands of conversions over a growing table of clicks."""
    with (
        tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder,
        servers.valkey(Path(folder)) as redis_address,
        tempfile.TemporaryDirectory(prefix="affiliate-bench-pg-") as data,
        servers.postgresql(_made(Path(data) / "server")) as address,
    ):
        url = address.replace("postgresql://", "postgresql+psycopg://")
        before = dict(os.environ)
        os.environ |= {"AFFILIATE_DATABASE_URL": url, "AFFILIATE_REDIS_URL": redis_address}
        settings.current.cache_clear()
        db.dispose()
        try:
            yield from _all()
        finally:
            db.dispose()
            os.environ.clear()
            os.environ.update(before)
            settings.current.cache_clear()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _all() -> Iterator[Figure]:
    with db.transaction() as session:
        money_stages.upgrade(session.get_bind().engine)
    with db.transaction() as session:
        partitions.ensure(session, now=NOW)
        money_stages.fill(session, clicks=BATCH)
    costs, filled = {}, 0
    for clicks in KEPT:
        _grow(filled, clicks)
        filled = clicks
        costs[clicks] = _batched(clicks)
        yield Figure(f"attribution on PostgreSQL over {clicks:,} clicks, µs a conversion", costs[clicks])
    yield Figure(
        f"attribution, {KEPT[1]:,} against {KEPT[0]:,} clicks (ratio)", costs[KEPT[1]] / costs[KEPT[0]], "<= 1.5"
    )
    singly = _singly(filled)
    yield Figure("attribution, a job per conversion, µs a conversion", singly)
    yield Figure("attribution, singly against by the thousand (ratio)", singly / costs[KEPT[1]], ">= 30")
    yield Figure("replay with another model and window, µs an order", _replayed(), "<= 600")


def _grow(filled: int, clicks: int) -> None:
    """Fill up to so many clicks, each of its own visitor, over the four weeks before the orders."""
    with db.transaction() as session:
        link = session.scalars(sa.select(Link)).one()
        session.execute(
            _CLICKS,
            {
                "program": link.program_id, "partner": link.partner_id, "link": link.id,
                "start": NOW - timedelta(days=DAYS + 1), "step": timedelta(days=DAYS) / KEPT[1],
                "first": filled + 1, "last": clicks,
            },
        )  # fmt: skip
    with db.transaction() as session:
        session.execute(sa.text("ANALYZE"))


def _orders(clicks: int, count: int, number: int) -> None:
    """Orders of visitors all over the table."""
    with db.transaction() as session:
        program_id = session.scalars(sa.select(Program.id)).one()
        visitors = session.scalars(
            sa.text("SELECT md5('visitor' || n)::uuid FROM generate_series(1, :clicks, :step) AS n LIMIT :count"),
            {"clicks": clicks, "step": max(clicks // count, 1), "count": count},
        ).all()
        rows = [
            {
                "id": ids.new(), "program_id": program_id, "kind": "sale", "order_id": f"{clicks}-{number}-{place}",
                "fingerprint": "0" * 64, "trust": Trust.SERVER, "source": "api", "is_test": False, "amount_minor": 49_90,
                "currency": "EUR", "items": [], "visitor_id": visitor, "occurred_at": NOW, "received_at": NOW,
            }
            for place, visitor in enumerate(visitors)
        ]  # fmt: skip
        session.execute(sa.insert(Conversion), rows)


def _batched(clicks: int) -> float:
    """Microseconds a conversion, the median of several batches; what `fill` left waiting goes first and warms up."""
    _attribute(BATCH)
    times = []
    for number in range(BATCHES):
        _orders(clicks, BATCH, number)
        times.append(_attribute(BATCH))
    return statistics.median(times)


def _attribute(expected: int) -> float:
    began = time.perf_counter()
    with db.transaction() as session:
        done = service.attribute_waiting(session, limit=BATCH, clicks_until=NOW, now=NOW)
    if done not in {expected, 0}:
        raise RuntimeError(f"{done} of {expected} were attributed")
    return (time.perf_counter() - began) / expected * 1_000_000


def _singly(clicks: int) -> float:
    _orders(clicks, SINGLES, BATCHES)
    connection: redis.Redis = queues.connection()
    queue = queues.queue("bench", connection=connection)
    began = time.perf_counter()
    for _ in range(SINGLES):
        queue.enqueue_call(f"{__name__}.one", result_ttl=0)
    SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="WARNING")
    return (time.perf_counter() - began) / SINGLES * 1_000_000


def _replayed() -> float:
    """Microseconds an order under another policy, every one of them changed or not, in batches as the job does."""
    with db.reading() as session:
        program = session.scalars(sa.select(Program)).one()
        policy = Policy(version=2, model=Model.LINEAR, window_days=14)
        epoch = datetime.fromtimestamp(0, UTC)
        question, totals, after = Question(program, policy, epoch, NOW + timedelta(days=1)), Totals(), None
        began = time.perf_counter()
        while True:
            step = engine.step(session, question=question, totals=totals, after=after, limit=BATCH)
            after = step.cursor
            if after is None:
                break
        return (time.perf_counter() - began) / totals.orders * 1_000_000
