"""Performance of the program: any days, by partner, day, country or source, with ROI, against the days before."""

import enum
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, filters, show, with_arguments
from affiliate.reports import breakdown, click_words, metrics, queries, tables
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.periods import Period
from affiliate.reports.tables import Line
from affiliate.web import orm, request_now

_TILES = ("clicks_valid", "conversions", "conversion_rate", "revenue", "cost", "roi")
_COLUMNS = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "aov", "revenue", "earnings", "cost", "roi")
_AT_HAND = frozenset({"clicks_valid", "conversions", "roi"})


class By(enum.StrEnum):
    """What a row of the table is."""

    PARTNER = "partner"
    DAY = "day"
    COUNTRY = "country"
    SOURCE = "source"


@blueprint.get("/<slug>/performance")
@access.console("manager", "finance")
def performance() -> str:
    """The days that the address names, in a table and a chart."""
    period, problem = _period()
    by = _by()
    days = _by_day(period) | _by_day(period.before)
    this = metrics.total((days[day] for day in period.days), currency=g.program.currency)
    before = metrics.total((days[day] for day in period.before.days), currency=g.program.currency)
    rows = tables.in_order(_lines(by, period), _order(by))
    return show(
        "performance.html",
        by=by.value,
        sort=_order(by),
        order_name="order",
        empty_action={"label": _("Partners"), "url": url_for("console.partners")},
        dimensions=[_dimension(one, by) for one in By],
        tiles=[_tile(key, this, before) for key in _TILES],
        reasons=_reasons(period),
        **tables.page(
            rows,
            _COLUMNS,
            at_hand=_AT_HAND,
            days=days,
            period=period,
            problem=problem,
            total=this,
            now=request_now(),
            address=with_arguments,
        ),
        csv_url=_csv_url(),
    )


@blueprint.get("/<slug>/performance.csv")
@access.console("manager", "finance")
def performance_csv() -> Response:
    """The whole table as a file, in the order of the page."""
    period, _problem = _period()
    by = _by()
    rows = tables.in_order(_lines(by, period), _order(by))
    head = tables.csv_head(by.value, _COLUMNS)
    return exports.csv_response(f"performance-by-{by.value}.csv", head, (tables.csv_row(row, _COLUMNS) for row in rows))


def _period() -> tuple[Period, str | None]:
    zone = g.get("user_time_zone") or g.program.time_zone
    return tables.asked_period(request.args, now=request_now(), zone=zone)


def _by() -> By:
    text = request.args.get("by", "")
    return By(text) if text in set(By) else By.PARTNER


def _order(by: By) -> str:
    usual = "-name" if by is By.DAY else "-revenue"
    return tables.asked_order(request.args.get("order", ""), columns=_COLUMNS, usual=usual)


def _here(period: Period) -> dict[str, Any]:
    return {"program_id": g.program.id, "period": period, "currency": g.program.currency}


def _by_day(period: Period) -> dict[date, Facts]:
    return queries.facts_by_day(orm.session, **_here(period))


def _lines(by: By, period: Period) -> list[Line]:
    read: dict[By, Callable[[Period], list[Line]]] = {
        By.PARTNER: _partners,
        By.DAY: lambda days: tables.day_lines(_by_day(days), days),
        By.COUNTRY: _countries,
        By.SOURCE: _sources,
    }
    return read[by](period)


def _partners(period: Period) -> list[Line]:
    found = queries.facts_by_partner(orm.session, **_here(period), limit=exports.ROWS_MAX)
    quiet = Facts(g.program.currency)
    return [
        Line(
            ids.public("ptn", one.partner_id),
            one.partner_name,
            url_for("console.partner", partner_id=one.partner_id),
            one.facts,
        )
        for one in found
        if one.facts != quiet
    ]


def _countries(period: Period) -> list[Line]:
    found = breakdown.facts_by_country(orm.session, **_here(period))
    return [Line(code, formats.country(code) if code else _("Unknown"), None, facts) for code, facts in found.items()]


def _sources(period: Period) -> list[Line]:
    found = breakdown.facts_by_source(orm.session, **_here(period))
    return [Line(host, host or _("Without a page before"), None, facts) for host, facts in found.items()]


def _dimension(one: By, by: By) -> dict[str, Any]:
    label, head = {
        By.PARTNER: (_("By partner"), _("Partner")),
        By.DAY: (_("By day"), _("Day")),
        By.COUNTRY: (_("By country"), _("Country")),
        By.SOURCE: (_("By source"), _("Source")),
    }[one]
    return {"label": label, "head": head, "url": with_arguments(by=one.value, order=None), "current": one is by}


def _csv_url() -> str:
    chosen: dict[str, Any] = dict(filters())
    return url_for("console.performance_csv", **chosen)


def _tile(key: str, this: Facts, before: Facts) -> dict[str, Any]:
    metric = METRICS[key]
    value = metric.of(this)
    change = metrics.change_bps(value, metric.of(before))
    return {
        "label": _(metric.label),
        "value": tables.printed(metric, value, this.currency),
        "change": formats.percent_bps(abs(change)) if change else None,
        "up": bool(change and change > 0),
    }


def _reasons(period: Period) -> list[dict[str, Any]]:
    found = breakdown.not_counted(orm.session, program_id=g.program.id, period=period)
    return [{"words": click_words.not_counted(verdict), "clicks": clicks} for verdict, clicks in found.items()]
