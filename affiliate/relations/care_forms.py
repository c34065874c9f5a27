"""What a manager and a partner type alike when they agree on something: a day, a target. Of the request that is answered."""

from datetime import date, timedelta

from flask import g, request
from flask_babel import gettext as _

from affiliate import amounts, days
from affiliate.errors import Invalid
from affiliate.programs.models import GoalMetric
from affiliate.relations.agreeing import Target


def day(name: str) -> date:
    """The day in a field.

    Raises:
        Invalid: it is no day, or none of our time.
    """
    try:
        return days.read(request.form.get(name, ""))
    except ValueError:
        raise Invalid({name: [_("Choose a day.")]}) from None


def target(metric: GoalMetric) -> Target:
    """What a shared goal asks for; its last day is typed, and the day after kept.

    Raises:
        Invalid: a number or a day cannot be read.
    """
    return Target(metric, _number(metric), day("starts_on"), day("last_on") + timedelta(days=1))


def _number(metric: GoalMetric) -> int:
    text = request.form.get("target", "")
    try:
        if metric is GoalMetric.REVENUE:
            return amounts.read(text, g.program.currency).amount_minor
        return amounts.read_count(text)
    except amounts.BadNumber as wrong:
        raise Invalid({"target": [str(wrong)]}) from wrong
