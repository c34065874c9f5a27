"""Words and colours of states, and what a refusal means: the code's closed enums in the reader's language.

A word has its noun as context (`pgettext("commission", "Approved")`), because it inflects with the noun.
"""

from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate.attribution.models import Unattributed
from affiliate.ingest.models import OrderEventType, RejectReason, Trust
from affiliate.ledger.models import AccountName, TransferKind
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts.files import FileKind
from affiliate.payouts.models import AdjustmentKind, AdjustmentStatus, CostKind
from affiliate.payouts.schedule import Cadence
from affiliate.programs.models import Program, ProgramStatus
from affiliate.relations.care_words import goal_metric, goal_state
from affiliate.reports.words import (
    Sign,
    act,
    awaits,
    commission,
    commission_reason,
    decline_reason,
    payment_method,
    payout,
)

__all__ = [
    "Sign",
    "account",
    "act",
    "awaits",
    "commission",
    "commission_reason",
    "decline_reason",
    "enrollment",
    "goal_metric",
    "goal_state",
    "order_event",
    "payout",
    "program",
]
__all__ += [
    "cadence",
    "payment_file",
    "payment_method",
    "reject_reason",
    "transfer",
    "trust",
    "unattributed",
]


def enrollment(status: EnrollmentStatus) -> Sign:
    """Where a partner stands in the program."""
    return {
        EnrollmentStatus.PENDING: Sign("wait", pgettext("partner", "Waiting")),
        EnrollmentStatus.APPROVED: Sign("good", pgettext("partner", "Approved")),
        EnrollmentStatus.REJECTED: Sign("bad", pgettext("partner", "Refused")),
        EnrollmentStatus.PAUSED: Sign("hold", pgettext("partner", "Paused"), "player-pause"),
        EnrollmentStatus.BANNED: Sign("bad", pgettext("partner", "Banned"), "ban"),
    }[status]


def partner_class(rank: PartnerClass) -> str:
    """How a partner is ranked."""
    words: dict[PartnerClass, str] = {
        PartnerClass.PREFERRED: pgettext("partner", "Preferred"),
        PartnerClass.STANDARD: pgettext("partner", "Standard"),
        PartnerClass.LOW: pgettext("partner", "Low"),
    }
    return words[rank]


def standing(found: Program) -> Sign:
    """Where a program is; an archived one is that before all."""
    return Sign("hold", pgettext("program", "Archived"), "lock") if found.archived_at else program(found.status)


def program(status: ProgramStatus) -> Sign:
    """Whether a program counts clicks."""
    return {
        ProgramStatus.DRAFT: Sign("", pgettext("program", "Draft"), "pencil"),
        ProgramStatus.LIVE: Sign("good", pgettext("program", "Live"), "bolt"),
        ProgramStatus.PAUSED: Sign("hold", pgettext("program", "Paused"), "player-pause"),
    }[status]


def trust(level: int) -> str:
    """How far the source of an order is believed."""
    words: dict[Any, str] = {
        Trust.OPEN: _("Unsigned tag or pixel"),
        Trust.SIGNED: _("Signed pixel or postback"),
        Trust.SERVER: _("The shop's server"),
    }
    return words[Trust(level)]


def unattributed(reason: Unattributed) -> str:
    """Why an order has no partner."""
    words: dict[Any, str] = {
        Unattributed.NO_TOUCH: _("No partner brought this customer."),
        Unattributed.ALL_REFUSED: _("There were contacts, each refused with its reason."),
        Unattributed.OTHER_CHANNEL: _("The customer came through another paid channel last, which takes the sale."),
    }
    return words[reason]


def order_event(kind: OrderEventType) -> str:
    """What became of an order."""
    words: dict[Any, str] = {
        OrderEventType.PAID: pgettext("order", "Paid"),
        OrderEventType.SHIPPED: pgettext("order", "Shipped"),
        OrderEventType.DELIVERED: pgettext("order", "Delivered"),
        OrderEventType.CANCELLED: pgettext("order", "Cancelled"),
        OrderEventType.AMENDED: pgettext("order", "Changed"),
    }
    return words[kind]


def reject_reason(reason: RejectReason) -> str:
    """Why an event was kept aside."""
    words: dict[Any, str] = {
        RejectReason.CONFLICTING_BODY: _("Same id, other content"),
        RejectReason.LOWER_TRUST: _("A more trusted source has spoken"),
        RejectReason.UNKNOWN_PROGRAM: _("Unknown program"),
        RejectReason.BAD_SIGNATURE: _("The signature does not match"),
        RejectReason.BAD_FIELDS: _("Fields are missing or wrong"),
        RejectReason.UNKNOWN_LINK: _("Unknown link"),
        RejectReason.PAST_RETENTION: _("Older than clicks are kept"),
    }
    return words[reason]


