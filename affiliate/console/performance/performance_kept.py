"""The reports of the program that a person keeps: under a name, by mail, and no more."""

from typing import Any
from uuid import UUID

from flask import g, request
from flask_login import current_user
from werkzeug.wrappers.response import Response

from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.reports import pages
from affiliate.reports.asked import PROGRAMS
from affiliate.reports.keeping import Owner
from affiliate.reports.kept_desk import Desk
from affiliate.reports.pages import Wanted


def _zone() -> str:
    return str(g.get("user_time_zone") or g.program.time_zone)


desk = Desk(
    PROGRAMS,
    report_page="console.performance",
    kept_page="console.kept_performance",
    keep_act="console.keep_performance",
    mail_act="console.mail_performance",
    drop_act="console.drop_performance",
    owner=lambda: Owner(current_user.id, g.program.id, None),
    zone=_zone,
    pages="console",
)


def page_form(key: str) -> dict[str, Any]:
    """What the form to keep this one of `pages.PAGES` holds, with what its address asks for."""
    given = {name: value for name in pages.PAGES[key].names if (value := request.args.get(name, ""))}
    return desk.form(Wanted(key, given))


@blueprint.get("/<slug>/performance/kept")
@access.console(*roles.EVERYBODY)
def kept_performance() -> str:
    """The reports that this person keeps, and which of them come by mail."""
    return show("performance/performance_kept.html", **desk.page())


@blueprint.post("/<slug>/performance/kept")
@access.console(*roles.EVERYBODY)
def keep_performance() -> Response:
    """Keep the report that the form describes under the name that was typed."""
    return desk.keep()


@blueprint.post('/<slug>/performance/kept/<public("rep"):report_id>')
@access.console(*roles.EVERYBODY)
def mail_performance(report_id: UUID) -> Response:
    """Send a kept report by mail as the form says, or no more."""
    return desk.mail(report_id)


@blueprint.post('/<slug>/performance/kept/<public("rep"):report_id>/delete')
@access.console(*roles.EVERYBODY)
def drop_performance(report_id: UUID) -> Response:
    """Keep a report no longer."""
    return desk.drop(report_id)
