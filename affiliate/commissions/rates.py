"""What a credit earns, as a pure function: the order, the share and the plan in; amount, reason and trace out.

Exact value first, one rounding at the end (half to even). The credits of one order are cut from one rounded whole, so
that their commissions always add up to it.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from affiliate.commissions.life import CommissionReason
from affiliate.money import AMOUNT_MINOR_MAX, BPS_PER_UNIT, divide_half_even, exponent

N_ = str  # marks a sentence for the translators
NAME_LENGTH_MAX = 120


class PlanKind(enum.StrEnum):
    """How a plan pays."""

    PERCENT = "percent"  # of the order's base
    FIXED = "fixed"  # for each conversion, whatever its base


@dataclass(frozen=True, slots=True)
class Plan:
    """What a program pays from `effective_from` on: basis points of the base, or minor units of its currency."""

    id: UUID
    name: str
    kind: PlanKind
    rate_bps: int | None
    fixed_minor: int | None
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """What the customer paid, with the parts that earn nothing, in minor units of the order's currency."""

    amount_minor: int
    tax_minor: int
    shipping_minor: int
    currency: str

    @property
    def base_minor(self) -> int:
        """The part that commissions are computed from: without tax and shipping, never below zero."""
        return max(0, self.amount_minor - self.tax_minor - self.shipping_minor)


@dataclass(frozen=True, slots=True)
class Share:
    """A credit's part of an order: its basis points, and those of the credits that were cut before it."""

    bps: int = BPS_PER_UNIT
    before_bps: int = 0


@dataclass(frozen=True, slots=True)
class Rated:
    """What a credit earns, why it is nothing if it is, and how that was computed."""

    base_minor: int
    amount_minor: int
    reason: CommissionReason | None
    trace: dict[str, Any]


def plan_problems(*, name: str, kind: PlanKind, rate_bps: int | None, fixed_minor: int | None) -> dict[str, str]:
    """One sentence for each wrong field of a new plan; empty when it may be stored."""
    wrong = {}
    if not 0 < len(name.strip()) <= NAME_LENGTH_MAX:
        wrong["name"] = N_("Give the plan a name of up to 120 characters.")
    percent = kind is PlanKind.PERCENT
    if percent and (rate_bps is None or not 1 <= rate_bps <= BPS_PER_UNIT):
        wrong["rate_bps"] = N_("Give a percentage from 0.01 to 100.")
    if not percent and rate_bps is not None:
        wrong["rate_bps"] = N_("A fixed amount has no percentage.")
    if not percent and (fixed_minor is None or not 1 <= fixed_minor <= AMOUNT_MINOR_MAX):
        wrong["fixed_minor"] = N_("Give an amount above zero.")
    if percent and fixed_minor is not None:
        wrong["fixed_minor"] = N_("A percentage has no fixed amount.")
    return wrong


def plan_in_force(plans: Sequence[Plan], *, at: datetime) -> Plan | None:
    """The newest plan in force at the order's moment."""
    return max(
        (plan for plan in plans if plan.effective_from <= at), key=lambda plan: plan.effective_from, default=None
    )


def rate(*, order: Order, share: Share, plan: Plan | None, currency: str) -> Rated:
    """What a credit earns under this plan; `currency` is the program's, the only one it pays in."""
    whole, parts = _whole(order, plan if order.currency == currency else None)
    amount = _cut(whole, parts, share.before_bps + share.bps) - _cut(whole, parts, share.before_bps)
    trace = {
        "share_bps": share.bps,
        "order_minor": order.amount_minor,
        "tax_minor": order.tax_minor,
        "shipping_minor": order.shipping_minor,
        "base_minor": order.base_minor,
        "plan": _describe(plan),
        "exact": _exact(whole * share.bps, parts * BPS_PER_UNIT, order.currency),
        "amount_minor": amount,
        "rounding": "half_even",
        "currency": order.currency,
    }
    return Rated(order.base_minor, amount, None if amount else _why_nothing(order, plan, currency), trace)


def _whole(order: Order, plan: Plan | None) -> tuple[int, int]:
    """What the whole order earns, exactly: so many of so many parts of a minor unit."""
    if plan is None:
        return 0, 1
    if plan.kind is PlanKind.FIXED:
        return plan.fixed_minor or 0, 1
    return order.base_minor * (plan.rate_bps or 0), BPS_PER_UNIT


def _cut(whole: int, parts: int, bps: int) -> int:
    return divide_half_even(whole * bps, parts * BPS_PER_UNIT)


def _why_nothing(order: Order, plan: Plan | None, currency: str) -> CommissionReason:
    if order.currency != currency:
        return CommissionReason.OTHER_CURRENCY
    if plan is None:
        return CommissionReason.NO_PLAN
    if plan.kind is PlanKind.PERCENT and not order.base_minor:
        return CommissionReason.ZERO_BASE
    return CommissionReason.SHARE_TOO_SMALL


def _describe(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "id": str(plan.id),
        "name": plan.name,
        "kind": plan.kind.value,
        "rate_bps": plan.rate_bps,
        "fixed_minor": plan.fixed_minor,
        "effective_from": plan.effective_from.isoformat(),
    }


def _exact(numerator: int, denominator: int, currency: str) -> str:
    """The value before rounding, in major units: at least the currency's decimals, more only where they say something."""
    places = exponent(currency)
    digits = places + len(str(denominator)) - 1  # denominators are powers of ten
    whole, _, fraction = f"{Decimal(numerator).scaleb(-digits):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
