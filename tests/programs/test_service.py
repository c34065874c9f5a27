"""Programs are made, changed, put live and paused; each change leaves its audit row. On SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent, GrantRole
from affiliate.console.queries import lists
from affiliate.errors import Invalid, NotFound
from affiliate.programs import queries, service
from affiliate.programs.models import AttributionPolicy, GoalMetric, Program, ProgramStatus

LATER = datetime(2026, 11, 17, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "slug": "casa-ondera",
    "name": "Casa Ondera",
    "currency": "EUR",
    "shop_url": "https://www.casa-ondera.example/",
    "allowed_hosts": ["WWW.casa-ondera.example", "casa-ondera.example"],
}


@pytest.fixture
def actor(session: Session) -> Actor:
    return Actor(kind="user", id=factories.make_user(session).id)


@pytest.fixture
def program(session: Session) -> Program:
    return factories.make_program(session, status=ProgramStatus.DRAFT)


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_a_new_program_is_a_draft_with_clean_hosts(session: Session, actor: Actor, now: datetime) -> None:
    program = service.create(session, **FACTS, actor=actor, now=now, mission="Good pots", validation_days=14)
    assert program.status is ProgramStatus.DRAFT
    assert program.allowed_hosts == ["www.casa-ondera.example", "casa-ondera.example"]
    assert (program.mission, program.validation_days, program.attribution_window_days) == ("Good pots", 14, 30)
    assert queries.program_by_slug(session, slug="casa-ondera") is program
    assert actions(session) == ["program.create"]


def test_a_slug_can_be_taken_once(session: Session, actor: Actor, now: datetime) -> None:
    service.create(session, **FACTS, actor=actor, now=now)
    with pytest.raises(service.SlugTaken):
        service.create(session, **FACTS, actor=actor, now=now)
    assert actions(session) == ["program.create"]


def test_each_wrong_fact_of_a_new_program_is_named(session: Session, actor: Actor, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        service.create(session, **FACTS | {"slug": "No", "currency": "euro"}, actor=actor, now=now, validation_days=-1)
    assert set(refused.value.errors) == {"slug", "currency", "validation_days"}


def test_a_change_keeps_what_was_before_in_the_audit(session: Session, program: Program, actor: Actor) -> None:
    changes = {"name": "New name", "validation_days": program.validation_days}
    service.update_settings(session, program_id=program.id, changes=changes, actor=actor, now=LATER)
    event = session.scalars(sa.select(AuditEvent)).one()
    assert event.details == {"before": {"name": "Program " + program.slug.split("-")[1]}, "after": {"name": "New name"}}
    assert (program.name, program.updated_at, program.policy_version) == ("New name", LATER, 1)


def test_a_new_program_begins_with_the_last_click(session: Session, actor: Actor, now: datetime) -> None:
    program = service.create(session, **FACTS, actor=actor, now=now, attribution_window_days=14)
    (policy,) = session.scalars(sa.select(AttributionPolicy))
    assert (policy.program_id, policy.version, policy.terms) == (program.id, 1, {"window_days": 14})
    assert policy.effective_from < now - timedelta(days=365)
    assert policy.applied_at is not None


def test_who_gets_a_sale_is_no_setting(session: Session, program: Program, actor: Actor) -> None:
    changes = {"attribution_window_days": 14}
    with pytest.raises(Invalid):
        service.update_settings(session, program_id=program.id, changes=changes, actor=actor, now=LATER)


def test_saving_without_a_change_writes_nothing(session: Session, program: Program, actor: Actor) -> None:
    before_at = program.updated_at
    service.update_settings(session, program_id=program.id, changes={"name": program.name}, actor=actor, now=LATER)
    assert program.updated_at == before_at
    assert actions(session) == []


def test_a_change_on_top_of_somebody_elses_is_refused(session: Session, program: Program, actor: Actor) -> None:
    seen_at = program.updated_at
    service.update_settings(session, program_id=program.id, changes={"name": "First"}, actor=actor, now=LATER)
    with pytest.raises(service.SettingsMoved):
        service.update_settings(
            session, program_id=program.id, changes={"name": "Second"}, actor=actor, now=LATER, expected_at=seen_at
        )
    session.refresh(program)
    assert program.name == "First"


def test_slug_and_currency_stay_and_unknown_settings_are_refused(
    session: Session, program: Program, actor: Actor
) -> None:
    for name in ("slug", "currency", "pixel_secret_version", "colour"):
        with pytest.raises(Invalid) as refused:
            service.update_settings(session, program_id=program.id, changes={name: "x"}, actor=actor, now=LATER)
        assert list(refused.value.errors) == [name]


def test_hosts_are_checked_against_the_shop_that_stays(session: Session, program: Program, actor: Actor) -> None:
    changes = {"allowed_hosts": ["elsewhere.example"]}
    with pytest.raises(Invalid):
        service.update_settings(session, program_id=program.id, changes=changes, actor=actor, now=LATER)


def test_a_program_without_a_goal_cannot_go_live(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    with pytest.raises(service.NoGoal):
        service.go_live(session, program_id=program.id, actor=actor, now=now)
    assert program.status is ProgramStatus.DRAFT


def test_a_program_with_a_goal_goes_live_once_and_can_be_paused(
    session: Session, program: Program, actor: Actor
) -> None:
    service.add_goal(
        session, program_id=program.id, metric=GoalMetric.SALES, target=100,
        starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 1), actor=actor, now=LATER,
    )  # fmt: skip
    service.go_live(session, program_id=program.id, actor=actor, now=LATER)
    assert (program.status, program.updated_at) == (ProgramStatus.LIVE, LATER)
    with pytest.raises(service.WrongStatus):
        service.go_live(session, program_id=program.id, actor=actor, now=LATER)
    service.pause(session, program_id=program.id, actor=actor, now=LATER)
    with pytest.raises(service.WrongStatus):
        service.pause(session, program_id=program.id, actor=actor, now=LATER)
    assert sorted(actions(session)) == ["goal.create", "program.go_live", "program.pause"]


def test_a_goal_of_another_program_does_not_help(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    other = factories.make_program(session)
    service.add_goal(
        session, program_id=other.id, metric=GoalMetric.CLICKS, target=1,
        starts_on=now.date(), ends_on=now.date() + timedelta(days=1), actor=actor, now=now,
    )  # fmt: skip
    with pytest.raises(service.NoGoal):
        service.go_live(session, program_id=program.id, actor=actor, now=now)


def test_a_goal_without_target_or_period_is_refused(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    day = now.date()
    with pytest.raises(Invalid) as refused:
        service.add_goal(
            session,
            program_id=program.id,
            metric=GoalMetric.SALES,
            target=0,
            starts_on=day,
            ends_on=day,
            actor=actor,
            now=now,
        )
    assert set(refused.value.errors) == {"target", "ends_on"}
    assert not queries.has_goal(session, program_id=program.id)


def test_a_goal_is_changed_by_its_own_program_alone(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    asked: dict[str, Any] = {"target": 5, "starts_on": now.date(), "ends_on": now.date() + timedelta(days=5)}
    by: dict[str, Any] = {"actor": actor, "now": now}
    goal = service.add_goal(session, program_id=program.id, metric=GoalMetric.SALES, **asked, **by)
    other = factories.make_program(session, slug="other")
    with pytest.raises(NotFound):
        service.change_goal(session, program_id=other.id, goal_id=goal.id, **asked | {"target": 6}, **by)
    changed = service.change_goal(session, program_id=program.id, goal_id=goal.id, **asked | {"target": 6}, **by)
    assert changed.target == 6


def test_goals_that_are_not_over_are_all_found_and_bounded(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    day = now.date()
    here: dict[str, Any] = {"program_id": program.id, "metric": GoalMetric.SALES, "starts_on": day - timedelta(days=9)}
    by: dict[str, Any] = {"actor": actor, "now": now}
    for place in range(queries.GOALS_OPEN_MAX):
        service.add_goal(session, **here, target=place + 1, ends_on=day + timedelta(days=place + 1), **by)
    with pytest.raises(Invalid) as refused:
        service.add_goal(session, **here, target=1, ends_on=day + timedelta(days=1), **by)
    assert set(refused.value.errors) == {"metric"}
    service.add_goal(session, **here, target=1_000, ends_on=day, **by)
    found = queries.goals_open(session, program_id=program.id, day=day)
    assert [goal.target for goal in found] == list(range(1, queries.GOALS_OPEN_MAX + 1))
    over = lists.goals_over(session, program_id=program.id, day=day, cursor=None, size=5)
    assert [row.Goal.target for row in over.rows] == [1_000]


def test_only_who_manages_the_program_owns_its_goals(
    session: Session, program: Program, actor: Actor, now: datetime
) -> None:
    manager, stranger, gone = (factories.make_user(session) for _ in range(3))
    other = factories.make_program(session)
    factories.make_grant(session, user=manager, role=GrantRole.MANAGER, program=program)
    factories.make_grant(session, user=stranger, role=GrantRole.MANAGER, program=other)
    factories.make_grant(session, user=gone, role=GrantRole.ADMIN)
    gone.active = False
    asked: dict[str, Any] = {"metric": GoalMetric.CLICKS, "target": 1, "starts_on": now.date()}
    asked |= {"ends_on": now.date() + timedelta(days=1), "actor": actor, "now": now}
    goal = service.add_goal(session, program_id=program.id, owner_id=manager.id, **asked)
    who: dict[str, Any] = {"program_id": program.id, "goal_id": goal.id, "actor": actor, "now": now}
    for nobody in (stranger, gone):
        with pytest.raises(Invalid):
            service.add_goal(session, program_id=program.id, owner_id=nobody.id, **asked)
        with pytest.raises(Invalid):
            service.give_goal(session, owner_id=nobody.id, **who)
    with pytest.raises(NotFound):
        service.give_goal(session, owner_id=manager.id, **who | {"program_id": other.id})
    assert service.give_goal(session, owner_id=manager.id, **who).owner_id == manager.id
    assert actions(session) == ["goal.create"]


def test_the_pixel_secret_is_replaced_once_by_two_equal_requests(
    session: Session, program: Program, actor: Actor
) -> None:
    service.rotate_pixel_secret(session, program_id=program.id, expected_version=1, actor=actor, now=LATER)
    assert (program.pixel_secret_version, program.updated_at) == (2, LATER)
    with pytest.raises(service.SettingsMoved):
        service.rotate_pixel_secret(session, program_id=program.id, expected_version=1, actor=actor, now=LATER)


def test_an_unknown_program_is_not_found(session: Session, actor: Actor, now: datetime) -> None:
    with pytest.raises(service.UnknownProgram):
        service.pause(session, program_id=actor.id, actor=actor, now=now)  # type: ignore[arg-type]
