"""What is done for one partner from its page: leads, trial, tags, notes, responsibilities, shared goals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts
from affiliate.accounts import access
from affiliate.console import presenters
from affiliate.console.blueprint import acted, blueprint, given_reason
from affiliate.errors import Invalid
from affiliate.partners import queries as partner_queries
from affiliate.programs.models import GoalMetric
from affiliate.relations import agreeing, care_forms, care_queries, caring, duties
from affiliate.relations.care_models import DutyStatus
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.steering import service as steering
from affiliate.web import orm, request_now

_COUNT_MAX = 1_000_000


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/look-after')
@access.console("manager")
def look_after(partner_id: UUID) -> BaseResponse:
    """Take care of a partner at risk: it leaves the work list until its momentum changes."""
    return _acted(
        partner_id,
        lambda who: steering.look_after(orm.session, **who),
        _("It leaves the list until something changes."),
    )


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/leads')
@access.console("manager")
def set_leads(partner_id: UUID) -> BaseResponse:
    """Say who looks after a partner, and who stands in."""

    def act(who: dict[str, Any]) -> None:
        caring.set_leads(orm.session, lead_id=_person("lead"), deputy_id=_person("deputy"), **who)

    return _acted(partner_id, act, _("Kept."), "#care")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/trial')
@access.console("manager")
def start_trial(partner_id: UUID) -> BaseResponse:
    """Put a partner on trial, or change its terms."""

    def act(who: dict[str, Any]) -> None:
        terms = caring.TrialTerms(
            request.form.get("scope", ""), care_forms.day("starts_on"), care_forms.day("last_on") + timedelta(days=1), _count("orders_min"),
            _count("orders_max"),
        )  # fmt: skip
        caring.start_trial(orm.session, terms=terms, **who)

    return _acted(partner_id, act, _("On trial."), "#care")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/graduate')
@access.console("manager")
def graduate(partner_id: UUID) -> BaseResponse:
    """End a trial: the partner has the full scope."""
    return _acted(partner_id, lambda who: caring.graduate(orm.session, **who), _("The trial is over, passed."), "#care")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/end-trial')
@access.console("manager")
def end_trial(partner_id: UUID) -> BaseResponse:
    """End a trial that was not passed."""
    reason = given_reason()
    return _acted(
        partner_id,
        lambda who: caring.end_trial(orm.session, reason=reason, **who),
        _("The trial is over, without graduation."),
        "#care",
    )


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/notes')
@access.console("manager")
def note_partner(partner_id: UUID) -> BaseResponse:
    """Keep a note for the program's people."""
    text = request.form.get("text", "")
    return _acted(
        partner_id, lambda who: caring.note(orm.session, text=text, **who), _("Noted."), page="partner_contacts"
    )


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/tags/<any(add, remove):act>')
@access.console("manager")
def tag_partner(partner_id: UUID, act: str) -> BaseResponse:
    """Put a tag on a partner, or take it off."""
    change = caring.tag if act == "add" else caring.untag

    def do(who: dict[str, Any]) -> None:
        who["partner_ids"] = [who.pop("partner_id")]
        change(orm.session, text=request.form.get("tag", ""), **who)

    return _acted(partner_id, do, _("Kept."), "#care")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/duties')
@access.console("manager")
def agree_duty(partner_id: UUID) -> BaseResponse:
    """Put a line into the table of responsibilities."""

    def act(who: dict[str, Any]) -> None:
        duties.agree(orm.session, task=_task(), **_with_program(who))

    return _acted(partner_id, act, _("It stands in the table. Both sides are reminded."), "#duties")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/duties/<uuid:duty_id>/change')
@access.console("manager")
def change_duty(partner_id: UUID, duty_id: UUID) -> BaseResponse:
    """Agree on another task, person, cadence or day."""

    def act(who: dict[str, Any]) -> None:
        here = _with_program(who)
        here.pop("partner_id")
        duties.change(orm.session, duty_id=duty_id, task=_task(), **here)

    return _acted(partner_id, act, _("Kept."), "#duties")


