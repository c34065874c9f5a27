"""Who may approve payout runs, and up to which amount."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts, formats, ids
from affiliate.accounts import access
from affiliate.accounts.words import ROLES
from affiliate.console.blueprint import acted, blueprint, show
from affiliate.console.queries import effects
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.payouts import limits
from affiliate.payouts.limits import Approver
from affiliate.web import orm, request_now

MONTH = timedelta(days=30)


@blueprint.get("/<slug>/payouts/limits")
@access.fresh(access.console("manager", "finance"))
def payout_limits() -> str:
    """Everybody who may approve, each with the largest run."""
    found = limits.approvers(orm.session, program_id=g.program.id)
    return show("payouts/payout_limits.html", people=[_line(each) for each in found])


@blueprint.post('/<slug>/payouts/limits/<public("usr"):user_id>')
@access.fresh(access.console("manager"))
def set_payout_limit(user_id: UUID) -> BaseResponse:
    """Another limit for somebody else; an empty field takes it away. Or what it would have meant of late, without any change."""
    act = _told if request.form.get("act") == "look" else _set
    return acted(url_for("console.payout_limits"), lambda: act(user_id, _typed()))


def _typed() -> Money | None:
    typed = request.form.get("amount", "").strip()
    try:
        return amounts.read(typed, g.program.currency) if typed else None
    except amounts.BadNumber as bad:
        raise Invalid({"amount": [str(bad)]}) from bad


def _told(_user_id: UUID, limit: Money | None) -> str:
    """How many of the last runs lie above a limit."""
    if limit is None:
        return str(_("Without a limit no run needs anybody else. Nothing is saved yet."))
    above, runs = effects.runs_above(
        orm.session, program_id=g.program.id, since=request_now() - MONTH, amount_minor=limit.amount_minor
    )
    told = ngettext(
        "The last 30 days had %(num)s payout run; above %(limit)s: %(above)s.",
        "The last 30 days had %(num)s payout runs; above %(limit)s: %(above)s.",
        runs, limit=formats.money(limit), above=formats.number(above),
    )  # fmt: skip
    return f"{told} {_('Nothing is saved yet.')}"


def _set(user_id: UUID, limit: Money | None) -> str:
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
