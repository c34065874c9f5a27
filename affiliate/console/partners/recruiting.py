"""What plans know of a partner, on its page: its group, and who recruited it."""

from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.commissions import recruiting
from affiliate.console.blueprint import acted, blueprint
from affiliate.console.queries import named
from affiliate.console.rules.plan_forms import Named
from affiliate.errors import Invalid
from affiliate.web import orm, request_now


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/terms')
@access.console("manager")
def set_partner_terms(partner_id: UUID) -> BaseResponse:
    """Put a partner into a group, and say who recruited it."""
    back = url_for("console.partner", partner_id=partner_id)
    known, typed = _named(), request.form.get("recruiter", "").strip()
    recruiter_id = known.find("partner", typed)
    if partner_id not in known.names:
        raise access.NotHere

    def act() -> str:
        if typed and recruiter_id is None:
            raise Invalid({"recruiter": [_("There is none of this name in the program.")]})
        recruiting.set_partner_terms(
            orm.session, program_id=g.program.id, partner_id=partner_id, group_name=request.form.get("group"),
            recruiter_id=recruiter_id, actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Kept. It counts for orders from now on."))

    return acted(back, act)


def told(partner_id: UUID, group_name: str | None) -> dict[str, Any]:
    """The group and the recruiter's name as the form shows them, what it offers, and whom the partner recruited itself."""
    here = {"program_id": g.program.id}
    recruiter, recruited = named.kin(orm.session, **here, partner_id=partner_id)
    offered = named.offered(orm.session, **here, partner_id=partner_id)
    return {
        "group": group_name or "",
        "recruiter": recruiter,
        "groups": offered.groups,
        "partners": offered.partners,
        "recruited": [{"name": name, "url": url_for("console.partner", partner_id=key)} for key, name in recruited],
        "coupons": offered.coupons,
        "url": url_for("console.set_partner_terms", partner_id=partner_id),
    }


def _named() -> Named:
    return Named(named.of_program(orm.session, program_id=g.program.id))
