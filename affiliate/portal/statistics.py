"""A partner's reports: any days, by day, link, country or whatever a row shall be, against other days, with the reasons of what did not count."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import exports
from affiliate.accounts import access
from affiliate.portal import combined, dashboard, kept, sale_origin
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, show, with_arguments, zone
from affiliate.reports import asked, breakdown, click_words, dimensions, periods, report_words, sheet_file, tables
from affiliate.reports import sheet as sheets
from affiliate.reports.asked import PARTNERS_OWN, Against, Asked, By
from affiliate.reports.dimensions import Scope
from affiliate.reports.periods import Span
from affiliate.reports.sheet import Sheet
from affiliate.reports.tables import Line
from affiliate.web import orm, request_now

_AT_HAND = frozenset({"clicks_valid", "conversions", "earnings"})
_SPANS = (Span.TODAY, Span.WEEK, Span.MONTH, Span.THIS_MONTH, Span.LAST_MONTH, Span.QUARTER, Span.YEAR)
_PAGES = {By.LINK: ("portal.link", "link_id"), By.CREATIVE: ("portal.creative", "creative_id")}


def asked_here() -> Asked:
    """What the address asks for; boxes that are ticked come one by one."""
    typed = request.args.to_dict() | {"columns": ",".join(request.args.getlist("columns"))}
    return asked.read(typed, possible=PARTNERS_OWN)


@blueprint.get("/<slug>/statistics")
@access.partner
def statistics() -> str:
    """The report that the address asks for, with its numbers, its chart and a page of its rows."""
    sheet = _sheet()
    problem = None if sheet.is_readable else tables.no_period()
    start = (page_number() - 1) * PAGE_SIZE
    found = sheet.page(first=start, size=PAGE_SIZE)
    changes = sheet.changes(found.lines)
    days, kept_ones = sheet.period.days, kept.desk.mine()
    return show(
        "statistics.html",
        asked=sheet.asked,
        sort=sheet.asked.order(),
        order_name="sort",
        empty_action={"label": _("Your links"), "url": url_for("portal.links")},
        dimensions=[_dimension(one, sheet.asked.by) for one in PARTNERS_OWN],
        presets=[_preset(span, sheet) for span in _SPANS],
        comparisons=[_comparison(one, sheet.asked.against) for one in (None, *Against)],
        choices=tables.columns(asked.columns_of(sheet.asked.by), at_hand=_AT_HAND),
        chosen=sheet.columns,
        changing=_changing(sheet),
        first=days[0],
        last=days[-1],
        other_first=sheet.other.days[0],
        other_last=sheet.other.days[-1],
        problem=problem,
        tiles=dashboard.tiles(sheet.total, sheet.total_before, first=days[0], last=days[-1]),
        chart=tables.chart(sheet.days, sheet.period, sheet.other),
        columns=tables.columns(sheet.columns, at_hand=_AT_HAND),
        rows=[_row(line, sheet, changes) for line in found.lines],
        total=tables.values(found.total if sheet.asked.text else sheet.total, sheet.columns),
        rows_most=sheet.most,
        pager=pager(total=found.number, shown=len(found.lines)),
        is_counting=sheet.asked.by in report_words.COUNTED_LATER,
        reasons=_reasons(sheet),
        kept_chips=[{"label": one["name"], "url": one["url"]} for one in kept_ones],
        kept=kept_ones,
        keep_form=kept.desk.form(sheet.asked),
        combine=combined.desk.panel(days[0], days[-1]),
        files=_files(sheet.asked),
    )


@blueprint.get("/<slug>/statistics.<kind>")
@access.partner
def statistics_file(kind: str) -> Response:
    """The whole table as a file, in the order of the page."""
    sheet = _sheet()
    head, rows = sheet_file.table(sheet)
    return exports.response(kind, f"statistics-by-{sheet.asked.by.value}", head, rows)


def _sheet() -> Sheet:
    scope = Scope(g.program, g.partner.id)
    return sheets.sheet(orm.session, scope=scope, asked_for=asked_here(), now=request_now(), zone=zone())


def _row(line: Line, sheet: Sheet, changes: Mapping[str, int | None] | None) -> dict[str, Any]:
    return {
        "name": line.name,
        "url": _address(line, sheet),
        "cells": tables.values(line.facts, sheet.columns),
        "change": tables.change(changes, line.key),
    }


def _address(line: Line, sheet: Sheet) -> str | None:
    """The page of what a row is about, or its sales."""
    by, days = sheet.asked.by, sheet.period.days
    if by is By.DAY:
        return url_for("portal.commissions", first=line.key, last=line.key)
    if by in _PAGES and line.id is not None:
        endpoint, name = _PAGES[by]
        values: dict[str, Any] = {name: line.id}
        return url_for(endpoint, **values)
    if not line.facts.conversions:
        return None
    if by is By.COUPON and line.key:
        return url_for("portal.commissions", coupon=line.key, first=days[0].isoformat(), last=days[-1].isoformat())
    return sale_origin.url(by, line.key, first=days[0], last=days[-1])


def _changing(sheet: Sheet) -> str | None:
    """The head of the column of changes."""
    if sheet.asked.against is None:
        return None
    return _("Change: %(metric)s", metric=tables.columns([sheet.changing], at_hand=_AT_HAND)[0]["label"])


def _files(wanted: Asked) -> list[dict[str, str]]:
    arguments: dict[str, Any] = dict(wanted.arguments())
    kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
    return [
        {"label": label, "url": url_for("portal.statistics_file", kind=kind.value, **arguments)}
        for kind, label in kinds
    ]


def _dimension(one: By, by: By) -> dict[str, Any]:
    label, head = dimensions.label(one)
    return {"label": label, "head": head, "url": with_arguments(by=one.value, sort=None, q=None), "current": one is by}


def _preset(span: Span, sheet: Sheet) -> dict[str, Any]:
    days = periods.spanned(span, now=request_now(), zone=zone())
    return {
        "label": report_words.span(span),
        "url": with_arguments(span=span.value, first=None, last=None),
        "current": days == sheet.period,
    }


def _comparison(one: Against | None, chosen: Against | None) -> dict[str, Any]:
    value = one.value if one else None
    return {"label": report_words.against(one), "url": with_arguments(compare=value), "current": one is chosen}


def _reasons(sheet: Sheet) -> list[dict[str, Any]]:
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    return click_words.reasons(breakdown.not_counted(orm.session, **mine, period=sheet.period))
