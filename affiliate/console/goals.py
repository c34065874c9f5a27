"""The page of goals: how far each has come against the straight line, and a form for a new one."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import words
from affiliate.console.blueprint import blueprint, show
from affiliate.console.forms import GoalForm, say_all
from affiliate.console.queries import goals as queries
from affiliate.errors import Invalid
from affiliate.money import Money, divide_half_even
from affiliate.programs import queries as program_queries
from affiliate.programs import service
from affiliate.programs.models import Goal, GoalMetric
from affiliate.web import orm, request_now

GOALS_SHOWN = 30
BEHIND_BELOW_PERCENT = 90
"""A goal is behind when it has less than this part of what the straight line asks for today."""


@blueprint.get("/<slug>/goals")
@access.console("manager", "finance")
def goals() -> str:
    """The goals of the program and how far each has come."""
    first = _today().replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    form = GoalForm(data={"metric": "sales", "target": "100", "starts_on": first, "last_on": last})
    return show("goals.html", form=form, rows=lines())


@blueprint.post("/<slug>/goals")
@access.console("manager")
def add_goal() -> str | tuple[str, int] | BaseResponse:
    """A new goal."""
    form = GoalForm()
    values = form.values(currency=g.program.currency) if form.validate_on_submit() else None
    if values is None:
        return show("goals.html", form=form, rows=lines()), 422
    try:
        goal = service.add_goal(orm.session, program_id=g.program.id, **values, actor=access.actor(), now=request_now())
    except Invalid as refusal:
        say_all(form, refusal.errors, {"ends_on": "last_on"})
        return show("goals.html", form=form, rows=lines()), 422
    flash(
        _(
            "Goal added: %(metric)s, %(target)s.",
            metric=words.goal_metric(goal.metric),
            target=_amount(goal, goal.target),
        )
    )
    return redirect(url_for("console.goals"), 303)


def lines() -> list[dict[str, Any]]:
    """Each goal with what was reached, what the straight line asks for today, and whether it is behind."""
    found = program_queries.goals_of(orm.session, program_id=g.program.id, limit=GOALS_SHOWN)
    reached = queries.counted(orm.session, goals=found, zone=g.program.time_zone)
    return [_line(goal, reached.get(goal.id, 0), _today()) for goal in found]


def behind(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The goals of today that are behind."""
    return [line for line in found if line["state"] == "behind"]


def expected(*, target: int, starts_on: date, ends_on: date, today: date) -> int:
    """What the straight line asks for at the end of yesterday; the whole target once the period is over."""
    elapsed = min(max((today - starts_on).days, 0), (ends_on - starts_on).days)
    return divide_half_even(target * elapsed, (ends_on - starts_on).days)


def state(goal: Goal, reached: int, today: date) -> str:
    """`to_come`, `reached`, `missed`, `behind` or `on_course`."""
    if reached >= goal.target:
        return "reached"
    if today < goal.starts_on:
        return "to_come"
    if today >= goal.ends_on:
        return "missed"
    asked = expected(target=goal.target, starts_on=goal.starts_on, ends_on=goal.ends_on, today=today)
    return "behind" if reached * 100 < asked * BEHIND_BELOW_PERCENT else "on_course"


def _line(goal: Goal, reached: int, today: date) -> dict[str, Any]:
    asked = expected(target=goal.target, starts_on=goal.starts_on, ends_on=goal.ends_on, today=today)
    now = state(goal, reached, today)
    return {
        "id": goal.id,
        "title": words.goal_metric(goal.metric),
        "period": _period(goal),
        "reached": _amount(goal, reached),
        "target": _amount(goal, goal.target),
        "asked": _amount(goal, asked),
        "done": min(reached, goal.target),
        "of": goal.target,
        "percent": formats.percent_bps(divide_half_even(reached * 10_000, goal.target)),
        "state": now,
        "sign": words.goal_state(now),
        "last_on": goal.ends_on - timedelta(days=1),
    }


def _period(goal: Goal) -> str:
    return f"{formats.day(goal.starts_on)} – {formats.day(goal.ends_on - timedelta(days=1))}"


def _amount(goal: Goal, value: int) -> str:
    return (
        formats.money(Money(value, g.program.currency)) if goal.metric is GoalMetric.REVENUE else formats.number(value)
    )


def _today() -> date:
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
