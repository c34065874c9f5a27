"""What a credit earns, as a pure function: the order, the share, the plan and the counters in; amount and trace out.

    1. base        what the customer paid, without what the plan leaves out
    2. groups      items by the rule that pays them (`orders`, `precedence`)
    3. exchange    into the program's currency, where the order is in another: exactly, nothing is rounded here
    4. exact       each group by its rule and step (`tiers`), capped for the order (`caps`)
    5. rounding    once, half to even: each group is the difference of two rounded sums, so that they add up
    6. share       a credit is cut from the rounded whole, so that the credits of one order add up to it
    7. bonuses and caps of the partner's periods

The trace holds every step; what refunds take later is computed from its groups alone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from affiliate.commissions import caps, orders, precedence, tiers
from affiliate.commissions import terms as terms_of_plan
from affiliate.commissions.counters import Before, Tally
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.orders import Group, Item, Order, base_minor, cut
from affiliate.commissions.precedence import Choice
from affiliate.commissions.terms import Base, Period, Plan, Terms
from affiliate.commissions.tiers import Exact, Portion, Volume
from affiliate.currencies.convert import Exchange
from affiliate.money import BPS_PER_UNIT, divide_half_even, exponent

__all__ = ["Order", "Rated", "Share", "plan_in_force", "rate", "recruiters_share"]


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


@dataclass(slots=True)
class _Line:
    """A group on its way: the rule that pays it, the portions by step, and what it earns."""

    group: Group
    choice: Choice | None
    portions: list[Portion]
    exact: Fraction
    amount_minor: int = 0


@dataclass(slots=True)
class _Whole:
    """What the whole order earns before it is shared. The base is in the order's currency, what it earns in the program's."""

    base_minor: int
    factor: Exact = 1
    lines: list[_Line] = field(default_factory=list)
    cuts: list[caps.Cut] = field(default_factory=list)
    exact: Fraction = Fraction()


def plan_in_force(plans: Sequence[Plan], *, at: datetime) -> Plan | None:
    """The newest plan in force at the order's moment."""
    return max(
        (plan for plan in plans if plan.effective_from <= at), key=lambda plan: plan.effective_from, default=None
    )


def rate(
    *,
    order: Order,
    share: Share,
    plan: Plan | None,
    currency: str,
    before: Before | None = None,
    exchange: Exchange | None = None,
) -> Rated:
    """What a credit earns under this plan; `currency` is the program's, in which plans are written and partners paid.

    `before` are the partner's counters for the periods that the plan asks for (`terms.periods`). `exchange` is how an order
    in another currency becomes the program's; without it such an order earns nothing, and the reason says so.
    """
    counted = before or {}
    factor = _factor(order, currency, exchange)
    terms = plan.terms if plan is not None and factor is not None else None
    whole = _whole(order, terms, counted, factor or 0)
    parts = _shared([line.amount_minor for line in whole.lines], share)
    names, bonuses = _bonuses(terms, counted)
    amounts, cuts = caps.cap_periods(parts + bonuses, terms.caps, counted) if terms else (parts, [])
    trace = _trace(order, share, plan, whole, currency) | {
        "groups": [
            *(_described(line, amount, exchange) for line, amount in zip(whole.lines, amounts, strict=False)),
            *(_bonus(name, amount) for name, amount in zip(names, amounts[len(parts) :], strict=True)),
        ],
        "caps": [asdict(one) for one in [*whole.cuts, *cuts]],
        "counted": {period.value: asdict(tally) for period, tally in counted.items()},
        "amount_minor": sum(amounts),
    }
    if exchange is not None:
        trace["exchange"] = exchange.told()
    reason = None if sum(amounts) else _why_nothing(factor, plan, whole, cuts)
    return Rated(_rounded(Fraction(whole.base_minor * whole.factor)), sum(amounts), reason, trace)


def recruiters_share(rated: Rated, *, plan: Plan, level: int = 1) -> Rated | None:
    """What the recruiter of the partner earns: a part of the partner's own commission, group by group.

    `level` 2 is the recruiter's own recruiter, and so on; None where the plan pays that level nothing.
    """
    levels = terms_of_plan.recruiting(plan.terms)
    bps = levels[level - 1] if level <= len(levels) else 0
    if not bps or not rated.amount_minor:
        return None
    total = divide_half_even(rated.amount_minor * bps, BPS_PER_UNIT)
    amounts = cut(total, [group["amount_minor"] for group in rated.trace["groups"]])
    groups = [group | {"amount_minor": amount} for group, amount in zip(rated.trace["groups"], amounts, strict=True)]
    trace = rated.trace | {
        "groups": groups, "caps": [], "counted": {}, "amount_minor": total,
        "recruiter": {"rate_bps": bps, "of_minor": rated.amount_minor, "level": level},
        "exact": _exact(Fraction(rated.amount_minor * bps, BPS_PER_UNIT), rated.trace["paid_in"]),
    }  # fmt: skip
    return Rated(rated.base_minor, total, None if total else CommissionReason.SHARE_TOO_SMALL, trace)


# --- steps


def _factor(order: Order, currency: str, exchange: Exchange | None) -> Exact | None:
    """Minor units of the program's currency for one of the order's."""
    if order.currency == currency:
        return 1
    return None if exchange is None else exchange.factor


