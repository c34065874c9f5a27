"""The trace of a decision: written as plain JSON, and read back as the values that it was decided from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from affiliate.attribution.policy import Policy
from affiliate.attribution.touches import FLAWS, NotNeeded, Step, Touch, TouchRefusal
from affiliate.partners.classes import PartnerClass

_STEPS = {step.value: step for step in Step}


@dataclass(frozen=True, slots=True)
class Sale:
    """What of an order attribution decides by: its moment, its kind, and whether its customer is new (none: not known)."""

    converted_at: datetime
    kind: str = "sale"
    is_new_customer: bool | None = None
    newness_by: str | None = None  # shop or orders


def newness(*, shop_says: bool | None, has_earlier: bool, is_known: bool) -> tuple[bool | None, str | None]:
    """Whether a customer is new, and who says so.

    An earlier order in the program shows that it is not, whatever the shop says. The shop knows orders from before the
    program. Without its word a customer that can be recognised, and never ordered, is new.
    """
    if has_earlier:
        return False, "orders"
    if shop_says is not None:
        return shop_says, "shop"
    return (True, "orders") if is_known else (None, None)


@dataclass(slots=True)
class Judged:
    """A touch with what was decided about it. `share_bps` is its part of the sale."""

    touch: Touch
    step: Step | None
    refusal: TouchRefusal | None = None
    note: NotNeeded | None = None
    share_bps: int = 0
    took_it: bool = False  # another channel that got the sale


def write(judged: Sequence[Judged], *, policy: Policy, sale: Sale, credits_: list[dict[str, Any]]) -> dict[str, Any]:
    """The trace as it is stored."""
    return {
        "model": policy.model.value,
        "policy_version": policy.version,
        "policy": policy.terms,
        "window_days": policy.kind_windows.get(sale.kind, policy.window_days),
        "converted_at": sale.converted_at.isoformat(),
        "kind": sale.kind,
        "new_customer": sale.is_new_customer,
        "new_customer_by": sale.newness_by,
        "ladder": _ladder(judged, policy),
        "touches": [_told(one) for one in judged],
        "credits": credits_,
    }


def policy(stored: Mapping[str, Any]) -> Policy:
    """The policy that a trace was decided by."""
    return Policy.of(stored["policy_version"], stored["policy"])


def sale(stored: Mapping[str, Any]) -> Sale:
    """The order that a trace speaks of."""
    at = datetime.fromisoformat(stored["converted_at"])
    return Sale(at, stored["kind"], stored["new_customer"], stored["new_customer_by"])


def touches(stored: Mapping[str, Any]) -> list[Touch]:
    """The touches of a trace with what was wrong with each by itself: the facts as of its attribution."""
    return [_read(told) for told in stored["touches"]]


def _ladder(judged: Sequence[Judged], policy: Policy) -> list[dict[str, str]]:
    credited = {one.step for one in judged if one.share_bps}
    lost = {one.step for one in judged if one.note is NotNeeded.OTHER_CHANNEL}
    outranked = {one.step for one in judged if one.note is NotNeeded.LOWER_CLASS}
    rungs, decided = [], False
    for step in policy.ladder:
        if step in credited | lost:
            outcome, decided = "found" if step in credited else "overruled", True
        elif decided:
            outcome = "not_needed"
        else:
            outcome = "outranked" if step in outranked else "not_found"
        rungs.append({"step": step.value, "outcome": outcome})
    return rungs


def _told(one: Judged) -> dict[str, Any]:
    """A touch as JSON; what is as usual is left out."""
    touch = one.touch
    told: dict[str, Any] = {
        "kind": touch.kind,
        "id": _text(touch.id),
        "code": touch.code,
        "at": touch.at.isoformat(),
        "partner_id": _text(touch.partner_id),
        "link_id": _text(touch.link_id),
        "recognised_by": one.step.value if one.step else None,
        "outcome": _outcome(one),
        "reason": _reason(one),
    }
    if one.share_bps:
        told["share_bps"] = one.share_bps
    if len(touch.steps) > 1:
        told["steps"] = [step.value for step in touch.steps]
    if touch.partner_class is not PartnerClass.STANDARD:
        told["partner_class"] = touch.partner_class.value
    if touch.window_days is not None:
        told["window_days"] = touch.window_days
    if touch.channel is not None:
        told["channel"] = touch.channel
    return told


def _outcome(one: Judged) -> str:
    if one.refusal:
        return "refused"
    return "credited" if one.share_bps or one.took_it else "valid"


def _reason(one: Judged) -> str | None:
    reason = one.refusal or one.note
    return reason.value if reason else None


def _read(told: Mapping[str, Any]) -> Touch:
    by = told["recognised_by"]
    reason = told["reason"]
    return Touch(
        kind=told["kind"],
        at=datetime.fromisoformat(told["at"]),
        steps=tuple(_STEPS[step] for step in told["steps"]) if "steps" in told else (_STEPS[by],) if by else (),
        id=_uuid(told["id"]),
        code=told["code"],
        partner_id=_met(told["partner_id"]),
        link_id=_met(told["link_id"]),
        partner_class=PartnerClass(told["partner_class"]) if "partner_class" in told else PartnerClass.STANDARD,
        window_days=told.get("window_days"),
        channel=told.get("channel"),
        flaw=TouchRefusal(reason) if reason in FLAWS else None,
    )


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


_met = lru_cache(maxsize=8_192)(_uuid)  # partners and links come again and again
