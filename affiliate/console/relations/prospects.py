"""People who asked for news and are no partners: the list, its file, and the way to forget one."""

from typing import Any
from uuid import UUID

from flask import Response, g, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, cursor, pager, settings, show
from affiliate.console.paging import EXPORT_SIZE, every_row
from affiliate.console.queries import newsletters as lists
from affiliate.console.words import Sign
from affiliate.newsletters import audiences, prospects
from affiliate.newsletters.models import Prospect, ProspectStatus
from affiliate.programs import addresses
from affiliate.web import orm, request_now

_HEAD = ("email", "name", "language", "status", "source", "asked_at", "confirmed_at", "stopped_at", "consent")


@blueprint.get("/<slug>/newsletters/prospects")
@access.console(*roles.MARKETING)
def prospect_list() -> str:
    """The list, newest first, with the consent of each."""
    status = presenters.chosen(ProspectStatus)
    page = lists.prospects(orm.session, program_id=g.program.id, status=status, cursor=cursor())
    chips = [presenters.chip(_("All"), current=status is None, status=None)]
    chips += [presenters.chip(_sign(each).word, current=each is status, status=each.value) for each in ProspectStatus]
    form_url = addresses.pages(g.program.own_host, settings()) + url_for("news.ask", slug=g.program.slug)
    rows = [_line(row.Prospect) for row in page.rows]
    return show("relations/prospects.html", rows=rows, pager=pager(page), chips=chips, form_url=form_url)


@blueprint.get("/<slug>/newsletters/prospects.csv")
@access.console(*roles.MARKETING)
def prospects_file() -> Response:
    """The same list as a file: what was agreed to, when, by whom."""
    status = presenters.chosen(ProspectStatus)
    asked: dict[str, Any] = {"program_id": g.program.id, "status": status, "size": EXPORT_SIZE}
    rows = every_row(lambda at: lists.prospects(orm.session, **asked, cursor=at))
    return exports.csv_response("prospects.csv", _HEAD, (_csv_row(row.Prospect) for row in rows))


@blueprint.post("/<slug>/newsletters/prospects/<uuid:prospect_id>/erase")
@access.console("manager")
def erase_prospect(prospect_id: UUID) -> BaseResponse:
    """Forget somebody who asked to be forgotten."""
    found = audiences.prospect_in(orm.session, prospect_id=prospect_id, program_id=g.program.id)
    if found is None:
        raise access.NotHere

    def act() -> str:
        prospects.erase_for_manager(orm.session, prospect=found, actor=access.actor(), now=request_now())
        return str(_("Erased. They get no more news."))

    return acted(url_for("console.prospect_list"), act)


def _sign(of: ProspectStatus) -> Sign:
    return {
        ProspectStatus.CONFIRMED: Sign("good", _("Gets news")),
        ProspectStatus.ASKED: Sign("wait", _("Not confirmed yet")),
        ProspectStatus.STOPPED: Sign("", _("Stopped"), "player-pause"),
    }[of]


def _line(prospect: Prospect) -> dict[str, Any]:
    return {
        "id": prospect.id.hex,
        "name": prospect.name,
        "email": prospect.email if prospect.name else _("erased"),
        "sign": _sign(prospect.status),
        "source": prospect.source,
        "consent": prospect.consent_text,
        "asked_at": prospect.asked_at,
        "confirmed_at": prospect.confirmed_at,
        "erase_url": url_for("console.erase_prospect", prospect_id=prospect.id) if prospect.name else None,
    }


def _csv_row(prospect: Prospect) -> tuple[exports.Cell, ...]:
    return (
        prospect.email, prospect.name, prospect.locale, prospect.status.value, prospect.source, prospect.asked_at,
        prospect.confirmed_at, prospect.stopped_at, prospect.consent_text,
    )  # fmt: skip
