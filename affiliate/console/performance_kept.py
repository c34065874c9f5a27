"""The reports of the program that a person keeps: under a name, by mail, and no more."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, show
from affiliate.reports import asked, dimensions, keeping, report_words
from affiliate.reports.asked import PROGRAMS, Asked
from affiliate.reports.keeping import BadReport, Mailing, Owner
from affiliate.reports.models import SavedReport
from affiliate.reports.timetable import Every
from affiliate.web import orm, request_now


def mine() -> list[dict[str, Any]]:
    """What this person keeps, as lines."""
    return [_line(one) for one in keeping.kept(orm.session, owner=_owner())]


def form(wanted: Asked) -> dict[str, Any]:
    """What the form to keep this report holds."""
    return {"url": url_for("console.keep_performance"), "fields": wanted.arguments()}


@blueprint.get("/<slug>/performance/kept")
@access.console("manager", "finance")
def kept_performance() -> str:
    """The reports that this person keeps, and which of them come by mail."""
    return show(
        "performance_kept.html",
        reports=mine(),
        everies=[{"value": one.value if one else "", "label": report_words.every(one)} for one in (None, *Every)],
        hours=keeping.HOURS,
        mailed_max=keeping.MAILED_MAX,
    )


@blueprint.post("/<slug>/performance/kept")
@access.console("manager", "finance")
def keep_performance() -> ResponseReturnValue:
    """Keep the report that the form describes under the name that was typed."""
    wanted, name = asked.read(request.form, possible=PROGRAMS), request.form.get("name", "")
    try:
        kept = keeping.keep(orm.session, owner=_owner(), name=name, asked=wanted, zone=_zone(), now=request_now())
    except BadReport as refusal:
        return _refused(refusal, _address(wanted))
    flash(_("Kept as “%(name)s”.", name=kept.name), "success")
    return redirect(url_for("console.kept_performance"), 303)


@blueprint.post('/<slug>/performance/kept/<public("rep"):report_id>')
@access.console("manager", "finance")
def mail_performance(report_id: UUID) -> ResponseReturnValue:
    """Send a kept report by mail as the form says, or no more."""
    every, hour = request.form.get("every", ""), request.form.get("hour", "")
    mailing = None
    if every in set(Every):
        mailing = Mailing(Every(every), keeping.hour_of(hour), _zone())
    back = url_for("console.kept_performance")
    try:
        kept = keeping.mail(orm.session, owner=_owner(), report_id=report_id, mailing=mailing, now=request_now())
    except BadReport as refusal:
        return _refused(refusal, back)
    flash(report_words.mailed(kept.name, is_mailed=mailing is not None), "success")
    return redirect(back, 303)


@blueprint.post('/<slug>/performance/kept/<public("rep"):report_id>/delete')
@access.console("manager", "finance")
def drop_performance(report_id: UUID) -> ResponseReturnValue:
    """Keep a report no longer."""
    name = keeping.take_away(orm.session, owner=_owner(), report_id=report_id)
    flash(_("“%(name)s” is no longer kept.", name=name), "success")
    return redirect(url_for("console.kept_performance"), 303)


def _owner() -> Owner:
    return Owner(current_user.id, g.program.id, None)


def _zone() -> str:
    return str(g.get("user_time_zone") or g.program.time_zone)


def _line(one: SavedReport) -> dict[str, Any]:
    wanted = asked.read(one.arguments, possible=PROGRAMS)
    return {
        "id": one.id,
        "name": one.name,
        "label": one.name,
        "what": dimensions.label(wanted.by)[0],
        "url": _address(wanted),
        "mail_url": url_for("console.mail_performance", report_id=one.id),
        "drop_url": url_for("console.drop_performance", report_id=one.id),
        "every": one.every.value if one.every else "",
        "hour": one.hour,
        "next_at": one.next_at,
        "zone": one.time_zone,
    }


def _address(wanted: Asked) -> str:
    arguments: dict[str, Any] = dict(wanted.arguments())
    return url_for("console.performance", **arguments)


def _refused(refusal: BadReport, back: str) -> ResponseReturnValue:
    orm.session.rollback()
    flash(report_words.not_kept(refusal.wrong), "error")
    return redirect(back, 303)
