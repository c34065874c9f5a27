"""Words about goals, duties and trials for the pages of both sides."""

from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from affiliate import formats
from affiliate.money import Money
from affiliate.programs.models import GoalMetric
from affiliate.relations.care_models import DutyStatus, GoalStatus, PartnerGoal
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.relations.trials import Standing
from affiliate.reports.words import Sign


def goal_metric(metric: GoalMetric) -> str:
    """What a goal counts."""
    words: dict[GoalMetric, str] = {
        GoalMetric.SALES: _("Sales"),
        GoalMetric.REVENUE: _("Revenue"),
        GoalMetric.NEW_CUSTOMERS: _("New customers"),
        GoalMetric.CLICKS: _("Clicks"),
        GoalMetric.SUBSCRIBERS: _("Subscribers"),
        GoalMetric.ACTIVE_PARTNERS: _("Active partners"),
        GoalMetric.NEW_CUSTOMER_SHARE: _("Share of new customers"),
        GoalMetric.COST: _("Cost, at most"),
    }
    return words[metric]


def goal_state(state: str, *, is_limit: bool = False) -> Sign:
    """How a goal stands; a limit is kept or passed."""
    signs = {
        "to_come": Sign("", pgettext("goal", "To come"), "clock"),
        "reached": Sign("good", pgettext("goal", "Kept") if is_limit else pgettext("goal", "Reached")),
        "missed": Sign("bad", pgettext("goal", "Passed") if is_limit else pgettext("goal", "Missed")),
        "behind": Sign("wait", pgettext("goal", "Too fast"), "trending-up")
        if is_limit
        else Sign("wait", pgettext("goal", "Behind the line"), "trending-down"),
        "on_course": Sign("acc", pgettext("goal", "On course"), "trending-up"),
    }
    return signs[state]


def amount(metric: GoalMetric, value: int, currency: str) -> str:
    """A number in the unit of a goal's metric."""
    if metric in {GoalMetric.REVENUE, GoalMetric.COST}:
        return formats.money(Money(value, currency))
    return formats.percent_bps(value) if metric is GoalMetric.NEW_CUSTOMER_SHARE else formats.number(value)


def goal(of: PartnerGoal, currency: str) -> str:
    """A shared goal in a line."""
    told: str = _(
        "%(metric)s: %(target)s from %(first)s to %(last)s",
        metric=goal_metric(of.metric), target=amount(of.metric, of.target, currency), first=formats.day(of.starts_on),
        last=formats.day(of.ends_on - timedelta(days=1)),
    )  # fmt: skip
    return told


def goal_change(of: PartnerGoal, other: PartnerGoal, currency: str) -> str:
    """What became of a change of a goal, or of the goal whose place it took, in a line."""
    said = {
        "before": _("Before: %(goal)s", goal=goal(other, currency)),
        "after": _("Replaced by: %(goal)s", goal=goal(other, currency)),
        "declined": _("A change that was not agreed: %(goal)s", goal=goal(other, currency)),
    }
    after = "declined" if other.status is GoalStatus.DECLINED else "after"
    return str(said["before" if other.id == of.replaces_id else after])


def side(of: Side) -> str:
    """Who does it."""
    words: dict[Side, str] = {Side.PARTNER: _("The partner"), Side.PROGRAM: _("The program")}
    return words[of]


def cadence(of: Cadence) -> str:
    """How often something is to be done."""
    words: dict[Any, str] = {
        Cadence.ONCE: _("once"),
        Cadence.CONTINUOUS: _("all the time"),
        Cadence.DAILY: _("every day"),
        Cadence.WEEKLY: _("every week"),
        Cadence.MONTHLY: _("every month"),
        Cadence.QUARTERLY: _("every quarter"),
    }
    return words[of]


def duty(of: DutyStatus) -> Sign:
    """Where a duty is."""
    return {
        DutyStatus.PENDING: Sign("wait", pgettext("duty", "Pending")),
        DutyStatus.IN_PROGRESS: Sign("acc", pgettext("duty", "In progress"), "player-play"),
        DutyStatus.ON_TRACK: Sign("good", pgettext("duty", "On track")),
        DutyStatus.DONE: Sign("good", pgettext("duty", "Done")),
    }[of]


def duty_act(step: str) -> str:
    """What a button says that moves a duty."""
    words: dict[str, str] = {
        "pending": _("Not begun"),
        "in_progress": _("In progress"),
        "on_track": _("On track"),
        "done": _("Done"),
    }
    return words[step]


def trial(standing: Standing, orders: int) -> str:
    """How a trial stands, with its number of orders."""
    told = ngettext("%(num)d order so far.", "%(num)d orders so far.", orders)
    more = {
        Standing.RUNNING: _("The trial runs."),
        Standing.PASSED: _("The trial is passed: it can graduate."),
        Standing.BEYOND: _("More orders than the trial allows: graduate it, or talk to it."),
        Standing.OVER: _("The days are over without enough orders that stayed."),
    }[standing]
    return f"{told} {more}"


def shared_goal(status: GoalStatus, proposed_by: Side) -> Sign:
    """Where a shared goal is."""
    if status is GoalStatus.PROPOSED:
        waits = _("Waits for the program") if proposed_by is Side.PARTNER else _("Waits for the partner")
        return Sign("wait", waits)
    return {
        GoalStatus.AGREED: Sign("acc", pgettext("goal", "Agreed")),
        GoalStatus.DECLINED: Sign("bad", pgettext("goal", "Declined")),
        GoalStatus.ENDED: Sign("", pgettext("goal", "Ended"), "minus"),
    }[status]
