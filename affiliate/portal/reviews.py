"""What a partner sees when a sale of its own is under review or rejected, and its appeal."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import errors
from affiliate.accounts import access
from affiliate.fraud import lists, service, words
from affiliate.fraud.lists import History
from affiliate.fraud.signals import Verdict
from affiliate.portal.blueprint import blueprint, refused
from affiliate.reports import evidence
from affiliate.reports.words import Sign
from affiliate.web import orm, request_now

_SIGNS = {Verdict.PASS: "good", Verdict.FLAG: "hold", Verdict.REJECT: "bad"}


class NoSuchSale(errors.NotFound):
    """There is no such commission, or it is somebody else's."""


def section(conversion_id: UUID, commission_id: UUID) -> dict[str, Any] | None:
    """How the sale stands with the program's fraud rules; nothing when nobody ever doubted it.

    The partner reads the reason and what managers wrote, but no numbers and no names: those would teach how to get by.
    """
    found = lists.history(orm.session, program_id=g.program.id, conversion_id=conversion_id, partner_id=g.partner.id)
    if found.stands is None or (found.stands is Verdict.PASS and not found.decisions):
        return None
    return {
        "sign": Sign(_SIGNS[found.stands], words.verdict(found.stands)),
        "reason": words.meaning(_reason(found)) if found.stands is not Verdict.PASS else "",
        "answer_by": found.present.answer_by if found.present and found.stands is Verdict.FLAG else None,
        "said": _said(found),
        "may_appeal": found.stands is not Verdict.PASS and found.open_appeal is None,
        "appeal_url": url_for("portal.appeal", commission_id=commission_id),
        "waits": found.open_appeal is not None,
    }


def _reason(found: History) -> str | None:
    decision, present = found.last_decision, found.present
    return (decision.rule if decision else None) or (present.reason if present else None)


def _said(found: History) -> list[dict[str, Any]]:
    """Words of the program and of the partner, the newest first."""
    told = [
        (one.decided_at, _("The program: %(verdict)s", verdict=words.verdict(one.verdict)), one.note)
        for one, _name in found.decisions
    ]
    told += [(one.opened_at, _("Your appeal"), one.text) for one in found.appeals]
    return [
        {"at": at, "text": text, "note": note} for at, text, note in sorted(told, key=lambda one: one[0], reverse=True)
    ]


@blueprint.post('/<slug>/commissions/<public("com"):commission_id>/appeal')
@access.partner
def appeal(commission_id: UUID) -> BaseResponse:
    """Answer a review or rejection of an own sale."""
    found = evidence.of_commission(orm.session, program=g.program, commission_id=commission_id, partner_id=g.partner.id)
    if found is None:
        raise NoSuchSale(_("There is no such commission."))
    back = url_for("portal.commission", commission_id=commission_id)
    try:
        service.appeal(
            orm.session, program_id=g.program.id, conversion_id=found.conversion.id, partner_id=g.partner.id,
            text=request.form.get("text", ""), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except (errors.Invalid, errors.Conflict) as refusal:
        return refused(back, refusal)
    flash(_("Your appeal is with the program."), "success")
    return redirect(back, 303)
