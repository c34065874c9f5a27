"""A partner's own data: a copy of it, and the wish to be forgotten."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import files, formats
from affiliate.accounts import access
from affiliate.accounts.roles import OWNER
from affiliate.money import Money
from affiliate.portal.blueprint import blueprint, refused, show
from affiliate.privacy import copying, erasing, queries
from affiliate.privacy.models import DataCopy, ErasureStatus
from affiliate.web import orm, request_now

_COPIES_SHOWN = 5
_owner = access.fresh(access.partner_with(OWNER))


@blueprint.get("/<slug>/data")
@_owner
def data() -> str:
    """What can be asked for, and what was."""
    found = queries.copies(orm.session, partner_id=g.partner.id, person_id=current_user.id, limit=_COPIES_SHOWN)
    request = queries.latest_request(orm.session, partner_id=g.partner.id)
    owed = queries.owed(orm.session, partner_id=g.partner.id).get(g.program.id, 0)
    return show(
        "data.html",
        copies=[_line(each) for each in found],
        waits=request is not None and request.status is ErasureStatus.ASKED,
        refusal=request.reason if request is not None and request.status is ErasureStatus.REFUSED else None,
        owed=formats.money(Money(owed, g.program.currency)) if owed else None,
    )


@blueprint.post("/<slug>/data/copy")
@_owner
def ask_for_copy() -> ResponseReturnValue:
    """Ask for a copy; a job makes it."""
    try:
        copying.ask(orm.session, program=g.program, partner_id=g.partner.id, actor=access.actor(), now=request_now())
    except copying.AskedJustNow as refusal:
        return refused(url_for("portal.data"), refusal)
    flash(_("The copy is being made. You get a mail when it is ready."), "success")
    return redirect(url_for("portal.data"), 303)


@blueprint.get("/<slug>/data/<uuid:copy_id>.zip")
@_owner
def data_copy(copy_id: UUID) -> Response:
    """The copy, until its term is over."""
    copy = queries.copy_of(orm.session, copy_id=copy_id, partner_id=g.partner.id, person_id=current_user.id)
    is_there = copy is not None and copy.expires_at is not None and copy.expires_at > request_now()
    file = files.file_by_id(orm.session, file_id=copy.file_id) if is_there and copy and copy.file_id else None
    if file is None:
        raise access.NotHere
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return Response(file.content, mimetype=file.media_type, headers=headers)


@blueprint.post("/<slug>/data/erasure")
@_owner
def ask_for_erasure() -> ResponseReturnValue:
    """Ask to be forgotten; a manager decides."""
    erasing.ask(orm.session, program=g.program, partner_id=g.partner.id, actor=access.actor(), now=request_now())
    flash(_("The program was asked. Until it answers you can take the request back."), "success")
    return redirect(url_for("portal.data"), 303)


@blueprint.post("/<slug>/data/erasure/withdraw")
@_owner
def withdraw_erasure() -> ResponseReturnValue:
    """Take the wish back."""
    try:
        erasing.withdraw(
            orm.session, program=g.program, partner_id=g.partner.id, actor=access.actor(), now=request_now()
        )
    except erasing.RequestMoved as refusal:
        return refused(url_for("portal.data"), refusal)
    flash(_("The request is withdrawn. Everything stays."), "success")
    return redirect(url_for("portal.data"), 303)


def _line(copy: DataCopy) -> dict[str, Any]:
    is_there = copy.file_id is not None and copy.expires_at is not None and copy.expires_at > request_now()
    return {
        "asked_at": copy.asked_at,
        "expires_at": copy.expires_at,
        "is_made": copy.ready_at is not None,
        "is_lost": copy.ready_at is None and copy.attempts >= copying.ATTEMPTS_MAX,
        "url": url_for("portal.data_copy", copy_id=copy.id) if is_there else None,
    }
