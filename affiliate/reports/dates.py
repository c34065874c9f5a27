"""What the status of a commission means, with its dates: the sentence on its slip."""

from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions.models import CommissionStatus
from affiliate.money import Money
from affiliate.reports import words
from affiliate.reports.evidence import Evidence

_ENDED = (CommissionStatus.REVERSED, CommissionStatus.DECLINED)


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
