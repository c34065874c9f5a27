"""The ways from a page of the portal into a case about what it shows, with what is known already filled in."""

from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import ids
from affiliate.accounts import access
from affiliate.relations import queries
from affiliate.relations.models import CaseKind
from affiliate.web import orm


def new_case_url(kind: CaseKind, **known: Any) -> str | None:
    """Where a person who may open cases begins one of this kind; null for others. `known`: as `portal.new_case` reads it."""
    if not access.may("portal.new_case"):
        return None
    return url_for("portal.new_case", kind=kind.value, **known)


def way(kind: CaseKind, question: str | None = None, **known: Any) -> dict[str, str] | None:
    """The question and the link that leads into a new case, for a person who may open one."""
    url = new_case_url(kind, **known)
    return {"question": question or _("Something wrong?"), "label": _("Open a case"), "url": url} if url else None


def way_about_payout(payout_id: UUID) -> dict[str, str] | None:
    """The same about a payout; where its case is open already, the way to it."""
    about: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id, "payout_id": payout_id}
    case = queries.late_payment_waiting(orm.session, **about)
    if case is None:
        return way(CaseKind.LATE_PAYMENT, payout=ids.public("pay", payout_id))
    url = url_for("portal.case", case_id=case.id)
    return {"question": _("You have asked about this payout."), "label": _("See the case"), "url": url}
