"""What a partner sees when a sale of its own is under review or rejected; its appeal is a case."""

from typing import Any

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import ids
from affiliate.fraud import words
from affiliate.fraud.lists import History
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion
from affiliate.portal import case_ways
from affiliate.relations import queries
from affiliate.relations.models import CaseKind
from affiliate.reports.words import Sign
from affiliate.web import orm

_SIGNS = {Verdict.PASS: "good", Verdict.FLAG: "hold", Verdict.REJECT: "bad"}


def section(order: Conversion, found: History) -> dict[str, Any] | None:
    """How the sale stands with the program's fraud rules, by all that was `found`; nothing when nobody ever doubted it.

    The partner reads the reason and what managers wrote, but no numbers and no names: those would teach how to get by.
    """
    mine: dict[str, Any] = {"program_id": g.program.id, "conversion_id": order.id, "partner_id": g.partner.id}
    if found.stands is None or (found.stands is Verdict.PASS and not found.decisions):
        return None
    case = queries.appeal_waiting(orm.session, **mine) if found.open_appeal else None
    return {
        "sign": Sign(_SIGNS[found.stands], words.verdict(found.stands)),
        "reason": words.meaning(_reason(found)) if found.stands is not Verdict.PASS else "",
        "answer_by": found.present.answer_by if found.present and found.stands is Verdict.FLAG else None,
        "said": _said(found),
        "appeal_url": _appeal_url(order) if found.stands is not Verdict.PASS and found.open_appeal is None else None,
        "case_url": url_for("portal.case", case_id=case.id) if case else None,
    }


def _appeal_url(order: Conversion) -> str | None:
    """Where a person who may open cases says that the program is mistaken."""
    sale = ids.public("cnv", order.id)
    return case_ways.new_case_url(CaseKind.FRAUD_APPEAL, order=order.order_id, sale=sale)


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
