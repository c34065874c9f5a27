"""Attribution and commission, fraud rules and all, on PostgreSQL: over a growing month of clicks and orders, and against an RQ job per conversion.

`BENCH_CLICKS=10000000` goes to ten million clicks and a hundred thousand orders; filling takes some minutes.
"""

import os
import statistics
import time
from collections.abc import Iterator

import month
import redis
from figures import Figure
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from affiliate import queues

BATCHES = 5
STAGES = ("attribution", "commission")
SINGLES = 200
KEPT = (100_000, int(os.environ.get("BENCH_CLICKS", "1000000")))


def attribute_one() -> None:
    """What a job per conversion would do."""
    month.attribute(1)


def commission_one() -> None:
    """The same of the next stage."""
    month.commission(1)


def measure() -> Iterator[Figure]:
    """Thousands of today's orders over a growing month, then two hundred of them a job each."""
    with month.opened():
        costs, walls, filled = {}, {}, 0
        for clicks in KEPT:
            month.grow(filled + 1, clicks)
            filled = clicks
            costs[clicks], walls[clicks] = _batched(clicks)
            for stage, cost in zip(STAGES, costs[clicks], strict=True):
                yield Figure(f"{stage} on PostgreSQL, {clicks:,} clicks, processor µs an order", cost)
        for stage, few, many in zip(STAGES, *costs.values(), strict=True):
            yield Figure(f"{stage}, {KEPT[1]:,} against {KEPT[0]:,} clicks (ratio)", many / few, "<= 1.5")
        singly = _singly(filled)
        yield Figure("attribution and commission, by the thousand, µs a conversion", walls[filled])
        yield Figure("attribution and commission, a job each per conversion, µs", singly)
        yield Figure("attribution and commission, singly against by the thousand", singly / walls[filled], ">= 30")


def _batched(clicks: int) -> tuple[list[float], float]:
    """Microseconds an order of several batches, the medians: processor time of each stage, and both on the wall; one before warms up."""
    found = []
    for number in range(BATCHES + 1):
        month.order(f"{clicks}-{number}-", month.BATCH, clicks=clicks, first=number)
        began, seconds = time.perf_counter(), [month.processor_seconds()]
        for stage in (month.attribute, month.commission):
            stage(month.BATCH)
            seconds.append(month.processor_seconds())
        found.append((seconds[1] - seconds[0], seconds[2] - seconds[1], time.perf_counter() - began))
    *stages, wall = (statistics.median(column) / month.BATCH * 1_000_000 for column in zip(*found[1:], strict=True))
    return stages, wall


def _singly(clicks: int) -> float:
    month.order("single-", SINGLES, clicks=clicks, first=BATCHES + 1)
    connection: redis.Redis = queues.connection()
    queue = queues.queue("bench", connection=connection)
    began = time.perf_counter()
    for stage in (attribute_one, commission_one):
        for _ in range(SINGLES):
            queue.enqueue_call(f"{__name__}.{stage.__name__}", result_ttl=0)
    SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="WARNING")
    return (time.perf_counter() - began) / SINGLES * 1_000_000
