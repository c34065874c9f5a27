"""What other paid channels took from partners: a chart with its table, and the same as a file."""

from collections.abc import Sequence
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.console import leafing, roles
from affiliate.console.blueprint import blueprint, filters, show, with_arguments
from affiliate.console.performance import performance_kept, performance_pages
from affiliate.reports import channels, tables
from affiliate.reports.beside import leaf
from affiliate.reports.channels import Lost
from affiliate.reports.periods import Period
from affiliate.web import orm, request_now

_DRAWN_MAX = 20
_HEAD = ("partner", "name", "orders_lost", "orders_kept", "lost_share_bps")


@blueprint.get("/<slug>/performance/channels")
@access.console(*roles.EVERYBODY)
def channel_losses() -> str:
    """The share of each partner's orders that another paid channel took, the greatest first."""
    period, problem = _period()
    rows = _rows(period)
    found = leaf(
        rows, key=lambda row: ids.public("ptn", row.partner_id), size=leafing.PAGE_SIZE, beside=leafing.beside()
    )
    spans = tables.presets(period, now=request_now())
    chosen: dict[str, Any] = {name: value for name, value in filters().items() if name != "kind"}
    chosen |= {"q": _name()} if _name() else {}
    return show(
        "performance/channels.html",
        pages=performance_pages.chips(),
        presets=[span | {"url": _with(first=span["first"], last=span["last"])} for span in spans],
        first=period.days[0],
        last=period.days[-1],
        problem=problem,
        chart=_chart(rows),
        name=_name(),
        filters=chosen,
        rows=[_row(row) for row in found.rows],
        pager=leafing.pager(found, _with),
        csv_url=url_for("console.channel_losses_file", kind="csv", **chosen),
        xlsx_url=url_for("console.channel_losses_file", kind="xlsx", **chosen),
        keep_form=performance_kept.page_form("channel_losses"),
    )


@blueprint.get("/<slug>/performance/channels.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def channel_losses_file(kind: str) -> Response:
    """The whole table as a file."""
    period, _problem = _period()
    cells = (
        (ids.public("ptn", row.partner_id), row.partner_name, row.lost, row.kept, row.share_bps)
        for row in _rows(period)
    )
    return exports.response(kind, "lost-to-channels", _HEAD, cells)


def _period() -> tuple[Period, str | None]:
    zone = g.get("user_time_zone") or g.program.time_zone
    return tables.asked_period(request.args, now=request_now(), zone=zone)


def _rows(period: Period) -> list[Lost]:
    return channels.lost_by_partner(orm.session, program_id=g.program.id, period=period, name=_name())


def _with(**changes: str) -> str:
    return with_arguments(q=_name(), **changes)


def _name() -> str:
    """What the name of a partner holds."""
    return request.args.get("q", "").strip()[:120]


def _row(row: Lost) -> dict[str, Any]:
    return {
        "name": row.partner_name,
        "url": url_for("console.partner", partner_id=row.partner_id),
        "lost": row.lost,
        "kept": row.kept,
        "share": formats.percent_bps(row.share_bps),
    }


def _chart(rows: Sequence[Lost]) -> dict[str, Any]:
    drawn = rows[:_DRAWN_MAX]
    summary = ngettext(
        "Share of orders lost to other paid channels, of %(num)s partner.",
        "Share of orders lost to other paid channels, of the %(num)s partners that lost most.",
        len(drawn),
    )
    series = {
        "name": _("Lost, percent"),
        "values": [row.share_bps / 100 for row in drawn],
        "texts": [formats.percent_bps(row.share_bps) for row in drawn],
    }
    labels = [row.partner_name for row in drawn]
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Partner"), "labels": labels, "series": [series]}}
