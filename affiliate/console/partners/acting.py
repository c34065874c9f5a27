"""Going over to a partner's portal, to act there on its behalf."""

from uuid import UUID

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access, sessions
from affiliate.console.blueprint import blueprint, given_reason, refused
from affiliate.errors import Invalid
from affiliate.partners import acting
from affiliate.web import orm, request_now


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/act-for')
@access.fresh(access.console("manager"))
def act_for(partner_id: UUID) -> BaseResponse:
    """Use the partner's portal for a while, for a reason that the history keeps."""
    here = sessions.current_id()
    if here is None:
        raise access.NotHere
    try:
        acting.start(
            orm.session, user_id=current_user.id, session_id=here, program_id=g.program.id, partner_id=partner_id,
            reason=given_reason(), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return refused(url_for("console.partner", partner_id=partner_id), refusal)
    flash(_("You act for this partner now. All you do is logged under your name and the partner's."), "success")
    return redirect(url_for("portal.home"), 303)
