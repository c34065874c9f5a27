"""The funnel: how far the visits of some days came, against other days, by partner, device or source, and beside the whole shop."""

from typing import Any

from flask import Response, g
from flask_babel import gettext as _

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import funnel_asked, performance_kept, performance_pages
from affiliate.console.performance.funnel_asked import Sheet, address, narrowed_by
from affiliate.ingest import devices
from affiliate.reports import funnel as funnels
from affiliate.reports import (
    funnel_queries,
    funnel_words,
    periods,
    queries,
    report_words,
    shop,
    shop_days,
    tables,
)
from affiliate.reports.asked import Against
from affiliate.reports.funnel import Line, Stage
from affiliate.reports.funnel_queries import PartnerFunnel
from affiliate.reports.pages import Wanted
from affiliate.reports.periods import Period, Span
from affiliate.web import orm, request_now

PARTNERS_SHOWN = 20
SOURCES_SHOWN = 12
TESTS_SHOWN = 5
_SPANS = (Span.WEEK, Span.MONTH, Span.THIS_MONTH, Span.LAST_MONTH, Span.QUARTER, Span.YEAR)
_HEAD = (
    "stage", "visits", "of_visits_bps", "of_stage_before_bps", "left", "abandoned_bps", "visits_compared",
    "of_stage_before_compared_bps",
)  # fmt: skip


@blueprint.get("/<slug>/performance/funnel")
@access.console(*roles.EVERYBODY)
def funnel() -> str:
    """The stages with their shares, and where visits end."""
    sheet = funnel_asked.sheet()
    return show(
        "performance/funnel.html",
        asked=sheet.asked,
        pages=performance_pages.chips() if sheet.is_whole else [],
        narrowed_by=narrowed_by(sheet),
        answer=funnel_words.answer(sheet.funnel),
        rows=_rows(sheet),
        chart=_chart(sheet),
        presets=[_preset(span, sheet) for span in _SPANS],
        comparisons=[_comparison(one, sheet) for one in (Against.BEFORE, Against.YEAR)],
        first=sheet.period.days[0],
        last=sheet.period.days[-1],
        other_first=sheet.other.days[0],
        other_last=sheet.other.days[-1],
        problem=None if sheet.is_readable else tables.no_period(),
        partner=_partner_shown(sheet),
        devices=[_device(name, sheet) for name in ("", *devices.NAMES)],
        sources=_sources(sheet),
        waiting=sheet.funnel.waiting,
        tells_steps=sheet.funnel.tells_steps,
        incomplete=[funnel_words.stage(stage) for stage in funnels.incomplete(sheet.funnel)],
        partners=_partners(sheet),
        sides=_sides(sheet),
        tests=_tests(),
        snippet=funnel_words.SNIPPET,
        files=_files(sheet),
        keep_form=performance_kept.desk.form(Wanted("funnel", _kept(sheet))),
    )


@blueprint.get("/<slug>/performance/funnel.<kind>")
@access.console(*roles.EVERYBODY)
def funnel_file(kind: str) -> Response:
    """The stages as a file; shares are basis points."""
    sheet = funnel_asked.sheet()
    before = {line.stage: line for line in funnels.lines(sheet.before)}
    rows = (_csv_row(line, before[line.stage]) for line in funnels.lines(sheet.funnel))
    return exports.response(kind, "funnel", _HEAD, rows)


def _kept(sheet: Sheet) -> dict[str, str]:
    """What of the address a kept report holds."""
    carried = sheet.asked.arguments()
    return {name: carried[name] for name in ("span", "first", "last", "compare") if name in carried} | narrowed_by(
        sheet
    )


def _rows(sheet: Sheet) -> list[dict[str, Any]]:
    before = {line.stage: line for line in funnels.lines(sheet.before)}
    return [_row(line, before[line.stage]) for line in funnels.lines(sheet.funnel)]


def _row(line: Line, before: Line) -> dict[str, Any]:
    return {
        "stage": funnel_words.stage(line.stage),
        "hint": funnel_words.hint(line.stage),
        "number": formats.number(line.number),
        "of_visits": formats.percent_bps(line.of_visits_bps),
        "of_before": formats.percent_bps(line.of_before_bps),
        "width": (line.of_visits_bps or 0) // 100,
        "left": formats.number(line.left),
        "abandoned": formats.percent_bps(line.abandoned_bps),
        "before": formats.number(before.number),
        "change": _points(line.of_before_bps, before.of_before_bps),
    }


def _points(now: int | None, before: int | None) -> dict[str, Any] | None:
    """How many percentage points the share is above or below that of the other days."""
    if now is None or before is None or now == before:
        return None
    return {"text": funnel_words.points(abs(now - before)), "up": now > before}


