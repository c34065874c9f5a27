"""What we believe of a conversion after one more delivery or amendment. Pure: facts in, facts and a judgement out."""

import enum
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from affiliate.tracking.codec import ConversionEvent, Trust

Facts = dict[str, Any]
"""The columns of a conversion that a delivery fills, by name."""

_AMENDABLE = ("amount_minor", "tax_minor", "shipping_minor")
_DELIVERED = (
    *("trust", "source", "is_test", *_AMENDABLE, "discount_minor", "currency"),
    *("click_id", "click_refusal", "visitor_id", "coupon", "customer_id", "email_hash", "new_customer", "channel"),
    *("payment_method", "items", "fingerprint", "occurred_at", "received_at"),
)
_ABOUT_THE_DELIVERY = frozenset({"trust", "source", "fingerprint", "received_at", "amended_at"})
FACT_NAMES = (*_DELIVERED, "amended_at")


class Judgement(enum.Enum):
    """What a delivery for a known conversion is."""

    SAME = "same"  # told before
    REPLACES = "replaces"  # from a higher source
    LOWER_TRUST = "lower_trust"
    CONFLICTS = "conflicts"  # another body from a source of the same level: the first one stands


def facts_of(event: ConversionEvent) -> Facts:
    """The facts that a delivery states, before any amendment."""
    return {name: getattr(event, name) for name in _DELIVERED} | {"amended_at": None}


def judge(event: ConversionEvent, *, believed: Mapping[str, Any], replaced: Collection[tuple[int, str]]) -> Judgement:
    """What this delivery means beside what is believed. `replaced` are trust and fingerprint of what was believed before."""
    told = (event.trust, event.fingerprint)
    if told == (believed["trust"], believed["fingerprint"]) or told in replaced:
        return Judgement.SAME
    if event.trust > believed["trust"]:
        return Judgement.REPLACES
    return Judgement.LOWER_TRUST if event.trust < believed["trust"] else Judgement.CONFLICTS


def replacing(event: ConversionEvent, *, believed: Mapping[str, Any]) -> Facts:
    """The facts of a higher source, with the click of the lower one where the higher names none: silence is no statement.

    Only a click that a signed source named: anybody could tie a click of his own to the next order ids by an open one.
    """
    facts = facts_of(event)
    if _names_no_click(facts) and believed["click_id"] is not None and is_verified(believed["trust"]):
        facts["click_id"] = believed["click_id"]
    return facts


def adds_click(event: ConversionEvent, *, believed: Mapping[str, Any]) -> bool:
    """Whether a lower source, that came after the higher one, names the click that the higher one did not: as above."""
    return event.click_id is not None and is_verified(event.trust) and _names_no_click(believed)


def _names_no_click(facts: Mapping[str, Any]) -> bool:
    return facts["click_id"] is None and facts["click_refusal"] is None


def amend(facts: Facts, amendments: Iterable[Mapping[str, Any]]) -> Facts:
    """The facts with all amendments of the order laid over them: for each amount the newest word counts.

    What arrived first does not matter. An amendment in another currency than the order's cannot change its amounts.
    """
    amended = dict(facts)
    applicable = (amendment for amendment in amendments if is_applicable(amendment, facts=facts))
    for amendment in sorted(applicable, key=age):
        amended |= {name: amendment[name] for name in _AMENDABLE if amendment[name] is not None}
        amended["amended_at"] = amendment["occurred_at"]
    return amended


def is_applicable(amendment: Mapping[str, Any], *, facts: Mapping[str, Any]) -> bool:
    """Whether an amendment speaks of this order's currency."""
    return amendment["currency"] in {None, facts["currency"]}


def age(amendment: Mapping[str, Any]) -> tuple[datetime, UUID]:
    """What makes one amendment newer than another: when it happened in the shop."""
    return amendment["occurred_at"], amendment["id"]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The facts about the order that changed, each with both values. Who said it, and when we heard it, is no such fact."""
    names = (name for name in FACT_NAMES if name not in _ABOUT_THE_DELIVERY)
    return {name: [before[name], after[name]] for name in names if before[name] != after[name]}


def calls_for_attribution(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the change asks for a new attribution: other facts, or verified now and not before."""
    return bool(differences(before, after)) or is_verified(before["trust"]) != is_verified(after["trust"])


def is_verified(trust: int) -> bool:
    """Whether a source of this level is believed without another's confirmation."""
    return trust >= Trust.SIGNED


_PERSONAL = frozenset({"customer_id", "email_hash", "visitor_id"})


def without_persons(told: Mapping[str, Any]) -> Facts:
    """What of a refused event is kept to be shown: everything but who the customer is."""
    return {name: value for name, value in told.items() if name not in _PERSONAL}
