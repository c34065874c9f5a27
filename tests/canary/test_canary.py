"""The canary walks the whole way by HTTP, says what is broken, and leaves nothing behind."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import factories
import pytest
import redis
import requests
import servers
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from affiliate import clock, db, streams
from affiliate import settings as settings_module
from affiliate.app import create_app
from affiliate.attribution import jobs as attribution
from affiliate.attribution.models import Attribution
from affiliate.canary import jobs, queries
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.commissions import jobs as commissions
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Click, ClickHour, Conversion, Refund
from affiliate.ingest.taking import Entry, take
from affiliate.ledger.models import LedgerTransfer
from affiliate.links.models import Link
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import Program, ProgramStatus
from affiliate.settings import Settings

Work = Callable[[], None]


@pytest.fixture
def link(session: Session, settings: Settings) -> Link:
    """A link of an approved partner in a live program that pays ten percent."""
    program = factories.make_program(session)
    factories.make_plan(session, program=program, effective_from=clock.now() - timedelta(days=400))
    partner = factories.make_partner(session, program=program)
    link: Link = factories.make_link(session, program=program, partner=partner, code="anna")
    session.commit()
    return link


@pytest.fixture
def served(settings: Settings, link: Link, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The application at the address where links point."""
    app = create_app(settings)
    app.extensions["affiliate_tracker"].directory.start()
    with servers.serving(make_server("127.0.0.1", 0, app, threaded=True)) as port:
        address = f"http://127.0.0.1:{port}"
        here = replace(settings, tracking_url=address)
        monkeypatch.setattr(settings_module, "current", lambda: here)
        yield address


@pytest.fixture
def work(redis_client: redis.Redis) -> Work:
    """Ingest and the workers, once."""

    def work() -> None:
        for stream in (*streams.all_click_streams(), *streams.all_order_streams()):
            entries: Any = redis_client.xrange(stream)
            take([Entry(stream, entry_id, fields[streams.FIELD]) for entry_id, fields in entries])
            redis_client.delete(stream)
        attribution.attribute()
        commissions.commission()
        commissions.reverse()

    return work


def latest() -> CanaryRun:
    with db.reading() as session:
        return session.scalars(sa.select(CanaryRun).order_by(CanaryRun.started_at.desc()).limit(1)).one()


def later(pause: timedelta) -> int:
    """What moves on after some time."""
    with time_machine.travel(clock.now() + pause, tick=False):
        return jobs.proceed()


def count(table: type[db.Base]) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_test_order_walks_the_whole_way_and_leaves_nothing(served: str, work: Work, session: Session) -> None:
    assert (jobs.begin(), latest().state) == (1, CanaryState.PLANNED)
    assert (jobs.proceed(), latest().state, latest().finding) == (1, CanaryState.ORDERED, None)
    assert jobs.proceed() == 0
    work()
    with db.reading() as reading:
        sight = queries.sight_of(reading, run=latest())
        assert (sight.amount_minor, sight.reversed_minor) == (10_00, 0)
        assert reading.scalars(sa.select(Click.verdict)).all() == ["test"]
    assert count_of_clicks() == 0
    assert (jobs.proceed(), latest().state) == (1, CanaryState.REFUNDED)
    work()
    assert (jobs.proceed(), latest().state, latest().finding) == (1, CanaryState.PASSED, None)
    assert [count(table) for table in (Click, Conversion, Attribution, Commission, Refund, LedgerTransfer)] == [0] * 6
    assert jobs.proceed() == 0


def count_of_clicks() -> int:
    """What the statistics say."""
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.coalesce(sa.func.sum(ClickHour.clicks), 0))) or 0


def test_without_a_link_that_counts_there_is_nothing_to_try(settings: Settings) -> None:
    assert jobs.begin() == 0
    assert count(CanaryRun) == 0


def test_an_address_that_does_not_answer_is_found(
    settings: Settings, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(settings, tracking_url="http://127.0.0.1:1")
    monkeypatch.setattr(settings_module, "current", lambda: here)
    jobs.begin()
    assert (jobs.proceed(), latest().state) == (0, CanaryState.PLANNED)  # perhaps it only starts
    later(jobs.ANSWER_WITHIN)
    assert latest().state is CanaryState.FAILED
    assert "The click got no answer" in (latest().finding or "")


def test_a_link_that_the_tracker_does_not_know_is_found(served: str, session: Session, link: Link) -> None:
    link.code = "renamed-behind-the-trackers-back"
    session.commit()
    jobs.begin()
    later(jobs.ANSWER_WITHIN)
    assert latest().finding == "The click was answered with 404 and no click id."


@pytest.mark.parametrize(
    ("works", "finding"), [(False, "does ingest run?"), (True, "do the workers run?")], ids=["ingest", "workers"]
)
def test_a_stage_that_stands_still_is_found(served: str, work: Work, *, works: bool, finding: str) -> None:
    jobs.begin()
    jobs.proceed()
    if works:
        work()
        jobs.proceed()
    assert later(jobs.PATIENCE) == 1
    assert latest().state is CanaryState.FAILED
    assert finding in (latest().finding or "")


def test_an_order_that_nobody_gets_is_found(served: str, work: Work, redis_client: redis.Redis) -> None:
    jobs.begin()
    jobs.proceed()
    redis_client.delete(*streams.all_click_streams())  # the click is lost on its way
    work()
    later(jobs.PATIENCE)
    assert latest().finding == "The test order was credited to nobody: all_refused."


def test_a_program_that_stops_meanwhile_is_said(served: str) -> None:
    jobs.begin()
    with db.transaction() as session:
        session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.BANNED))
    jobs.proceed()
    assert latest().finding == "The program of the test order stopped meanwhile."


def test_a_run_is_due_every_hour_and_soon_after_a_failure(served: str, session: Session) -> None:
    assert (jobs.begin_due(), jobs.begin_due()) == (1, 0)
    with time_machine.travel(clock.now() + jobs.AGAIN_AFTER, tick=False):
        assert jobs.begin_due() == 0
        with db.transaction() as writing:
            writing.execute(sa.update(CanaryRun).values(state=CanaryState.FAILED))
        assert jobs.begin_due() == 1
    with time_machine.travel(clock.now() + jobs.AGAIN_AFTER + jobs.EVERY, tick=False):
        assert jobs.begin_due() == 1


def test_the_alarm_stands_in_readiness(served: str) -> None:
    def readiness() -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{served}/readyz", timeout=60).json()["checks"]["canary"]
        return found

    assert readiness()["status"] == "ok"
    jobs.begin()
    with db.transaction() as session:
        session.execute(sa.update(CanaryRun).values(state=CanaryState.FAILED, finding="The order got no answer."))
    assert (readiness()["status"], readiness()["finding"]) == ("degraded", "The order got no answer.")
    old = {"state": CanaryState.PASSED, "started_at": clock.now() - timedelta(hours=5)}
    with db.transaction() as session:
        session.execute(sa.update(CanaryRun).values(old))
    assert "for 5 hours" in readiness()["finding"]
    with db.transaction() as session:
        session.execute(sa.update(Program).values(status=ProgramStatus.PAUSED))
    assert readiness()["status"] == "ok"  # there is no link to try
