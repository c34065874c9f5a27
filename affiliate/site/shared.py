"""A report that a program shares with people who have no account: one page, reached by its signed address alone."""

import contextlib
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, make_response, render_template, request
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import access
from affiliate.ingest import bots
from affiliate.programs.models import Program
from affiliate.reports import asked, dimensions, sharing, tables
from affiliate.reports import sheet as sheets
from affiliate.reports.asked import PROGRAMS
from affiliate.reports.dimensions import Scope
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.sheet import Sheet
from affiliate.web import orm, request_now

ROWS_SHOWN = 500
TILES = 6
blueprint = Blueprint("shared", __name__)


@blueprint.get("/shared/<token>")
@access.public
def report(token: str) -> Response:
    """The report as it was shared, with its numbers of now. Search engines are asked to leave it alone."""
    report_id = sharing.read(current_app.extensions["affiliate_settings"].secret_key, token)
    shared = sharing.shown(orm.session, report_id=report_id, now=request_now())
    g.program = program = orm.session.get_one(Program, shared.program_id)
    g.user_time_zone = shared.time_zone  # days are cut as they were for whoever shared it
    wanted = asked.read(shared.arguments, possible=PROGRAMS)
    scope = Scope(program, None, is_inside=True)
    sheet = sheets.sheet(orm.session, scope=scope, asked_for=wanted, now=request_now(), zone=shared.time_zone)
    answer = make_response(render_template("site/shared.html", **_shown(shared, sheet, program.name)))
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    _count(report_id)
    return answer


def _shown(shared: SharedReport, sheet: Sheet, program: str) -> dict[str, Any]:
    found = sheet.page(size=ROWS_SHOWN)
    names = sharing.named(found.lines, sheet.asked.by, names_partners=shared.names_partners)
    columns = tables.columns(sheet.columns, at_hand=frozenset(sheet.columns[:2]))
    return {
        "report": shared.title,
        "program": program,
        "time_zone": shared.time_zone,
        "ends_at": shared.ends_at,
        "read_at": request_now(),
        "first": sheet.period.days[0],
        "last": sheet.period.days[-1],
        "head": dimensions.label(sheet.asked.by)[1],
        "columns": columns,
        "tiles": [
            {"label": column["label"], "value": value}
            for column, value in zip(columns[:TILES], tables.values(sheet.total, sheet.columns), strict=False)
        ],
        "chart": tables.chart(sheet.days, sheet.period, sheet.other) if "clicks_valid" in sheet.columns else None,
        "rows": [
            {"name": name, "cells": tables.values(line.facts, sheet.columns)}
            for name, line in zip(names, found.lines, strict=True)
        ],
        "total": tables.values(found.total, sheet.columns),
        "more": max(0, found.number - ROWS_SHOWN),
    }


def _count(report_id: UUID) -> None:
    """Note that somebody read it. While the database cannot be written to, it is read all the same."""
    orm.session.rollback()  # its reading transaction ends before the writing one begins
    if request.method != "GET" or bots.is_bot(request.headers.get("User-Agent", "")):
        return
    with (
        contextlib.suppress(sa.exc.OperationalError),
        db.read_only(on=False),
        Session(orm.engine) as session,
        session.begin(),
    ):
        sharing.note_view(session, report_id=report_id, now=request_now())
