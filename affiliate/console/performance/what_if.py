"""What if: the last replays beside one another by partner, what other channels took in the same days, and the ways to ask more."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.console import leafing, presenters
from affiliate.console.blueprint import blueprint, show, with_arguments
from affiliate.console.performance import performance_kept, performance_pages
from affiliate.console.rules import replay_sheets
from affiliate.money import Money
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay
from affiliate.replay.report import Line
from affiliate.reports import what_if as what_if_report
from affiliate.reports.beside import leaf
from affiliate.reports.channels import Lost
from affiliate.reports.what_if import Comparison
from affiliate.web import orm

_DRAWN_MAX = 12


@blueprint.get("/<slug>/performance/what-if")
@access.console("manager")
def what_if() -> str:
    """Who would have what under the policies that were tried, and what is lost to other channels in the same days."""
    found = what_if_report.compared(orm.session, program=g.program)
    name = request.args.get("name", "").strip()[:120]
    fit = [one for one in found.partner_ids if name.casefold() in found.names.get(one, "").casefold()]
    shown = leaf(fit, key=lambda one: ids.public("ptn", one), size=leafing.PAGE_SIZE, beside=leafing.beside())
    return show(
        "performance/what_if.html",
        pages=performance_pages.chips(),
        heads=[_head(one) for one in found.replays],
        name=name,
        rows=[_row(partner_id, found) for partner_id in shown.rows],
        pager=leafing.pager(shown, partial(with_arguments, _anchor="rows-h")),
        chart=_chart(found) if found.replays else None,
        files=[
            {"label": label, "url": url_for("console.what_if_file", kind=kind.value)}
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
        keep_form=performance_kept.page_form("what_if"),
    )


@blueprint.get("/<slug>/performance/what-if.<kind>")
@access.console("manager")
def what_if_file(kind: str) -> Response:
    """The same as a file: a row for each partner and replay."""
    found = what_if_report.compared(orm.session, program=g.program)
    head = ["replay", "partner", "name", "today", "then", "difference", "orders_lost", "lost_share_bps", "currency"]
    rows = (
        [
            ids.public("rpl", replay.id), ids.public("ptn", partner_id), found.names.get(partner_id, ""),
            *_amounts(lines.get(partner_id)), *_lost(found.lost.get(partner_id)), g.program.currency,
        ]
        for replay, lines in zip(found.replays, found.lines, strict=True)
        for partner_id in found.partner_ids
    )  # fmt: skip
    return exports.response(kind, "what-if", head, rows)


def _head(replay: Replay) -> dict[str, Any]:
    first, last = formats.day(replay.starts_at), formats.day(replay.ends_at)
    totals = Totals.of(replay.totals)
    today, then = (Money(sum(sums.values()), g.program.currency) for sums in (totals.today, totals.tomorrow))
    told = replay_sheets.row(replay)
    return {"what": told["what"], "url": told["url"], "days": f"{first} – {last}", "today": today, "then": then, "changed": totals.changed}  # fmt: skip


def _row(partner_id: UUID, found: Comparison) -> dict[str, Any]:
    lost = found.lost.get(partner_id)
    mine = [lines.get(partner_id) for lines in found.lines]
    return {
        "partner": presenters.partner_link(partner_id, found.names.get(partner_id)),
        "today": mine[0].today if mine and mine[0] else None,
        "cells": [
            {"then": one.tomorrow, "difference": one.difference} if one else None for one in mine
        ],
        "lost": formats.percent_bps(lost.share_bps) if lost else None,
    }  # fmt: skip


def _chart(found: Comparison) -> dict[str, Any]:
    """Today's commission and that of each replay, of the partners with most."""
    drawn = [one for one in found.partner_ids if found.lines and one in found.lines[0]][:_DRAWN_MAX]
    nothing = Money(0, g.program.currency)
    series = [(_("Today"), [found.lines[0][one].today for one in drawn])]
    for replay, lines in zip(found.replays, found.lines, strict=True):
        amounts = [lines[one].tomorrow if one in lines else nothing for one in drawn]
        series.append((replay_sheets.row(replay)["what"], amounts))
    told = [
        {"name": name, "values": [one.text() for one in amounts], "texts": [formats.money(one) for one in amounts]}
        for name, amounts in series
    ]  # fmt: skip
    labels = [found.names.get(one, "–") for one in drawn]
    summary = _("Commission of the largest partners, as it is and by each policy that was tried.")
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Partner"), "labels": labels, "series": told}}


def _amounts(line: Line | None) -> tuple[exports.Cell, ...]:
    return (None, None, None) if line is None else (line.today, line.tomorrow, line.difference)


def _lost(lost: Lost | None) -> tuple[exports.Cell, ...]:
    return (0, None) if lost is None else (lost.lost, lost.share_bps)
