"""Steps of visits as rows: each counts once, in any order, under its visit's verdict; and a recount that would tell."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from event_cast import NOW, PROGRAM_ID, click
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ingest import jobs, retention, service, steps
from affiliate.ingest.clickrules import RETENTION, ClickVerdict
from affiliate.ingest.models import RejectedEvent
from affiliate.ingest.step_models import STEP_ROLLUPS, PartnerStepHour, ProgramStepHour, SourceStepHour, VisitStep
from affiliate.ingest.step_recount import recount
from affiliate.tracking.codec import ClickEvent, Event, Step, StepEvent

VALID, DUPLICATE, BOT = ClickVerdict.VALID, ClickVerdict.DUPLICATE, ClickVerdict.BOT
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148"


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine) as session:
        yield session
    engine.dispose()


def arrival(seconds: float = 0, **changes: Any) -> ClickEvent:
    """A click whose id carries its moment, as real ones do."""
    made = click(int(seconds) + 1, seconds=seconds, **changes)
    return made._replace(click_id=ids.new_at(made.occurred_at))


def step(of: ClickEvent, what: Step = "product", **changes: Any) -> StepEvent:
    """The visit of this click came so far."""
    return StepEvent(of.click_id, PROGRAM_ID, what, is_test=False, received_at=NOW)._replace(**changes)


def store(session: Session, *events: Event) -> None:
    service.store_batch(session, events=events, now=NOW)
    session.commit()


def counts(session: Session, rollup: Any = ProgramStepHour, *names: str) -> dict[Any, int]:
    """What a rollup says by verdict and step, and by these."""
    columns = [getattr(rollup, name) for name in ("verdict", "step", *names)]
    found = sa.select(*columns, sa.func.sum(rollup.clicks)).group_by(*columns)
    return {tuple(map(str, key)): int(clicks) for *key, clicks in session.execute(found) if clicks}


def test_a_step_counts_once_however_often_it_is_told(session: Session) -> None:
    visit = arrival()
    store(session, visit, step(visit, "cart"), step(visit, "cart"))
    store(session, step(visit, "cart"), step(visit, "product"), step(visit, "cart", received_at=NOW - RETENTION))
    assert counts(session) == {("valid", "product"): 1, ("valid", "cart"): 1}
    assert recount(session, limit=10, now=NOW) == []


def test_whoever_pays_has_been_at_the_cart(sqlite_session: Session) -> None:
    visit = arrival()
    store(sqlite_session, visit, step(visit, "checkout"))
    assert counts(sqlite_session) == {("valid", name): 1 for name in ("product", "cart", "checkout")}


def test_a_step_is_counted_with_its_visit_by_partner_device_and_source(sqlite_session: Session) -> None:
    blog = arrival(referrer="https://blog.example/post", user_agent=PHONE)
    store(sqlite_session, blog, step(blog))
    partner = str(blog.partner_id)
    assert counts(sqlite_session, PartnerStepHour, "partner_id", "device") == {
        ("valid", "product", partner, "phone"): 1
    }
    assert counts(sqlite_session, SourceStepHour, "source", "partner_id") == {
        ("valid", "product", "blog.example", partner): 1
    }
    [hour] = sqlite_session.scalars(sa.select(ProgramStepHour.hour))
    assert hour == blog.occurred_at.replace(minute=0, second=0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_order_of_arrival_does_not_matter(sqlite_session: Session, order: tuple[int, int, int]) -> None:
    visit = arrival()
    events: list[Event] = [visit, step(visit, "product"), step(visit, "checkout")]
    for place in order:
        store(sqlite_session, events[place])
    steps.count_waiting(sqlite_session, limit=10, now=NOW)
    assert counts(sqlite_session) == {("valid", name): 1 for name in ("product", "cart", "checkout")}
    assert recount(sqlite_session, limit=10, now=NOW) == []


def test_a_step_before_its_click_waits_for_the_job(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    visit, lost = arrival(), arrival(5)
    store(session, step(visit), step(lost))
    assert counts(session) == {}
    store(session, visit)
    assert steps.waits(session)
    assert steps.count_waiting(session, limit=10, now=NOW) == 1
    assert steps.count_waiting(session, limit=10, now=NOW) == 0
    assert counts(session) == {("valid", "product"): 1}
    assert steps.waits(session)  # that of a click that no place could store


def test_the_job_counts_what_waits(app_session: Session) -> None:
    visit = arrival()
    store(app_session, step(visit))
    store(app_session, visit)
    assert [jobs.count_steps(), jobs.count_steps()] == [1, 0]
    assert counts(app_session) == {("valid", "product"): 1}


def test_steps_of_bots_and_repeats_count_under_the_verdict_of_their_click(sqlite_session: Session) -> None:
    bot, visit, again = arrival(user_agent="curl/8"), arrival(60), arrival(62)
    again = again._replace(address_hash=visit.address_hash)
    store(sqlite_session, bot, visit, again, step(bot), step(visit), step(again))
    assert counts(sqlite_session) == {("bot", "product"): 1, ("valid", "product"): 1, ("duplicate", "product"): 1}


def test_steps_move_with_the_verdict_of_their_click(session: Session) -> None:
    visit = arrival()
    store(session, visit, step(visit, "cart"))
    assert service.overrule(session, click_id=visit.click_id, expected=VALID, verdict=BOT, now=NOW)
    assert counts(session) == {("bot", "product"): 1, ("bot", "cart"): 1}
    assert service.overrule(session, click_id=visit.click_id, expected=BOT, verdict=VALID, now=NOW)
    assert counts(session) == {("valid", "product"): 1, ("valid", "cart"): 1}
    assert recount(session, limit=10, now=NOW) == []


def test_a_late_click_that_makes_another_a_repeat_takes_its_steps_along(session: Session) -> None:
    first, second = arrival(60), arrival(65)
    second = second._replace(address_hash=first.address_hash)
    store(session, second, step(second))
    store(session, first)
    assert counts(session) == {("duplicate", "product"): 1}
    assert recount(session, limit=10, now=NOW) == []


def test_tests_never_count(sqlite_session: Session) -> None:
    visit, trial = arrival(), arrival(5, is_test=True)
    store(sqlite_session, visit, trial, step(visit, "checkout", is_test=True), step(trial))
    assert steps.count_waiting(sqlite_session, limit=10, now=NOW) == 0
    assert counts(sqlite_session) == {}
    store(sqlite_session, step(visit))
    assert counts(sqlite_session) == {("valid", "product"): 1}


def test_a_step_of_a_visit_past_its_term_is_kept_as_refused_once(sqlite_session: Session) -> None:
    old = step(arrival())._replace(click_id=ids.new_at(NOW - RETENTION - timedelta(days=1)))
    store(sqlite_session, old, old)
    store(sqlite_session, old)
    [refused] = sqlite_session.scalars(sa.select(RejectedEvent))
    assert (refused.kind, refused.reason, refused.payload) == ("step", "past_retention", {"step": "product"})
    assert sqlite_session.scalar(sa.select(sa.func.count()).select_from(VisitStep)) == 0


def test_old_steps_go_and_their_counts_stay(sqlite_session: Session) -> None:
    visit = arrival()
    store(sqlite_session, visit, step(visit))
    retention.expire_clicks(sqlite_session, limit=10, now=NOW + RETENTION + timedelta(days=1))
    assert sqlite_session.scalar(sa.select(sa.func.count()).select_from(VisitStep)) == 0
    assert counts(sqlite_session) == {("valid", "product"): 1}


@pytest.mark.parametrize("rollup", STEP_ROLLUPS, ids=lambda rollup: rollup.__tablename__)
def test_a_recount_tells_of_a_count_that_is_wrong(sqlite_session: Session, rollup: Any) -> None:
    visit = arrival()
    store(sqlite_session, visit, step(visit))
    sqlite_session.execute(sa.update(rollup).values(clicks=3))
    [found] = recount(sqlite_session, limit=10, now=NOW)
    assert (found.rollup, found.clicks, found.counted) == (rollup.__tablename__, 1, 3)
    assert UUID(found.key["program_id"]) == PROGRAM_ID
