"""The reports that a partner's person keeps: under a name, by mail, and no more."""

from uuid import UUID

from flask import g
from flask_login import current_user
from werkzeug.wrappers.response import Response

from affiliate.accounts import access
from affiliate.accounts.roles import EVERYBODY
from affiliate.portal.blueprint import blueprint, show, zone
from affiliate.reports.asked import PARTNERS_OWN
from affiliate.reports.keeping import Owner
from affiliate.reports.kept_desk import Desk

# Whoever may see the numbers may keep a report of them, whatever else the role allows.
_person = access.partner_with(EVERYBODY)

desk = Desk(
    PARTNERS_OWN,
    report_page="portal.statistics",
    kept_page="portal.kept_reports",
    keep_act="portal.keep_report",
    mail_act="portal.mail_report",
    drop_act="portal.drop_report",
    owner=lambda: Owner(current_user.id, g.program.id, g.partner.id),
    zone=zone,
)


@blueprint.get("/<slug>/statistics/kept")
@_person
def kept_reports() -> str:
    """The reports that this person keeps, and which of them come by mail."""
    return show("kept_reports.html", **desk.page())


@blueprint.post("/<slug>/statistics/kept")
@_person
def keep_report() -> Response:
    """Keep the report that the form describes under the name that was typed."""
    return desk.keep()


@blueprint.post('/<slug>/statistics/kept/<public("rep"):report_id>')
@_person
def mail_report(report_id: UUID) -> Response:
    """Send a kept report by mail as the form says, or no more."""
    return desk.mail(report_id)


@blueprint.post('/<slug>/statistics/kept/<public("rep"):report_id>/delete')
@_person
def drop_report(report_id: UUID) -> Response:
    """Keep a report no longer."""
    return desk.drop(report_id)
