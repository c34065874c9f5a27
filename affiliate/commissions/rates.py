"""What a credit earns, as a pure function: the order, the share, the plan and the counters in; amount and trace out.

    1. base        what the customer paid, without what the plan leaves out
    2. groups      items by the rule that pays them (`orders`, `precedence`)
    3. exchange    into the plan's currency, where the order is in another: exactly, nothing is rounded here
    4. exact       each group by its rule and step (`tiers`), capped for the order (`caps`)
    5. paying      into the program's currency, where the plan is in another: exactly
    6. rounding    once, half to even: each group is the difference of two rounded sums, so that they add up
    7. share       a credit is cut from the rounded whole, so that the credits of one order add up to it
    8. bonuses and caps of the partner's periods

The trace (`workings`) holds every step; what refunds take later is computed from its groups alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any, TypedDict

from affiliate.commissions import caps, orders, precedence, tiers, workings
from affiliate.commissions import terms as terms_of_plan
from affiliate.commissions.counters import Before, Tally
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.orders import Group, Item, Order, base_minor, cut
from affiliate.commissions.precedence import Choice
from affiliate.commissions.terms import Base, Period, Plan, Terms
from affiliate.commissions.tiers import Exact, Volume
from affiliate.commissions.workings import Line, Share, Whole
from affiliate.currencies.convert import Exchange, Rates
from affiliate.money import BPS_PER_UNIT, divide_half_even

__all__ = ["Order", "Rated", "Share", "exchanges", "plan_in_force", "rate", "recruiters_share"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counters of steps and caps count, in minor units of the plan's currency: the base, and what was earned."""

    currency: str
    base_minor: int
    amount_minor: int


@dataclass(frozen=True)
class Rated:
    """What a credit earns, why it is nothing if it is, and how that was computed. Amounts are in the program's currency."""

    base_minor: int
    revenue_minor: int  # the credit's part of what the customer paid
    amount_minor: int
    reason: CommissionReason | None
    counted: Counted
    tell: Callable[[], dict[str, Any]] = field(compare=False, repr=False)

    @cached_property
    def trace(self) -> dict[str, Any]:
        """How it was computed, as it is stored; written once somebody asks for it."""
        return self.tell()


def plan_in_force(plans: Sequence[Plan], *, at: datetime) -> Plan | None:
    """The newest plan in force at the order's moment."""
    return max(
        (plan for plan in plans if plan.effective_from <= at), key=lambda plan: plan.effective_from, default=None
    )


class Exchanges(TypedDict):
    """What `rate` may need: how an order becomes its plan's currency, and that the program's; null where they are the same."""

    exchange: Exchange | None
    paid_by: Exchange | None


def exchanges(known: Rates, *, order: Order, plan: Plan | None, currency: str) -> Exchanges:
    """The exchanges for an order of a known moment; null also where no rate is known. `currency` is the program's."""
    plan_in = plan.currency(currency) if plan else currency

    def between(one: str, other: str) -> Exchange | None:
        if one == other or order.placed_at is None:
            return None
        return known.exchange(currency=one, to=other, at=order.placed_at)

    return {"exchange": between(order.currency, plan_in), "paid_by": between(plan_in, currency)}


