"""Duties and shared goals as plain values: what both sides are shown in the same way."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _

from affiliate import amounts, formats
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.programs import pace
from affiliate.programs.models import GoalMetric
from affiliate.programs.pace import Course, Span
from affiliate.relations import care_words, rounds
from affiliate.relations.care_models import GoalStatus, PartnerGoal
from affiliate.relations.care_queries import DutyLine
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.reports.reaching import Reached


def duty(line: DutyLine, *, today: date) -> dict[str, Any]:
    """A line of the table of responsibilities."""
    duty = line.duty
    slipped = rounds.slipped(duty.rounds)
    is_one = duty.cadence is Cadence.ONCE and len(duty.rounds) == 1  # that it is late is said beside its day
    return {
        "id": str(duty.id),
        "task": duty.task,
        "who": line.owner_name or care_words.side(duty.side),
        "cadence": care_words.cadence(duty.cadence),
        "due_on": duty.due_on,
        "is_late": duty.due_on is not None and duty.due_on < today,
        "sign": care_words.duty(duty.status),
        "again": rounds.is_repeated(duty.rounds),
        "slipped": _("%(slipped)s of the last %(rounds)s rounds slipped.", slipped=slipped, rounds=len(duty.rounds))
        if slipped and not is_one
        else "",
        "status": duty.status.value,
    }


def goal(
    goal: PartnerGoal, reached: Reached, notes: Sequence[Any], changes: Sequence[PartnerGoal], *, currency: str, today: date
) -> dict[str, Any]:  # fmt: skip
    """A shared goal as both sides see it, with the change that waits and those that were answered."""
    course = course_of(goal, reached, today=today)
    agreed = goal.status is GoalStatus.AGREED
    sign = care_words.goal_state(course.state) if agreed else care_words.shared_goal(goal.status, goal.proposed_by)
    return {
        "id": goal.id,
        "title": care_words.goal_metric(goal.metric),
        "told": care_words.goal(goal, currency),
        "reached": care_words.amount(goal.metric, reached.value, currency),
        "target": care_words.amount(goal.metric, goal.target, currency),
        "percent": formats.percent_bps(divide_half_even(reached.value * BPS_PER_UNIT, goal.target)),
        "done": min(reached.value, goal.target),
        "of": goal.target,
        "sign": sign,
        "is_agreed": agreed,
        "is_open": agreed or goal.status is GoalStatus.PROPOSED,
        "is_ours": goal.proposed_by is Side.PROGRAM,
        "is_proposed": goal.status is GoalStatus.PROPOSED,
        "typed": amounts.typed(goal.target, currency=currency if goal.metric is GoalMetric.REVENUE else ""),
        "first_on": goal.starts_on.isoformat(),
        "last_on": (goal.ends_on - timedelta(days=1)).isoformat(),
        "change": next((_change(one, currency) for one in changes if one.status is GoalStatus.PROPOSED), None),
        "history": [
            {"said": care_words.goal_change(goal, one, currency), "at": one.decided_at}
            for one in changes
            if one.status is not GoalStatus.PROPOSED
        ],
        "notes": [
            {
                "who": note.name or care_words.side(note.side),
                "at": note.said_at,
                "text": note.text,
                "reached": care_words.amount(goal.metric, note.reached, currency),
            }
            for note in notes
        ],
    }


def course_of(goal: PartnerGoal, reached: Reached, *, today: date) -> Course:
    """Where a shared goal is against the straight line."""
    span = Span(goal.starts_on, goal.ends_on, today)
    return pace.course(kind=pace.Kind.SUM, target=goal.target, reached=reached.value, of=0, span=span)


def _change(one: PartnerGoal, currency: str) -> dict[str, Any]:
    return {"id": one.id, "told": care_words.goal(one, currency), "is_ours": one.proposed_by is Side.PROGRAM}
