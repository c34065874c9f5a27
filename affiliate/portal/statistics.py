"""A partner's statistics: any days, by day, link or sub id, against the days before, with the reasons of what did not count."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.links import queries as links
from affiliate.money import Money
from affiliate.portal import dashboard
from affiliate.portal.blueprint import blueprint, show, with_arguments, zone
from affiliate.reports import breakdown, click_words, metrics, periods, queries
from affiliate.reports.metrics import METRICS, Facts, Unit
from affiliate.reports.periods import Period
from affiliate.web import orm, request_now

ROWS_SHOWN = 200
_DAYS = 30
_PRESETS = (7, 30, 90, 365)
_AT_HAND = {"clicks_valid", "conversions", "earnings"}  # what a phone has room for; the others stand in the export
_COLUMNS = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "revenue", "earnings")


class By(enum.StrEnum):
    """What a row of the table is."""

    DAY = "day"
    LINK = "link"
    SUB = "sub"


@dataclass(frozen=True, slots=True)
class _Line:
    """A row: its name, where it leads, and what was counted. `key` sorts rows of equal numbers."""

    key: str
    name: str
    url: str | None
    facts: Facts


@blueprint.get("/<slug>/statistics")
@access.partner
def statistics() -> str:
    """The days that the address names, in a table and a chart."""
    period, problem = _period()
    by, sort = _by(), _sort()
    days = _by_day(Period(period.before.first, period.end, period.zone))
    this = metrics.total((days[day] for day in period.days), currency=g.program.currency)
    before = metrics.total((days[day] for day in period.before.days), currency=g.program.currency)
    rows = _sorted(_lines(by, period), by, sort)
    return show(
        "statistics.html",
        by=by.value,
        sort=sort or ("-name" if by is By.DAY else "-earnings"),
        dimensions=[_dimension(one, by) for one in By],
        presets=[_preset(days_back, period) for days_back in _PRESETS],
        first=period.days[0],
        last=period.days[-1],
        problem=problem,
        tiles=dashboard.tiles(this, before, rows_url=dashboard.sales_url(period.days[0], period.days[-1])),
        columns=[_column(key) for key in _COLUMNS],
        rows=[_shown(row) for row in rows[:ROWS_SHOWN]],
        more=max(len(rows) - ROWS_SHOWN, 0),
        total=_values(this),
        chart=_chart(days, period),
        reasons=_reasons(period),
        csv_url=with_arguments("portal.statistics_csv"),
    )


@blueprint.get("/<slug>/statistics.csv")
@access.partner
def statistics_csv() -> Response:
    """The whole table as a file, in the order of the page."""
    period, _problem = _period()
    by = _by()
    rows = _sorted(_lines(by, period), by, _sort())
    head = [by.value, *(_csv_name(key) for key in _COLUMNS), "currency"]
    cells = ([row.key, *(_cell(key, row.facts) for key in _COLUMNS), g.program.currency] for row in rows)
    return exports.csv_response(f"statistics-by-{by.value}.csv", head, cells)


def _period() -> tuple[Period, str | None]:
    """The days from `first` to `last`, both included, or the last thirty; and what is wrong with those that were asked for."""
    usual = periods.last_days(_DAYS, now=request_now(), zone=zone())
    typed = [request.args.get(name, "") for name in ("first", "last")]
    if not any(typed):
        return usual, None
    try:
        first, last = (date.fromisoformat(text) for text in typed)
        period = Period(first, last + timedelta(days=1), zone())
        _instants = period.before.starts_at, period.ends_at  # days at the ends of the calendar have none
    except (ValueError, OverflowError):
        most = periods.DAYS_MAX
        return usual, _("Choose a first and a last day, at most %(count)s days. These are the last 30.", count=most)
    return period, None


def _by() -> By:
    text = request.args.get("by", "")
    return By(text) if text in set(By) else By.DAY


def _sort() -> str | None:
    """A column, with a minus for the largest first; null for the usual order."""
    text = request.args.get("sort", "")
    return text if text.removeprefix("-") in {*_COLUMNS, "name"} else None


def _mine() -> dict[str, Any]:
    return {"program_id": g.program.id, "partner_id": g.partner.id}


def _by_day(period: Period) -> dict[date, Facts]:
    return queries.facts_by_day(orm.session, **_mine(), period=period, currency=g.program.currency)


def _lines(by: By, period: Period) -> list[_Line]:
    read: dict[By, Callable[[Period], list[_Line]]] = {By.DAY: _days, By.LINK: _links, By.SUB: _subs}
    return read[by](period)


def _days(period: Period) -> list[_Line]:
    return [
        _Line(day.isoformat(), format_date(day, "EEE d MMM"), dashboard.sales_url(day, day), facts)
        for day, facts in _by_day(period).items()
    ]


def _links(period: Period) -> list[_Line]:
    found = breakdown.facts_by_link(orm.session, **_mine(), period=period, currency=g.program.currency)
    names = {
        link.id: (f"/r/{link.code}", link.name or f"/r/{link.code}")
        for link in links.links_of(orm.session, **_mine(), limit=breakdown.ROWS_MAX)
    }

    def line(link_id: UUID | None, facts: Facts) -> _Line:
        if link_id is None or link_id not in names:
            return _Line("", _("Without a link: by coupon, for example"), None, facts)
        key, name = names[link_id]
        return _Line(key, name, url_for("portal.link", link_id=link_id), facts)

    return [line(link_id, facts) for link_id, facts in found.items()]


def _subs(period: Period) -> list[_Line]:
    found = breakdown.facts_by_sub(orm.session, **_mine(), period=period, currency=g.program.currency)
    return [_Line(label, label or _("Without a sub id"), None, facts) for label, facts in found.items()]


def _sorted(rows: list[_Line], by: By, sort: str | None) -> list[_Line]:
    """By a column or the name; unknown values stand last in either direction."""
    usual = "-name" if by is By.DAY else "-earnings"
    column, down = (sort or usual).removeprefix("-"), (sort or usual).startswith("-")
    rows = sorted(rows, key=lambda row: row.key, reverse=down and column == "name")
    if column == "name":
        return rows
    known = [row for row in rows if METRICS[column].of(row.facts) is not None]
    unknown = [row for row in rows if METRICS[column].of(row.facts) is None]
    return sorted(known, key=lambda row: _rank(column, row.facts), reverse=down) + unknown


def _rank(column: str, facts: Facts) -> Any:
    value = METRICS[column].of(facts)
    return value.amount_minor if isinstance(value, Money) else value


def _dimension(one: By, by: By) -> dict[str, Any]:
    words = {By.DAY: _("By day"), By.LINK: _("By link"), By.SUB: _("By sub id")}
    return {"label": words[one], "url": with_arguments(by=one.value, sort=None), "current": one is by}


def _preset(days_back: int, period: Period) -> dict[str, Any]:
    span = periods.last_days(days_back, now=request_now(), zone=zone())
    first, last = span.days[0].isoformat(), span.days[-1].isoformat()
    return {
        "label": _("%(count)s days", count=days_back),
        "url": with_arguments(first=first, last=last),
        "current": span == period,
    }


def _column(key: str) -> dict[str, str]:
    metric = METRICS[key]
    return {"key": key, "label": _(metric.label), "help": _(metric.help_text), "cls": "" if key in _AT_HAND else "wide"}


def _shown(row: _Line) -> dict[str, Any]:
    return {"name": row.name, "url": row.url, "values": _values(row.facts)}


def _values(facts: Facts) -> list[str | None]:
    return [dashboard.printed(METRICS[key], METRICS[key].of(facts), facts.currency) for key in _COLUMNS]


def _reasons(period: Period) -> list[dict[str, Any]]:
    found = breakdown.not_counted(orm.session, **_mine(), period=period)
    return [{"words": click_words.not_counted(verdict), "clicks": clicks} for verdict, clicks in found.items()]


def _chart(days: dict[date, Facts], period: Period) -> dict[str, Any]:
    this = [days[day].clicks_valid for day in period.days]
    before = [days[day].clicks_valid for day in period.before.days]
    summary = _(
        "Valid clicks per day from %(first)s to %(last)s: %(total)s in all.",
        first=formats.day(period.days[0]),
        last=formats.day(period.days[-1]),
        total=formats.number(sum(this)),
    )
    series = [
        {"name": _("now"), "values": this},
        {"name": _("the days before"), "values": before, "kind": "line", "before": True},
    ]
    labels = [format_date(day, "EEE d MMM") for day in period.days]
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Day"), "labels": labels, "series": series}}


def _csv_name(key: str) -> str:
    return f"{key}_bps" if METRICS[key].unit is Unit.BPS else key


def _cell(key: str, facts: Facts) -> exports.Cell:
    value = METRICS[key].of(facts)
    return value if value is None or isinstance(value, int | Money) else str(value)
