"""The order of the stages, and the processes that run them: one worker per queue, one cron.

Cron queues every stage every two seconds unless it waits already (the sweep: no row is forgotten, whoever was killed).
A stage that did something queues itself and the next one at once, and ingest wakes the first after each batch of orders, so
that nothing waits for the sweep while everybody lives.
"""

import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta

import redis
from redis.client import Pipeline
from rq import SimpleWorker
from rq.cron import CronJob, CronScheduler
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from affiliate import garbage, queues

ATTRIBUTE = "affiliate.attribution.jobs.attribute"
COMMISSION = "affiliate.commissions.jobs.commission"
REVERSE = "affiliate.commissions.jobs.reverse"
PIPELINE = (ATTRIBUTE, COMMISSION, REVERSE)
"""The stages in the order in which rows pass through them."""

SWEEP_SECONDS = 2
WORKER_TTL_SECONDS = 30  # a killed worker's name is free again soon
MAINTENANCE_SECONDS = 60
PROOF_SECONDS_MAX = 900  # twenty seconds for a million transfers
_RECONNECT_SECONDS_MAX = 5.0
_HEARTBEAT_EVERY = timedelta(seconds=5)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A function that cron queues every so many seconds, unless it waits already."""

    func: str
    queue_name: str
    every_seconds: int
    seconds_max: int = queues.JOB_SECONDS_MAX


SCHEDULE = (
    *(Periodic(stage, queues.STAGES, SWEEP_SECONDS) for stage in PIPELINE),
    Periodic("affiliate.commissions.jobs.approve_due", queues.STAGES, 60),
    Periodic("affiliate.attribution.jobs.apply_policies", queues.SLOW, 10),
    Periodic("affiliate.replay.jobs.advance", queues.SLOW, 2),
    Periodic("affiliate.replay.jobs.try_fraud_rules", queues.SLOW, 2),
    Periodic("affiliate.fraud.jobs.look_again", queues.STAGES, 300),
    Periodic("affiliate.programs.jobs.send_mails", queues.SLOW, 5),
    Periodic("affiliate.programs.jobs.look_at_hosts", queues.SLOW, 10),
    Periodic("affiliate.commissions.jobs.simulate", queues.SLOW, 5),
    Periodic("affiliate.commissions.jobs.validate", queues.SLOW, 2),
    Periodic("affiliate.commissions.jobs.refresh_rates", queues.SLOW, 3600),
    Periodic("affiliate.newsletters.jobs.release", queues.SLOW, 10),
    Periodic("affiliate.newsletters.jobs.send", queues.SLOW, 5),
    Periodic("affiliate.newsletters.jobs.read_bounces", queues.SLOW, 60),
    Periodic("affiliate.newsletters.jobs.forget_unconfirmed", queues.SLOW, 3600),
    Periodic("affiliate.papers.jobs.issue", queues.SLOW, 5),
    Periodic("affiliate.papers.jobs.render", queues.SLOW, 5),
    Periodic("affiliate.taxes.jobs.ask_vies", queues.SLOW, 30),
    Periodic("affiliate.relations.jobs.remind", queues.SLOW, 600),
    Periodic("affiliate.relations.jobs.go_round", queues.SLOW, 600),
    Periodic("affiliate.relations.jobs.tell_ends", queues.SLOW, 3600),
    Periodic("affiliate.relations.jobs.act_in_bulk", queues.SLOW, 2),
    Periodic("affiliate.steering.jobs.check", queues.SLOW, 300),
    Periodic("affiliate.steering.jobs.judge", queues.SLOW, 300),
    Periodic("affiliate.steering.jobs.tell_late", queues.SLOW, 600),
    Periodic("affiliate.ledger.jobs.seal", queues.SLOW, 60),
    Periodic("affiliate.ledger.jobs.carry_totals", queues.SLOW, 60),
    Periodic("affiliate.ledger.jobs.mail_heads", queues.SLOW, 3600),
    Periodic("affiliate.ingest.jobs.look_after_clicks", queues.SLOW, 3600),
    Periodic("affiliate.ingest.jobs.count_steps", queues.SLOW, 20),
    Periodic("affiliate.payouts.jobs.prove", queues.SLOW, 3600, PROOF_SECONDS_MAX),
    Periodic("affiliate.payouts.jobs.post_volume", queues.SLOW, 3600),
    Periodic("affiliate.payouts.jobs.tell", queues.SLOW, 5),
    Periodic("affiliate.reports.jobs.count_visitors", queues.SLOW, 20),
    Periodic("affiliate.reports.jobs.count_late_visitors", queues.SLOW, 3600),
    Periodic("affiliate.reports.jobs.count_landings", queues.SLOW, 60),
    Periodic("affiliate.reports.jobs.count_late_landings", queues.SLOW, 3600),
    Periodic("affiliate.reports.jobs.count_days", queues.SLOW, 20),
    Periodic("affiliate.reports.jobs.count_late_days", queues.SLOW, 3600),
    Periodic("affiliate.reports.jobs.count_spans", queues.SLOW, 60),
    Periodic("affiliate.reports.jobs.compute_figures", queues.SLOW, 60),
    Periodic("affiliate.reports.jobs.count_cohorts", queues.SLOW, 300),
    Periodic("affiliate.reports.jobs.count_customers", queues.SLOW, 300),
    Periodic("affiliate.reports.jobs.count_segments", queues.SLOW, 300),
    Periodic("affiliate.reports.jobs.count_active", queues.SLOW, 300),
    Periodic("affiliate.reports.jobs.count_margins", queues.SLOW, 300),
    Periodic("affiliate.steering.jobs.send_reports", queues.SLOW, 60),
    Periodic("affiliate.reports.jobs.combine", queues.SLOW, 2),
    Periodic("affiliate.canary.jobs.begin_due", queues.SLOW, 60),
    Periodic("affiliate.canary.jobs.proceed", queues.SLOW, 10),
    Periodic("affiliate.accounts.jobs.sweep", queues.SLOW, 3600),
    Periodic("affiliate.notifications.jobs.collect", queues.SLOW, 5),
    Periodic("affiliate.notifications.jobs.deliver", queues.SLOW, 5),
    Periodic("affiliate.notifications.jobs.tell_chats", queues.SLOW, 5),
    Periodic("affiliate.notifications.jobs.sweep", queues.SLOW, 3600),
    Periodic("affiliate.notifications.jobs.write_days", queues.SLOW, 600),
    Periodic("affiliate.privacy.jobs.make_copy", queues.SLOW, 5),
    Periodic("affiliate.privacy.jobs.sweep", queues.SLOW, 3600),
    Periodic("affiliate.joining.jobs.forget_old_drafts", queues.SLOW, 3600),
)


def modules(queue_name: str) -> list[str]:
    """What to load for the jobs of a queue: the stages need a few packages and their tables, what is slow about all."""
    if queue_name != queues.STAGES:
        return ["affiliate.tables"]
    return sorted({each.func.rpartition(".")[0] for each in SCHEDULE if each.queue_name == queue_name})


def nudge(job: Job, connection: redis.Redis, done: int) -> None:
    """After a stage did something: queue it again, for there may be more, and the stage that waits for its outcome."""
    if not done:
        return
    log.info("%s: %s done", job.func_name, done)
    place = PIPELINE.index(job.func_name)
    for stage in PIPELINE[place : place + 2]:
        queues.enqueue_once(stage, queue_name=queues.STAGES, connection=connection, on_success=NUDGE)


NUDGE = f"{__name__}.{nudge.__name__}"


def wake(connection: redis.Redis) -> None:
    """New orders or refunds are rows now: look at them at once. Without Redis the next sweep does."""
    with contextlib.suppress(redis.RedisError):
        for stage in (ATTRIBUTE, REVERSE):
            queues.enqueue_once(stage, queue_name=queues.STAGES, connection=connection, on_success=NUDGE)


class Worker(SimpleWorker):
    """Runs jobs in its own process, without a fork for each.

    A fork costs ten milliseconds a job and a copy of every page it touches. What it would save us from, a job that
    takes its process down, costs little here: the supervisor starts a new worker, and the next sweep finds the rows.
    """

    log_result_lifespan = False
    max_connection_wait_time = _RECONNECT_SECONDS_MAX

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """At most every few seconds by itself: it is three writes, and with `appendfsync always` each waits for the disk."""
        recently = self.last_heartbeat is not None and now() - self.last_heartbeat < _HEARTBEAT_EVERY
        if pipeline is not None or timeout is not None or not recently:
            super().heartbeat(timeout, pipeline)


def work(queue_name: str) -> None:
    """Run the jobs of one queue until a signal comes; a job that runs is finished first."""
    garbage.settle()  # a quarter of what a replay or an attribution took was looking at its rows for cycles
    connection = queues.connection()
    worker = Worker(
        [queues.queue(queue_name, connection=connection)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING")


class Cron(CronScheduler):
    """RQ's cron, with `enqueue_once` for its own enqueueing, which pickles and piles up."""

    def enqueue_jobs(self) -> list[CronJob]:
        """Queue what is due."""
        moment = now()
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            on_success = NUDGE if job.func_name in PIPELINE else None
            queues.enqueue_once(
                job.func_name, queue_name=job.queue_name, connection=self.connection, on_success=on_success,
                seconds_max=job.job_options["job_timeout"],
            )  # fmt: skip
            job.set_enqueue_time(moment)
        return due


def cron(*, connection: redis.Redis, schedule: tuple[Periodic, ...] = SCHEDULE) -> Cron:
    """A cron that knows the schedule. Functions stay names, so that this process loads none of their packages."""
    scheduler = Cron(connection, logging_level="WARNING")
    scheduler.log.setLevel("WARNING")
    for each in schedule:
        scheduler.get_jobs().append(
            CronJob(
                func_name=each.func,
                queue_name=each.queue_name,
                interval=each.every_seconds,
                job_timeout=each.seconds_max,
            )
        )
    return scheduler