def _whole(order: Order, terms: Terms | None, before: Before, factor: Exact) -> _Whole:
    if terms is None:
        base = base_minor(order, Base())
        return _Whole(
            base, factor, [_Line(Group(None, (), base, order.amount_minor, is_rest=True), None, [], Fraction())]
        )
    whole = _Whole(base_minor(order, terms.base), factor)
    choices: dict[int, Choice] = {}

    def key_of(item: Item | None) -> int | None:
        choice = precedence.choose(terms.rules, order=order, item=item)
        if choice is None:
            return None
        return choices.setdefault(choice.index, choice).index

    ahead = 0  # the base of the groups before, which count for the next one's step
    for group in orders.groups(order, base=whole.base_minor, key_of=key_of):
        choice = choices.get(group.key) if group.key is not None else None
        whole.lines.append(_line(group, choice, whole, before, ahead))
        ahead += group.base_minor
    exacts, order_cut = caps.cap_order([line.exact for line in whole.lines], terms.caps)
    whole.cuts = [order_cut] if order_cut else []
    for line, exact in zip(whole.lines, exacts, strict=True):
        rounded_before = _rounded(whole.exact)
        line.exact, whole.exact = exact, whole.exact + exact
        line.amount_minor = _rounded(whole.exact) - rounded_before
    return whole


def _line(group: Group, choice: Choice | None, whole: _Whole, before: Before, ahead: int) -> _Line:
    if choice is None:
        return _Line(group, None, [], Fraction())
    tiered = choice.rule.tiers
    tally = before.get(tiered.period, Tally()) if tiered else Tally()
    found = tiers.portions(
        choice.rule,
        base=group.base_minor * whole.factor,
        order_base=(whole.base_minor - ahead) * whole.factor,
        before=Volume(tally.orders, tally.base_minor + ahead * whole.factor),
    )
    # What is left of an order beside its items is shipping, tax or dust: no reason to pay a fixed amount once more.
    pays_fixed = not (group.is_rest and whole.lines and not group.base_minor)
    return _Line(group, choice, found, tiers.exact(found, pays_fixed=pays_fixed))


def _rounded(exact: Fraction) -> int:
    return divide_half_even(exact.numerator, exact.denominator)


def _shared(amounts: Sequence[int], share: Share) -> list[int]:
    return [_cut(amount, share.before_bps + share.bps) - _cut(amount, share.before_bps) for amount in amounts]


def _cut(amount_minor: int, bps: int) -> int:
    return divide_half_even(amount_minor * bps, BPS_PER_UNIT)


def _bonuses(terms: Terms | None, before: Before) -> tuple[list[int], list[int]]:
    """The bonuses that this order brings: for which number of orders, and how much."""
    this_one = before.get(Period.LIFETIME, Tally()).orders + 1
    found = [bonus for bonus in (terms.bonuses if terms else ()) if bonus.orders == this_one]
    return [bonus.orders for bonus in found], [bonus.amount_minor for bonus in found]


def _why_nothing(factor: Exact | None, plan: Plan | None, whole: _Whole, cuts: Sequence[caps.Cut]) -> CommissionReason:
    if plan is None:
        return CommissionReason.NO_PLAN
    if factor is None:
        return CommissionReason.NO_EXCHANGE_RATE
    if cuts:
        return CommissionReason.CAPPED
    paying = [portion.pay for line in whole.lines for portion in line.portions]
    if not paying:
        return CommissionReason.NO_RULE
    if not any(pay.rate_bps or pay.fixed_minor for pay in paying):
        return CommissionReason.PAYS_NOTHING
    return CommissionReason.SHARE_TOO_SMALL if whole.exact else CommissionReason.ZERO_BASE


# --- the trace


def _trace(order: Order, share: Share, plan: Plan | None, whole: _Whole, currency: str) -> dict[str, Any]:
    of_share = whole.exact if share.bps == BPS_PER_UNIT else Fraction(_rounded(whole.exact) * share.bps, BPS_PER_UNIT)
    return {
        "share_bps": share.bps,
        "order_minor": order.amount_minor,
        "tax_minor": order.tax_minor,
        "shipping_minor": order.shipping_minor,
        "discount_minor": order.discount_minor,
        "base": asdict(plan.terms.base if plan else Base()),
        "base_minor": whole.base_minor,
        "plan": _plan(plan),
        "whole_minor": _rounded(whole.exact),
        "exact": _exact(of_share, currency),
        "rounding": "half_even",
        "currency": order.currency,
        "paid_in": currency,
    }


def _plan(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {"id": str(plan.id), "name": plan.name, "effective_from": plan.effective_from.isoformat()}


def _described(line: _Line, amount_minor: int, exchange: Exchange | None) -> dict[str, Any]:
    """A group. Its base and those of its portions are in the order's currency, what it earns in the program's."""
    choice = line.choice
    whole_units = 1 if exchange is None else exchange.factor.denominator
    bases = cut(line.group.base_minor, [int(one.base * whole_units) for one in line.portions])
    return {
        "skus": list(line.group.skus),
        "base_minor": line.group.base_minor,
        "original_minor": line.group.original_minor,
        "rule": None if choice is None else choice.index,
        "why": [] if choice is None else list(choice.why),
        "categories": [] if choice is None else list(choice.rule.when.categories),
        "portions": [
            {"base_minor": base, "above": one.above, **asdict(one.pay)}
            for base, one in zip(bases, line.portions, strict=True)
        ],
        "amount_minor": amount_minor,
    }


def _bonus(number: int, amount_minor: int) -> dict[str, Any]:
    return {"bonus_orders": number, "skus": [], "base_minor": 0, "original_minor": 0, "amount_minor": amount_minor}


def _exact(value: Fraction, currency: str) -> str:
    """The value before rounding, in major units: at least the currency's decimals, more only where they say something.

    Basis points make four decimals of a minor unit at most; a cap's share of a group may have more, and is cut there.
    """
    places = exponent(currency)
    digits = Decimal(value.numerator) / Decimal(value.denominator)
    whole, _, fraction = f"{digits.quantize(Decimal('1.00000000')).scaleb(-places):f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
