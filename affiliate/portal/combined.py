"""A partner's reports by several things at once: asked for on the page of statistics, counted by a job."""

from uuid import UUID

from flask import Response, g
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.accounts.roles import EVERYBODY
from affiliate.portal.blueprint import blueprint, show, zone
from affiliate.reports.combined import OF_PARTNER
from affiliate.reports.combined_desk import Desk
from affiliate.reports.dimensions import Scope

# Whoever may see the numbers may have them counted, whatever else the role allows.
_person = access.partner_with(EVERYBODY)

desk = Desk(
    OF_PARTNER,
    report_page="portal.statistics",
    start_act="portal.combine",
    combined_page="portal.combined",
    combined_file="portal.combined_file",
    move_act="portal.move_combined",
    scope=lambda: Scope(g.program, g.partner.id),
    zone=zone,
)


@blueprint.post("/<slug>/statistics/combined")
@_person
def combine() -> BaseResponse:
    """Ask for a combined report."""
    return desk.start()


@blueprint.get('/<slug>/statistics/combined/<public("cmb"):combination_id>')
@_person
def combined(combination_id: UUID) -> str:
    """How far it is, and its rows."""
    return show("combined.html", **desk.page(combination_id))


@blueprint.get('/<slug>/statistics/combined/<public("cmb"):combination_id>.<kind>')
@_person
def combined_file(combination_id: UUID, kind: str) -> Response:
    """All of it as a file."""
    return desk.file(combination_id, kind)


@blueprint.post('/<slug>/statistics/combined/<public("cmb"):combination_id>/<any(stop, resume):act>')
@_person
def move_combined(combination_id: UUID, act: str) -> BaseResponse:
    """Stop a report where it is, or go on."""
    return desk.move(combination_id, act)
