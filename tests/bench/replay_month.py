"""A month replayed under another model: 100,000 orders over a million clicks, on PostgreSQL and one core, stopped and gone on with.

`BENCH_ORDERS=20000` replays fewer.
"""

import os
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import month
import sqlalchemy as sa
from figures import Figure

from affiliate import db
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.models import Attribution
from affiliate.attribution.policy import Model, Policy
from affiliate.programs.models import Program
from affiliate.replay import jobs, service
from affiliate.replay.models import Replay, ReplayStatus

ORDERS = int(os.environ.get("BENCH_ORDERS", "100000"))
CLICKS = ORDERS * 10
MB = 1024


def measure() -> Iterator[Figure]:
    """Attribute the month for the traces, then replay it."""
    with month.opened():
        month.grow(1, CLICKS, with_orders=False)
        month.order("month-", ORDERS, clicks=CLICKS, over_days=month.DAYS - 2)
        for _ in range(ORDERS // month.BATCH):
            month.attribute(month.BATCH)
        month.commission(month.BATCH)
        _commission_the_rest()
        _stay_on_one_core()
        before = _peak_kilobytes(since_now=True)
        replay_id, seconds = _start(), _Seconds()
        _go_on(until=ORDERS // 2)
        _stop_and_resume(replay_id)
        _go_on()
        wall, cpu = seconds.passed()
        with db.reading() as session:
            replay = session.get_one(Replay, replay_id)
            if replay.status is not ReplayStatus.DONE or replay.totals["orders"] < ORDERS:
                raise RuntimeError(f"the replay is {replay.status} after {replay.totals['orders']} orders")
            yield Figure("replay: orders of the month that would change", float(replay.totals["changed"]))
        yield Figure(f"replay of {ORDERS:,} orders over {CLICKS:,} clicks, stopped once, s", wall, "<= 60")
        yield Figure("replay, seconds of processor time without the database's", cpu)
        yield Figure("replay, memory that it took, MB", (_peak_kilobytes() - before) / MB, "<= 200")


_REST = """
    INSERT INTO commissions
    SELECT copy.* FROM attributions
    JOIN credits ON credits.attribution_id = attributions.id
    JOIN commissions AS pattern ON pattern.id = (SELECT id FROM commissions ORDER BY id LIMIT 1)
    CROSS JOIN LATERAL jsonb_populate_record(pattern, jsonb_build_object(
        'id', gen_random_uuid(), 'conversion_id', attributions.conversion_id, 'attribution_id', attributions.id,
        'credit_id', credits.id, 'partner_id', credits.partner_id)) AS copy
    WHERE attributions.commissioned_at IS NULL
"""


def _commission_the_rest() -> None:
    """All orders are of one amount under one plan, so each commission is like the first: copied, it takes seconds."""
    with db.transaction() as session:
        session.execute(sa.text(_REST))
        session.execute(sa.update(Attribution).values(commissioned_at=month.NOW))
    with db.transaction() as session:
        session.execute(sa.text("ANALYZE"))


class _Seconds:
    """Wall time, and processor time of this process."""

    def __init__(self) -> None:
        self.began = time.perf_counter(), self._cpu()

    @staticmethod
    def _cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def passed(self) -> tuple[float, float]:
        """Both since the beginning."""
        return time.perf_counter() - self.began[0], self._cpu() - self.began[1]


def _stay_on_one_core() -> None:
    """This process and the database share one, as far as the system lets us say so."""
    core = {min(os.sched_getaffinity(0))}
    os.sched_setaffinity(0, core)
    with db.reading() as session:
        backend = session.scalar(sa.text("SELECT pg_backend_pid()"))
    os.sched_setaffinity(backend, core)


def _peak_kilobytes(*, since_now: bool = False) -> int:
    """The most memory that this process has had resident; Linux forgets earlier peaks on request."""
    if since_now:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _start() -> UUID:
    with db.transaction() as session:
        program_id = session.scalars(sa.select(Program.id)).one()
        period = {"starts_at": month.BEGINS, "ends_at": month.NOW + timedelta(days=1)}
        policy = Policy(version=1, model=Model.FIRST_CLICK)  # every order goes to somebody else
        return service.start(session, program_id=program_id, policy=policy, **period, actor=SYSTEM, now=month.NOW).id


def _go_on(*, until: int | None = None) -> None:
    jobs.SLICE_SECONDS = 0.01  # a batch a job, so that few orders can be stopped half-way as well
    done = 0
    while orders := jobs.advance():
        done += orders
        if until is not None and done >= until:
            return


def _stop_and_resume(replay_id: UUID) -> None:
    with db.transaction() as session:
        program_id = session.get_one(Replay, replay_id).program_id
        mine = {"replay_id": replay_id, "program_id": program_id, "actor": SYSTEM, "now": month.NOW}
        service.stop(session, **mine)
    if jobs.advance():
        raise RuntimeError("a stopped replay went on")
    with db.transaction() as session:
        service.resume(session, **mine)
