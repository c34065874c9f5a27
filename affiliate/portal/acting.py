"""The portal in the hands of somebody of the program's team: what it opens, what it says, and how it ends."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers.response import Response

from affiliate import errors
from affiliate.accounts import access, queries, sessions
from affiliate.accounts.models import GrantRole
from affiliate.accounts.roles import MemberRole
from affiliate.partners import acting
from affiliate.portal.blueprint import blueprint
from affiliate.web import SAFE_METHODS, orm, request_now

MAY_ACT = frozenset({GrantRole.MANAGER, GrantRole.ADMIN})
OPEN = frozenset({
    "acting", "cases", "combined", "commissions", "creatives", "home", "link_file", "link_import", "link_page", "link_test", "links", "material",
    "statistics",
})  # fmt: skip
"""Modules of pages that stand open, with what can be done there. All others are refused, whatever comes to be built."""

READ = frozenset({"newsletters", "together"})
"""Modules that can be looked at: what a partner agrees to, it agrees to itself."""


class NotWhileActing(errors.Forbidden):
    """Payment details, papers, people, keys, the account, and the profile that all its programs see are the partner's own business."""

    code = "not_while_acting"

    def __init__(self) -> None:
        super().__init__(_("You act for this partner. This is only for its own people."))


def membership(session: Session, *, user_id: UUID, program_id: UUID) -> tuple[Any, Any, MemberRole] | None:
    """Who opens the portal of a program: who acts for a partner, as that partner's marketer, else the partner's own people."""
    here = sessions.current_id()
    asked: dict[str, Any] = {"user_id": user_id, "program_id": program_id, "now": request_now()}
    own, may_act = acting.own(session, session_id=here, **asked)
    found = acting.present(session, session_id=here, **asked) if here and may_act else None
    if not found or MAY_ACT.isdisjoint(queries.roles_in(session, user_id=user_id, program_id=program_id)):
        return own
    term, partner, enrollment = found
    g.acting = {
        "partner_id": partner.id, "name": partner.name, "until": term.ends_at, "reason": term.reason, "opens": OPEN | READ,
    }  # fmt: skip
    return partner, enrollment, MemberRole.MARKETER


@blueprint.before_request
def _stay_within() -> None:
    """After access: what is the partner's own business stays closed to who acts for it."""
    if "acting" not in g:
        return
    module = current_app.view_functions[request.endpoint or ""].__module__.rpartition(".")[2]
    if module not in OPEN and not (module in READ and request.method in SAFE_METHODS):
        raise NotWhileActing


@blueprint.post("/<slug>/acting/stop")
@access.partner
def stop_acting() -> Response:
    """Be oneself again."""
    here = sessions.current_id()
    if here is None or "acting" not in g:
        raise access.NotHere
    acting.stop(orm.session, session_id=here, actor=access.actor(), now=request_now())
    flash(_("You no longer act for %(name)s, %(person)s.", name=g.acting["name"], person=current_user.name), "success")
    return redirect(url_for("console.partner", partner_id=g.partner.id), 303)
