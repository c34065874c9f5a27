"""Performance: the program's numbers, or one partner's, by whatever a row shall be, against other days, as a table, a chart and a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import leafing, roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import (
    annotations,
    performance_combined,
    performance_kept,
    performance_pages,
)
from affiliate.console.queries import named
from affiliate.reports import (
    asked,
    breakdown,
    click_words,
    dimensions,
    periods,
    report_words,
    sheet_file,
    tables,
    without_partner,
)
from affiliate.reports import sheet as sheets
from affiliate.reports.asked import PARTNERS_OWN, PROGRAMS, Against, Asked, By
from affiliate.reports.beside import Leaf
from affiliate.reports.metrics import METRICS
from affiliate.reports.periods import Span
from affiliate.reports.sheet import Sheet
from affiliate.reports.tables import Line
from affiliate.steering import choosing
from affiliate.web import orm, request_now

CHOICES_MAX = 12
_TILES = ("clicks_valid", "conversions", "conversion_rate", "revenue", "cost", "roi")
_AT_HAND = frozenset({"clicks_valid", "conversions", "roi"})
_SPANS = (Span.WEEK, Span.MONTH, Span.THIS_MONTH, Span.LAST_MONTH, Span.QUARTER, Span.YEAR)
_COUNTED_LATER = frozenset({By.DEVICE})  # countries and pages of a whole program are counted with the clicks


@blueprint.get("/<slug>/performance")
@access.console(*roles.EVERYBODY)
def performance() -> str:
    """The report that the address asks for, with its numbers, its chart and a page of its rows."""
    sheet, wanted = _sheet(), _asked()
    found = sheet.page(size=leafing.PAGE_SIZE, beside=leafing.beside())
    changes = sheet.changes(found.lines)
    return show(
        "performance/performance.html",
        asked=wanted,
        address=_with,
        narrowed_by=_narrowed_by(),
        sort=wanted.order(),
        order_name="sort",
        partner=_partner_shown(),
        narrowing=_narrowing(wanted),
        kept_arguments=wanted.arguments() | _narrowed_by(),
        empty_action={"label": _("Partners"), "url": url_for("console.partners")},
        dimensions=[_dimension(one, wanted) for one in _possible()],
        presets=[_preset(span, sheet) for span in _SPANS],
        comparisons=[_comparison(one, wanted) for one in (None, *Against)],
        choices=tables.columns(wanted.possible_columns(), at_hand=_AT_HAND),
        chosen=sheet.columns,
        changing=_changing(sheet),
        first=sheet.period.days[0],
        last=sheet.period.days[-1],
        other_first=sheet.other.days[0],
        other_last=sheet.other.days[-1],
        problem=None if sheet.is_readable else tables.no_period(),
        tiles=[performance_pages.tile(key, sheet.total, sheet.total_before) for key in _TILES],
        chart=_chart(sheet),
        chart_files=_files(by=By.DAY.value),
        pages=performance_pages.chips(),
        columns=tables.columns(sheet.columns, at_hand=_AT_HAND),
        rows=[_row(line, sheet, changes) for line in found.lines],
        total=tables.values(sheet.total_of(found), sheet.columns),
        without=_without(sheet),
        rows_most=sheet.most,
        pager=leafing.pager(Leaf(found.lines, found.first, found.number, lambda line: line.key), _with),
        is_counting=wanted.by in (report_words.COUNTED_LATER if sheet.scope.partner_id else _COUNTED_LATER),
        reasons=_reasons(sheet),
        kept=performance_kept.desk.mine(),
        combine=performance_combined.desk.panel(sheet.period.days[0], sheet.period.days[-1]),
        keep_form=performance_kept.desk.form(wanted),
        files=_files(),
    )


@blueprint.get("/<slug>/performance.<kind>")
@access.console(*roles.EVERYBODY)
def performance_file(kind: str) -> Response:
    """The whole table as a file, in the order of the page."""
    sheet = _sheet()
    head, rows = sheet_file.table(sheet)
    return exports.response(kind, f"performance-by-{sheet.asked.by.value}", head, rows)


def _chart(sheet: Sheet) -> dict[str, Any]:
    found = tables.chart(sheet.days, sheet.period, sheet.other)
    return found | {"spec": found["spec"] | annotations.marks(sheet.period)}


def _sheet() -> Sheet:
    scope = dimensions.of_asked(orm.session, g.program, _asked(), choosing.narrowed)
    zone = g.get("user_time_zone") or g.program.time_zone
    return sheets.sheet(orm.session, scope=scope, asked_for=_asked(), now=request_now(), zone=zone)


def _asked() -> Asked:
    """What the address asks for; read once, for every row has an address of its own."""
    if "asked_performance" not in g:
        performance_pages.partner()  # of another program: there is no such page
        typed = request.args.to_dict() | {"columns": ",".join(request.args.getlist("columns"))}
        g.asked_performance = asked.read(typed, possible=PROGRAMS)
    found: Asked = g.asked_performance
    return found


def _possible() -> tuple[By, ...]:
    return PARTNERS_OWN if performance_pages.partner_id() else PROGRAMS


def _partner_shown() -> dict[str, str] | None:
    partner_id = performance_pages.partner_id()
    return None if partner_id is None else {
        "name": performance_pages.partner().Partner.name,
        "url": url_for("console.partner", partner_id=partner_id),
        "all_url": _with(partner=None, by=None, sort=None, q=None),
    }  # fmt: skip


def _narrowed_by() -> dict[str, str]:
    """What narrows the rows beside the report itself."""
    partner = request.args.get("partner", "")
    names = ("partner",) if partner else ("tag", "group", "segment")
    return {name: value[:40] for name in names if (value := request.args.get(name, ""))}


def _with(**changes: str | None) -> str:
    """This report with other arguments; None takes one away, and it starts at its first page."""
    found = _asked().arguments() | _narrowed_by() | changes
    kept: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    return url_for("console.performance", **kept)


def _narrowing(wanted: Asked) -> list[dict[str, Any]]:
    """Saved choices, groups and tags to choose from where rows are partners: the first as switches, all of many in a field to select from."""
    if wanted.by is not By.PARTNER:
        return []
    offered = named.narrowing(orm.session, program_id=g.program.id, limit=named.OFFERED_MAX)
    labels = {"segment": _("Saved choices"), "group": _("Group"), "tag": _("Tag")}
    return [
        {
            "name": name,
            "label": labels[name],
            "chips": [_switch(name, *value) for value in _at_hand(name, values)],
            "options": values if len(values) > CHOICES_MAX else [],
        }
        for name, values in offered.items()
        if values
    ]


def _at_hand(name: str, values: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first of what is offered, and the chosen one wherever it stands."""
    chosen = request.args.get(name)
    return [one for place, one in enumerate(values) if place < CHOICES_MAX or one[0] == chosen]


