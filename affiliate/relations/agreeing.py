"""Every write on shared goals: proposed by one side, agreed by the other, reviewed with notes by both. Never commits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.programs import rules
from affiliate.programs.models import GoalMetric, Program
from affiliate.relations import care_mails, care_queries
from affiliate.relations.care_models import GoalStatus, PartnerGoal, PartnerGoalNote
from affiliate.relations.models import Side
from affiliate.reports import reaching
from affiliate.reports.periods import Period
from affiliate.reports.reaching import Measure, Reached

N_ = str  # marks a sentence for the translators

SHARED = (GoalMetric.SALES, GoalMetric.REVENUE, GoalMetric.NEW_CUSTOMERS, GoalMetric.CLICKS, GoalMetric.SUBSCRIBERS)
"""What one partner can reach."""

TEXT_LENGTH_MAX = 2_000
_WORDS = {
    GoalStatus.AGREED: N_("The goal that you proposed was agreed."),
    GoalStatus.DECLINED: N_("The goal that you proposed was declined."),
    GoalStatus.ENDED: N_("A shared goal was ended."),
}
_WORDS_OF_CHANGES = {
    GoalStatus.AGREED: N_("The change of a shared goal that you proposed was agreed. It counts from now on."),
    GoalStatus.DECLINED: N_("The change of a shared goal that you proposed was declined. The goal stays as it was."),
}
_TAKEN_BACK = N_("A proposed change of a shared goal was taken back. The goal stays as it was.")


class NoSuchGoal(NotFound):
    """There is no such goal here."""


class GoalMoved(Conflict):
    """The goal is not where the act expects it."""

    code = "goal_moved"


class TooManyNotes(Conflict):
    """As much was said about a goal as can be."""

    code = "too_many_notes"


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached in which days, half-open; amounts in minor units."""

    metric: GoalMetric
    target: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts, for which side."""

    side: Side
    actor: Actor

    @property
    def user_id(self) -> UUID | None:
        """The person, if it is one."""
        return self.actor.id if self.actor.kind == "user" else None


def propose(
    session: Session, *, program: Program, partner_id: UUID, target: Target, who: Who, now: datetime
) -> PartnerGoal:
    """Propose a goal to the other side, which gets a mail.

    Raises:
        Invalid: names each wrong field. GoalMoved: thirty goals are open already.
    """
    _check(target)
    if care_queries.open_goals(session, program_id=program.id, partner_id=partner_id) >= care_queries.GOALS_MAX:
        raise GoalMoved(N_("Thirty goals are agreed with this partner. End one first."))
    goal = PartnerGoal(
        id=ids.new_at(now), program_id=program.id, partner_id=partner_id, metric=target.metric, target=target.target,
        starts_on=target.starts_on, ends_on=target.ends_on, status=GoalStatus.PROPOSED, proposed_by=who.side, created_at=now,
    )  # fmt: skip
    session.add(goal)
    session.flush()
    _audit(session, goal, "partner_goal.propose", who, now=now)
    sentence = N_("A goal was proposed to you. It counts once you agree.")
    care_mails.tell_goal(session, goal=goal, program=program, to=_other(who.side), sentence=sentence, now=now)
    return goal


def propose_change(
    session: Session, *, program: Program, goal_id: UUID, target: Target, who: Who, now: datetime,
    partner_id: UUID | None = None,
) -> PartnerGoal:  # fmt: skip
    """Propose other terms of an agreed goal to the other side, which gets a mail. The goal stays in force until it agrees.

    Raises:
        NoSuchGoal: not here. Invalid: names each wrong field, also where nothing is changed. GoalMoved: it is not agreed (any more),
        or a change of it waits already.
    """
    goal = _found(session, program, goal_id, partner_id)
    wanted = Target(goal.metric, target.target, target.starts_on, target.ends_on)  # what counts is another goal
    _check(wanted)
    if wanted == Target(goal.metric, goal.target, goal.starts_on, goal.ends_on):
        raise Invalid({"target": [N_("Nothing is changed. Choose another number, or other days.")]})
    agreed = sa.select(PartnerGoal.id).where(PartnerGoal.id == goal.id, PartnerGoal.status == GoalStatus.AGREED)
    if session.scalar(agreed.with_for_update()) is None:
        raise GoalMoved(N_("This goal is not agreed, or it is over."))
    row: dict[str, Any] = {
        "id": ids.new_at(now), "program_id": program.id, "partner_id": goal.partner_id, "metric": goal.metric, "target": wanted.target,
        "starts_on": wanted.starts_on, "ends_on": wanted.ends_on, "status": GoalStatus.PROPOSED, "proposed_by": who.side,
        "replaces_id": goal.id, "created_at": now,
    }  # fmt: skip
    if care_queries.change_of(session, goal_id=goal.id) is not None or not db.insert_new(session, PartnerGoal, [row]):
        raise GoalMoved(N_("A change of this goal waits for an answer already."))
    change = _found(session, program, row["id"], None)
    _audit(session, change, "partner_goal.propose_change", who, now=now)
    sentence = N_("A change of a shared goal was proposed to you. The goal stays as it is until you agree.")
    care_mails.tell_goal(session, goal=change, program=program, to=_other(who.side), sentence=sentence, now=now)
    return change


def _check(target: Target) -> None:
    wrong = rules.goal_problems(target=target.target, starts_on=target.starts_on, ends_on=target.ends_on)
    if target.metric not in SHARED:
        wrong["metric"] = N_("Choose something that one partner can reach.")
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})


def answer(
    session: Session, *, program: Program, goal_id: UUID, agrees: bool, who: Who, now: datetime,
    partner_id: UUID | None = None,
) -> None:  # fmt: skip
    """The other side agrees, or not. A change that is agreed takes the place of the goal before, which ends.

    Raises:
        NoSuchGoal: not here. GoalMoved: it was answered already, the same side proposed it, or what it would change is over.
    """
    goal = _found(session, program, goal_id, partner_id)
    if goal.proposed_by is who.side:
        raise GoalMoved(N_("The other side has to agree."))
    to = GoalStatus.AGREED if agrees else GoalStatus.DECLINED
    if agrees and goal.replaces_id is not None:
        _move(session, _found(session, program, goal.replaces_id, None), GoalStatus.AGREED, GoalStatus.ENDED, now=now)
    _move(session, goal, GoalStatus.PROPOSED, to, now=now)
    _audit(session, goal, f"partner_goal.{'agree' if agrees else 'decline'}", who, now=now)
    care_mails.tell_goal(session, goal=goal, program=program, to=_other(who.side), sentence=_said(goal, to), now=now)


def end(
    session: Session, *, program: Program, goal_id: UUID, who: Who, now: datetime, partner_id: UUID | None = None
) -> None:
    """The program ends a goal, agreed or still proposed; a change of it that waits goes with it.

    Raises:
        NoSuchGoal, GoalMoved: as above.
    """
    goal = _found(session, program, goal_id, partner_id)
    _move(session, goal, goal.status, GoalStatus.ENDED, now=now)
    waiting = care_queries.change_of(session, goal_id=goal.id)
    if waiting is not None:
        _move(session, waiting, GoalStatus.PROPOSED, GoalStatus.DECLINED, now=now)
    _audit(session, goal, "partner_goal.end", who, now=now)
    sentence = _WORDS[GoalStatus.ENDED]
    care_mails.tell_goal(session, goal=goal, program=program, to=Side.PARTNER, sentence=sentence, now=now)


def take_back(
    session: Session, *, program: Program, goal_id: UUID, who: Who, now: datetime, partner_id: UUID | None = None
) -> None:
    """The program takes a change of a goal back. One that the partner agreed to meanwhile is the goal by now, and stays.

    Raises:
        NoSuchGoal: not here, or no change. GoalMoved: it was answered already.
    """
    change = _found(session, program, goal_id, partner_id)
    if change.replaces_id is None:
        raise NoSuchGoal(N_("There is no such goal."))
    _move(session, change, GoalStatus.PROPOSED, GoalStatus.DECLINED, now=now)
    _audit(session, change, "partner_goal.end", who, now=now)
    care_mails.tell_goal(session, goal=change, program=program, to=Side.PARTNER, sentence=_TAKEN_BACK, now=now)


def _said(goal: PartnerGoal, to: GoalStatus) -> str:
    return (_WORDS if goal.replaces_id is None else _WORDS_OF_CHANGES)[to]


def review(
    session: Session, *, program: Program, goal_id: UUID, text: str, who: Who, now: datetime,
    partner_id: UUID | None = None,
) -> None:  # fmt: skip
    """Say something about a goal; what was reached at that moment is kept with it. Both sides read it.

    Raises:
        NoSuchGoal: not here. Invalid: nothing, or too much. GoalMoved: it is not agreed. TooManyNotes: fifty are there.
    """
    goal = _found(session, program, goal_id, partner_id)
    said = text.replace("\r\n", "\n").strip()
    if not 0 < len(said) <= TEXT_LENGTH_MAX:
        raise Invalid({"text": [N_("Write something, in up to 2,000 characters.")]})
    if goal.status is not GoalStatus.AGREED:
        raise GoalMoved(N_("This goal is not agreed, or it is over."))
    session.execute(sa.select(PartnerGoal.id).where(PartnerGoal.id == goal.id).with_for_update())  # one at a time
    if care_queries.goal_note_count(session, goal_id=goal.id) >= care_queries.GOAL_NOTES_MAX:
        raise TooManyNotes(N_("Fifty notes stand with this goal. Propose a new goal to go on."))
    [reached] = progress(session, program=program, goals=[goal])
    note = PartnerGoalNote(id=ids.new_at(now), goal_id=goal.id, side=who.side, text=said, reached=reached.value)
    note.by_id, note.said_at = who.user_id, now
    session.add(note)
    session.flush()
    _audit(session, goal, "partner_goal.review", who, now=now)


def progress(session: Session, *, program: Program, goals: list[PartnerGoal]) -> list[Reached]:
    """What each of these goals has reached, by the numbers of reports."""
    measures = [
        Measure(goal.metric, program.id, Period(goal.starts_on, goal.ends_on, program.time_zone), program.currency, goal.partner_id)
        for goal in goals
    ]  # fmt: skip
    return reaching.reached(session, measures=measures)


def _found(session: Session, program: Program, goal_id: UUID, partner_id: UUID | None) -> PartnerGoal:
    goal = care_queries.goal_in(session, program_id=program.id, goal_id=goal_id, partner_id=partner_id)
    if goal is None:
        raise NoSuchGoal(N_("There is no such goal."))
    return goal


def _move(session: Session, goal: PartnerGoal, expected: GoalStatus, to: GoalStatus, *, now: datetime) -> None:
    here = (PartnerGoal.id == goal.id, PartnerGoal.status == expected, PartnerGoal.status.in_(_OPEN))
    values: dict[str, Any] = {"status": to, "decided_at": now}
    change = sa.update(PartnerGoal).where(*here).values(values).returning(PartnerGoal.id)
    if session.scalar(change, execution_options={"synchronize_session": "fetch"}) is None:
        raise GoalMoved(N_("This goal was answered already, or it is over."))


_OPEN = (GoalStatus.PROPOSED, GoalStatus.AGREED)


def _other(side: Side) -> Side:
    return Side.PROGRAM if side is Side.PARTNER else Side.PARTNER


def _audit(session: Session, goal: PartnerGoal, action: str, who: Who, *, now: datetime) -> None:
    details = {"partner_id": str(goal.partner_id), "metric": goal.metric.value, "target": goal.target}
    if goal.replaces_id is not None:
        details["replaces"] = str(goal.replaces_id)
    audit.record(
        session, actor=who.actor, action=action, subject_kind="partner_goal", subject_id=goal.id,
        program_id=goal.program_id, details=details, now=now,
    )  # fmt: skip
