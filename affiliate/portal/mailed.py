"""Stopping a report that comes by mail, signed out: by the link in the mail, or by the button of a mail provider.

Opening an address never changes anything: providers open links to look at them. The provider's button posts (RFC 8058).
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from affiliate import web
from affiliate.accounts import access
from affiliate.errors import Malformed
from affiliate.portal.blueprint import settings
from affiliate.reports import keeping, stopping
from affiliate.web import orm

blueprint = Blueprint("mailed", __name__)


@blueprint.post("/hooks/stop-report/<token>")
@access.public
def one_click(token: str) -> ResponseReturnValue:
    """A mail provider's “unsubscribe” button, without a page or a redirect."""
    report_id = stopping.read(settings().secret_key, token)
    if request.form.get("List-Unsubscribe") != "One-Click":
        raise Malformed("Post List-Unsubscribe=One-Click, as RFC 8058 says.")
    keeping.stop(orm.session, report_id=report_id)
    return "", 200


web.csrf.exempt(one_click)  # a provider has no session of ours; the token in the address speaks for the reader


@blueprint.get("/hooks/stop-report/<token>")
@access.public
def opened(token: str) -> ResponseReturnValue:
    """The same address in a browser: leads to the page, and changes nothing."""
    return redirect(url_for("mailed.report", token=token))


@blueprint.get("/mail/report/<token>")
@access.public
def report(token: str) -> str:
    """A page with one button."""
    stopping.read(settings().secret_key, token)
    return render_template("portal/stop_report.html", is_stopped=False)


@blueprint.post("/mail/report/<token>")
@access.public
def stop(token: str) -> str:
    """Send this report no more."""
    keeping.stop(orm.session, report_id=stopping.read(settings().secret_key, token))
    return render_template("portal/stop_report.html", is_stopped=True)
