"""The derivations of an explanation: the base, the rate, and what was taken back. Each says whether its lines add up.

Pages close a sum with a double rule only where they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions.models import AdjustmentSource, CommissionAdjustment, DeclineReason
from affiliate.commissions.terms import Base, Pay
from affiliate.money import BPS_PER_UNIT, Money
from affiliate.reports import plan_words, words
from affiliate.reports.evidence import Evidence
from affiliate.reports.touches import Audience

SOURCES = {"ecb": "ECB"}
"""Where exchange rates come from, as people know it."""


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
    trace = evidence.commission.trace
    currency = trace.get("currency", evidence.commission.currency)
    said = Base(**trace.get("base", {}))
    paid = int(trace.get("order_minor", 0))
    found = Money(int(trace.get("base_minor", evidence.commission.base_minor)), currency)
    changes = (
        (_("Tax"), 0 if said.with_tax else -int(trace.get("tax_minor", 0))),
        (_("Shipping"), 0 if said.with_shipping else -int(trace.get("shipping_minor", 0))),
        (_("Discount, which does not count"), int(trace.get("discount_minor", 0)) if said.before_discount else 0),
    )
    rows = [{"label": _("Paid by the customer"), "amount": Money(paid, currency)}]
    rows += [{"label": label, "amount": Money(minor, currency)} for label, minor in changes if minor]
    below = found.amount_minor - (paid + sum(minor for _label, minor in changes))
    if below > 0:
        rows.append({"label": _("Never below zero"), "amount": Money(below, currency)})
    return Sum(plan_words.base(said), rows, found, _("Base"), proved=_adds_up(rows, found), note=exchange(trace))


def exchange(trace: dict[str, Any], name: str = "exchange") -> str | None:
    """By which rate an order in another currency was turned into the plan's, or (`paid_by`) the plan's into the program's."""
    used = trace.get(name)
    return None if used is None else rate_of_day(used)


def rate_of_day(used: Mapping[str, Any]) -> str:
    """An exchange as a trace names it."""
    return str(
        _(
            "1 %(currency)s is %(rate)s %(other)s: the rate of %(day)s by the %(source)s.",
            currency=used["from"], other=used["to"], source=SOURCES.get(used["source"], used["source"]),
            rate=format_decimal(Decimal(used["rate"]), locale=formats.locale(), decimal_quantization=False),
            day=formats.day(date.fromisoformat(used["day"])),
        )
    )  # fmt: skip


def rate(evidence: Evidence, audience: Audience) -> Sum:
    """From the base to the commission, a line for each group of items, or why it is nothing."""
    commission, trace = evidence.commission, evidence.commission.trace
    earned = Money(commission.amount_minor, commission.currency)
    label = _("You earn") if audience is Audience.PARTNER else _("Commission")
    plan = trace.get("plan")
    if plan is None or not commission.amount_minor:
        reason = words.commission_reason(commission.reason) or _("This order earns nothing.")
        return Sum(reason, [], earned, label, proved=True)
    rows = [_group(group, trace, earned) for group in trace.get("groups", ()) if group["amount_minor"]]
    rows = rows or [{"label": plan["name"], "amount": earned}]
    return Sum(_rate_answer(plan, trace, earned.currency), rows, earned, label, proved=_adds_up(rows, earned), note=_notes(trace, earned))  # fmt: skip


def only_rate(trace: dict[str, Any]) -> int | None:
    """The rate of an order that is paid by a single percentage, in basis points."""
    paying = [
        portion for group in trace.get("groups", ()) if group["amount_minor"] for portion in group.get("portions", [{}])
    ]
    rates = {portion.get("rate_bps") for portion in paying}
    return rates.pop() if len(rates) == 1 else None


