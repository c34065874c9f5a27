"""Tables of figures, for partners and managers alike: which days, which rows, in which order, and how they are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from affiliate import exports, formats
from affiliate.money import Money
from affiliate.reports import metrics, periods
from affiliate.reports.metrics import METRICS, Facts, Metric, Unit
from affiliate.reports.periods import Period

ROWS_SHOWN = 200
DAYS = 30
PRESETS = (7, 30, 90, 365)
NAME = "name"


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its name, where it leads, and what was counted. `key` names it in exports and sorts rows of equal numbers.

    `id` is of the thing it is about, where there is one.
    """

    key: str
    name: str
    url: str | None
    facts: Facts
    id: UUID | None = None


def asked_period(typed: Mapping[str, str], *, now: datetime, zone: str) -> tuple[Period, str | None]:
    """The days from `first` to `last`, both included, else the last thirty; and what is wrong with those that were typed."""
    usual = periods.last_days(DAYS, now=now, zone=zone)
    given = [typed.get(name, "") for name in ("first", "last")]
    if not any(given):
        return usual, None
    try:
        first, last = (date.fromisoformat(text) for text in given)
        period = Period(first, last + timedelta(days=1), zone)
        _instants = period.before.starts_at, period.ends_at  # days at the ends of the calendar have none
    except (ValueError, OverflowError):
        return usual, no_period()
    return period, None


def no_period() -> str:
    """What to say of days that make no period."""
    most = periods.DAYS_MAX
    return _("Choose a first and a last day, at most %(count)s days. These are the last 30.", count=most)


def presets(period: Period, *, now: datetime) -> list[dict[str, Any]]:
    """Usual periods up to today: their words, first and last day, and whether it is the one that is shown."""
    spans = [(days, periods.last_days(days, now=now, zone=period.zone)) for days in PRESETS]
    return [
        {
            "label": _("%(count)s days", count=days),
            "first": span.days[0].isoformat(),
            "last": span.days[-1].isoformat(),
            "current": span == period,
        }
        for days, span in spans
    ]


def day_lines(by_day: Mapping[date, Facts], period: Period) -> list[Line]:
    """A row for each day of the period."""
    return [Line(day.isoformat(), formats.day_as(day, "EEE d MMM"), None, by_day[day]) for day in period.days]


def in_order(lines: Sequence[Line], order: str) -> list[Line]:
    """Sorted; rows whose value is unknown stand last in either direction."""
    column, down = order.removeprefix("-"), order.startswith("-")
    found = sorted(lines, key=lambda line: line.key, reverse=down and column == NAME)
    if column == NAME:
        return found
    of = METRICS[column].of  # once for each line: there may be ten thousand
    ranked = [(_rank(of(line.facts)), line) for line in found]
    known = sorted((pair for pair in ranked if pair[0] is not None), key=itemgetter(0), reverse=down)
    return [line for _rank_of, line in (*known, *(pair for pair in ranked if pair[0] is None))]


def _rank(value: metrics.Value) -> Any:
    return value.amount_minor if isinstance(value, Money) else value


def terms(*keys: str) -> dict[str, dict[str, str]]:
    """By their keys what these metrics are called and what they mean, for a page that names them one by one."""
    return {key: {"label": _(METRICS[key].label), "help": _(METRICS[key].help_text)} for key in keys}


def columns(keys: Sequence[str], *, at_hand: frozenset[str]) -> list[dict[str, str]]:
    """The heads of the columns; those that are not `at_hand` step back on a phone."""
    return [
        {"key": key, "label": _(METRICS[key].label), "help": _(METRICS[key].help_text), "cls": "" if key in at_hand else "wide"}
        for key in keys
    ]  # fmt: skip


def printed(metric: Metric, value: metrics.Value, currency: str) -> str | None:
    """A value as pages show it; null where it is unknown."""
    if value is None:
        return None
    if isinstance(value, Money):
        return formats.money(value)
    if isinstance(value, Decimal):
        return formats.grade(value) if metric.unit is Unit.GRADE else formats.fine_money(value, currency)
    return formats.percent_bps(value) if metric.unit is Unit.BPS else formats.number(value)


def values(facts: Facts, keys: Sequence[str]) -> list[str | None]:
    """The cells of a row."""
    return [printed(METRICS[key], METRICS[key].of(facts), facts.currency) for key in keys]


def change(changes: Mapping[str, int | None] | None, key: str) -> dict[str, Any] | None:
    """How much a row changed, for `ui.delta`; null where nothing was compared or nothing changed."""
    bps = (changes or {}).get(key)
    return {"text": formats.percent_bps(abs(bps)), "up": bps > 0} if bps else None


def chart(days: Mapping[date, Facts], period: Period, other: Period | None = None) -> dict[str, Any]:
    """Valid clicks per day as bars, against other days (those before, unless said) as a line."""
    this = [days[day].clicks_valid for day in period.days]
    before = [days[day].clicks_valid for day in (other or period.before).days]
    summary = _(
        "Valid clicks per day from %(first)s to %(last)s: %(total)s in all.",
        first=formats.day(period.days[0]),
        last=formats.day(period.days[-1]),
        total=formats.number(sum(this)),
    )
    series = [
        {"name": _("now"), "values": this},
        {
            "name": _("the days before") if other in {None, period.before} else _("a year before"),
            "values": before,
            "kind": "line",
            "before": True,
        },
    ]
    labels = [formats.day_as(day, "EEE d MMM") for day in period.days]
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Day"), "labels": labels, "series": series}}


def csv_head(first: str, keys: Sequence[str]) -> list[str]:
    """Names of the export's columns: the metrics' keys, rates in basis points."""
    return [first, *(f"{key}_bps" if METRICS[key].unit is Unit.BPS else key for key in keys), "currency"]


def csv_row(line: Line, keys: Sequence[str]) -> list[exports.Cell]:
    """A row of the export."""
    return [line.key, *(METRICS[key].of(line.facts) for key in keys), line.facts.currency]
