"""The page of goals: how far each has come, usual ones by one click, and a form for any other."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts
from affiliate.accounts import access
from affiliate.console import presenters, roles, words
from affiliate.console.blueprint import acted, blueprint, cursor, is_manager, pager, show
from affiliate.console.forms import GoalForm, read_target, say_all
from affiliate.console.goals import goal_sheets
from affiliate.console.queries import lists
from affiliate.errors import Invalid
from affiliate.programs import queries as program_queries
from affiliate.programs import service
from affiliate.programs.models import Goal, GoalMetric
from affiliate.relations import care_forms, care_queries
from affiliate.web import orm, request_now

OVER_SHOWN = 30
"""How many of the goals that are over stand on a page."""


@blueprint.get("/<slug>/goals")
@access.console(*roles.EVERYBODY)
def goals() -> str:
    """The goals of the program and how far each has come."""
    first = goal_sheets.today()
    last = first + timedelta(days=goal_sheets.USUAL_DAYS - 1)
    usual = {"metric": "sales", "target": "100", "starts_on": first, "last_on": last}
    people = _people()
    return _page(GoalForm(people, data=usual), people)


@blueprint.post("/<slug>/goals")
@access.console("manager")
def add_goal() -> str | tuple[str, int] | BaseResponse:
    """A new goal."""
    people = _people()
    form = GoalForm(people)
    values = form.values(currency=g.program.currency) if form.validate_on_submit() else None
    if values is None:
        return _page(form, people), 422
    try:
        flash(added(_add(**values)))
    except Invalid as refusal:
        say_all(form, refusal.errors, {"ends_on": "last_on"})
        return _page(form, people), 422
    return redirect(url_for("console.goals"), 303)


@blueprint.post("/<slug>/goals/usual")
@access.console("manager")
def take_usual_goal() -> BaseResponse:
    """Take one of the offered goals, owned by who takes it."""
    metric = presenters.chosen_in_form(GoalMetric, "metric", GoalMetric.SALES)
    back = url_for("console.today") if request.form.get("from") == "today" else url_for("console.goals")
    return acted(back, lambda: added(_add(**goal_sheets.usual(metric), owner_id=current_user.id)))


@blueprint.post("/<slug>/goals/<uuid:goal_id>/owner")
@access.console("manager")
def give_goal(goal_id: UUID) -> BaseResponse:
    """Let somebody else who manages the program answer for a goal."""

    def act() -> str:
        given = service.give_goal(
            orm.session, program_id=g.program.id, goal_id=goal_id, owner_id=_owner(), actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
        return str(_("%(name)s answers for this goal now.", name=_people().get(given.owner_id or goal_id, "")))

    return acted(url_for("console.goals"), act)


@blueprint.post("/<slug>/goals/<uuid:goal_id>/change")
@access.console("manager")
def change_goal(goal_id: UUID) -> BaseResponse:
    """Ask for another number, or in other days."""
    goal = program_queries.goal_in(orm.session, program_id=g.program.id, goal_id=goal_id)
    if goal is None:
        raise access.NotHere
    metric = goal.metric

    def act() -> str:
        asked: dict[str, Any] = {"target": _target(metric), "starts_on": care_forms.day("starts_on")}
        asked["ends_on"] = care_forms.day("last_on") + timedelta(days=1)
        who: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        service.change_goal(orm.session, goal_id=goal_id, **asked, **who)
        return str(_("The goal is changed. The history keeps what it asked for before."))

    return acted(url_for("console.goals"), act, names={"ends_on": "last_on"})


def _target(metric: GoalMetric) -> int:
    try:
        return read_target(metric, request.form.get("target", ""), g.program.currency)
    except amounts.BadNumber as wrong:
        raise Invalid({"target": [str(wrong)]}) from wrong


def _owner() -> UUID:
    """Whom the form names.

    Raises:
        Invalid: it names nobody.
    """
    try:
        return UUID(request.form.get("owner", ""))
    except ValueError:
        raise Invalid({"owner": [_("Choose somebody who manages this program.")]}) from None


@blueprint.post("/<slug>/goals/<uuid:goal_id>/remove")
@access.console("manager")
def remove_goal(goal_id: UUID) -> BaseResponse:
    """Take a goal away; a program that is live keeps its last one."""

    def act() -> str:
        service.remove_goal(
            orm.session, program_id=g.program.id, goal_id=goal_id, actor=access.actor(), now=request_now()
        )
        return str(_("The goal is gone. The history keeps it."))

    return acted(url_for("console.goals"), act)


def running() -> list[dict[str, Any]]:
    """The goals whose days are not over, as lines."""
    return goal_sheets.lines(program_queries.goals_open(orm.session, **_of_today()))


def _of_today() -> dict[str, Any]:
    return {"program_id": g.program.id, "day": goal_sheets.today()}


def _people() -> dict[UUID, str]:
    """Who may own a goal."""
    return {one.user_id: one.name for one in care_queries.managers(orm.session, program_id=g.program.id)}


def _page(form: GoalForm, people: Mapping[UUID, str]) -> str:
    here = _of_today()
    found = [] if cursor() else program_queries.goals_open(orm.session, **here)
    over = lists.goals_over(orm.session, **here, cursor=cursor(), size=OVER_SHOWN)
    ended = [row.Goal for row in over.rows]
    offers = goal_sheets.offers() if is_manager() else []
    return show(
        "goals/goals.html",
        form=form,
        rows=goal_sheets.lines([*found, *ended], people, with_outlook=True),
        owners=[(str(user_id), name) for user_id, name in people.items()],
        offers=offers,
        pager=pager(over),
    )


def _add(**values: Any) -> Goal:
    return service.add_goal(
        orm.session,
        program_id=g.program.id,
        **values,
        actor=access.actor(),
        now=request_now(),
    )


def added(goal: Goal) -> str:
    """What is said of a new goal."""
    target = goal_sheets.amount(goal.metric, goal.target)
    return str(_("Goal added: %(metric)s, %(target)s.", metric=words.goal_metric(goal.metric), target=target))
