"""One order decided again, beside what was decided then. Pure.

The facts are those of then: what was wrong with a touch by itself is taken from the stored trace. Touches that the trace does not
hold, because the policy of then did not ask for them, come as they are known now; a policy that only divides otherwise needs none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from affiliate.attribution import rules, trace
from affiliate.attribution.policy import Policy
from affiliate.attribution.rules import CreditShare, Outcome
from affiliate.attribution.touches import Touch


@dataclass(frozen=True, slots=True)
class Then:
    """What was decided of an order, and stands: its trace, and its credits as the books know them (partner, basis points)."""

    trace: Mapping[str, Any]
    credits: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Again:
    """The order decided again."""

    outcome: Outcome
    changed: bool

    @property
    def credits(self) -> tuple[CreditShare, ...]:
        """Who would have it."""
        return self.outcome.credits


_DIVIDING = frozenset({"model", "weights", "half_life_days"})


def asks_alike(policy: Policy, other: Policy) -> bool:
    """Whether both look at the same contacts in the same way, and differ at most in how a sale is divided between them."""
    terms, others = policy.terms, other.terms
    return {name for name in terms if terms[name] != others[name]} <= _DIVIDING


def decide_again(then: Then, *, policy: Policy, found: Sequence[Touch] = ()) -> Again:
    """Decide by this policy; `found` are the touches as they are known now, for a policy that asks for others than then."""
    known = trace.touches(then.trace)
    touches = _merged(known, found) if found else known
    outcome = rules.attribute(touches=touches, policy=policy, sale=trace.sale(then.trace))
    shares = {credit.partner_id: credit.share_bps for credit in outcome.credits}
    return Again(outcome, shares != dict(then.credits))


def _merged(known: Sequence[Touch], found: Sequence[Touch]) -> list[Touch]:
    """Each touch once: found now with the flaw of then, and what cannot be found any more as it was."""
    now = {_key(touch): touch for touch in found}
    merged = []
    for touch in known:
        newer = now.pop(_key(touch), None)
        merged.append(touch if newer is None else replace(newer, flaw=touch.flaw))
    return [*merged, *now.values()]


def _key(touch: Touch) -> tuple[str, Any]:
    return touch.kind, touch.id or (touch.code, touch.channel, touch.at)
