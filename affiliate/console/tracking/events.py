"""Pages of what arrived: the last raw requests, refused events, and events that could not be stored."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import streams
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import acted, arrivals_of, blueprint, can, cursor, given_reason, pager, show, tends_all
from affiliate.console.queries import events as queries
from affiliate.console.tracking import event_sheets
from affiliate.errors import Invalid
from affiliate.ingest import letters
from affiliate.tracking import rawlog
from affiliate.web import orm, request_now

REPLAYED_AT_ONCE = 200


@blueprint.get("/<slug>/requests")
@access.console(*roles.SEES_TRACKING)
def requests() -> str:
    """The last requests of the shop with our answers, for who connects it. Nothing about customers is kept in them."""
    try:
        found: list[rawlog.RawRequest] | None = rawlog.last(streams.client(), program_id=g.program.id)
    except streams.ERRORS:
        found = None
    return show("tracking/requests.html", tabs=_tabs("requests"), **event_sheets.requests(found))


@blueprint.get("/<slug>/rejected")
@access.console(*roles.TECH)
def rejected() -> str:
    """Events that were understood and refused, with their reason."""
    page = queries.rejected(orm.session, program_id=g.program.id, cursor=cursor())
    rows = [event_sheets.rejected(row) for row in page.rows]
    return show("tracking/rejected.html", tabs=_tabs("rejected"), rows=rows, pager=pager(page))


@blueprint.get("/<slug>/dead-letters")
@access.console(*roles.TECH)
def dead_letters() -> str:
    """Events that could not be stored: those of the program, or for who looks after all, of all and of none."""
    page = queries.dead_letters(orm.session, program_id=arrivals_of(), cursor=cursor())
    rows = [event_sheets.dead_letter(row) for row in page.rows]
    shown = {"tabs": _tabs("dead_letters"), "rows": rows, "pager": pager(page), "of_all": tends_all()}
    return show("tracking/dead_letters.html", **shown)


@blueprint.post("/<slug>/dead-letters")
@access.console(*roles.TECH)
def replay_dead_letters() -> BaseResponse:
    """Try one of them again, or the oldest ones."""
    chosen = _chosen_letters()
    done = letters.replay(orm.session, limit=REPLAYED_AT_ONCE, letter_ids=chosen, by=_clerk(), now=request_now())
    if chosen and done == letters.Replayed(0, 0):  # another program's, or somebody was faster
        raise access.NotHere
    if done.stored:
        flash(ngettext("%(num)d event is stored now.", "%(num)d events are stored now.", done.stored))
    if done.failed:
        flash(
            ngettext(
                "%(num)d event failed again; its error is below.",
                "%(num)d events failed again; their errors are below.",
                done.failed,
            ),
            "warning",
        )
    return redirect(url_for("console.dead_letters"), 303)


@blueprint.post("/<slug>/dead-letters/<uuid:letter_id>/discard")
@access.console(*roles.TECH)
def discard_dead_letter(letter_id: UUID) -> BaseResponse:
    """Throw one away, for a reason."""

    def discard() -> str:
        reason = given_reason()
        if not reason:
            raise Invalid({"reason": [_("Say why, in up to 500 characters.")]})
        if not letters.discard(orm.session, letter_ids=[letter_id], reason=reason, by=_clerk(), now=request_now()):
            raise access.NotHere
        return _("The event is thrown away.")

    return acted(url_for("console.dead_letters"), discard)


def _chosen_letters() -> list[UUID] | None:
    """The one that the form names; null where it names none, and all are meant. A name that cannot be read is no word for all."""
    typed = request.form.get("letter")
    try:
        return None if typed is None else [UUID(typed)]
    except ValueError:
        raise access.NotHere from None


def _clerk() -> letters.Clerk:
    return letters.Clerk(access.actor(), g.program.id, only_of=arrivals_of())


def _tabs(current: str) -> list[dict[str, Any]]:
    names = {"requests": _("Last requests"), "rejected": _("Refused events"), "dead_letters": _("Not stored")}
    return [
        {"label": name, "url": url_for(f"console.{endpoint}"), "current": endpoint == current}
        for endpoint, name in names.items()
        if can(endpoint)
    ]
