"""What if: the last replays beside one another by partner, what other channels took in the same days, and the ways to ask more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, g, url_for
from flask_babel import gettext as _

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.console import presenters
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import performance_pages
from affiliate.console.rules import replay_sheets
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.replay import queries, report
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay, ReplayStatus
from affiliate.replay.report import Line
from affiliate.reports import channels, periods
from affiliate.reports.channels import Lost
from affiliate.reports.periods import Period
from affiliate.web import orm

BESIDE_MAX = 3
"""How many replays stand beside one another."""
_DRAWN_MAX = 12
_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The newest finished replays, each with what partners would have by it; what channels took in the days of the first."""

    replays: Sequence[Replay]
    lines: Sequence[dict[UUID, Line]]
    lost: dict[UUID, Lost]
    names: dict[UUID, str]

    @property
    def partner_ids(self) -> list[UUID]:
        """Everybody in it, who earns most today first."""
        everybody = {partner_id for lines in self.lines for partner_id in lines} | set(self.lost)
        today = self.lines[0] if self.lines else {}
        return sorted(everybody, key=lambda one: (-(today[one].today.amount_minor if one in today else 0), one))


@blueprint.get("/<slug>/performance/what-if")
@access.console("manager")
def what_if() -> str:
    """Who would have what under the policies that were tried, and what is lost to other channels in the same days."""
    found = _compared()
    return show(
        "performance/what_if.html",
        pages=performance_pages.chips(),
        heads=[_head(one) for one in found.replays],
        rows=[_row(partner_id, found) for partner_id in found.partner_ids[:_SHOWN_MAX]],
        chart=_chart(found) if found.replays else None,
        files=[
            {"label": label, "url": url_for("console.what_if_file", kind=kind.value)}
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
    )


@blueprint.get("/<slug>/performance/what-if.<kind>")
@access.console("manager")
def what_if_file(kind: str) -> Response:
    """The same as a file: a row for each partner and replay."""
    found = _compared()
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


def _compared() -> _Comparison:
    every = queries.replays(orm.session, program_id=g.program.id)
    done = [one for one in every if one.status is ReplayStatus.DONE and one.terms is not None][:BESIDE_MAX]
    lines = [
        {line.partner_id: line for line in report.lines(Totals.of(one.totals), currency=g.program.currency)} for one in done
    ]  # fmt: skip
    lost = {}
    if done:
        found = channels.lost_by_partner(orm.session, program_id=g.program.id, period=_days_of(done[0]))
        lost = {one.partner_id: one for one in found}
    everybody = {partner_id for each in lines for partner_id in each} | set(lost)
    return _Comparison(done, lines, lost, partners.partner_names(orm.session, partner_ids=list(everybody)))


def _days_of(replay: Replay) -> Period:
    """The days that a replay touches."""
    zone = g.program.time_zone
    first = replay.starts_at.astimezone(ZoneInfo(zone)).date()
    end = periods.last_day_before(replay.ends_at, zone=zone) + timedelta(days=1)
    return Period(max(first, end - timedelta(days=periods.DAYS_MAX)), end, zone)


def _head(replay: Replay) -> dict[str, Any]:
    first, last = formats.day(replay.starts_at), formats.day(replay.ends_at)
    totals = Totals.of(replay.totals)
    today, then = (Money(sum(sums.values()), g.program.currency) for sums in (totals.today, totals.tomorrow))
    told = replay_sheets.row(replay)
    return {"what": told["what"], "url": told["url"], "days": f"{first} – {last}", "today": today, "then": then, "changed": totals.changed}  # fmt: skip


def _row(partner_id: UUID, found: _Comparison) -> dict[str, Any]:
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


def _chart(found: _Comparison) -> dict[str, Any]:
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
