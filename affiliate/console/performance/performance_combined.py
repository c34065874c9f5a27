"""The program's reports by several things at once: asked for on the page of performance, counted by a job."""

from uuid import UUID

from flask import Response, g
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.reports.combined import OF_PROGRAM
from affiliate.reports.combined_desk import Desk
from affiliate.reports.dimensions import Scope

_person = access.console(*roles.EVERYBODY)

desk = Desk(
    OF_PROGRAM,
    report_page="console.performance",
    start_act="console.combine_performance",
    combined_page="console.combined_performance",
    combined_file="console.combined_performance_file",
    move_act="console.move_combined_performance",
    scope=lambda: Scope(g.program, None, is_inside=True),
    zone=lambda: str(g.get("user_time_zone") or g.program.time_zone),
)


@blueprint.post("/<slug>/performance/combined")
@_person
def combine_performance() -> BaseResponse:
    """Ask for a combined report."""
    return desk.start()


@blueprint.get('/<slug>/performance/combined/<public("cmb"):combination_id>')
@_person
def combined_performance(combination_id: UUID) -> str:
    """How far it is, and its rows."""
    return show("performance/combined.html", **desk.page(combination_id))


@blueprint.get('/<slug>/performance/combined/<public("cmb"):combination_id>.<kind>')
@_person
def combined_performance_file(combination_id: UUID, kind: str) -> Response:
    """All of it as a file."""
    return desk.file(combination_id, kind)


@blueprint.post('/<slug>/performance/combined/<public("cmb"):combination_id>/<any(stop, resume):act>')
@_person
def move_combined_performance(combination_id: UUID, act: str) -> BaseResponse:
    """Stop a report where it is, or go on."""
    return desk.move(combination_id, act)
