"""The life of a commission, as pure rules: its statuses, where its money lies in each, and what taking from it does."""

import enum
from dataclasses import dataclass
from uuid import UUID

from affiliate.ledger.postings import AccountName


class CommissionStatus(enum.StrEnum):
    """Where a commission is in its life. Why it is there stands in `reason`."""

    UNVERIFIED = "unverified"  # the order was not confirmed by a trusted source: nothing is posted
    TEST = "test"  # a test order: never counts, never pays
    UNDER_REVIEW = "under_review"  # a fraud rule spoke: reckoned and posted, not approved before a manager has decided
    PENDING = "pending"
    APPROVED = "approved"
    IN_PAYOUT = "in_payout"
    PAID = "paid"
    REVERSED = "reversed"
    DECLINED = "declined"


class CommissionReason(enum.StrEnum):
    """Why a commission is zero or ended."""

    NO_PLAN = "no_plan"
    NO_EXCHANGE_RATE = "no_exchange_rate"  # the order is in another currency, and its day has no rate (yet)
    NO_RULE = "no_rule"  # no rule of the plan applies to the order
    PAYS_NOTHING = "pays_nothing"  # the rule that applies says zero
    CAPPED = "capped"  # a cap of the partner's period was reached before
    ZERO_BASE = "zero_base"
    SHARE_TOO_SMALL = "share_too_small"
    REFUNDED = "refunded"
    ORDER_CANCELLED = "order_cancelled"
    SUPERSEDED = "superseded"  # a newer attribution version took its place
    DECLINED_BY_MANAGER = "declined_by_manager"
    REJECTED = "rejected"  # by a fraud rule, or by a manager after a review


class DeclineReason(enum.StrEnum):
    """Why a manager or the shop declined a commission; a note may say more."""

    RETURNED = "returned"
    NOT_PAID = "not_paid"
    DUPLICATE = "duplicate"
    OWN_PURCHASE = "own_purchase"
    AGAINST_TERMS = "against_terms"
    OTHER = "other"


class AdjustmentSource(enum.StrEnum):
    """What took from a commission."""

    REFUND = "refund"
    ORDER_EVENT = "order_event"
    ATTRIBUTION = "attribution"
    VALIDATION = "validation"  # the month's validation: the order was worth less than reported
    MANAGER = "manager"
    REVIEW = "review"  # a fraud verdict


NEVER_POSTED = frozenset({CommissionStatus.UNVERIFIED, CommissionStatus.TEST})
"""Commissions without any posting. All others have exactly one accrual, of their whole amount."""

WITH_US = frozenset({CommissionStatus.UNDER_REVIEW, CommissionStatus.PENDING, CommissionStatus.APPROVED})
"""Commissions whose money has not been promised to a payout: what is taken now is simply reversed."""

ON_ITS_WAY = frozenset({CommissionStatus.IN_PAYOUT, CommissionStatus.PAID})
"""Commissions inside a payout, whose amount is fixed: what is taken now is owed back by the partner."""

ACCOUNT_OF = {
    CommissionStatus.UNDER_REVIEW: AccountName.PENDING,
    CommissionStatus.PENDING: AccountName.PENDING,
    CommissionStatus.APPROVED: AccountName.APPROVED,
}
"""The account in which the money of a commission lies while it is with us."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What happened to an order: a refund of `amount_minor` (null: of all that remained), or its cancellation.

    `items` are SKUs with the part of the amount that was given back for them.
    """

    source_kind: AdjustmentSource
    source_id: UUID
    amount_minor: int | None
    items: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Taking:
    """What one event takes from one commission; zero is an outcome too."""

    source_kind: AdjustmentSource
    source_id: UUID
    amount_minor: int
    exceeds_original: bool = False
    note: str | None = None
    decline_reason: DeclineReason | None = None


_REASON_OF = {
    AdjustmentSource.REFUND: CommissionReason.REFUNDED,
    AdjustmentSource.ORDER_EVENT: CommissionReason.ORDER_CANCELLED,
    AdjustmentSource.ATTRIBUTION: CommissionReason.SUPERSEDED,
    AdjustmentSource.VALIDATION: CommissionReason.REFUNDED,
    AdjustmentSource.MANAGER: CommissionReason.DECLINED_BY_MANAGER,
    AdjustmentSource.REVIEW: CommissionReason.REJECTED,
}
_DECLINES = frozenset({AdjustmentSource.MANAGER, AdjustmentSource.REVIEW})
_ENDS_EVEN_NOTHING = _DECLINES | {AdjustmentSource.ATTRIBUTION}
_ENDED = frozenset({CommissionStatus.REVERSED, CommissionStatus.DECLINED})


@dataclass(frozen=True, slots=True)
class Worth:
    """What a commission is worth, and where it stands."""

    status: CommissionStatus
    reason: CommissionReason | None
    amount_minor: int
    reversed_minor: int

    @property
    def left_minor(self) -> int:
        """What is left of it."""
        return self.amount_minor - self.reversed_minor


def after(worth: Worth, taking: Taking) -> Worth:
    """What a commission is worth after the taking.

    It ends when nothing is left, with the reason. Inside a payout, unverified or a test it keeps its status, so that
    where its money is can be told from the status alone.
    """
    left = Worth(worth.status, worth.reason, worth.amount_minor, worth.reversed_minor + taking.amount_minor)
    ends = worth.left_minor > 0 or (worth.amount_minor == 0 and taking.source_kind in _ENDS_EVEN_NOTHING)
    if left.left_minor or not ends or worth.status in _ENDED:
        return left
    status = worth.status
    if status in WITH_US:
        status = CommissionStatus.DECLINED if taking.source_kind in _DECLINES else CommissionStatus.REVERSED
    return Worth(status, _REASON_OF[taking.source_kind], left.amount_minor, left.reversed_minor)
