"""Words and colours of states in the reader's language. A word has its noun as context, because it inflects with it."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import formats
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import CommissionReason, CommissionStatus, DeclineReason
from affiliate.ledger.models import AccountName
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import PayoutStatus


@dataclass(frozen=True, slots=True)
class Sign:
    """A status as a badge: kind (colour), word, and the icon when it is not the kind's usual one."""

    kind: str
    word: str
    icon: str | None = None


def commission(status: CommissionStatus) -> Sign:
    """Where a commission is."""
    return {
        CommissionStatus.UNVERIFIED: Sign("hold", pgettext("commission", "Being verified"), "eye"),
        CommissionStatus.TEST: Sign("", pgettext("commission", "Test"), "code"),
        CommissionStatus.UNDER_REVIEW: Sign("hold", pgettext("commission", "Under review")),
        CommissionStatus.PENDING: Sign("wait", pgettext("commission", "Pending")),
        CommissionStatus.APPROVED: Sign("acc", pgettext("commission", "Approved")),
        CommissionStatus.IN_PAYOUT: Sign("acc", pgettext("commission", "In payout"), "send"),
        CommissionStatus.PAID: Sign("good", pgettext("commission", "Paid")),
        CommissionStatus.REVERSED: Sign("bad", pgettext("commission", "Reversed"), "arrow-back-up"),
        CommissionStatus.DECLINED: Sign("bad", pgettext("commission", "Declined")),
    }[status]


def commission_reason(reason: CommissionReason | None) -> str:
    """Why a commission is zero or ended; empty when there is nothing to say."""
    if reason is None:
        return ""
    return {
        CommissionReason.NO_PLAN: _("No commission plan was in force on the day of the order."),
        CommissionReason.NO_EXCHANGE_RATE: _("There is no exchange rate for the order's currency on that day yet."),
        CommissionReason.NO_RULE: _("No rule of the plan pays for this order."),
        CommissionReason.PAYS_NOTHING: _("The plan pays nothing for this order."),
        CommissionReason.CAPPED: _("The most that the plan pays in this time was reached before."),
        CommissionReason.ZERO_BASE: _("Nothing of the order earns commission."),
        CommissionReason.SHARE_TOO_SMALL: _("The share is below the smallest coin."),
        CommissionReason.REFUNDED: _("The customer was refunded."),
        CommissionReason.ORDER_CANCELLED: _("The order was cancelled."),
        CommissionReason.SUPERSEDED: _("A newer attribution took its place."),
        CommissionReason.DECLINED_BY_MANAGER: _("Declined by a manager."),
        CommissionReason.REJECTED: _("Rejected after a check for fraud."),
    }[reason]


def act(kind: str, at: datetime) -> str:
    """What a customer did, and when: “Lead, 3 Nov 2026”."""
    name = {"sale": _("Sale"), "lead": _("Lead")}.get(kind, kind)
    return f"{name}, {formats.day(at)}"


def awaits(milestone: Milestone) -> str:
    """What must happen to an order before its commission can be approved."""
    return {
        Milestone.PAID: _("It waits until the order is paid."),
        Milestone.SHIPPED: _("It waits until the order is shipped; then the validation period begins."),
        Milestone.DELIVERED: _("It waits until the order is delivered; then the validation period begins."),
    }[milestone]


def decline_reason(reason: DeclineReason) -> str:
    """Why somebody declined a commission."""
    return {
        DeclineReason.RETURNED: _("The order came back"),
        DeclineReason.NOT_PAID: _("The order was not paid"),
        DeclineReason.DUPLICATE: _("The order was reported twice"),
        DeclineReason.OWN_PURCHASE: _("The partner bought it for itself"),
        DeclineReason.AGAINST_TERMS: _("Against the terms of the program"),
        DeclineReason.OTHER: _("Another reason"),
    }[reason]


def payout(status: PayoutStatus) -> Sign:
    """Where a payout is."""
    return {
        PayoutStatus.PROPOSED: Sign("wait", pgettext("payout", "Proposed")),
        PayoutStatus.APPROVED: Sign("acc", pgettext("payout", "Approved"), "send"),
        PayoutStatus.PAID: Sign("good", pgettext("payout", "Paid")),
        PayoutStatus.FAILED: Sign("bad", pgettext("payout", "Failed"), "alert-triangle"),
        PayoutStatus.CANCELLED: Sign("bad", pgettext("payout", "Cancelled")),
    }[status]


def owned_account(name: AccountName, *, program: str, partner: str) -> str:
    """An account of the ledger with its owner: “Marta's Slow Kitchen, pending”."""
    return {
        AccountName.EXPENSE: _("%(owner)s, program expense", owner=program),
        AccountName.PENDING: _("%(owner)s, pending", owner=partner),
        AccountName.APPROVED: _("%(owner)s, payable", owner=partner),
        AccountName.IN_TRANSIT: _("%(owner)s, on its way", owner=partner),
        AccountName.CLAWBACK: _("%(owner)s, to be set off", owner=partner),
        AccountName.PAID: _("%(owner)s, paid", owner=partner),
        AccountName.TAX_PAYABLE: _("%(owner)s, tax withheld", owner=partner),
        AccountName.ADJUSTMENTS: _("%(owner)s, bonuses and corrections", owner=program),
        AccountName.WRITE_OFF: _("%(owner)s, written off", owner=program),
        AccountName.VAT: _("%(owner)s, VAT and stamp duty", owner=program),
        AccountName.ROUNDING: _("%(owner)s, rounding", owner=program),
    }[name]


def payment_method(kind: MethodKind) -> str:
    """By what means a partner is paid."""
    return {
        MethodKind.BANK: _("Bank account"),
        MethodKind.PAYPAL: "PayPal",
        MethodKind.WISE: "Wise",
        MethodKind.OTHER: pgettext("payment method", "Other"),
    }[kind]
