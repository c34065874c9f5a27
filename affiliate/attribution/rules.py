"""Who gets a sale. Pure: touches, policy and the order's moment in; credits and their trace out.

A ladder says in which order a sale is recognised. The first step on which a touch stands decides, and there the last touch
before the order takes all. Every touch is judged and stays in the trace with its reason, whether it was needed or not.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from affiliate.money import BPS_PER_UNIT

MODEL = "last_click"


class Step(enum.StrEnum):
    """A way to recognise a partner's customer."""

    CLICK_ID = "click_id"  # the order names a click by its signed id
    COUPON = "coupon"  # the order used a code that is bound to a partner
    VISITOR = "visitor"  # the browser that ordered is one that clicked, known by a cookie with consent


LADDER = (Step.CLICK_ID, Step.COUPON, Step.VISITOR)
"""The most certain way first."""


class TouchRefusal(enum.StrEnum):
    """Why a touch cannot win."""

    TAMPERED_CLICK_ID = "tampered_click_id"
    UNKNOWN_CLICK = "unknown_click"
    UNKNOWN_COUPON = "unknown_coupon"
    NOT_VALID = "not_valid"  # the click itself was refused: a robot, a picture, a stopped link
    PARTNER_INACTIVE = "partner_inactive"
    AFTER_CONVERSION = "after_conversion"
    OUTSIDE_WINDOW = "outside_window"


_FLAWS = frozenset(set(TouchRefusal) - {TouchRefusal.AFTER_CONVERSION, TouchRefusal.OUTSIDE_WINDOW})


class NotNeeded(enum.StrEnum):
    """Why a good touch did not win."""

    LOWER_STEP = "lower_step"
    EARLIER_CLICK = "earlier_click"


class Unattributed(enum.StrEnum):
    """Why a conversion has no credit."""

    NO_TOUCH = "no_touch"
    ALL_REFUSED = "all_refused"  # there were touches; the trace says why each was refused


@dataclass(frozen=True, slots=True)
class Touch:
    """A contact of the customer with a partner. `flaw` is what is already known to be wrong with it."""

    kind: Literal["click", "coupon"]
    at: datetime
    recognised_by: Step
    id: UUID | None = None
    code: str | None = None
    partner_id: UUID | None = None
    link_id: UUID | None = None
    flaw: TouchRefusal | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the program says about who wins."""

    version: int
    window: timedelta
    ladder: tuple[Step, ...] = LADDER


@dataclass(frozen=True, slots=True)
class CreditShare:
    """A partner's share, in basis points, and the touch that earned it."""

    partner_id: UUID
    share_bps: int
    touch: Touch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided: credits or a reason, and the trace that tells how."""

    credits: tuple[CreditShare, ...]
    reason: Unattributed | None
    trace: dict[str, Any]


def attribute(*, touches: Sequence[Touch], policy: Policy, converted_at: datetime) -> Outcome:
    """Credit the last accepted touch on the highest step of the ladder that has one."""
    ordered = sorted(touches, key=_order)
    refusals = [_refusal(touch, policy, converted_at) for touch in ordered]
    accepted = [touch for touch, refusal in zip(ordered, refusals, strict=True) if refusal is None]
    winner = _winner(accepted, policy.ladder)
    shares = (CreditShare(winner.partner_id, BPS_PER_UNIT, winner),) if winner and winner.partner_id else ()
    trace = {
        "model": MODEL,
        "policy_version": policy.version,
        "window_days": policy.window.days,
        "converted_at": converted_at.isoformat(),
        "ladder": _ladder(winner, policy.ladder),
        "touches": [_judged(touch, refusal, winner) for touch, refusal in zip(ordered, refusals, strict=True)],
        "credits": [{"partner_id": str(share.partner_id), "share_bps": share.share_bps} for share in shares],
    }
    return Outcome(shares, None if shares else _why_nobody(ordered), trace)


def rederive(trace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The credits that follow from a trace alone: the same as those stored, or the trace is not the whole story.

    Times are judged again; only what the trace cannot show (a signature, a partner's standing) is taken from its reasons.
    """
    converted_at, window = datetime.fromisoformat(trace["converted_at"]), timedelta(days=trace["window_days"])
    accepted = [
        (touch, at)
        for touch in trace["touches"]
        if touch["reason"] not in _FLAWS
        and _out_of_time(touch["kind"], at := datetime.fromisoformat(touch["at"]), window, converted_at) is None
    ]
    for rung in trace["ladder"]:
        found = [(at, touch["id"] or "", touch) for touch, at in accepted if touch["recognised_by"] == rung["step"]]
        if found:
            last = max(found, key=lambda one: one[:2])[2]
            return [{"partner_id": last["partner_id"], "share_bps": BPS_PER_UNIT}]
    return []


def _order(touch: Touch) -> tuple[datetime, str]:
    return touch.at, str(touch.id or "")


def _refusal(touch: Touch, policy: Policy, converted_at: datetime) -> TouchRefusal | None:
    """The first thing that is wrong with a touch."""
    return touch.flaw or _out_of_time(touch.kind, touch.at, policy.window, converted_at)


def _out_of_time(kind: str, at: datetime, window: timedelta, converted_at: datetime) -> TouchRefusal | None:
    """The window is half-open: exactly its length before the order is outside. A coupon is used in the order itself."""
    if at > converted_at:
        return TouchRefusal.AFTER_CONVERSION
    if kind == "click" and converted_at - at >= window:
        return TouchRefusal.OUTSIDE_WINDOW
    return None


def _winner(accepted: Sequence[Touch], ladder: Sequence[Step]) -> Touch | None:
    for step in ladder:
        found = [touch for touch in accepted if touch.recognised_by is step]
        if found:
            return max(found, key=_order)
    return None


def _why_nobody(touches: Sequence[Touch]) -> Unattributed:
    return Unattributed.ALL_REFUSED if touches else Unattributed.NO_TOUCH


def _ladder(winner: Touch | None, ladder: Sequence[Step]) -> list[dict[str, str]]:
    place = ladder.index(winner.recognised_by) if winner else len(ladder)
    outcomes = [
        "not_found" if index < place else "found" if index == place else "not_needed" for index in range(len(ladder))
    ]
    return [{"step": step.value, "outcome": outcome} for step, outcome in zip(ladder, outcomes, strict=True)]


def _judged(touch: Touch, refusal: TouchRefusal | None, winner: Touch | None) -> dict[str, Any]:
    return {
        "kind": touch.kind,
        "id": _text(touch.id),
        "code": touch.code,
        "at": touch.at.isoformat(),
        "partner_id": _text(touch.partner_id),
        "link_id": _text(touch.link_id),
        "recognised_by": touch.recognised_by.value,
        "outcome": "refused" if refusal else "credited" if touch is winner else "valid",
        "reason": _reason(touch, refusal, winner),
    }


def _reason(touch: Touch, refusal: TouchRefusal | None, winner: Touch | None) -> str | None:
    if refusal is not None:
        return refusal.value
    if winner is None or touch is winner:
        return None
    same_step = touch.recognised_by is winner.recognised_by
    return (NotNeeded.EARLIER_CLICK if same_step else NotNeeded.LOWER_STEP).value


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
