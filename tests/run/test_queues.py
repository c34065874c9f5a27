"""Queueing once, the order of the stages, and the sweep, on a real server with a real worker."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import servers
from rq.serializers import JSONSerializer

from affiliate import queues, worker
from affiliate.settings import Settings

STAGE = "affiliate.attribution.jobs.attribute"


def _waiting(connection: redis.Redis, name: str = queues.STAGES) -> list[str]:
    """What waits in the queue, by function, first come first."""
    return [job.func_name for job in queues.queue(name, connection=connection).jobs]


def _work_off(connection: redis.Redis) -> None:
    """Run what waits, and what that queues, to the end."""
    work = worker.Worker(
        [queues.queue(queues.STAGES, connection=connection)], connection=connection, serializer=JSONSerializer
    )
    work.work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two stages of our own: each does as much as its file says, and notes its run."""
    (tmp_path / "pipeline_for_tests.py").write_text(
        "import json, pathlib\n"
        "FOLDER = pathlib.Path(__file__).parent\n"
        "def _run(name):\n"
        "    todo = FOLDER / f'{name}.json'\n"
        "    batches = json.loads(todo.read_text())\n"
        "    done = batches.pop(0) if batches else 0\n"
        "    todo.write_text(json.dumps(batches))\n"
        "    with (FOLDER / 'runs').open('a') as file:\n"
        "        file.write(f'{name} {done}\\n')\n"
        "    return done\n"
        "def first():\n"
        "    return _run('first')\n"
        "def second():\n"
        "    return _run('second')\n"
        "def broken():\n"
        "    raise RuntimeError('broken on purpose')\n"
    )
    for name in ("first", "second"):
        (tmp_path / f"{name}.json").write_text("[]")
    (tmp_path / "runs").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pipeline_for_tests", raising=False)
    monkeypatch.setattr(worker, "PIPELINE", ("pipeline_for_tests.first", "pipeline_for_tests.second"))
    return tmp_path


def _cron(connection: redis.Redis, stages: tuple[str, ...]) -> worker.Cron:
    schedule = tuple(worker.Periodic(stage, queues.STAGES, worker.SWEEP_SECONDS) for stage in stages)
    return worker.cron(connection=connection, schedule=schedule)


def test_a_stage_waits_at_most_once(redis_client: redis.Redis) -> None:
    first = queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client)
    second = queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client)
    other = queues.enqueue_once(STAGE + "_again", queue_name=queues.STAGES, connection=redis_client)
    assert (first, second, other) == (True, False, True)
    assert _waiting(redis_client) == [STAGE, STAGE + "_again"]


def test_many_at_once_queue_a_stage_once(redis_client: redis.Redis) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = pool.map(
            lambda _: queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client), range(32)
        )
    assert sum(outcomes) == 1
    assert _waiting(redis_client) == [STAGE]


def test_a_stage_that_has_left_the_queue_is_queued_again(redis_client: redis.Redis) -> None:
    queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client)
    queues.queue(queues.STAGES, connection=redis_client).pop_job_id()  # as a worker does that is then killed
    assert queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client)
    assert _waiting(redis_client) == [STAGE]


def test_jobs_travel_as_json_under_our_own_keys(redis_client: redis.Redis) -> None:
    queues.enqueue_once(STAGE, queue_name=queues.STAGES, connection=redis_client)
    [job] = queues.queue(queues.STAGES, connection=redis_client).jobs
    assert json.loads(job.data) == [STAGE, None, [], {}]
    assert {key.decode().split(":")[0] for key in redis_client.scan_iter()} == {"aff"}


def test_a_stage_that_did_something_nudges_itself_and_the_next(
    redis_client: redis.Redis, stages: Path, sqlite_settings: Settings
) -> None:
    (stages / "first.json").write_text("[5, 3]")
    (stages / "second.json").write_text("[8]")
    _cron(redis_client, ("pipeline_for_tests.first",)).enqueue_jobs()
    _work_off(redis_client)
    runs = (stages / "runs").read_text().split("\n")
    assert runs == ["first 5", "first 3", "second 8", "first 0", "second 0", ""]


def test_a_stage_that_did_nothing_leaves_the_queue_empty(redis_client: redis.Redis, stages: Path) -> None:
    _cron(redis_client, worker.PIPELINE).enqueue_jobs()
    _work_off(redis_client)
    assert (stages / "runs").read_text() == "first 0\nsecond 0\n"
    assert _waiting(redis_client) == []


def test_finished_jobs_leave_nothing_behind(redis_client: redis.Redis, stages: Path) -> None:
    for _ in range(3):
        _cron(redis_client, worker.PIPELINE).enqueue_jobs()
        _work_off(redis_client)
    assert list(redis_client.scan_iter("aff:rq:job:*")) == []


def test_the_proof_of_long_books_may_take_longer_than_other_jobs(redis_client: redis.Redis) -> None:
    worker.cron(connection=redis_client).enqueue_jobs()
    limits = {job.func_name: job.timeout for job in queues.queue(queues.SLOW, connection=redis_client).jobs}
    assert limits.pop("affiliate.payouts.jobs.prove") == worker.PROOF_SECONDS_MAX
    assert set(limits.values()) == {queues.JOB_SECONDS_MAX}


def test_the_sweep_queues_every_stage_again_after_its_interval_only(redis_client: redis.Redis) -> None:
    cron = _cron(redis_client, worker.PIPELINE)
    assert len(cron.enqueue_jobs()) == len(worker.PIPELINE)
    assert cron.enqueue_jobs() == []
    assert 0 < cron.calculate_sleep_interval() <= worker.SWEEP_SECONDS


def test_two_crons_queue_each_stage_once(redis_client: redis.Redis) -> None:
    for _ in range(2):
        _cron(redis_client, worker.PIPELINE).enqueue_jobs()
    assert _waiting(redis_client) == list(worker.PIPELINE)


def test_a_stage_that_raises_is_tried_twice_and_does_not_stop_the_others(
    redis_client: redis.Redis, stages: Path, sqlite_settings: Settings
) -> None:
    for func in ("pipeline_for_tests.broken", "pipeline_for_tests.first"):
        queues.enqueue_once(func, queue_name=queues.STAGES, connection=redis_client)
    _work_off(redis_client)
    failed = queues.queue(queues.STAGES, connection=redis_client).failed_job_registry
    [job_id] = failed.get_job_ids()
    assert job_id.startswith("pipeline_for_tests-broken--")
    assert (stages / "runs").read_text() == "first 0\n"


@pytest.mark.parametrize("periodic", worker.SCHEDULE, ids=lambda periodic: periodic.func)
def test_every_scheduled_function_exists_and_takes_no_arguments(periodic: worker.Periodic) -> None:
    module, _, name = periodic.func.rpartition(".")
    imported = __import__(module, fromlist=[name])
    assert getattr(imported, name).__code__.co_argcount == 0


def test_ingest_wakes_the_stages_that_orders_and_refunds_wait_for(redis_client: redis.Redis) -> None:
    worker.wake(redis_client)
    worker.wake(redis_client)
    assert _waiting(redis_client) == [worker.ATTRIBUTE, worker.REVERSE]


def test_waking_without_redis_is_no_error(tmp_path: Path) -> None:
    nobody = redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=servers.NEVER_AGAIN)
    worker.wake(nobody)
    with pytest.raises(redis.ConnectionError):
        nobody.ping()
