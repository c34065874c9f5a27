"""Who may approve payout runs, and up to which amount."""

from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts, formats, ids
from affiliate.accounts import access
from affiliate.accounts.words import ROLES
from affiliate.console.blueprint import acted, blueprint, show
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.payouts import limits
from affiliate.payouts.limits import Approver
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/payouts/limits")
@access.fresh(access.console("manager", "finance"))
def payout_limits() -> str:
    """Everybody who may approve, each with the largest run."""
    found = limits.approvers(orm.session, program_id=g.program.id)
    return show("payouts/payout_limits.html", people=[_line(each) for each in found])


@blueprint.post('/<slug>/payouts/limits/<public("usr"):user_id>')
@access.fresh(access.console("manager"))
def set_payout_limit(user_id: UUID) -> BaseResponse:
    """Another limit for somebody else; an empty field takes it away."""
    return acted(url_for("console.payout_limits"), lambda: _set(user_id))


def _set(user_id: UUID) -> str:
    typed = request.form.get("amount", "").strip()
    try:
        limit = amounts.read(typed, g.program.currency) if typed else None
    except amounts.BadNumber as bad:
        raise Invalid({"amount": [str(bad)]}) from bad
    limits.set_limit(
        orm.session, user_id=user_id, program_id=g.program.id, limit=limit, actor=access.actor(), now=request_now()
    )
    return str(_("Saved."))


def _line(each: Approver) -> dict[str, Any]:
    limit = None if each.limit_minor is None else Money(each.limit_minor, g.program.currency)
    is_mine = each.user_id == current_user.id
    return {
        "key": ids.public("usr", each.user_id),
        "name": each.name,
        "email": each.email,
        "roles": ", ".join(str(ROLES[role]) for role in each.roles),
        "limit": limit and formats.money(limit),
        "typed": limit and limit.text(),
        "is_mine": is_mine,
        "is_everywhere": each.is_everywhere,
        "url": None if is_mine or each.is_everywhere else url_for("console.set_payout_limit", user_id=each.user_id),
    }
