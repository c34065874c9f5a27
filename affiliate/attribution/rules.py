"""Who gets a sale. Pure: touches, policy and the order's moment in; credits and their trace out.

1. Each touch is judged by itself: flawed, in a way the program does not recognise, out of time, or accepted.
2. If the policy ranks partners, only accepted touches of the best class present go on.
3. The first step of the ladder on which one stands decides. A claim (coupon, bound customer, manager) takes all. On a step of
   contacts the last one takes all; the other models divide the sale between all contacts, whatever their step.
4. Another paid channel that overrules, and through which the customer came after all of these, takes the sale.

Every touch stays in the trace with its reason, and from the trace alone the credits follow again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import Any
from uuid import UUID

from affiliate.attribution import shares, trace
from affiliate.attribution.policy import Binding, ChannelRule, Model, Policy
from affiliate.attribution.touches import CLAIMS, NotNeeded, Step, Touch, TouchRefusal, Unattributed
from affiliate.attribution.trace import Judged, Sale
from affiliate.money import BPS_PER_UNIT

_BOUND = frozenset({Step.CUSTOMER, Step.EMAIL})


@dataclass(frozen=True, slots=True)
class CreditShare:
    """A partner's share, in basis points, and the touch that earned most of it."""

    partner_id: UUID
    share_bps: int
    touch: Touch


@dataclass(frozen=True)
class Outcome:
    """What was decided: credits or a reason, and the trace that tells how, written once somebody asks for it."""

    credits: tuple[CreditShare, ...]
    reason: Unattributed | None
    lost_to: dict[UUID, str]  # the channel that took the sale, by each partner that would have had a part
    judged: Sequence[Judged]
    policy: Policy
    sale: Sale

    @cached_property
    def trace(self) -> dict[str, Any]:
        """How it was decided, as it is stored."""
        told = [{"partner_id": str(credit.partner_id), "share_bps": credit.share_bps} for credit in self.credits]
        return trace.write(self.judged, policy=self.policy, sale=self.sale, credits_=told)


def attribute(*, touches: Sequence[Touch], policy: Policy, sale: Sale) -> Outcome:
    """The credits of a sale. Their shares add up to 10,000 basis points, or there are none and a reason."""
    judged = [_judge(touch, policy, sale) for touch in _in_order(touches)]
    contenders = _outrank([one for one in judged if one.refusal is None and one.step], policy)
    _divide(contenders, policy)
    partners_won = any(one.share_bps for one in judged)
    _give_to_channel(judged)
    credits_ = _credits(judged)
    reason = None if credits_ else _why_nobody(judged, partners_won=partners_won)
    return Outcome(credits_, reason, _losses(judged), judged, policy, sale)


