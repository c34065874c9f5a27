"""A report that a program shares with people who have no account: one page, reached by its signed address alone."""

import contextlib
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import db, exports
from affiliate.accounts import access
from affiliate.ingest import bots
from affiliate.programs.models import Program
from affiliate.reports import asked, dimensions, grids, mark_words, pages, sharing, tables
from affiliate.reports import sheet as sheets
from affiliate.reports.asked import PROGRAMS
from affiliate.reports.page_question import TOTAL, Question, by_name
from affiliate.reports.pages import Wanted
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.sheet import Sheet
from affiliate.steering import choosing
from affiliate.web import orm, request_now

ROWS_SHOWN = 500
TILES = 6
COLUMNS_AT_HAND = 2
blueprint = Blueprint("shared", __name__)


@blueprint.get("/shared/<token>")
@access.public
def report(token: str) -> Response:
    """The report as it was shared, with its numbers of now. Search engines are asked to leave it alone."""
    shared, program = _opened(token)
    page = pages.read(shared.arguments)
    shown = _table(shared, program) if page is None else _page(shared, program, page)
    files = {f"{kind}_url": url_for(".days", token=token, kind=kind) for kind in ("csv", "xlsx")}
    answer = make_response(render_template("site/shared.html", **_about(shared, program), **shown, **files))
    _count(shared.id)
    return _unlisted(answer)


@blueprint.get("/shared/<token>/days.<any(csv, xlsx):kind>")
@access.public
def days(token: str, kind: str) -> Response:
    """The days that the report's chart draws, as a file; nothing where it draws none."""
    shared, program = _opened(token)
    sheet = None if pages.read(shared.arguments) else _sheet(shared, program)
    if sheet is None or not _is_drawn(sheet):
        raise sharing.NothingThere
    spec = tables.chart(sheet.days, sheet.period, sheet.other)["spec"]
    head = (_("Day"), *(series["name"] for series in spec["series"]))
    drawn = (series["values"] for series in spec["series"])
    iso = [day.isoformat() for day in sheet.period.days]
    return _unlisted(exports.response(kind, "clicks-per-day", head, zip(iso, *drawn, strict=False)))


def _opened(token: str) -> tuple[SharedReport, Program]:
    """The report of an address that works, with its program.

    Raises:
        NothingThere: the address is made up, over or taken back.
    """
    report_id = sharing.read(current_app.extensions["affiliate_settings"].secret_key, token)
    shared = sharing.shown(orm.session, report_id=report_id, now=request_now())
    g.program = orm.session.get_one(Program, shared.program_id)
    g.user_time_zone = shared.time_zone  # days are cut as they were for whoever shared it
    return shared, g.program


def _unlisted(answer: Response) -> Response:
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _about(shared: SharedReport, program: Program) -> dict[str, Any]:
    return {
        "report": shared.title,
        "program": program.name,
        "time_zone": shared.time_zone,
        "ends_at": shared.ends_at,
        "read_at": request_now(),
    }


def _table(shared: SharedReport, program: Program) -> dict[str, Any]:
    """A report of the table of performance. Where it is narrowed to some partners, its numbers are theirs."""
    sheet = _sheet(shared, program)
    found = sheet.page(size=ROWS_SHOWN)
    names = sharing.named(found.lines, sheet.asked.by, names_partners=shared.names_partners)
    columns = tables.columns(sheet.columns, at_hand=frozenset(sheet.columns[:2]))
    total = tables.values(sheet.total_of(found), sheet.columns)
    return {
        "first": sheet.period.days[0],
        "last": sheet.period.days[-1],
        "head": dimensions.label(sheet.asked.by)[1],
        "columns": columns,
        "tiles": [
            {"label": column["label"], "value": value} for column, value in zip(columns[:TILES], total, strict=False)
        ],
        "chart": _chart(sheet, tells_names=shared.names_partners) if _is_drawn(sheet) else None,
        "rows": [
            {"name": name, "cells": tables.values(line.facts, sheet.columns)}
            for name, line in zip(names, found.lines, strict=True)
        ],
        "total": total,
        "more": max(0, found.number - ROWS_SHOWN),
    }


def _sheet(shared: SharedReport, program: Program) -> Sheet:
    wanted = asked.read(shared.arguments, possible=PROGRAMS)
    scope = dimensions.of_asked(orm.session, program, wanted, choosing.narrowed)
    return sheets.sheet(orm.session, scope=scope, asked_for=wanted, now=request_now(), zone=shared.time_zone)


def _is_drawn(sheet: Sheet) -> bool:
    """Whether the report has a chart: of clicks, which it must show, and of the whole program."""
    return "clicks_valid" in sheet.columns and not sheet.scope.which


def _chart(sheet: Sheet, *, tells_names: bool) -> dict[str, Any]:
    found = tables.chart(sheet.days, sheet.period, sheet.other)
    marks = mark_words.marks(
        orm.session, program_id=sheet.scope.program.id, period=sheet.period, tells_names=tells_names
    )
    return found | {"spec": found["spec"] | marks}


def _page(shared: SharedReport, program: Program, wanted: Wanted) -> dict[str, Any]:
    """A report that is a page of its own: the table that its mail has, with more rows."""
    now, called = request_now(), by_name if shared.names_partners else sharing.Numbered()
    period = wanted.period(now=now, zone=shared.time_zone)
    question = Question(orm.session, program, wanted.given, period, now, size=ROWS_SHOWN, called=called)
    try:
        found, is_counting = wanted.page.table(question), False
    except grids.NotCounted:
        found, is_counting = [], True
    head, *rows = found or [[wanted.page.label()]]
    totals = [cells for name, *cells in rows if name == TOTAL]
    return {
        "first": period.days[0] if wanted.page.has_days else None,
        "last": period.days[-1],
        "head": head[0],
        "columns": [
            {"label": label, "help": "", "cls": "" if place < COLUMNS_AT_HAND else "wide"}
            for place, label in enumerate(head[1:])
        ],
        "tiles": [],
        "chart": None,
        "rows": [{"name": name, "cells": cells} for name, *cells in rows if name != TOTAL],
        "total": totals[0] if totals else None,
        "more": 0,
        "is_counting": is_counting,
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
