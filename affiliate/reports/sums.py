"""The derivations of an explanation: the base, the rate, and what was taken back. Each says whether its lines add up.

Pages close a sum with a double rule only where they do.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions.models import AdjustmentSource
from affiliate.money import BPS_PER_UNIT, Money
from affiliate.reports import words
from affiliate.reports.evidence import Evidence
from affiliate.reports.touches import Audience


@dataclass(frozen=True, slots=True)
class Sum:
    """A derivation: lines of {label, note, detail, amount} that add up to `total`; `proved` says that they do."""

    answer: str
    rows: list[dict[str, Any]]
    total: Money
    total_label: str
    proved: bool
    note: str | None = None


def base(evidence: Evidence) -> Sum:
    """From what the customer paid to what the commission is paid on."""
    trace, currency = evidence.commission.trace, evidence.commission.currency
    paid, tax, shipping = (int(trace.get(name, 0)) for name in ("order_minor", "tax_minor", "shipping_minor"))
    found = Money(int(trace.get("base_minor", evidence.commission.base_minor)), currency)
    rows = [{"label": _("Paid by the customer"), "amount": Money(paid, currency)}]
    if tax:
        rows.append({"label": _("Tax"), "amount": Money(-tax, currency)})
    if shipping:
        rows.append({"label": _("Shipping"), "amount": Money(-shipping, currency)})
    below = found.amount_minor - (paid - tax - shipping)
    if below > 0:
        rows.append({"label": _("Never below zero"), "amount": Money(below, currency)})
    answer = _("On what the customer paid, without tax and shipping.")
    return Sum(answer, rows, found, _("Base"), proved=_adds_up(rows, found))


def rate(evidence: Evidence, audience: Audience) -> Sum:
    """From the base to the commission, or why it is nothing."""
    commission, trace = evidence.commission, evidence.commission.trace
    earned = Money(commission.amount_minor, commission.currency)
    label = _("You earn") if audience is Audience.PARTNER else _("Commission")
    plan = trace.get("plan")
    if plan is None or not commission.amount_minor:
        reason = words.commission_reason(commission.reason) or _("This order earns nothing.")
        return Sum(reason, [], earned, label, proved=True)
    if plan["kind"] == "fixed":
        fixed = formats.money(Money(int(plan["fixed_minor"]), commission.currency))
        answer = _(
            "The plan “%(plan)s” pays %(amount)s for each sale, whatever its size.", plan=plan["name"], amount=fixed
        )
        detail = fixed
    else:
        percent = formats.percent_bps(int(plan["rate_bps"]))
        answer = _(
            "The plan “%(plan)s” pays %(rate)s of the base to everybody in this program.",
            plan=plan["name"],
            rate=percent,
        )
        detail = f"{formats.money(Money(commission.base_minor, commission.currency))} × {percent}"
    if int(trace.get("share_bps", BPS_PER_UNIT)) != BPS_PER_UNIT:
        detail += f" × {formats.percent_bps(int(trace['share_bps']))}"
    rows = [{"label": plan["name"], "detail": detail, "amount": earned}]
    return Sum(answer, rows, earned, label, proved=True, note=_rounding(trace, earned))


def _rounding(trace: dict[str, Any], earned: Money) -> str | None:
    exact = trace.get("exact")
    if exact is None or Decimal(exact) == earned.decimal():
        return None
    printed = format_decimal(Decimal(exact), locale=formats.locale(), decimal_quantization=False)
    return _("%(exact)s is rounded to %(amount)s, half to even.", exact=printed, amount=formats.money(earned))


def way(evidence: Evidence, audience: Audience, left: Money) -> Sum | None:
    """From what was earned to what is left; None when nothing was taken."""
    taken = [one for one in evidence.adjustments if one.amount_minor]
    if not taken:
        return None
    currency = evidence.commission.currency
    label = _("You earned") if audience is Audience.PARTNER else _("Earned")
    rows: list[dict[str, Any]] = [{"label": label, "amount": Money(evidence.commission.amount_minor, currency)}]
    rows += [
        {"label": _taken_by(one.source_kind), "note": _taken_note(one.created_at, one.note, clawed_back=one.is_clawback), "amount": Money(-one.amount_minor, currency)}
        for one in taken
    ]  # fmt: skip
    return Sum("", rows, left, _("What is left"), proved=_adds_up(rows, left))


def _taken_by(source: AdjustmentSource) -> str:
    return {
        AdjustmentSource.REFUND: _("Refund to the customer"),
        AdjustmentSource.ORDER_EVENT: _("Order cancelled"),
        AdjustmentSource.ATTRIBUTION: _("A newer attribution took its place"),
        AdjustmentSource.MANAGER: _("Declined by a manager"),
    }[source]


def _taken_note(at: datetime, note: str | None, *, clawed_back: bool) -> str:
    parts = [formats.day(at)]
    if clawed_back:
        parts.append(_("already in a payout, so the next one is lower by it"))
    if note:
        parts.append(f"“{note}”")
    return ". ".join(parts)


def _adds_up(rows: list[dict[str, Any]], total: Money) -> bool:
    return sum(row["amount"].amount_minor for row in rows) == total.amount_minor