def _switch(name: str, value: str, label: str) -> dict[str, Any]:
    is_on = request.args.get(name) == value
    changes: Mapping[str, str | None] = {name: None if is_on else value}
    return {"label": label, "url": _with(**changes), "current": is_on, "remove": is_on}


def _dimension(one: By, wanted: Asked) -> dict[str, Any]:
    label, head = dimensions.label(one)
    url = _with(by=one.value, sort=None, q=None, columns=None)
    return {"label": label, "head": head, "url": url, "current": one is wanted.by}


def _preset(span: Span, sheet: Sheet) -> dict[str, Any]:
    days = periods.spanned(span, now=request_now(), zone=sheet.period.zone)
    url = _with(span=span.value, first=None, last=None)
    return {"label": report_words.span(span), "url": url, "current": days == sheet.period}


def _comparison(one: Against | None, wanted: Asked) -> dict[str, Any]:
    url = _with(compare=one.value if one else None)
    return {"label": report_words.against(one), "url": url, "current": one is wanted.against}


def _without(sheet: Sheet) -> dict[str, Any] | None:
    """The row of what came without a partner, and what its figures leave out."""
    found = without_partner.of(sheet, sheet.period)
    if found is None:
        return None
    note = None
    if found.side is None:
        note = _("Partners brought more than the shop told: its totals of these days are not complete.")
    elif found.told < found.days:
        note = ngettext(
            "Without a partner: of the %(num)s day that the shop told.",
            "Without a partner: of the %(num)s days that the shop told.",
            found.told,
        )
    cells = [tables.printed(METRICS[key], found.value(key), g.program.currency) for key in sheet.columns]
    return {"cells": cells, "note": note}


def _changing(sheet: Sheet) -> str | None:
    """The head of the column of changes."""
    if sheet.asked.against is None:
        return None
    return _("Change: %(metric)s", metric=tables.columns([sheet.changing], at_hand=_AT_HAND)[0]["label"])


def _row(line: Line, sheet: Sheet, changes: Mapping[str, int | None] | None) -> dict[str, Any]:
    change = tables.change(changes, line.key)
    return {
        "name": line.name,
        "url": _with(partner=line.key, by=None, sort=None, q=None, tag=None, group=None, segment=None) if sheet.asked.by is By.PARTNER else None,
        "cells": tables.values(line.facts, sheet.columns),
        "change": change and change | {"good": change["up"] is not (sheet.changing in performance_pages.LESS_IS_BETTER)},
    }  # fmt: skip


def _files(**changes: str) -> list[dict[str, str]]:
    arguments: dict[str, Any] = _asked().arguments() | _narrowed_by() | changes
    kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
    return [
        {"label": label, "url": url_for("console.performance_file", kind=kind.value, **arguments)}
        for kind, label in kinds
    ]


def _reasons(sheet: Sheet) -> list[dict[str, Any]]:
    whose: dict[str, Any] = {"program_id": g.program.id, "partner_id": sheet.scope.partner_id}
    return click_words.reasons(breakdown.not_counted(orm.session, **whose, period=sheet.period))