def _chart(sheet: Sheet) -> dict[str, Any] | None:
    if not sheet.funnel.visit:
        return None
    series = [
        {"name": _("now"), "values": [line.number for line in funnels.lines(sheet.funnel)]},
        {
            "name": _("the days before") if sheet.other == sheet.period.before else _("a year before"),
            "values": [line.number for line in funnels.lines(sheet.before)],
            "kind": "line",
            "before": True,
        },
    ]
    labels = [funnel_words.stage(stage) for stage in Stage]
    summary = funnel_words.answer(sheet.funnel) or _("How far visits came.")
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Stage"), "labels": labels, "series": series}}


def _preset(span: Span, sheet: Sheet) -> dict[str, Any]:
    days = periods.spanned(span, now=request_now(), zone=sheet.period.zone)
    url = address(sheet, span=span.value, first=None, last=None)
    return {"label": report_words.span(span), "url": url, "current": days == sheet.period}


def _comparison(one: Against, sheet: Sheet) -> dict[str, Any]:
    current = one is (sheet.asked.against or Against.BEFORE)
    return {"label": report_words.against(one), "url": address(sheet, compare=one.value), "current": current}


def _partner_shown(sheet: Sheet) -> dict[str, str] | None:
    if sheet.partner is None:
        return None
    return {"name": sheet.partner.Partner.name, "all_url": address(sheet, partner=None)}


def _device(name: str, sheet: Sheet) -> dict[str, Any]:
    label = funnel_words.device(name) if name else _("All devices")
    url = address(sheet, device=name or None, source=None)
    return {"label": label, "url": url, "current": (sheet.visits.device or "") == name}


def _sources(sheet: Sheet) -> list[dict[str, Any]]:
    """The pages that bring most visits, and the one that is asked for."""
    wanted = sheet.visits.source
    found = funnel_queries.sources(orm.session, visits=sheet.visits, period=sheet.period, limit=SOURCES_SHOWN)
    named = found if wanted is None or wanted in found else [wanted, *found]
    return [
        {
            "label": name,
            "url": address(sheet, source=None if name == wanted else name, device=None),
            "current": name == wanted,
            "remove": name == wanted,
        }
        for name in named
    ]


def _partners(sheet: Sheet) -> list[dict[str, Any]]:
    """The partners with the most visits, where all are asked for."""
    if not sheet.is_whole:
        return []
    found = funnel_queries.by_partner(
        orm.session, program_id=g.program.id, period=sheet.period, limit=PARTNERS_SHOWN
    )  # fmt: skip
    return [_partner_row(one, sheet) for one in found]


def _partner_row(one: PartnerFunnel, sheet: Sheet) -> dict[str, Any]:
    lines = funnels.lines(one.funnel)
    return {
        "name": one.name,
        "url": address(sheet, partner=ids.public("ptn", one.partner_id)),
        "visits": formats.number(one.funnel.visit),
        "cells": [formats.percent_bps(line.of_visits_bps) for line in lines[1:]],
    }


def _sides(sheet: Sheet) -> list[dict[str, str]]:
    """Visitors who came by partners beside all others, over the days that the shop told; days are the program's."""
    if not sheet.is_whole:
        return []
    program, period = g.program, Period(sheet.period.first, sheet.period.end, g.program.time_zone)
    told = shop_days.told(orm.session, program_id=program.id, period=period)
    if not told:
        return []
    facts = queries.facts_by_day(orm.session, program_id=program.id, period=period, currency=program.currency)
    found = shop.compared(told, facts, currency=program.currency)
    both = [(_("By partners"), found.partners), (_("Without a partner"), found.others)]
    return [
        {
            "name": name,
            "visitors": formats.number(side.visitors),
            "orders": formats.number(side.orders),
            "rate": formats.percent_bps(side.rate_bps),
        }
        for name, side in both
        if side is not None
    ]


def _tests() -> list[dict[str, Any]]:
    found = funnel_queries.last_tests(orm.session, program_id=g.program.id, limit=TESTS_SHOWN)
    return [{"stage": funnel_words.stage(Stage(one.step.value)), "at": one.received_at} for one in found]


def _files(sheet: Sheet) -> list[dict[str, str]]:
    kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
    return [
        {"label": label, "url": address(sheet, "console.funnel_file", kind=kind.value)} for kind, label in kinds
    ]  # fmt: skip


def _csv_row(line: Line, before: Line) -> list[exports.Cell]:
    return [
        line.stage.value, line.number, line.of_visits_bps, line.of_before_bps, line.left, line.abandoned_bps, before.number,
        before.of_before_bps,
    ]  # fmt: skip
