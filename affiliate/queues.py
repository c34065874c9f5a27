"""RQ's queues. SQL holds the work that waits; a job only says "look now", so losing or repeating one does no harm."""

from uuid import uuid4

import redis
from rq import Callback, Queue, Retry
from rq.serializers import JSONSerializer
from rq.utils import as_text

from affiliate import settings

STAGES = "stages"  # the pipeline: short jobs, one after another
SLOW = "slow"  # mail, exports, replays: whatever may wait for others

JOB_SECONDS_MAX = 60
FAILURE_SECONDS_KEPT = 6 * 3600
ATTEMPTS_MAX = 5
_SOCKET_SECONDS_MAX = 5


def connection() -> redis.Redis:
    """A client of the Redis that holds the queues. It connects at the first command."""
    return redis.Redis.from_url(
        settings.current().redis_url,
        socket_connect_timeout=_SOCKET_SECONDS_MAX,
        socket_timeout=_SOCKET_SECONDS_MAX,
    )


def queue(name: str, *, connection: redis.Redis) -> Queue:
    """The queue of this name. Jobs travel as JSON: a Redis that others can write to must not run their pickles."""
    return Queue(name, connection=connection, serializer=JSONSerializer, default_timeout=JOB_SECONDS_MAX)


def enqueue_once(
    func: str, *, queue_name: str, connection: redis.Redis, on_success: str | None = None,
    seconds_max: int = JOB_SECONDS_MAX,
) -> bool:  # fmt: skip
    """Queue a function without arguments, named by its import path, unless it waits in the queue already.

    A running job does not count: rows that arrive while it runs must be looked at once more. Returns whether it was queued.
    Not RQ's `unique=True`: that refuses for as long as the hash of an old job lives.
    """
    target = queue(queue_name, connection=connection)
    prefix = func.replace(".", "-") + "--"  # job ids may hold letters, digits, dashes and underscores
    with connection.pipeline() as pipeline:
        for _ in range(ATTEMPTS_MAX):
            try:
                pipeline.watch(target.key)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                if any(as_text(job_id).startswith(prefix) for job_id in pipeline.lrange(target.key, 0, -1)):
                    return False
                pipeline.multi()
                target.enqueue_call(
                    func,
                    job_id=prefix + uuid4().hex,
                    timeout=seconds_max,
                    result_ttl=0,
                    failure_ttl=FAILURE_SECONDS_KEPT,
                    retry=Retry(max=1),
                    on_success=Callback(on_success) if on_success else None,
                    pipeline=pipeline,
                )
                pipeline.execute()
            except redis.WatchError:  # somebody pushed or took a job in between: look again
                continue
            return True
    return False  # a busy queue; the sweep comes back in two seconds