def rederive(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The credits that follow from a trace alone: the same as those stored, or the trace is not the whole story.

    Everything is decided again; only what a trace cannot show (a signature, a partner's standing) is taken from its reasons.
    """
    again = attribute(touches=trace.touches(stored), policy=trace.policy(stored), sale=trace.sale(stored))
    credited: list[dict[str, Any]] = again.trace["credits"]
    return credited


def _in_order(touches: Sequence[Touch]) -> Sequence[Touch]:
    """By time; only where two are of one instant it takes more to tell which comes first."""
    found = sorted(touches, key=attrgetter("at"))
    if all(one.at < other.at for one, other in pairwise(found)):
        return found
    return sorted(touches, key=attrgetter("order"))


def _judge(touch: Touch, policy: Policy, sale: Sale) -> Judged:
    step = next((step for step in policy.ladder if step in touch.steps), None)
    if touch.kind == "channel":
        return _judge_channel(touch, policy, sale)
    if touch.flaw is not None:
        return Judged(touch, step or next(iter(touch.steps), None), refusal=touch.flaw)
    if step is None:
        return Judged(touch, next(iter(touch.steps), None), refusal=TouchRefusal.STEP_OFF)
    return Judged(touch, step, refusal=_out_of_time(touch, step, policy, sale))


def _judge_channel(touch: Touch, policy: Policy, sale: Sale) -> Judged:
    """A channel has no partner, so its touch is no contender; `_give_to_channel` looks at those that overrule."""
    rule = policy.channel_rule(touch.channel or "")
    late = _out_of_time(touch, None, policy, sale)
    notes = {ChannelRule.IGNORED: NotNeeded.CHANNEL_IGNORED, ChannelRule.YIELDS: NotNeeded.CHANNEL_YIELDS}
    return Judged(touch, None, refusal=late, note=notes.get(rule, NotNeeded.EARLIER_CHANNEL))


def _out_of_time(touch: Touch, step: Step | None, policy: Policy, sale: Sale) -> TouchRefusal | None:
    """Windows are half-open: exactly its length before the order is outside. What the order itself says has no window."""
    if touch.at > sale.converted_at:
        return TouchRefusal.AFTER_CONVERSION
    age = sale.converted_at - touch.at
    if step in _BOUND:
        ended = policy.binding_days is not None and age >= timedelta(days=policy.binding_days)
        return TouchRefusal.BINDING_ENDED if ended else None
    if step in CLAIMS:
        return None
    days = touch.window_days or policy.kind_windows.get(sale.kind, policy.window_days)
    return TouchRefusal.OUTSIDE_WINDOW if age >= timedelta(days=days) else None


def _outrank(accepted: list[Judged], policy: Policy) -> list[Judged]:
    """Those that go on: all, or those of the best class present. A manager's word has no class."""
    if not policy.classes_outrank or not accepted:
        return accepted
    best = min(_rank(one) for one in accepted)
    for one in accepted:
        if _rank(one) > best:
            one.note = NotNeeded.LOWER_CLASS
    return [one for one in accepted if _rank(one) == best]


def _rank(one: Judged) -> int:
    return -1 if one.step is Step.MANUAL else one.touch.partner_class.rank


def _divide(contenders: list[Judged], policy: Policy) -> None:
    """Give each contender its share, and those without one the reason."""
    step = next((step for step in policy.ladder if any(one.step is step for one in contenders)), None)
    if step is None:
        return
    for one in contenders:
        one.note = NotNeeded.LOWER_STEP
    if step in CLAIMS or policy.model is Model.LAST_CLICK:
        first = step in _BOUND and policy.binding is Binding.FIRST
        _take_all([one for one in contenders if one.step is step], first=first)
        return
    pool = [one for one in contenders if one.step not in CLAIMS]
    lost = NotNeeded.LATER_CLICK if policy.model is Model.FIRST_CLICK else NotNeeded.SHARE_TOO_SMALL
    for one, bps in zip(pool, shares.shares([one.touch.at for one in pool], policy), strict=True):
        one.share_bps, one.note = bps, None if bps else lost


def _take_all(pool: list[Judged], *, first: bool) -> None:
    for one in pool:
        one.note = NotNeeded.LATER_CLICK if first else NotNeeded.EARLIER_CLICK
    winner = pool[0] if first else pool[-1]
    winner.share_bps, winner.note = BPS_PER_UNIT, None


def _give_to_channel(judged: list[Judged]) -> None:
    """Let the last overruling channel take the sale if it came after every credited contact. A manager's word stands."""
    credited = [one for one in judged if one.share_bps]
    rivals = [one for one in judged if one.note is NotNeeded.EARLIER_CHANNEL and one.refusal is None]
    if not rivals or any(one.step is Step.MANUAL or one.touch.at > rivals[-1].touch.at for one in credited):
        return
    rivals[-1].note, rivals[-1].took_it = None, True
    for one in credited:
        one.share_bps, one.note = 0, NotNeeded.OTHER_CHANNEL


def _credits(judged: Sequence[Judged]) -> tuple[CreditShare, ...]:
    """One credit for each partner: its contacts added up, told by the one that earned most, of equal ones the last."""
    found: dict[UUID, list[Judged]] = {}
    for one in judged:
        if one.share_bps and one.touch.partner_id:
            found.setdefault(one.touch.partner_id, []).append(one)
    return tuple(
        CreditShare(
            partner_id, sum(one.share_bps for one in own), max(reversed(own), key=lambda one: one.share_bps).touch
        )
        for partner_id, own in found.items()
    )


def _losses(judged: Sequence[Judged]) -> dict[UUID, str]:
    taker = next((one.touch.channel for one in judged if one.took_it), None) or ""
    lost = (one.touch.partner_id for one in judged if one.note is NotNeeded.OTHER_CHANNEL)
    return {partner_id: taker for partner_id in lost if partner_id}


def _why_nobody(judged: Sequence[Judged], *, partners_won: bool) -> Unattributed:
    if partners_won:
        return Unattributed.OTHER_CHANNEL
    told = any(one.touch.kind != "channel" for one in judged)
    return Unattributed.ALL_REFUSED if told else Unattributed.NO_TOUCH
