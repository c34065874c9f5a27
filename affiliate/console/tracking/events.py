"""Pages of what arrived: the last raw requests, refused events, and events that could not be stored."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import streams
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import (
    acted,
    arrivals_of,
    blueprint,
    can,
    cursor,
    given_reason,
    pager,
    refused,
    show,
    tends_all,
)
from affiliate.console.queries import events as queries
from affiliate.console.tracking import event_sheets
from affiliate.errors import Invalid
from affiliate.ingest import letters
from affiliate.tracking import rawlog
from affiliate.web import orm, request_now

AT_ONCE = 200
"""What one act deals with at most: it is done while one waits, and says how many are left."""


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
    begun = _until(request.args)
    left = queries.dead_letters_left(orm.session, program_id=arrivals_of(), until=begun) if begun else 0
    until = (begun if begun and left else request_now()).isoformat()
    shown = {"tabs": _tabs("dead_letters"), "rows": rows, "pager": pager(page), "of_all": tends_all()}
    return show("tracking/dead_letters.html", **shown, left=left, until=until, at_once=AT_ONCE)


@blueprint.post("/<slug>/dead-letters")
@access.console(*roles.TECH)
def replay_dead_letters() -> BaseResponse:
    """Try those that were ticked again, or the oldest ones of all that were there when one began."""
    try:
        chosen, until = _chosen_letters(), _until(request.form)
    except Invalid as refusal:
        return refused(url_for("console.dead_letters"), refusal)
    here: dict[str, Any] = {"letter_ids": chosen, "until": None if chosen else until}
    done = letters.replay(orm.session, limit=AT_ONCE, **here, by=_clerk(), now=request_now())
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
    return redirect(_list(None if chosen else until), 303)


@blueprint.post("/<slug>/dead-letters/discard")
@access.console(*roles.TECH)
def discard_dead_letters() -> BaseResponse:
    """Throw those away that were ticked, or the oldest ones of all that were there when one began, for a reason."""
    until = _until(request.form) if request.form.get("all") == "yes" else None

    def do() -> str:
        chosen = _chosen_letters()
        if chosen is None and until is None:  # there is no way back, so all must mean those that one saw
            raise Invalid({"letter": [_("Select at least one event first.")]})
        gone = _discard(letter_ids=chosen, until=until, limit=AT_ONCE)
        return ngettext("%(num)d event is thrown away.", "%(num)d events are thrown away.", gone)

    return acted(_list(until), do, page=url_for("console.dead_letters"))


@blueprint.post("/<slug>/dead-letters/<uuid:letter_id>/discard")
@access.console(*roles.TECH)
def discard_dead_letter(letter_id: UUID) -> BaseResponse:
    """Throw one away, for a reason."""

    def discard() -> str:
        if not _discard(letter_ids=[letter_id], limit=1):
            raise access.NotHere
        return _("The event is thrown away.")

    return acted(url_for("console.dead_letters"), discard)


def _discard(**which: Any) -> int:
    reason = given_reason()
    if not reason:
        raise Invalid({"reason": [_("Say why, in up to 500 characters.")]})
    return letters.discard(orm.session, **which, reason=reason, by=_clerk(), now=request_now())


def _chosen_letters() -> list[UUID] | None:
    """Those that the form names; null where all are meant. A name that cannot be read is no word for all.

    Raises:
        Invalid: the form has ticks, and none of them is set.
    """
    typed = request.form.getlist("letter")
    if request.form.get("all") == "yes":
        return None
    if not typed and "ticks" in request.form:
        raise Invalid({"letter": [_("Select at least one event first.")]})
    try:
        return [UUID(one) for one in typed[:AT_ONCE]] or None
    except ValueError:
        raise access.NotHere from None


def _until(told: Mapping[str, str]) -> datetime | None:
    """Until when the events failed that one began to deal with; nothing where that is not told."""
    try:
        moment = datetime.fromisoformat(told.get("until", ""))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _list(until: datetime | None) -> str:
    """The list, which says how many are left of those that one began to deal with."""
    return url_for("console.dead_letters", until=until.isoformat() if until else None)


def _clerk() -> letters.Clerk:
    return letters.Clerk(access.actor(), g.program.id, only_of=arrivals_of())


def _tabs(current: str) -> list[dict[str, Any]]:
    names = {"requests": _("Last requests"), "rejected": _("Refused events"), "dead_letters": _("Not stored")}
    return [
        {"label": name, "url": url_for(f"console.{endpoint}"), "current": endpoint == current}
        for endpoint, name in names.items()
        if can(endpoint)
    ]
