"""What happened to a commission and what comes next, with dates: stations for `ui.thread`, and the sentence on its slip."""

from datetime import datetime
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions.models import CommissionStatus
from affiliate.money import Money
from affiliate.reports import words
from affiliate.reports.evidence import Evidence

_ENDED = (CommissionStatus.REVERSED, CommissionStatus.DECLINED)
_NOT_COUNTED = (CommissionStatus.TEST, CommissionStatus.UNVERIFIED)


def status_text(evidence: Evidence) -> str:
    """What the status means for the person who waits for the money."""
    commission = evidence.commission
    status = commission.status
    if status is CommissionStatus.PENDING and commission.awaits is not None:
        return words.awaits(commission.awaits)
    if status is CommissionStatus.PENDING:
        return _(
            "The customer may return the order until %(day)s. If nothing comes back, it is approved on that day.",
            day=formats.day(commission.matures_at),
        )
    if status is CommissionStatus.APPROVED:
        minimum = Money(evidence.program.payout_min_minor, evidence.program.currency)
        if minimum:
            return _("It is in the next payout, once %(amount)s are reached.", amount=formats.money(minimum))
        return _("It is in the next payout.")
    if status in _ENDED:
        return words.commission_reason(commission.reason)
    return {
        CommissionStatus.UNVERIFIED: _("It counts once the shop's server confirms the order."),
        CommissionStatus.UNDER_REVIEW: _(
            "A manager looks at this order first. Until then it is neither approved nor paid."
        ),
        CommissionStatus.TEST: _("A test order never counts and never pays."),
        CommissionStatus.IN_PAYOUT: _("It is part of a payout that is being prepared or on its way."),
        CommissionStatus.PAID: _("It was paid on %(day)s.", day=formats.day(commission.paid_at)),
    }[status]


def stations(evidence: Evidence, *, now: datetime) -> list[dict[str, Any]]:
    """Recorded, validated, in a payout, paid: filled where it happened, a ring where it is to come."""
    commission, payout = evidence.commission, evidence.payout
    found = [_happened(commission.created_at, _("Sale recorded"))]
    if commission.status in _NOT_COUNTED or commission.status is CommissionStatus.UNDER_REVIEW:
        return found
    if commission.status in _ENDED:
        ended = max((taken.created_at for taken in evidence.adjustments), default=commission.created_at)
        return [
            *found,
            {"at": formats.day(ended), "text": words.commission(commission.status).word, "state": "refused"},
        ]
    if commission.approved_at is not None:
        found.append(_happened(commission.approved_at, _("Approved")))
    else:
        # A little late is normal: the job that approves runs every few seconds.
        day = formats.day(max(commission.matures_at, now))
        found.append({"at": day, "text": _("Validation period ends, approved"), "state": "next"})
    if payout is not None:
        found.append(_happened(payout.created_at, _("In a payout")))
    if commission.paid_at is not None:
        found.append({**_happened(commission.paid_at, _("Paid")), "icon": "coin"})
    else:
        found.append({"at": _("with the next payout"), "text": _("Paid"), "state": "next", "icon": "coin"})
    for station, following in pairwise(found):
        station["on"] = following["state"] == "won"
    return found


def _happened(at: datetime, text: str) -> dict[str, Any]:
    return {"at": formats.day(at), "text": text, "state": "won"}
