"""Goals as plain values: how far each has come, and which ones are offered to begin with."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import gettext as _

from affiliate import amounts, formats
from affiliate.console import words
from affiliate.money import BPS_PER_UNIT, divide_half_even, exponent
from affiliate.programs import pace
from affiliate.programs.models import Goal, GoalMetric, Program
from affiliate.programs.pace import Course, Kind, Season, Span, State
from affiliate.relations import care_words
from affiliate.reports import activity_store, reaching
from affiliate.reports.grids import NotCounted
from affiliate.reports.periods import Period
from affiliate.reports.reaching import Measure, Reached
from affiliate.web import orm, request_now

USUAL_DAYS = activity_store.DAYS
"""How long a goal runs that is taken by one click."""

_KINDS = {GoalMetric.COST: Kind.LIMIT, GoalMetric.NEW_CUSTOMER_SHARE: Kind.SHARE}
_USUAL = {
    GoalMetric.SALES: 100,
    GoalMetric.REVENUE: 5_000,
    GoalMetric.NEW_CUSTOMERS: 50,
    GoalMetric.CLICKS: 2_000,
    GoalMetric.SUBSCRIBERS: 100,
    GoalMetric.ACTIVE_PARTNERS: 10,
    GoalMetric.NEW_CUSTOMER_SHARE: 50_00,
    GoalMetric.COST: 1_000,
}
"""What a goal asks for where there is no past: things, basis points, or whole units of the currency."""

_NO_OUTLOOK = frozenset({GoalMetric.NEW_CUSTOMER_SHARE, GoalMetric.ACTIVE_PARTNERS})
"""A share does not grow, and whoever is active is counted once: neither goes on at the pace of its first days."""

IN_MONEY = frozenset({GoalMetric.REVENUE, GoalMetric.COST})
_MORE_PERCENT = 110  # of what the same number of days before brought


def lines(
    goals: Sequence[Goal], owners: Mapping[UUID, str] | None = None, *, with_outlook: bool = False
) -> list[dict[str, Any]]:
    """Each goal with what was reached, what is asked for today, and how it stands; two numbers of the year before with it.

    `with_outlook` asks for one number more of each that runs, and tells where it leads.
    """
    day = today()
    asked = [_measures(goal, day) | (_past(goal, day) if with_outlook else {}) for goal in goals]
    found = iter(reaching.reached(orm.session, measures=[one for some in asked for one in some.values()]))
    told = []
    for goal, some in zip(goals, asked, strict=True):
        numbers = {name: next(found) for name in some}
        season = Season(numbers["until"].value, numbers["whole"].value) if "whole" in numbers else None
        owner = (owners or {}).get(goal.owner_id) if goal.owner_id else None
        ahead = _ahead(goal, numbers, season, day)
        told.append(_line(goal, numbers["reached"], season, day, owner) | {"ahead": ahead})
    return told


def behind(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The goals of today that are behind."""
    return [line for line in found if line["state"] == State.BEHIND]


def _measures(goal: Goal, day: date) -> dict[str, Measure]:
    """What the goal has reached; then, while it runs, what the year before had by this day, and in all."""
    here = g.program
    measures = {"reached": _measure(goal.metric, here, goal.starts_on, goal.ends_on)}
    first, end = pace.year_before(goal.starts_on), pace.year_before(goal.ends_on)
    until = pace.year_before(day)
    if _KINDS.get(goal.metric) is Kind.SHARE or not first < until < end:
        return measures
    before = {"until": until, "whole": end}
    return measures | {name: _measure(goal.metric, here, first, last) for name, last in before.items()}


def _past(goal: Goal, day: date) -> dict[str, Measure]:
    """What the goal had at the end of yesterday, if that says where it leads: today's hours are no day yet."""
    if goal.metric in _NO_OUTLOOK or not goal.starts_on < day < goal.ends_on:
        return {}
    return {"past": _measure(goal.metric, g.program, goal.starts_on, day)}


def _measure(metric: GoalMetric, program: Program, first: date, end: date) -> Measure:
    return Measure(metric, program.id, Period(first, end, program.time_zone), program.currency)


def _line(goal: Goal, reached: Reached, season: Season | None, day: date, owner: str | None) -> dict[str, Any]:
    course = _course(goal, reached, season, day)
    return {
        "id": goal.id,
        "title": words.goal_metric(goal.metric),
        "period": f"{formats.day(goal.starts_on)} – {formats.day(goal.ends_on - timedelta(days=1))}",
        "reached": amount(goal.metric, reached.value),
        "target": amount(goal.metric, goal.target),
        "asked": amount(goal.metric, course.asked),
        "told": _told(goal, reached, course),
        "done": min(reached.value, goal.target),
        "of": goal.target,
        "percent": formats.percent_bps(divide_half_even(reached.value * BPS_PER_UNIT, goal.target)),
        "state": course.state,
        "sign": words.goal_state(course.state, is_limit=_KINDS.get(goal.metric) is Kind.LIMIT),
        "owner": owner,
        "owner_id": goal.owner_id and str(goal.owner_id),
        "is_running": day < goal.ends_on,
        "last_on": goal.ends_on - timedelta(days=1),
        "starts_on": goal.starts_on,
        "typed": _typed(goal),
    }


