"""What people read about the ways a report can be asked for."""

from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.reports.asked import Against, By
from affiliate.reports.keeping import KEPT_MAX, MAILED_MAX, Wrong
from affiliate.reports.periods import Span
from affiliate.reports.service_measures import HUNDREDTHS, MEASURES, ServiceMeasure, ServiceUnit
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


def mailed(name: str, *, is_mailed: bool) -> str:
    """What is said of a kept report that comes by mail from now on, or no more."""
    return _("“%(name)s” comes by mail.", name=name) if is_mailed else _("“%(name)s” does not come by mail.", name=name)


def not_kept(wrong: Wrong) -> str:
    """Why a report is not kept or mailed."""
    return {
        Wrong.NAMELESS: lambda: _("Give the report a name."),
        Wrong.TOO_MANY_KEPT: lambda: _("You keep %(count)s reports already. Take one away first.", count=KEPT_MAX),
        Wrong.TOO_MANY_MAILED: lambda: _("%(count)s reports come by mail already. Stop one first.", count=MAILED_MAX),
        Wrong.NO_HOUR: lambda: _("Choose an hour from 0 to 23."),
    }[wrong]()


def service_number(measure: ServiceMeasure, number: int) -> str:
    """A stored number about service as pages show it."""
    unit = MEASURES[measure].unit
    if unit is ServiceUnit.SHARE:
        return formats.percent_bps(number)
    if unit is ServiceUnit.COUNT:
        return formats.number(number)
    decimal = formats.grade(Decimal(number) / HUNDREDTHS)
    return _("%(hours)s h", hours=decimal) if unit is ServiceUnit.HOURS else _("%(grade)s of 5", grade=decimal)
