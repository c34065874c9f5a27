"""A partner's statistics: any days, by day, link or sub id, against the days before, with the reasons of what did not count."""

import enum
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import exports
from affiliate.accounts import access
from affiliate.links import queries as links
from affiliate.portal import dashboard
from affiliate.portal.blueprint import blueprint, show, with_arguments, zone
from affiliate.reports import breakdown, click_words, metrics, queries, tables
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period
from affiliate.reports.tables import Line
from affiliate.web import orm, request_now

_AT_HAND = frozenset({"clicks_valid", "conversions", "earnings"})
_COLUMNS = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "revenue", "earnings")


class By(enum.StrEnum):
    """What a row of the table is."""

    DAY = "day"
    LINK = "link"
    SUB = "sub"


@blueprint.get("/<slug>/statistics")
@access.partner
def statistics() -> str:
    """The days that the address names, in a table and a chart."""
    period, problem = _period()
    by = _by()
    days = _by_day(period) | _by_day(period.before)
    this = metrics.total((days[day] for day in period.days), currency=g.program.currency)
    before = metrics.total((days[day] for day in period.before.days), currency=g.program.currency)
    rows = tables.in_order(_lines(by, period), _order(by))
    return show(
        "statistics.html",
        by=by.value,
        sort=_order(by),
        order_name="sort",
        empty_action={"label": _("Your links"), "url": url_for("portal.links")},
        dimensions=[_dimension(one, by) for one in By],
        tiles=dashboard.tiles(this, before, rows_url=dashboard.sales_url(period.days[0], period.days[-1])),
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
        csv_url=with_arguments("portal.statistics_csv"),
    )


@blueprint.get("/<slug>/statistics.csv")
@access.partner
def statistics_csv() -> Response:
    """The whole table as a file, in the order of the page."""
    period, _problem = _period()
    by = _by()
    rows = tables.in_order(_lines(by, period), _order(by))
    head = tables.csv_head(by.value, _COLUMNS)
    return exports.csv_response(f"statistics-by-{by.value}.csv", head, (tables.csv_row(row, _COLUMNS) for row in rows))


def _period() -> tuple[Period, str | None]:
    return tables.asked_period(request.args, now=request_now(), zone=zone())


def _by() -> By:
    text = request.args.get("by", "")
    return By(text) if text in set(By) else By.DAY


def _order(by: By) -> str:
    usual = "-name" if by is By.DAY else "-earnings"
    return tables.asked_order(request.args.get("sort", ""), columns=_COLUMNS, usual=usual)


def _mine() -> dict[str, Any]:
    return {"program_id": g.program.id, "partner_id": g.partner.id}


def _by_day(period: Period) -> dict[date, Facts]:
    return queries.facts_by_day(orm.session, **_mine(), period=period, currency=g.program.currency, with_costs=False)


def _lines(by: By, period: Period) -> list[Line]:
    read: dict[By, Callable[[Period], list[Line]]] = {By.DAY: _days, By.LINK: _links, By.SUB: _subs}
    return read[by](period)


def _days(period: Period) -> list[Line]:
    return tables.day_lines(_by_day(period), period)


def _links(period: Period) -> list[Line]:
    found = breakdown.facts_by_link(orm.session, **_mine(), period=period, currency=g.program.currency)
    names = {
        link.id: (f"/r/{link.code}", link.name or f"/r/{link.code}")
        for link in links.links_of(orm.session, **_mine(), limit=breakdown.ROWS_MAX)
    }

    def line(link_id: UUID | None, facts: Facts) -> Line:
        if link_id is None or link_id not in names:
            return Line("", _("Without a link: by coupon, for example"), None, facts)
        key, name = names[link_id]
        return Line(key, name, url_for("portal.link", link_id=link_id), facts)

    return [line(link_id, facts) for link_id, facts in found.items()]


def _subs(period: Period) -> list[Line]:
    found = breakdown.facts_by_sub(orm.session, **_mine(), period=period, currency=g.program.currency)
    return [Line(label, label or _("Without a sub id"), None, facts) for label, facts in found.items()]


def _dimension(one: By, by: By) -> dict[str, Any]:
    label, head = {
        By.DAY: (_("By day"), _("Day")),
        By.LINK: (_("By link"), _("Link")),
        By.SUB: (_("By sub id"), _("Sub id")),
    }[one]
    return {"label": label, "head": head, "url": with_arguments(by=one.value, sort=None), "current": one is by}


def _reasons(period: Period) -> list[dict[str, Any]]:
    found = breakdown.not_counted(orm.session, **_mine(), period=period)
    return [{"words": click_words.not_counted(verdict), "clicks": clicks} for verdict, clicks in found.items()]