def account(name: AccountName) -> str:
    """An account of the ledger."""
    words: dict[Any, str] = {
        AccountName.EXPENSE: _("Program expense"),
        AccountName.PENDING: _("Pending commissions"),
        AccountName.APPROVED: _("Payable"),
        AccountName.IN_TRANSIT: _("In transit"),
        AccountName.CLAWBACK: _("Owed by partners"),
        AccountName.PAID: _("Paid out"),
        AccountName.TAX_PAYABLE: _("Tax withheld"),
        AccountName.ADJUSTMENTS: _("Bonuses and corrections"),
        AccountName.WRITE_OFF: _("Written off"),
        AccountName.VAT: _("VAT and stamp duty"),
        AccountName.ROUNDING: _("Rounding"),
    }
    return words[name]


def transfer(kind: TransferKind) -> str:
    """Why money moved."""
    words: dict[Any, str] = {
        TransferKind.ACCRUE: _("Commission earned"),
        TransferKind.APPROVE: _("Commission approved"),
        TransferKind.REVERSE: _("Commission reversed"),
        TransferKind.CLAW_BACK: _("Taken back after payout"),
        TransferKind.OFFSET: _("Set off against what is owed"),
        TransferKind.SEND: _("Sent to the partner"),
        TransferKind.SETTLE: _("Payout arrived"),
        TransferKind.FAIL: _("Payout came back"),
        TransferKind.ADD_TAX: _("VAT and stamp duty"),
        TransferKind.WITHHOLD: _("Tax withheld"),
        TransferKind.ADJUST: _("Bonus or correction"),
        TransferKind.WRITE_OFF: _("Written off"),
    }
    return words[kind]


def adjustment(kind: AdjustmentKind) -> str:
    """What an entry by hand is for."""
    return {
        AdjustmentKind.BONUS: _("Bonus"),
        AdjustmentKind.MAKE_GOOD: _("Make-good for an order that was not tracked"),
        AdjustmentKind.CORRECTION: _("Correction"),
        AdjustmentKind.WRITE_OFF: _("Debt written off"),
        AdjustmentKind.VOLUME: _("A step of the plan was reached"),
        AdjustmentKind.CREDIT: _("An order credited by hand, with about what it earns"),
    }[kind]


def adjustment_status(status: AdjustmentStatus) -> Sign:
    """Where an entry by hand is."""
    return {
        AdjustmentStatus.PROPOSED: Sign("wait", _("Waits for a second person")),
        AdjustmentStatus.POSTED: Sign("good", pgettext("entry", "Posted")),
        AdjustmentStatus.CREDITED: Sign("good", pgettext("entry", "Credited")),
        AdjustmentStatus.DECLINED: Sign("bad", pgettext("entry", "Declined")),
    }[status]


def cost(kind: CostKind) -> str:
    """What a partner has cost beside its commissions."""
    return {
        CostKind.FLAT_FEE: _("Flat fee"),
        CostKind.SAMPLES: _("Samples"),
        CostKind.AGENCY_HOURS: _("Hours of an agency"),
        CostKind.OTHER: pgettext("cost", "Other"),
    }[kind]


def fact(name: str) -> str:
    """A fact of an order by its column; one without a word by its own name."""
    facts: dict[str, str] = {
        "amount_minor": _("Amount"),
        "tax_minor": _("Tax in it"),
        "shipping_minor": _("Shipping in it"),
        "discount_minor": _("Discount given"),
        "coupon": _("Coupon"),
        "customer_id": _("Customer"),
        "new_customer": _("New customer"),
        "channel": _("Channel"),
        "payment_method": _("Paid by"),
        "occurred_at": _("Ordered at"),
    }
    return facts.get(name) or name.replace("_", " ")


def scope(code: str) -> str:
    """What a key with this scope may do."""
    scopes: dict[str, str] = {
        "conversions:write": _("report orders, order events and refunds"),
        "conversions:read": _("read orders and their traces"),
        "links:write": _("make links"),
        "links:read": _("read links"),
        "partners:write": _("change partners"),
        "partners:read": _("read partners and applications"),
        "payouts:read": _("read payouts and commissions"),
        "payouts:write": _("change payouts"),
        "reports:read": _("read reports"),
        "admin": _("everything, in this program"),
    }
    return scopes.get(code, code)


def api_key(*, is_revoked: bool, is_test: bool) -> Sign:
    """Whether a key works, and for what."""
    if is_revoked:
        return Sign("bad", pgettext("key", "Revoked"))
    return Sign("", pgettext("key", "Test"), "code") if is_test else Sign("good", pgettext("key", "Live"))


def cadence(each: Cadence) -> str:
    """How often a program pays."""
    return {
        Cadence.MANUAL: _("When somebody proposes"),
        Cadence.WEEKLY: _("Every Monday"),
        Cadence.TWICE_A_MONTH: _("On the 1st and the 15th"),
        Cadence.MONTHLY: _("On the 1st of the month"),
    }[each]


def payment_file(kind: FileKind) -> str:
    """A file for a bank or a payment service."""
    return {
        FileKind.SEPA: _("SEPA file (pain.001)"),
        FileKind.TRANSFERS: _("Bank file (pain.001)"),
        FileKind.PAYPAL: _("PayPal file"),
        FileKind.WISE: _("Wise file"),
        FileKind.TABLE: _("Table of all payouts"),
    }[kind]