@blueprint.post(
    '/<slug>/partners/<public("ptn"):partner_id>/duties/<uuid:duty_id>/<any(pending, in_progress, on_track, done, end):act>'
)
@access.console("manager")
def move_duty(partner_id: UUID, duty_id: UUID, act: str) -> BaseResponse:
    """Say how a responsibility stands, or take it out."""

    def do(who: dict[str, Any]) -> None:
        here = _with_program(who)
        here.pop("partner_id")
        if act == "end":
            duties.end(orm.session, duty_id=duty_id, **here)
        else:
            duties.move(orm.session, duty_id=duty_id, status=DutyStatus(act), **here)

    return _acted(partner_id, do, _("Kept."), "#duties")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/goals')
@access.console("manager")
def propose_goal(partner_id: UUID) -> BaseResponse:
    """Propose a shared goal."""

    def act(who: dict[str, Any]) -> None:
        metric = presenters.chosen_in_form(GoalMetric, "metric", GoalMetric.SALES)
        agreeing.propose(
            orm.session, program=g.program, partner_id=partner_id, target=care_forms.target(metric), who=_us(),
            now=who["now"],
        )  # fmt: skip

    return _acted(partner_id, act, _("Proposed. It counts once the partner agrees."), "#shared")


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/goals/<uuid:goal_id>/change')
@access.console("manager")
def propose_goal_change(partner_id: UUID, goal_id: UUID) -> BaseResponse:
    """Propose other terms of an agreed goal; it stays as it is until the partner agrees."""
    goal = care_queries.goal_in(orm.session, program_id=g.program.id, goal_id=goal_id, partner_id=partner_id)
    if goal is None:
        raise access.NotHere
    metric = goal.metric

    def act(who: dict[str, Any]) -> None:
        agreeing.propose_change(
            orm.session, program=g.program, goal_id=goal_id, partner_id=partner_id, target=care_forms.target(metric),
            who=_us(), now=who["now"],
        )  # fmt: skip

    return _acted(partner_id, act, _("Proposed. The goal stays as it is until the partner agrees."), "#shared")


@blueprint.post(
    '/<slug>/partners/<public("ptn"):partner_id>/goals/<uuid:goal_id>/<any(agree, decline, end, review, "take-back"):act>'
)
@access.console("manager")
def answer_goal(partner_id: UUID, goal_id: UUID, act: str) -> BaseResponse:
    """Agree to a goal that the partner proposed, or not; end one, or take a change of it back; say something about it."""
    here: dict[str, Any] = {"program": g.program, "goal_id": goal_id, "partner_id": partner_id}
    here |= {"who": _us(), "now": request_now()}

    def do(_who: dict[str, Any]) -> None:
        if act == "review":
            agreeing.review(orm.session, text=request.form.get("text", ""), **here)
        elif act == "end":
            agreeing.end(orm.session, **here)
        elif act == "take-back":
            agreeing.take_back(orm.session, **here)
        else:
            agreeing.answer(orm.session, agrees=act == "agree", **here)

    return _acted(partner_id, do, _("Kept."), "#shared")


def _acted(
    partner_id: UUID, act: Callable[[dict[str, Any]], object], said: str, place: str = "", *, page: str = "partner_care"
) -> BaseResponse:
    """Do it for a partner of this program, and go back to where it was asked for."""
    if partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id) is None:
        raise access.NotHere
    from_today = request.form.get("from") == "today"
    back = url_for("console.today") if from_today else url_for(f"console.{page}", partner_id=partner_id) + place
    who = {"program_id": g.program.id, "partner_id": partner_id, "actor": access.actor(), "now": request_now()}

    def do() -> str:
        act(who)
        return said

    return acted(back, do, names={"ends_on": "last_on"})


def _task() -> duties.Task:
    """The responsibility that a form describes."""
    cadence = presenters.chosen_in_form(Cadence, "cadence", Cadence.ONCE)
    first_on = None if cadence is Cadence.CONTINUOUS else care_forms.day("first_on")
    side = presenters.chosen_in_form(Side, "side", Side.PARTNER)
    return duties.Task(request.form.get("task", ""), side, cadence, first_on, _person("owner"))


def _with_program(who: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in who.items() if name != "program_id"}, "program": g.program}


def _us() -> agreeing.Who:
    return agreeing.Who(Side.PROGRAM, access.actor())


def _person(name: str) -> UUID | None:
    text = request.form.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid({name: [_("Choose somebody who manages this program.")]}) from None


def _count(name: str) -> int:
    try:
        return min(amounts.read_count(request.form.get(name, "") or "0"), _COUNT_MAX)
    except amounts.BadNumber as wrong:
        raise Invalid({name: [str(wrong)]}) from wrong
