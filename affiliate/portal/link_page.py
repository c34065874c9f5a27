"""The page of one link: its address, its QR code, what it brought in all and by sub id, and why clicks did not count."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.portal import links, sale_origin
from affiliate.portal.blueprint import blueprint, show, zone
from affiliate.reports import breakdown, click_words, dimensions, tables
from affiliate.reports import queries as reports
from affiliate.reports.asked import USUAL_COLUMNS, By
from affiliate.reports.periods import Period
from affiliate.reports.tables import ROWS_SHOWN, Line
from affiliate.web import orm, request_now

_SHOWN = ("clicks_valid", "conversions", "conversion_rate", "earnings")
_AT_HAND = frozenset({"clicks_valid", "conversions", "earnings"})


@blueprint.get('/<slug>/links/<public("lnk"):link_id>')
@access.partner
def link(link_id: UUID) -> str:
    """One link: address to copy, QR code, numbers, pause."""
    found = links.found_link(link_id)
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    facts = reports.facts_by_link(orm.session, **mine, link_ids=[found.id], currency=g.program.currency)
    period = _period()
    reasons = breakdown.not_counted(orm.session, **mine, link_id=found.id, period=period)
    return show(
        "link.html",
        link=links.lines_of([found], facts)[0],
        by_sub=_by_sub(found.id, period),
        reasons=click_words.reasons(reasons),
        reason_days={"first": period.days[0], "last": period.days[-1]},
        terms=tables.terms(*_SHOWN),
    )


@blueprint.get('/<slug>/links/<public("lnk"):link_id>/subs.<kind>')
@access.partner
def link_subs_file(link_id: UUID, kind: str) -> Response:
    """All sub ids of the link in these days."""
    found = links.found_link(link_id)
    rows = [tables.csv_row(line, USUAL_COLUMNS) for line in _lines(found.id, _period())]
    return exports.response(kind, f"{found.code}-by-sub", tables.csv_head(By.SUB.value, USUAL_COLUMNS), rows)


def _by_sub(link_id: UUID, period: Period) -> dict[str, Any]:
    """What it brought by sub id in these days."""
    lines = _lines(link_id, period)
    days: dict[str, str] = {"first": period.days[0].isoformat(), "last": period.days[-1].isoformat()}
    return {
        "is_used": any(line.key for line in lines),
        "columns": tables.columns(_SHOWN, at_hand=_AT_HAND),
        "rows": [_row(line, link_id, period) for line in lines[:ROWS_SHOWN]],
        "combine_url": url_for("portal.statistics", first=days["first"], last=days["last"], _anchor="combine-h"),
        "presets": [_preset(link_id, one) for one in tables.presets(period, now=request_now())],
        "files": [
            {"label": label, "url": _file(link_id, kind, days)}
            for kind, label in ((exports.Format.CSV, "CSV"), (exports.Format.XLSX, "XLSX"))
        ],
    }


def _row(line: Line, link_id: UUID, period: Period) -> dict[str, Any]:
    days: dict[str, Any] = {"first": period.days[0], "last": period.days[-1]}
    url = sale_origin.url(By.SUB, line.key, **days, link=ids.public("lnk", link_id)) if line.facts.conversions else None
    return {"name": line.name, "url": url, "cells": tables.values(line.facts, _SHOWN)}


def _period() -> Period:
    """The days that the address asks for, thirty unless it does."""
    period, _wrong = tables.asked_period(request.args, now=request_now(), zone=zone())
    return period


def _lines(link_id: UUID, period: Period) -> Sequence[Line]:
    found = breakdown.facts_by_sub_of_link(
        orm.session, program_id=g.program.id, partner_id=g.partner.id, link_id=link_id, period=period,
        currency=g.program.currency,
    )  # fmt: skip
    lines = [Line(sub, dimensions.word(By.SUB, sub), None, facts) for sub, facts in found.items()]
    return tables.in_order(lines, "-clicks_valid")


def _preset(link_id: UUID, one: dict[str, Any]) -> dict[str, Any]:
    url = url_for("portal.link", link_id=link_id, first=one["first"], last=one["last"])
    return {"label": one["label"], "url": f"{url}#subs-h", "current": one["current"]}


def _file(link_id: UUID, kind: exports.Format, days: dict[str, str]) -> str:
    arguments: dict[str, Any] = dict(days)
    return url_for("portal.link_subs_file", link_id=link_id, kind=kind.value, **arguments)
