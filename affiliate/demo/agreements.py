"""What the demo's program has agreed with its partners, and what it watches: a few rows by the services, for pages to show."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.programs.models import GoalMetric, Program
from affiliate.relations import agreeing, caring, duties
from affiliate.relations.agreeing import Target, Who
from affiliate.relations.duties import Task
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.steering import service as steering
from affiliate.steering.thresholds import Side as Beyond


def make(session: Session, *, program_id: UUID, partner_ids: Sequence[UUID], manager: Actor, now: datetime) -> None:
    """Leads, tags, duties and a shared goal with the first two partners; two watched figures; the momentum of all."""
    program = session.get_one(Program, program_id)
    today = now.date()
    first, second = list(dict.fromkeys(partner_ids))[:2]
    here: dict[str, Any] = {"program_id": program_id, "actor": manager, "now": now}
    for partner_id in (first, second):
        caring.set_leads(session, partner_id=partner_id, lead_id=manager.id, deputy_id=None, **here)
    caring.tag(session, partner_ids=[first, second], text="recipes", **here)
    caring.note(session, partner_id=first, text="Called: wants the cast iron pan for a video.", **here)
    for task in _tasks(today, manager):
        duties.agree(session, program=program, partner_id=first, task=task, actor=manager, now=now)
    _goal(session, program, first, manager, today, now=now)
    for key, side, threshold in (("conversions", Beyond.BELOW, 10), ("reversal_rate", Beyond.ABOVE, 15_00)):
        steering.add_watch(
            session, key=key, side=side, threshold=threshold, look_back_days=7, volume_min=100, **here,
        )  # fmt: skip
    session.flush()
    steering.compute_momentum(session, program=program, now=now)
    steering.check_due(session, limit=10, now=now)


def _tasks(today: date, manager: Actor) -> list[Task]:
    return [
        Task("Two posts with a recipe", Side.PARTNER, Cadence.MONTHLY, today + timedelta(days=3)),
        Task("Send the new product pictures", Side.PROGRAM, Cadence.QUARTERLY, today + timedelta(days=12), manager.id),
        Task("Answer readers' questions", Side.PARTNER, Cadence.CONTINUOUS),
    ]


def _goal(session: Session, program: Program, partner_id: UUID, manager: Actor, today: date, *, now: datetime) -> None:
    target = Target(GoalMetric.SALES, 120, today - timedelta(days=60), today + timedelta(days=30))
    goal = agreeing.propose(
        session, program=program, partner_id=partner_id, target=target, who=Who(Side.PARTNER, manager), now=now
    )
    agreeing.answer(session, program=program, goal_id=goal.id, agrees=True, who=Who(Side.PROGRAM, manager), now=now)
