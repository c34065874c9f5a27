"""What program and partner have agreed on: shared goals and responsibilities, with what the partner may say and do."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.accounts.roles import WORKS
from affiliate.errors import Conflict, Invalid
from affiliate.portal.blueprint import blueprint, refused, show
from affiliate.programs.models import GoalMetric
from affiliate.relations import agreeing, care_forms, care_queries, care_sheets, care_words, duties
from affiliate.relations.care_models import DutyStatus
from affiliate.relations.models import Side
from affiliate.web import orm, request_now

_DAYS = 90
_STEPS = (DutyStatus.IN_PROGRESS, DutyStatus.ON_TRACK, DutyStatus.DONE)


@blueprint.get("/<slug>/together")
@access.partner
def together() -> str:
    """Shared goals with their progress, and who does what by when."""
    here: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    goals = list(care_queries.goals_of(orm.session, **here))
    reached = agreeing.progress(orm.session, program=g.program, goals=goals)
    notes = care_queries.goal_notes(orm.session, goal_ids=[goal.id for goal in goals])
    changes = care_queries.goal_changes(orm.session, goals=goals)
    today = _today()
    return show(
        "together.html",
        goals=[
            care_sheets.goal(
                goal, found, notes.get(goal.id, []), changes[goal.id], currency=g.program.currency, today=today
            )
            for goal, found in zip(goals, reached, strict=True)
        ],
        duties=[_duty(line, today) for line in care_queries.duties_of(orm.session, **here)],
        metrics=[(each.value, care_words.goal_metric(each)) for each in agreeing.SHARED],
        first_on=today.isoformat(),
        last_on=(today + timedelta(days=_DAYS - 1)).isoformat(),
    )


@blueprint.post("/<slug>/together/goals")
@access.partner_with(WORKS)
def propose_goal() -> BaseResponse:
    """Propose a goal to the program."""

    def act() -> None:
        metric = next((one for one in agreeing.SHARED if one.value == request.form.get("metric")), GoalMetric.SALES)
        agreeing.propose(
            orm.session, program=g.program, partner_id=g.partner.id, target=care_forms.target(metric), who=_us(),
            now=request_now(),
        )  # fmt: skip

    return _acted(act, _("Proposed. It counts once the program agrees."))


@blueprint.post("/<slug>/together/goals/<uuid:goal_id>/<any(agree, decline, review):act>")
@access.partner_with(WORKS)
def answer_goal(goal_id: UUID, act: str) -> BaseResponse:
    """Agree to a goal that the program proposed, or not; or say how it goes."""
    here: dict[str, Any] = {
        "program": g.program, "goal_id": goal_id, "who": _us(), "partner_id": g.partner.id, "now": request_now(),
    }  # fmt: skip

    def do() -> None:
        if act == "review":
            agreeing.review(orm.session, text=request.form.get("text", ""), **here)
        else:
            agreeing.answer(orm.session, agrees=act == "agree", **here)

    return _acted(do, _("Kept."))


@blueprint.post("/<slug>/together/duties/<uuid:duty_id>/<any(in_progress, on_track, done):act>")
@access.partner_with(WORKS)
def move_duty(duty_id: UUID, act: str) -> BaseResponse:
    """Say how one's own responsibility stands."""

    def do() -> None:
        duties.move(
            orm.session, program=g.program, duty_id=duty_id, status=DutyStatus(act), partner_id=g.partner.id,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip

    return _acted(do, _("Kept."))


def _duty(line: care_queries.DutyLine, today: date) -> dict[str, Any]:
    is_mine = line.duty.side is Side.PARTNER
    acts = [
        {
            "label": care_words.duty_act(step.value),
            "url": url_for("portal.move_duty", duty_id=line.duty.id, act=step.value),
            "is_done": step is DutyStatus.DONE,
        }
        for step in _STEPS
        if is_mine and step is not line.duty.status
    ]
    who = _("You") if is_mine else _("The program")
    return care_sheets.duty(line, today=today) | {"who": who, "is_mine": is_mine, "acts": acts}


def _acted(act: Callable[[], None], said: str) -> BaseResponse:
    """Do it and go back; a refusal writes nothing, and is said in the page."""
    back = url_for("portal.together")
    try:
        act()
    except (Conflict, Invalid) as refusal:
        return refused(back, refusal, names={"ends_on": "last_on"})
    flash(said, "success")
    return redirect(back, 303)


def _us() -> agreeing.Who:
    return agreeing.Who(Side.PARTNER, access.actor())


def _today() -> date:
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