def rate(
    *,
    order: Order,
    share: Share,
    plan: Plan | None,
    currency: str,
    before: Before | None = None,
    exchange: Exchange | None = None,
    paid_by: Exchange | None = None,
) -> Rated:
    """What a credit earns under this plan; `currency` is the program's, in which partners are paid.

    `before` are the partner's counters for the periods that the plan asks for (`terms.periods`), in the plan's currency.
    `exchange` is how an order in another currency becomes the plan's, `paid_by` how the plan's becomes the program's; where
    one that is needed is missing the order earns nothing, and the reason says so.
    """
    counted = before or {}
    plan_in = plan.currency(currency) if plan else currency
    factor, payable = _factor(order.currency, plan_in, exchange), _factor(plan_in, currency, paid_by)
    terms = plan.terms if plan is not None and factor and payable else None
    whole = _whole(order, terms, counted, Whole(0, factor or 0, payable or 0))
    parts = _shared([line.amount_minor for line in whole.lines], share)
    names, bonuses = _bonuses(terms, counted, whole.payable)
    amounts, cuts = caps.cap_periods(parts + bonuses, terms.caps, counted, whole.payable) if terms else (parts, [])
    own = Counted(
        plan_in, _rounded(whole.base_minor * whole.factor),
        _rounded(Fraction(sum(amounts)) / whole.payable) if whole.payable else 0,
    )  # fmt: skip

    def tell() -> dict[str, Any]:
        told = workings.trace(order, share, plan, whole, currency) | {
            "groups": [
                *(workings.group(line, amount, exchange) for line, amount in zip(whole.lines, amounts, strict=False)),
                *(workings.bonus(name, amount) for name, amount in zip(names, amounts[len(parts) :], strict=True)),
            ],
            "caps": [asdict(one) for one in [*whole.cuts, *cuts]],
            "counted": {period.value: asdict(tally) for period, tally in counted.items()},
            "amount_minor": sum(amounts),
        }
        return told | workings.currencies(exchange, paid_by, counted_minor=own.amount_minor)

    reason = None if sum(amounts) else _why_nothing(plan, whole, cuts)
    base, paid = (_rounded(minor * whole.factor * whole.payable) for minor in (whole.base_minor, order.amount_minor))
    return Rated(base, _shared([paid], share)[0], sum(amounts), reason, own, tell)


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
        "exact": workings.exact(Fraction(rated.amount_minor * bps, BPS_PER_UNIT), rated.trace["paid_in"]),
        "counted_minor": 0,
    }  # fmt: skip
    own = Counted(rated.counted.currency, rated.counted.base_minor, 0)  # counters count the partner's commission alone
    return Rated(rated.base_minor, 0, total, None if total else CommissionReason.SHARE_TOO_SMALL, own, lambda: trace)


# --- steps


def _factor(currency: str, to: str, exchange: Exchange | None) -> Exact | None:
    """Minor units of the other currency for one of the first."""
    if currency == to:
        return 1
    return None if exchange is None else exchange.factor


def _whole(order: Order, terms: Terms | None, before: Before, whole: Whole) -> Whole:
    if terms is None:
        whole.base_minor = base_minor(order, Base())
        whole.lines = [Line(Group(None, (), whole.base_minor, order.amount_minor, is_rest=True), None, [], Fraction())]
        return whole
    whole.base_minor = base_minor(order, terms.base)
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
    for line, in_plan in zip(whole.lines, exacts, strict=True):
        rounded_before = _rounded(whole.exact)
        line.exact = in_plan if whole.payable == 1 else in_plan * whole.payable
        whole.exact += line.exact
        line.amount_minor = _rounded(whole.exact) - rounded_before
    return whole


def _line(group: Group, choice: Choice | None, whole: Whole, before: Before, ahead: int) -> Line:
    if choice is None:
        return Line(group, None, [], Fraction())
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
    return Line(group, choice, found, tiers.exact(found, pays_fixed=pays_fixed))


def _rounded(exact: Exact) -> int:
    return divide_half_even(exact.numerator, exact.denominator)


def _shared(amounts: Sequence[int], share: Share) -> list[int]:
    return [_cut(amount, share.before_bps + share.bps) - _cut(amount, share.before_bps) for amount in amounts]


def _cut(amount_minor: int, bps: int) -> int:
    return divide_half_even(amount_minor * bps, BPS_PER_UNIT)


def _bonuses(terms: Terms | None, before: Before, payable: Exact) -> tuple[list[int], list[int]]:
    """The bonuses that this order brings: for which number of orders, and how much is paid."""
    this_one = before.get(Period.LIFETIME, Tally()).orders + 1
    found = [bonus for bonus in (terms.bonuses if terms else ()) if bonus.orders == this_one]
    return [bonus.orders for bonus in found], [_rounded(bonus.amount_minor * payable) for bonus in found]


def _why_nothing(plan: Plan | None, whole: Whole, cuts: Sequence[caps.Cut]) -> CommissionReason:
    if plan is None:
        return CommissionReason.NO_PLAN
    if not whole.factor or not whole.payable:
        return CommissionReason.NO_EXCHANGE_RATE
    if cuts:
        return CommissionReason.CAPPED
    paying = [portion.pay for line in whole.lines for portion in line.portions]
    if not paying:
        return CommissionReason.NO_RULE
    if not any(pay.rate_bps or pay.fixed_minor for pay in paying):
        return CommissionReason.PAYS_NOTHING
    return CommissionReason.SHARE_TOO_SMALL if whole.exact else CommissionReason.ZERO_BASE