def _rate_answer(plan: dict[str, Any], trace: dict[str, Any], currency: str) -> str:
    if "recruiter" in trace:
        rate = formats.percent_bps(int(trace["recruiter"]["rate_bps"]))
        of = formats.money(Money(int(trace["recruiter"]["of_minor"]), currency))
        if int(trace["recruiter"].get("level", 1)) > 1:
            level = formats.number(int(trace["recruiter"]["level"]))
            return str(_("The plan “%(plan)s” pays the recruiter %(level)s levels above %(rate)s of the partner's %(amount)s.", plan=plan["name"], level=level, rate=rate, amount=of))  # fmt: skip
        return str(_("The plan “%(plan)s” pays the recruiter %(rate)s of the partner's %(amount)s.", plan=plan["name"], rate=rate, amount=of))  # fmt: skip
    groups = [group for group in trace.get("groups", ()) if group["amount_minor"]]
    if len(groups) != 1 or len(groups[0].get("portions", ())) != 1:
        return str(_("The plan “%(plan)s” pays each part by its most specific rule.", plan=plan["name"]))
    paid, why = _pay(groups[0]["portions"][0], _plan_in(trace, currency)), plan_words.why(groups[0])
    return str(_("The plan “%(plan)s” pays %(paid)s, %(why)s.", plan=plan["name"], paid=paid, why=why))


def _pay(portion: dict[str, Any], currency: str) -> str:
    return plan_words.pay(Pay(rate_bps=portion["rate_bps"], fixed_minor=portion["fixed_minor"]), currency)


def _group(group: dict[str, Any], trace: dict[str, Any], earned: Money) -> dict[str, Any]:
    """A line: why this rule, and base times rate for each step that pays."""
    details = []
    times, plan_in = _times(trace, "exchange"), _plan_in(trace, earned.currency)
    for portion in group.get("portions", ()):
        base = formats.money(Money(portion["base_minor"], trace.get("currency", earned.currency)))
        paid = _pay(portion, plan_in)
        details.append(f"{base}{times} × {paid}" if portion["rate_bps"] is not None else paid)
    detail = " + ".join(details)
    if detail and "paid_by" in trace:
        detail = (f"({detail})" if "+" in detail else detail) + _times(trace, "paid_by")
    if detail and int(trace.get("share_bps", BPS_PER_UNIT)) != BPS_PER_UNIT:
        detail += f" × {formats.percent_bps(int(trace['share_bps']))}"
    label = plan_words.why(group)
    row = {"label": label[:1].upper() + label[1:], "amount": Money(group["amount_minor"], earned.currency)}
    return row | ({"detail": detail} if detail else {})


def _plan_in(trace: dict[str, Any], paid_in: str) -> str:
    """The currency of the plan's amounts."""
    return str(trace.get("plan_in", paid_in))


def _times(trace: dict[str, Any], name: str) -> str:
    """An exchange rate as a factor, where there is one."""
    used = trace.get(name)
    if used is None:
        return ""
    return f" × {format_decimal(Decimal(used['rate']), locale=formats.locale(), decimal_quantization=False)}"


def _notes(trace: dict[str, Any], earned: Money) -> str | None:
    """Caps that took effect, the rate by which the plan's currency is paid, then the rounding."""
    caps = [plan_words.cap(one["cap"], one["limit"], _plan_in(trace, earned.currency)) for one in trace.get("caps", ())]
    rounding = None if caps or len(trace.get("groups", ())) != 1 else _rounding(trace, earned)
    said = [*caps, exchange(trace, "paid_by"), rounding]
    return " ".join(one for one in said if one) or None


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
        {"label": taken_by(one.source_kind), "note": _taken_note(one), "amount": Money(-one.amount_minor, currency)}
        for one in taken
    ]  # fmt: skip
    return Sum("", rows, left, _("What is left"), proved=_adds_up(rows, left))


def taken_by(source: AdjustmentSource) -> str:
    """What took from a commission."""
    return {
        AdjustmentSource.REFUND: _("Refund to the customer"),
        AdjustmentSource.ORDER_EVENT: _("Order cancelled"),
        AdjustmentSource.ATTRIBUTION: _("A newer attribution took its place"),
        AdjustmentSource.VALIDATION: _("The shop's validation found a smaller order"),
        AdjustmentSource.MANAGER: _("Declined by a manager"),
        AdjustmentSource.REVIEW: _("Rejected after a check for fraud"),
    }[source]


def _taken_note(one: CommissionAdjustment) -> str:
    parts = [formats.day(one.created_at)]
    if one.decline_reason not in {None, DeclineReason.OTHER}:
        parts.append(words.decline_reason(one.decline_reason))
    if one.is_clawback:
        parts.append(_("already in a payout, so the next one is lower by it"))
    if one.note:
        parts.append(f"“{one.note}”")
    return ". ".join(parts)


def _adds_up(rows: list[dict[str, Any]], total: Money) -> bool:
    return sum(row["amount"].amount_minor for row in rows) == total.amount_minor
