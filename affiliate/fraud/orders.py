"""Rules on the order itself: told twice, told by nobody we trust, told otherwise by those we trust. Pure."""

import re

from affiliate.fraud.facts import Claim, Facts, Order, Sibling
from affiliate.fraud.signals import Limits, Signal
from affiliate.money import BPS_PER_UNIT

_PARTS = re.compile(r"[^0-9a-z]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_SUFFIX_LENGTH_MAX = 2
_STEM_LENGTH_MIN = 4


def varied_order_id(facts: Facts, limits: Limits) -> Signal | None:
    """The same order once more, its number written otherwise: other case, dashes, zeros, a suffix. Same click, same amount."""
    order = facts.order
    twins = [
        one
        for one in order.siblings
        if _same_amount(order, one, limits["bps"]) and _varied(order.order_id, one.order_id)
    ]
    return Signal({"orders_alike": len(twins)}) if twins else None


def _same_amount(order: Order, other: Sibling, bps: int) -> bool:
    return abs(order.amount_minor - other.amount_minor) * BPS_PER_UNIT <= bps * order.amount_minor


def _varied(one: str, other: str) -> bool:
    """Whether two numbers are one, or one is the other with a short suffix. `2026-17` and `2026-18` are two orders."""
    (whole, stem), (other_whole, other_stem) = _read(one), _read(other)
    return other_whole in {whole, stem} or whole == other_stem


def _read(order_id: str) -> tuple[str, str]:
    """A number without case, dashes and leading zeros; and the same without a short last part."""
    text = _LEADING_ZEROS.sub("", order_id.casefold())
    parts = [part for part in _PARTS.split(text) if part]
    whole = "".join(parts)
    has_suffix = len(parts) > 1 and len(parts[-1]) <= _SUFFIX_LENGTH_MAX
    stem = "".join(parts[:-1]) if has_suffix else whole
    return whole, stem if len(stem) >= _STEM_LENGTH_MIN else whole


def replayed_order(facts: Facts, limits: Limits) -> Signal | None:
    """The same number was reported again and again with other facts: somebody sends pages of old orders once more."""
    conflicts = facts.order.conflicts
    return Signal({"other_reports": conflicts, "limit": limits["reports"]}) if conflicts >= limits["reports"] else None


def unconfirmed(facts: Facts, limits: Limits) -> Signal | None:
    """Only a page of the shop told of the order, and the shop's server never confirmed it."""
    order = facts.order
    if order.is_verified or order.days_since_report < limits["days"]:
        return None
    return Signal({"days": order.days_since_report, "limit": limits["days"]})


def told_otherwise(facts: Facts, limits: Limits) -> Signal | None:
    """A page reported another amount or currency than the shop's server. Tax and shipping left out or in are no difference."""
    order = facts.order
    wrong = next((claim for claim in order.claims if _differs(order, claim, limits["bps"])), None)
    if wrong is None:
        return None
    evidence: dict[str, int | str] = {"told_minor": wrong.amount_minor, "told_currency": wrong.currency}
    return Signal(evidence | {"confirmed_minor": wrong.confirmed_minor, "confirmed_currency": wrong.confirmed_currency})


def _differs(order: Order, claim: Claim, bps: int) -> bool:
    if claim.currency != claim.confirmed_currency:
        return True
    parts = (0, order.tax_minor, order.shipping_minor, order.tax_minor + order.shipping_minor)
    nearest = min(abs(claim.confirmed_minor - part - claim.amount_minor) for part in parts)
    return nearest * BPS_PER_UNIT > bps * claim.confirmed_minor
