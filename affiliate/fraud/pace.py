"""Rules on how many, and how fast: against the partner's own past, and the program's, so that a sale day is no fraud. Pure."""

from affiliate.fraud.facts import PAST_DAYS, Facts
from affiliate.fraud.signals import Limits, Signal


def velocity(facts: Facts, limits: Limits) -> Signal | None:
    """Many times the partner's usual orders on one day, while the others sell as always. A success brings clicks as well."""
    place, past = facts.today.place, facts.past
    if place < limits["orders"] or past.orders < limits["history"]:
        return None
    if not _jumps(facts, now=place, usual_total=past.orders, times=limits["times"]) or _is_promoted(facts, limits):
        return None
    return Signal({"orders_today": place, "orders_before": past.orders, "days_before": PAST_DAYS} | _others(facts))


def coupon_leak(facts: Facts, limits: Limits) -> Signal | None:
    """A code is suddenly used by many who never clicked: it stands on a coupon site. A promotion brings clicks as well."""
    place, past = facts.today.place_by_code, facts.past
    if not facts.by_code or place < limits["orders"]:
        return None
    if not _jumps(facts, now=place, usual_total=past.orders_by_code, times=limits["times"]) or _is_promoted(
        facts, limits
    ):
        return None
    evidence: dict[str, int | str] = {"orders_by_code_today": place, "orders_by_code_before": past.orders_by_code}
    return Signal(evidence | {"clicks_today": facts.today.clicks} | _others(facts))


def refund_farming(facts: Facts, limits: Limits) -> Signal | None:
    """Far more of the partner's orders go back than of the others'. In some trades everybody sends much back."""
    mine, others = facts.past, facts.program_past.without(facts.past)
    if mine.orders < limits["orders"] or mine.orders_refunded * 100 < limits["percent"] * mine.orders:
        return None
    usual = max(others.orders, 1)
    if mine.orders_refunded * usual <= limits["times"] * others.orders_refunded * mine.orders:
        return None
    return Signal(
        {
            "orders": mine.orders,
            "refunded": mine.orders_refunded,
            "orders_of_others": others.orders,
            "refunded_of_others": others.orders_refunded,
        }
    )


def _jumps(facts: Facts, *, now: int, usual_total: int, times: int) -> bool:
    """Whether today is `times` a usual day, and as much above what the others do today. A day without history counts as one order."""
    others = facts.program_past.without(facts.past).orders
    usual = max(usual_total, PAST_DAYS)
    if now * PAST_DAYS <= times * usual:
        return False
    # Busy days are busy for everybody: the bar rises as much as the others' orders do.
    return (
        now * PAST_DAYS * others > times * usual * max(others, facts.today.orders_of_others * PAST_DAYS) or not others
    )


def _is_promoted(facts: Facts, limits: Limits) -> bool:
    """Whether the partner's clicks rose as much: somebody really looks at it today."""
    return facts.today.clicks * PAST_DAYS > limits["times"] * max(facts.past.clicks, PAST_DAYS)


def _others(facts: Facts) -> dict[str, int | str]:
    others = facts.program_past.without(facts.past).orders
    return {"orders_of_others_today": facts.today.orders_of_others, "orders_of_others_before": others}
