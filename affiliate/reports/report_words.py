"""What people read about the ways a report can be asked for."""

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate.reports.asked import Against, By
from affiliate.reports.periods import Span
from affiliate.reports.timetable import Every

COUNTED_LATER = frozenset({By.COUNTRY, By.DEVICE, By.REFERRER})
"""Rows whose clicks are counted some seconds after they came."""


def span(one: Span) -> str:
    """Days that move with the calendar."""
    days = {Span.WEEK: 7, Span.MONTH: 30, Span.QUARTER: 90, Span.YEAR: 365}.get(one)
    if days is not None:
        return ngettext("%(num)s day", "%(num)s days", days)
    return {
        Span.TODAY: _("Today"),
        Span.YESTERDAY: _("Yesterday"),
        Span.THIS_MONTH: _("This month"),
        Span.LAST_MONTH: _("Last month"),
    }[one]


def against(one: Against | None) -> str:
    """What each row is compared with."""
    if one is None:
        return _("Without comparison")
    return {
        Against.BEFORE: _("Against the days before"),
        Against.YEAR: _("Against the year before"),
    }[one]


def every(one: Every | None) -> str:
    """How often a report comes by mail."""
    if one is None:
        return _("No mail")
    return {
        Every.DAY: _("Every day, about the day before"),
        Every.WEEK: _("Every Monday, about the week before"),
        Every.MONTH: _("On the 1st, about the month before"),
    }[one]
