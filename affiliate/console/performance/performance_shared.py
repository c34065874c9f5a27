"""Kept reports given to people without an account: by an address that ends, is counted and can be taken back."""

from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, cursor, pager, settings, show
from affiliate.console.performance.performance_kept import desk
from affiliate.console.queries import lists
from affiliate.console.words import Sign
from affiliate.errors import Invalid
from affiliate.reports import keeping, sharing
from affiliate.reports.shared_models import SharedReport
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/performance/shared")
@access.console("manager")
def shared_performance() -> str:
    """The addresses of this program, and the form to make one."""
    page = lists.shared_reports(orm.session, program_id=g.program.id, cursor=cursor())
    days = [(count, ngettext("%(num)d day", "%(num)d days", count)) for count in sharing.DAYS]
    return show(
        "performance/performance_shared.html",
        kept=[(ids.public("rep", one["id"]), one["name"]) for one in desk.mine()],
        days=days,
        reports=[_line(row.SharedReport) for row in page.rows],
        pager=pager(page),
    )


@blueprint.post("/<slug>/performance/shared")
@access.console("manager")
def share_performance() -> Response:
    """Give a kept report an address."""

    def act() -> str:
        kept = keeping.one(orm.session, owner=desk.owner(), report_id=_chosen())
        added = sharing.share(
            orm.session, kept=kept, days=request.form.get("days", 0, int),
            names_partners=request.form.get("names_partners") == "yes", actor=access.actor(), now=request_now(),
        )  # fmt: skip
        day = formats.day(added.ends_at)
        return str(_("“%(name)s” can be read by whoever has its address until %(day)s.", name=added.title, day=day))

    return acted(url_for("console.shared_performance"), act)


@blueprint.post('/<slug>/performance/shared/<public("shr"):report_id>/end')
@access.console("manager")
def end_shared_performance(report_id: UUID) -> Response:
    """Let an address show nothing from now on."""

    def act() -> str:
        title = sharing.take_back(
            orm.session, report_id=report_id, program_id=g.program.id, actor=access.actor(), now=request_now()
        )
        return str(_("The address of “%(name)s” shows nothing any more.", name=title))

    return acted(url_for("console.shared_performance"), act)


def _chosen() -> UUID:
    try:
        return ids.parse("rep", request.form.get("report", ""))
    except ids.BadPublicId:
        raise Invalid({"report": [_("Choose a report.")]}) from None


def _line(one: SharedReport) -> dict[str, Any]:
    is_open = sharing.is_open(one, now=request_now())
    token = sharing.write(settings().secret_key, one.id)
    return {
        "id": ids.public("shr", one.id),
        "title": one.title,
        "is_open": is_open,
        "sign": _sign(one, is_open=is_open),
        "url": settings().base_url + url_for("shared.report", token=token),
        "names_partners": one.names_partners,
        "views": one.views,
        "viewed_at": one.viewed_at,
        "ends_at": one.ends_at,
        "end_url": url_for("console.end_shared_performance", report_id=one.id),
    }


def _sign(one: SharedReport, *, is_open: bool) -> Sign:
    if is_open:
        return Sign("good", _("Works"))
    return Sign("", _("Taken back"), "minus") if one.revoked_at is not None else Sign("", _("Over"), "clock")
