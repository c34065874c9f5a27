"""Touches for tests of the pure rules: three partners, a window of thirty days, an order at NOW."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from event_cast import NOW, numbered

from affiliate.attribution import rules
from affiliate.attribution.policy import Policy
from affiliate.attribution.rules import Outcome
from affiliate.attribution.touches import Step, Touch
from affiliate.attribution.trace import Sale

ANNA, BEN, CARLA = numbered(101), numbered(102), numbered(103)
NAMES = {ANNA: "Anna", BEN: "Ben", CARLA: "Carla"}
EVERY_STEP = tuple(Step)


def click(number: int, *, partner: UUID = ANNA, days: float = 1, step: Step = Step.VISITOR, **changes: Any) -> Touch:
    values = {"id": numbered(number), "partner_id": partner, "link_id": numbered(50), "steps": (step,)}
    return Touch(**{"kind": "click", "at": NOW - timedelta(days=days)} | values | changes)


def coupon(*, partner: UUID | None = ANNA, **changes: Any) -> Touch:
    values = {"id": numbered(60), "code": "ANNA10", "partner_id": partner, "steps": (Step.COUPON,)}
    return Touch(**{"kind": "coupon", "at": NOW} | values | changes)


def bond(number: int, *, partner: UUID = ANNA, days: float = 100, step: Step = Step.CUSTOMER, **changes: Any) -> Touch:
    values = {"id": numbered(number), "partner_id": partner, "steps": (step,)}
    return Touch(**{"kind": "binding", "at": NOW - timedelta(days=days)} | values | changes)


def channel(name: str = "google", *, days: float = 1, **changes: Any) -> Touch:
    return Touch(**{"kind": "channel", "at": NOW - timedelta(days=days), "channel": name} | changes)


def by_hand(partner: UUID = ANNA) -> Touch:
    return Touch("manual", NOW, (Step.MANUAL,), id=numbered(61), partner_id=partner)


def decide(*touches: Touch, converted_at: datetime = NOW, kind: str = "sale", **terms: Any) -> Outcome:
    policy = terms.pop("policy", None) or Policy(**{"version": 3} | terms)
    return rules.attribute(touches=touches, policy=policy, sale=Sale(converted_at, kind))


def judged(outcome: Outcome) -> list[tuple[str, str | None]]:
    """Outcome and reason of each touch, oldest first."""
    return [(touch["outcome"], touch["reason"]) for touch in outcome.trace["touches"]]


def shares(outcome: Outcome) -> dict[str, int]:
    """Basis points by name."""
    return {NAMES[credit.partner_id]: credit.share_bps for credit in outcome.credits}


def winners(outcome: Outcome) -> list[UUID]:
    return [credit.partner_id for credit in outcome.credits]


def ladder(outcome: Outcome) -> dict[str, str]:
    return {rung["step"]: rung["outcome"] for rung in outcome.trace["ladder"]}
