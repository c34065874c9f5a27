"""A person's own data, under the account: a copy at once, and the end of the account."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_security.utils import logout_user

from affiliate import formats
from affiliate.accounts import access
from affiliate.errors import Conflict
from affiliate.privacy import persons
from affiliate.web import orm, request_now

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/account/data")
@access.signed_in
def account_data() -> str:
    """What a person can ask for, and what stands in the way."""
    refusal = persons.refusal(orm.session, person_id=current_user.id)
    owned = persons.owned_alone(orm.session, person_id=current_user.id)
    return render_template(
        "accounts/data.html",
        refusal=formats.reason(refusal) if refusal else None,
        waiting=[partner.name for partner in owned if partner.waits],
        askable=[partner.name for partner in owned if not partner.waits],
    )


@blueprint.post("/account/data/copy")
@access.fresh(access.signed_in)
def account_copy() -> Response:
    """The copy; a person's own rows are few enough to be packed at once."""
    persons.note_copy(orm.session, person_id=current_user.id, actor=access.actor(), now=request_now())
    content = persons.packed(orm.session, person_id=current_user.id)
    headers = {"Content-Disposition": f'attachment; filename="{persons.NAME}"', "Cache-Control": "no-store"}
    return Response(content, mimetype="application/zip", headers=headers)


@blueprint.post("/account/data/partners")
@access.fresh(access.signed_in)
def forget_partners() -> ResponseReturnValue:
    """Ask that the partners be forgotten that nobody else owns."""
    who = {"person_id": current_user.id, "actor": access.actor(), "now": request_now()}
    if persons.ask_for_partners(orm.session, **who):
        flash(_("The program was asked. It decides, and tells you by mail."), "success")
    return redirect(url_for("privacy.account_data"), 303)


@blueprint.post("/account/data/erase")
@access.fresh(access.signed_in)
def erase_account() -> ResponseReturnValue:
    """Forget the person, and sign them out."""
    try:
        persons.erase(orm.session, person_id=current_user.id, actor=access.actor(), now=request_now())
    except Conflict as refusal:
        orm.session.rollback()
        flash(formats.reason(refusal), "error")
        return redirect(url_for("privacy.account_data"), 303)
    logout_user()
    flash(_("Your account is erased."), "success")
    return redirect(url_for("security.login"), 303)