def _typed(goal: Goal) -> str:
    """The target as one types it."""
    currency = g.program.currency if goal.metric in IN_MONEY else ""
    return amounts.typed(goal.target, currency=currency, is_share=_KINDS.get(goal.metric) is Kind.SHARE)


def _course(goal: Goal, reached: Reached, season: Season | None, day: date) -> Course:
    return pace.course(
        kind=_KINDS.get(goal.metric, Kind.SUM), target=goal.target, reached=reached.value, of=reached.of, season=season,
        span=Span(goal.starts_on, goal.ends_on, day),
    )  # fmt: skip


def _ahead(goal: Goal, numbers: Mapping[str, Reached], season: Season | None, day: date) -> list[str]:
    """The sentences about where a goal leads: at its pace, and by the season where the year before speaks."""
    if "past" not in numbers:
        return []
    found = pace.outlook(
        kind=_KINDS.get(goal.metric, Kind.SUM), target=goal.target, past=numbers["past"].value,
        reached=numbers["reached"].value, span=Span(goal.starts_on, goal.ends_on, day), season=season,
    )  # fmt: skip
    told = []
    if found.line is not None:
        told.append(_("At this pace: %(number)s by the last day.", number=amount(goal.metric, found.line)))
    if found.season is not None:
        by_season = amount(goal.metric, found.season)
        told.append(_("With the season of the year before: %(number)s by the last day.", number=by_season))
    return told


def _told(goal: Goal, reached: Reached, course: Course) -> list[str]:
    """The sentences below the number: the line, and the season where the year before speaks."""
    if course.state not in {State.BEHIND, State.ON_COURSE}:
        return []
    if _KINDS.get(goal.metric) is Kind.SHARE:
        orders = formats.number(reached.of)
        return [_("Of %(orders)s orders so far.", orders=orders)]
    line = amount(goal.metric, course.line)
    if _KINDS.get(goal.metric) is Kind.LIMIT:
        told = [_("Evenly spent it would be %(asked)s today.", asked=line)]
    else:
        told = [_("The straight line asks for %(asked)s today.", asked=line)]
    if course.season is not None:
        season = amount(goal.metric, course.season)
        told.append(_("By the season of the year before it would be %(asked)s; that is what counts.", asked=season))
    return told


def amount(metric: GoalMetric, value: int) -> str:
    """A number in the unit of a metric."""
    return care_words.amount(metric, value, g.program.currency)


def usual(metric: GoalMetric) -> dict[str, Any]:
    """The goal that one click takes: from today on, a tenth above what as many days before brought, or the usual number."""
    return next(one for one in usual_goals() if one["metric"] is metric)


def usual_goals() -> list[dict[str, Any]]:
    """What is offered: each metric with target and days."""
    day = today()
    before = Period(day - timedelta(days=USUAL_DAYS), day, g.program.time_zone)
    # A share does not grow with the past, and who is active is counted by the hour: it reads all partners.
    apart = {GoalMetric.ACTIVE_PARTNERS, *(metric for metric, kind in _KINDS.items() if kind is Kind.SHARE)}
    counted = [metric for metric in GoalMetric if metric not in apart]
    measures = [Measure(metric, g.program.id, before, g.program.currency) for metric in counted]
    past = dict(zip(counted, reaching.reached(orm.session, measures=measures), strict=True))
    with contextlib.suppress(NotCounted):
        active = activity_store.shown(orm.session, program=g.program, now=request_now())
        past[GoalMetric.ACTIVE_PARTNERS] = Reached(active)
    return [
        {
            "metric": metric,
            "starts_on": day,
            "ends_on": day + timedelta(days=USUAL_DAYS),
            "target": _target(metric, past.get(metric)),
        }
        for metric in GoalMetric
    ]


def _target(metric: GoalMetric, past: Reached | None) -> int:
    least = _USUAL[metric] * (10 ** exponent(g.program.currency) if metric in IN_MONEY else 1)
    return least if past is None else max(least, _round(past.value * _MORE_PERCENT // 100))


def _round(value: int) -> int:
    """A number as people set goals: two leading digits, the rest zero, never less."""
    step = 10 ** max(len(str(value)) - 2, 0)
    return -(-value // step) * step


def offers() -> list[dict[str, str]]:
    """The usual goals as buttons."""
    told = _("%(metric)s: %(target)s in %(days)s days")
    return [
        {
            "value": one["metric"].value,
            "label": told
            % {
                "metric": words.goal_metric(one["metric"]),
                "target": amount(one["metric"], one["target"]),
                "days": formats.number(USUAL_DAYS),
            },
        }
        for one in usual_goals()
    ]


def today() -> date:
    """The present day in the program's time zone."""
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
