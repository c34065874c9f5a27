"""When a commission matures: the validation period, from where the program starts it. Pure.

It starts with the order, its payment, its shipping or its delivery. Cash on delivery never matures before the order is
paid, wherever the period starts. Until what it waits for has happened, `matures_at` is when that is expected.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from affiliate.programs.rules import ValidationStart

CASH_ON_DELIVERY = frozenset({"cod", "cash_on_delivery"})
"""Payment methods, in lower case, with which a customer pays at the door."""


class Milestone(enum.StrEnum):
    """What becomes of an order on its way to the customer."""

    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


_STARTS_WITH = {
    ValidationStart.PAYMENT: Milestone.PAID,
    ValidationStart.SHIPPING: Milestone.SHIPPED,
    ValidationStart.DELIVERY: Milestone.DELIVERED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides about the validation of one order."""

    placed_at: datetime
    start: ValidationStart
    days: int
    payment_method: str | None


@dataclass(frozen=True, slots=True)
class Maturity:
    """When a commission matures, and what must happen before it can (None: only time must pass)."""

    matures_at: datetime
    awaits: Milestone | None


def maturity(terms: Terms, *, events: Mapping[Milestone, datetime]) -> Maturity:
    """When the commissions of an order mature, from what has become of it so far."""
    period = timedelta(days=terms.days)
    first = _STARTS_WITH.get(terms.start)
    if first is not None and first not in events:
        return Maturity(terms.placed_at + period, first)
    matures_at = (events[first] if first is not None else terms.placed_at) + period
    if (terms.payment_method or "").lower() not in CASH_ON_DELIVERY:
        return Maturity(matures_at, None)
    paid_at = events.get(Milestone.PAID)
    return Maturity(matures_at, Milestone.PAID) if paid_at is None else Maturity(max(matures_at, paid_at), None)


def waits_for_events(terms: Terms) -> bool:
    """Whether it matters what became of the order."""
    return terms.start is not ValidationStart.ORDER or (terms.payment_method or "").lower() in CASH_ON_DELIVERY
