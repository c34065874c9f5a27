"""Attribution and commission, fraud rules and all, on PostgreSQL: over a growing month of clicks and orders, and against an RQ job per conversion.

`BENCH_CLICKS=10000000` goes to ten million clicks and a hundred thousand orders; filling takes some minutes.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator

import month
import redis
from figures import Figure
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from affiliate import queues

BATCHES = 5
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
        costs, filled = {}, 0
        for clicks in KEPT:
            month.grow(filled + 1, clicks)
            filled = clicks
            costs[clicks] = _batched(clicks)
            for stage, cost in zip(("attribution", "commission"), costs[clicks], strict=True):
                yield Figure(f"{stage} on PostgreSQL over {clicks:,} clicks, µs a conversion", cost)
        for stage, few, many in zip(("attribution", "commission"), *costs.values(), strict=True):
            yield Figure(f"{stage}, {KEPT[1]:,} against {KEPT[0]:,} clicks (ratio)", many / few, "<= 1.5")
        batched, singly = sum(costs[filled]), _singly(filled)
        yield Figure("attribution and commission, by the thousand, µs a conversion", batched)
        yield Figure("attribution and commission, a job each per conversion, µs", singly)
        yield Figure("attribution and commission, singly against by the thousand", singly / batched, ">= 30")


def _batched(clicks: int) -> tuple[float, float]:
    """Microseconds a conversion in each stage, the median of several batches; one before them warms up."""
    times: list[tuple[float, float]] = []
    for number in range(BATCHES + 1):
        month.order(f"{clicks}-{number}-", month.BATCH, clicks=clicks, first=number)
        times.append((_timed(month.attribute), _timed(month.commission)))
    attributed, commissioned = zip(*times[1:], strict=True)
    return statistics.median(attributed), statistics.median(commissioned)


def _timed(stage: Callable[[int], None]) -> float:
    began = time.perf_counter()
    stage(month.BATCH)
    return (time.perf_counter() - began) / month.BATCH * 1_000_000


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
