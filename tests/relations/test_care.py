"""Leads, tags, trials, duties and shared goals by their services: what is refused, what is kept, who hears of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_grant, make_partner, make_user
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.errors import Invalid
from affiliate.mailer import OutboxMail
from affiliate.programs.models import GoalMetric
from affiliate.relations import agreeing, care_queries, caring, duties
from affiliate.relations.agreeing import Target, Who
from affiliate.relations.care_models import Duty, DutyStatus, GoalStatus, PartnerGoal, PartnerGoalNote, PartnerTag
from affiliate.relations.duties import Task
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.settings import Settings

TODAY = date(2026, 11, 16)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """On SQLite alone: the rules are the same on both."""
    return sqlite_url


@pytest.fixture
def books(session: Session, settings: Settings) -> Books:
    return open_books(session)


def manager(session: Session, books: Books, name: str, *, since: datetime = NOW - timedelta(days=200)) -> User:
    user = make_user(session, name=name)
    make_grant(session, user=user, role=GrantRole.MANAGER, program=books.program).created_at = since
    session.flush()
    return user


def here(books: Books, **more: Any) -> dict[str, Any]:
    return {"program_id": books.program.id, "partner_id": books.partner.id, "actor": books.alice, "now": NOW} | more


def mails(session: Session) -> list[str]:
    return list(session.scalars(sa.select(OutboxMail.subject).order_by(OutboxMail.id)))


def acts(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.position)))


def test_a_newcomer_can_only_be_the_deputy(session: Session, books: Books) -> None:
    old, new = manager(session, books, "Olga"), manager(session, books, "Nina", since=NOW - timedelta(days=89))
    with pytest.raises(Invalid) as refusal:
        caring.set_leads(session, lead_id=new.id, deputy_id=old.id, **here(books))
    assert set(refusal.value.errors) == {"lead"}
    caring.set_leads(session, lead_id=old.id, deputy_id=new.id, **here(books))
    care = care_queries.care_of(session, program_id=books.program.id, partner_id=books.partner.id)
    assert care is not None
    assert (care.lead_id, care.deputy_id) == (old.id, new.id)
    assert care_queries.leads_of(session, program_id=books.program.id, partner_ids=[books.partner.id]) == {
        books.partner.id: "Olga"
    }


def test_lead_and_deputy_are_two_people_who_manage_the_program(session: Session, books: Books) -> None:
    old, stranger = manager(session, books, "Olga"), make_user(session)
    for lead, deputy, field in ((old.id, old.id, "deputy"), (stranger.id, None, "lead")):
        with pytest.raises(Invalid) as refusal:
            caring.set_leads(session, lead_id=lead, deputy_id=deputy, **here(books))
        assert set(refusal.value.errors) == {field}


def test_a_tag_is_one_word_for_all_spellings_and_counts_who_had_it_not(session: Session, books: Books) -> None:
    many = {"program_id": books.program.id, "partner_ids": [books.partner.id], "actor": books.alice, "now": NOW}
    assert caring.tag(session, text="  Food   Blog ", **many) == 1
    assert caring.tag(session, text="food blog", **many) == 0
    assert session.scalars(sa.select(PartnerTag.tag)).all() == ["food blog"]
    assert caring.untag(session, text="FOOD BLOG", **many) == 1
    assert acts(session) == ["partner.tag", "partner.untag"]


def test_a_trial_ends_once_by_graduation(session: Session, books: Books) -> None:
    terms = caring.TrialTerms("One post", TODAY, TODAY + timedelta(days=60), 5, 50)
    caring.start_trial(session, terms=terms, **here(books))
    [(care, name)] = care_queries.trials(session, program_id=books.program.id)
    assert (care.trial_scope, name) == ("One post", books.partner.name)
    books.order(order_id="on trial", occurred_at=NOW + timedelta(hours=1))
    books.order(order_id="before", occurred_at=NOW - timedelta(days=2))
    books.work()
    [facts] = care_queries.trial_facts(session, program=books.program, rows=[care])
    assert (facts.orders, facts.earned_minor, facts.reversed_minor) == (1, 10_00, 0)
    caring.graduate(session, **here(books))
    with pytest.raises(caring.NotOnTrial):
        caring.graduate(session, **here(books))
    assert care_queries.trials(session, program_id=books.program.id) == []


def test_a_trial_that_was_not_passed_is_ended_with_a_reason(session: Session, books: Books) -> None:
    terms = caring.TrialTerms("One post", TODAY, TODAY + timedelta(days=60), 5, 50)
    with pytest.raises(caring.NotOnTrial):
        caring.end_trial(session, reason="No orders.", **here(books))
    caring.start_trial(session, terms=terms, **here(books))
    with pytest.raises(Invalid):
        caring.end_trial(session, reason=" ", **here(books))
    caring.end_trial(session, reason="No orders.", **here(books))
    care = care_queries.care_of(session, program_id=books.program.id, partner_id=books.partner.id)
    assert care is not None
    assert (care.trial_ends_on, care.graduated_at) == (None, None)
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "partner.end_trial")).one()
    assert event.details == {"reason": "No orders."}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (caring.TrialTerms("", TODAY, TODAY, 5, 50), "ends_on"),
        (caring.TrialTerms("", date.min, TODAY, 5, 50), "starts_on"),
        (caring.TrialTerms("", TODAY, date.max, 5, 50), "ends_on"),
        (caring.TrialTerms("", TODAY, TODAY + timedelta(days=1), 0, 50), "orders_min"),
        (caring.TrialTerms("", TODAY, TODAY + timedelta(days=1), 5, 4), "orders_max"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(
    session: Session, books: Books, terms: caring.TrialTerms, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        caring.start_trial(session, terms=terms, **here(books))
    assert set(refusal.value.errors) == {field}


def duty(session: Session, books: Books, **fields: Any) -> Duty:
    task = Task(**{"text": "Two posts", "side": Side.PARTNER, "cadence": Cadence.MONTHLY, "first_on": TODAY} | fields)
    return duties.agree(
        session, program=books.program, partner_id=books.partner.id, task=task, actor=books.alice, now=NOW
    )


def move(session: Session, books: Books, duty_id: Any, status: DutyStatus, **more: Any) -> Duty:
    said = {"program": books.program, "duty_id": duty_id, "status": status, "actor": books.alice, "now": NOW} | more
    return duties.move(session, **said)


def test_what_is_done_is_due_again_on_its_next_day(session: Session, books: Books) -> None:
    made = duty(session, books)
    moved = move(session, books, made.id, DutyStatus.ON_TRACK)
    assert (moved.status, moved.due_on) == (DutyStatus.ON_TRACK, TODAY)
    moved = move(session, books, made.id, DutyStatus.DONE)
    assert (moved.status, moved.due_on, moved.rounds) == (DutyStatus.PENDING, date(2026, 12, 16), ["done"])
    moved = move(session, books, made.id, DutyStatus.DONE, now=NOW + timedelta(days=31))
    assert (moved.due_on, moved.rounds) == (date(2027, 1, 16), ["done", "late"])


def test_what_is_to_be_done_once_is_over_when_it_is_done(session: Session, books: Books) -> None:
    made = duty(session, books, cadence=Cadence.ONCE)
    assert move(session, books, made.id, DutyStatus.DONE).due_on is None
    with pytest.raises(duties.DutyMoved):
        move(session, books, made.id, DutyStatus.PENDING)


def test_the_partner_moves_its_own_duties_only(session: Session, books: Books) -> None:
    ours = duty(session, books, side=Side.PROGRAM)
    with pytest.raises(duties.NoSuchDuty):
        move(session, books, ours.id, DutyStatus.DONE, partner_id=books.partner.id)
    theirs = duty(session, books, text="Answer questions", cadence=Cadence.CONTINUOUS, first_on=None)
    assert move(session, books, theirs.id, DutyStatus.IN_PROGRESS, partner_id=books.partner.id).due_on is None


def change(session: Session, books: Books, duty_id: Any, **fields: Any) -> Duty:
    task = Task(**{"text": "Two posts", "side": Side.PARTNER, "cadence": Cadence.MONTHLY, "first_on": TODAY} | fields)
    return duties.change(
        session, program=books.program, duty_id=duty_id, task=task, actor=books.alice, now=NOW + timedelta(hours=1)
    )


def test_task_person_cadence_and_day_of_a_duty_are_changed_and_its_rounds_stay(session: Session, books: Books) -> None:
    olga = manager(session, books, "Olga")
    made = duty(session, books)
    made.rounds = ["missed"]
    session.flush()
    new = {"text": "Three  posts", "side": Side.PROGRAM, "owner_id": olga.id, "cadence": Cadence.WEEKLY}
    day = TODAY + timedelta(days=3)
    found = change(session, books, made.id, first_on=day, **new)
    assert (found.task, found.side, found.owner_id, found.cadence) == (
        "Three posts",
        Side.PROGRAM,
        olga.id,
        Cadence.WEEKLY,
    )
    assert (found.first_on, found.due_on, found.rounds) == (day, day, ["missed"])
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "duty.change")).one()
    assert (event.details["before"]["task"], event.details["after"]["task"]) == ("Two posts", "Three posts")
    found = change(session, books, made.id, cadence=Cadence.CONTINUOUS, first_on=None)
    assert (found.first_on, found.due_on, found.owner_id) == (None, None, None)


def test_another_task_alone_leaves_the_count_of_days(session: Session, books: Books) -> None:
    made = duty(session, books, first_on=date(2026, 10, 31))
    made.due_on = date(2026, 11, 30)  # the 31st, in a shorter month
    session.flush()
    assert change(session, books, made.id, text="Other", first_on=made.due_on).first_on == date(2026, 10, 31)


def test_a_duty_that_is_over_or_elsewhere_is_not_changed(session: Session, books: Books) -> None:
    made = duty(session, books)
    with pytest.raises(Invalid):
        change(session, books, made.id, text=" ")
    duties.end(session, program=books.program, duty_id=made.id, actor=books.alice, now=NOW)
    with pytest.raises(duties.DutyMoved):
        change(session, books, made.id)
    with pytest.raises(duties.NoSuchDuty):
        change(session, books, books.program.id)


def test_both_sides_are_reminded_once_and_misses_are_counted_and_told(session: Session, books: Books) -> None:
    manager(session, books, "Olga")
    made = duty(session, books, cadence=Cadence.WEEKLY, first_on=TODAY + timedelta(days=1))
    people = len(mails(session))
    assert duties.go_round(session, limit=10, now=NOW) == 1
    assert duties.go_round(session, limit=10, now=NOW) == 0
    reminded = mails(session)[people:]
    assert set(reminded) == {"To do: Two posts"}
    for week in (1, 2):
        duties.go_round(session, limit=10, now=NOW + timedelta(days=7 * week - 4))
        assert duties.go_round(session, limit=10, now=NOW + timedelta(days=7 * week - 4)) in {0, 1}
    session.refresh(made)
    assert (made.rounds, made.due_on) == (["missed", "missed"], date(2026, 12, 1))
    assert "Missed again: Two posts" in mails(session)


def the_round(session: Session, now: datetime) -> int:
    found = duties.go_round(session, limit=10, now=now)
    session.expire_all()
    return found


def test_what_is_to_be_done_once_is_missed_once_and_stays_due(session: Session, books: Books) -> None:
    manager(session, books, "Olga")
    made = duty(session, books, cadence=Cadence.ONCE)
    the_round(session, NOW)
    people, next_day = len(mails(session)), NOW + timedelta(days=1)
    assert [the_round(session, next_day), the_round(session, next_day)] == [1, 0]
    assert (made.rounds, made.due_on, made.status) == (["missed"], TODAY, DutyStatus.PENDING)
    assert set(mails(session)[people:]) == {"Not done: Two posts"}
    [text] = set(session.scalars(sa.select(OutboxMail.body_text).where(OutboxMail.subject == "Not done: Two posts")))
    assert "It stays on the list until it is done." in text
    assert care_queries.duties_to_close(session, today=TODAY + timedelta(days=9), limit=10) == []
    moved = move(session, books, made.id, DutyStatus.DONE, now=NOW + timedelta(days=3))
    assert (moved.rounds, moved.due_on, moved.status) == (["late"], None, DutyStatus.DONE)


def test_a_miss_of_which_nobody_was_reminded_waits_no_more(session: Session, books: Books) -> None:
    duty(session, books, cadence=Cadence.ONCE)
    assert [the_round(session, NOW + timedelta(days=9)) for _ in range(2)] == [1, 0]
    assert care_queries.duties_to_close(session, today=TODAY + timedelta(days=9), limit=10) == []


def test_of_what_is_done_once_on_its_day_no_miss_is_noted(session: Session, books: Books) -> None:
    made = duty(session, books, cadence=Cadence.ONCE)
    move(session, books, made.id, DutyStatus.DONE)
    assert the_round(session, NOW + timedelta(days=1)) == 0
    assert made.rounds == ["done"]


def test_a_day_that_is_put_off_can_be_missed_again(session: Session, books: Books) -> None:
    made = duty(session, books, cadence=Cadence.ONCE)
    the_round(session, NOW + timedelta(days=1))
    change(session, books, made.id, cadence=Cadence.ONCE, first_on=TODAY + timedelta(days=5))
    the_round(session, NOW + timedelta(days=6))
    assert made.rounds == ["missed", "missed"]
    change(session, books, made.id, cadence=Cadence.WEEKLY, first_on=made.due_on)
    the_round(session, NOW + timedelta(days=6))
    assert (made.rounds, made.due_on) == (["missed", "missed"], TODAY + timedelta(days=12))


def test_the_rounds_that_ended_last_are_found_also_of_what_is_over(session: Session, books: Books) -> None:
    for days in range(1, 8):
        once = duty(session, books, cadence=Cadence.ONCE, first_on=TODAY + timedelta(days=days))
        move(session, books, once.id, DutyStatus.DONE, now=NOW + timedelta(days=8 if days > 5 else 0))
    missed = duty(session, books, cadence=Cadence.ONCE, first_on=TODAY + timedelta(days=9))
    the_round(session, NOW + timedelta(days=10))
    duties.end(session, program=books.program, duty_id=missed.id, actor=books.alice, now=NOW)
    ours = duty(session, books, cadence=Cadence.ONCE, side=Side.PROGRAM, first_on=TODAY + timedelta(days=30))
    move(session, books, ours.id, DutyStatus.DONE)
    duty(session, books)  # whose first round is still on
    other = make_partner(session, program=books.program)
    asked = [(books.program.id, books.partner.id), (books.program.id, other.id), (other.id, books.partner.id)]
    found = [session.scalars(care_queries.last_rounds(*of)).all() for of in asked]
    assert found == [[["missed"], ["late"], ["late"], ["done"], ["done"], ["done"]], [], []]


def test_each_programs_own_midnight_decides(session: Session, books: Books) -> None:
    books.program.time_zone = "Pacific/Auckland"
    made = duty(session, books, cadence=Cadence.WEEKLY, first_on=TODAY)
    duties.go_round(session, limit=10, now=datetime(2026, 11, 16, 10, 59, tzinfo=UTC))
    session.refresh(made)
    assert made.rounds == []
    duties.go_round(session, limit=10, now=datetime(2026, 11, 16, 11, 1, tzinfo=UTC))
    session.refresh(made)
    assert made.rounds == ["missed"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": " "}, "task"),
        ({"first_on": None}, "first_on"),
        ({"first_on": date.max}, "first_on"),
        ({"text": "x" * 201}, "task"),
    ],
)
def test_a_duty_without_task_or_day_is_refused(
    session: Session, books: Books, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        duty(session, books, **fields)
    assert set(refusal.value.errors) == {field}


SALES = Target(GoalMetric.SALES, 10, date(2026, 11, 1), date(2026, 12, 1))


def test_a_shared_goal_counts_once_the_other_side_agreed_and_is_reviewed_by_both(
    session: Session, books: Books
) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, Actor("user", books.bob.id))
    program, partner_id = books.program, books.partner.id
    goal = agreeing.propose(session, program=program, partner_id=partner_id, target=SALES, who=us, now=NOW)
    with pytest.raises(agreeing.GoalMoved):
        agreeing.answer(session, program=program, goal_id=goal.id, agrees=True, who=us, now=NOW)
    with pytest.raises(agreeing.GoalMoved):
        agreeing.review(session, program=program, goal_id=goal.id, text="So far so good.", who=them, now=NOW)
    agreeing.answer(session, program=program, goal_id=goal.id, agrees=True, who=them, partner_id=partner_id, now=NOW)
    books.order(order_id="1", occurred_at=NOW)
    books.work()
    agreeing.review(session, program=program, goal_id=goal.id, text="So far so good.", who=them, now=NOW)
    agreeing.review(
        session, program=program, goal_id=goal.id, text="More is possible.", who=us, now=NOW + timedelta(hours=1)
    )
    notes = session.execute(sa.select(PartnerGoalNote.side, PartnerGoalNote.reached).order_by(PartnerGoalNote.id)).all()
    assert [tuple(note) for note in notes] == [(Side.PARTNER, 1), (Side.PROGRAM, 1)]
    agreeing.end(session, program=program, goal_id=goal.id, who=us, now=NOW)
    with pytest.raises(agreeing.GoalMoved):
        agreeing.end(session, program=program, goal_id=goal.id, who=us, now=NOW)
    assert session.get_one(type(goal), goal.id, populate_existing=True).status is GoalStatus.ENDED


def agreed(session: Session, books: Books) -> Any:
    """A goal that both sides agreed on."""
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    goal = agreeing.propose(session, program=books.program, partner_id=books.partner.id, target=SALES, who=us, now=NOW)
    agreeing.answer(session, program=books.program, goal_id=goal.id, agrees=True, who=them, now=NOW)
    return goal


def statuses(session: Session) -> list[tuple[int, GoalStatus]]:
    """The goals by what they ask for, as they stand now."""
    rows = session.execute(sa.select(PartnerGoal.target, PartnerGoal.status))
    return sorted((row[0], row[1]) for row in rows)


def test_a_change_of_a_goal_counts_once_the_other_side_agreed_and_the_one_before_until_then(
    session: Session, books: Books
) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    here: dict[str, Any] = {"program": books.program, "now": NOW}
    goal = agreed(session, books)
    more = replace(SALES, target=20, ends_on=date(2027, 1, 1))
    refused = agreeing.propose_change(session, goal_id=goal.id, target=more, who=us, **here)
    assert statuses(session) == [(10, GoalStatus.AGREED), (20, GoalStatus.PROPOSED)]
    with pytest.raises(agreeing.GoalMoved):
        agreeing.propose_change(session, goal_id=goal.id, target=replace(SALES, target=30), who=us, **here)
    with pytest.raises(agreeing.GoalMoved):
        agreeing.answer(session, goal_id=refused.id, agrees=True, who=us, **here)
    agreeing.answer(session, goal_id=refused.id, agrees=False, who=them, **here)
    change = agreeing.propose_change(
        session, goal_id=goal.id, target=replace(more, metric=GoalMetric.CLICKS), who=us, **here
    )
    listed = care_queries.goals_of(session, program_id=books.program.id, partner_id=books.partner.id)
    assert [one.id for one in listed] == [goal.id]
    agreeing.answer(session, goal_id=change.id, agrees=True, who=them, **here)
    assert statuses(session) == [(10, GoalStatus.ENDED), (20, GoalStatus.AGREED), (20, GoalStatus.DECLINED)]
    assert (change.metric, change.ends_on) == (GoalMetric.SALES, date(2027, 1, 1))  # what counts is not changed
    listed = care_queries.goals_of(session, program_id=books.program.id, partner_id=books.partner.id)
    assert [one.id for one in listed] == [change.id, goal.id]
    history = care_queries.goal_changes(session, goals=listed)
    assert [one.id for one in history[change.id]] == [goal.id]
    assert {one.id for one in history[goal.id]} == {change.id, refused.id}
    with pytest.raises(agreeing.GoalMoved):
        agreeing.propose_change(session, goal_id=goal.id, target=replace(SALES, target=30), who=us, **here)
    again = agreeing.propose_change(session, goal_id=change.id, target=replace(SALES, target=30), who=us, **here)
    assert again.replaces_id == change.id


def test_both_sides_hear_of_a_change_and_of_the_answer(session: Session, books: Books) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    here: dict[str, Any] = {"program": books.program, "now": NOW}
    mara = manager(session, books, "Mara")
    goal = agreed(session, books)
    session.execute(sa.delete(OutboxMail))
    change = agreeing.propose_change(session, goal_id=goal.id, target=replace(SALES, target=20), who=us, **here)
    agreeing.answer(session, goal_id=change.id, agrees=False, who=them, **here)
    taken = agreeing.propose_change(session, goal_id=goal.id, target=replace(SALES, target=20), who=us, **here)
    agreeing.take_back(session, goal_id=taken.id, who=us, **here)
    said = [
        "The goal stays as it is until you agree.",
        "was declined. The goal stays as it was.",
        "was taken back. The goal stays as it was.",
    ]
    told = {
        (mail.recipient == mara.email, sentence)
        for mail in session.scalars(sa.select(OutboxMail))
        for sentence in said
        if sentence in mail.body_text
    }
    assert told == {(False, said[0]), (True, said[1]), (False, said[2])}
    assert statuses(session) == [(10, GoalStatus.AGREED), (20, GoalStatus.DECLINED), (20, GoalStatus.DECLINED)]


def test_a_goal_that_ends_takes_the_change_that_waits_with_it(session: Session, books: Books) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    here: dict[str, Any] = {"program": books.program, "now": NOW}
    goal = agreed(session, books)
    change = agreeing.propose_change(session, goal_id=goal.id, target=replace(SALES, target=20), who=us, **here)
    agreeing.end(session, goal_id=goal.id, who=us, **here)
    assert statuses(session) == [(10, GoalStatus.ENDED), (20, GoalStatus.DECLINED)]
    with pytest.raises(agreeing.GoalMoved):
        agreeing.answer(session, goal_id=change.id, agrees=True, who=them, **here)


@pytest.mark.parametrize(
    ("target", "field"),
    [
        (SALES, "target"),
        (replace(SALES, target=0), "target"),
        (replace(SALES, ends_on=SALES.starts_on), "ends_on"),
    ],
)
def test_a_change_that_changes_nothing_or_cannot_be_is_refused(
    session: Session, books: Books, target: Target, field: str
) -> None:
    goal = agreed(session, books)
    us = Who(Side.PROGRAM, books.alice)
    with pytest.raises(Invalid) as refusal:
        agreeing.propose_change(session, program=books.program, goal_id=goal.id, target=target, who=us, now=NOW)
    assert set(refusal.value.errors) == {field}
    with pytest.raises(agreeing.NoSuchGoal):
        agreeing.propose_change(
            session, program=books.program, goal_id=goal.id, target=replace(SALES, target=9), who=us, now=NOW,
            partner_id=books.alice.id,
        )  # fmt: skip


def test_goals_that_are_over_take_nobodys_place(session: Session, books: Books) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    here: dict[str, Any] = {"program": books.program, "now": NOW}

    def propose() -> Any:
        return agreeing.propose(session, partner_id=books.partner.id, target=SALES, who=us, **here).id

    for _number in range(15):
        agreeing.end(session, goal_id=propose(), who=us, **here)
        agreeing.answer(session, goal_id=propose(), agrees=False, who=them, **here)
    first = propose()
    listed = care_queries.goals_of(session, program_id=books.program.id, partner_id=books.partner.id)
    assert listed[0].id == first
    agreeing.answer(session, goal_id=first, agrees=True, who=them, **here)
    for _number in range(29):
        propose()
    with pytest.raises(agreeing.GoalMoved):
        propose()


def test_notes_on_a_goal_are_shown_newest_first_and_are_fifty_at_most(session: Session, books: Books) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    goal = agreeing.propose(session, program=books.program, partner_id=books.partner.id, target=SALES, who=us, now=NOW)
    agreeing.answer(session, program=books.program, goal_id=goal.id, agrees=True, who=them, now=NOW)

    def say(number: int) -> None:
        at = NOW + timedelta(hours=number)
        agreeing.review(session, program=books.program, goal_id=goal.id, text=str(number), who=them, now=at)

    for number in range(50):
        say(number)
    with pytest.raises(agreeing.TooManyNotes):
        say(50)
    notes = care_queries.goal_notes(session, goal_ids=[goal.id])[goal.id]
    assert [note.text for note in notes] == [str(number) for number in reversed(range(50))]


def test_a_goal_that_one_partner_cannot_reach_is_refused(session: Session, books: Books) -> None:
    many = Target(GoalMetric.ACTIVE_PARTNERS, 10, SALES.starts_on, SALES.ends_on)
    us = Who(Side.PROGRAM, books.alice)
    with pytest.raises(Invalid) as refusal:
        agreeing.propose(session, program=books.program, partner_id=books.partner.id, target=many, who=us, now=NOW)
    assert set(refusal.value.errors) == {"metric"}


def test_a_goal_of_another_partner_is_not_there(session: Session, books: Books) -> None:
    us, them = Who(Side.PROGRAM, books.alice), Who(Side.PARTNER, books.bob)
    goal = agreeing.propose(session, program=books.program, partner_id=books.partner.id, target=SALES, who=us, now=NOW)
    with pytest.raises(agreeing.NoSuchGoal):
        agreeing.answer(
            session, program=books.program, goal_id=goal.id, agrees=True, who=them, partner_id=books.alice.id, now=NOW
        )
