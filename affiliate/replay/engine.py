"""The machine of a replay: batch by batch through a period, with nothing kept but the sums and the place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.attribution import journeys
from affiliate.attribution import queries as attribution
from affiliate.attribution.policy import Policy
from affiliate.programs.models import Program
from affiliate.replay import compare, pricing, queries
from affiliate.replay.compare import Again
from affiliate.replay.pricing import Wanted
from affiliate.replay.queries import Cursor, Decided


@dataclass(frozen=True, slots=True)
class Question:
    """A stored period, half-open, under another policy; none: each order under the policy of then."""

    program: Program
    policy: Policy | None
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class Totals:
    """The sums so far. Amounts are minor units of the program's currency, by partner: today and tomorrow."""

    orders: int = 0
    changed: int = 0
    today: dict[UUID, int] = field(default_factory=dict)
    tomorrow: dict[UUID, int] = field(default_factory=dict)

    def add(self, today: Mapping[UUID, int], tomorrow: Mapping[UUID, int]) -> None:
        """Count what one order earns its partners."""
        for sums, earned in ((self.today, today), (self.tomorrow, tomorrow)):
            for partner_id, minor in earned.items():
                sums[partner_id] = sums.get(partner_id, 0) + minor

    def to_json(self) -> dict[str, Any]:
        """As a replay stores them."""
        sums = {
            name: {str(partner_id): minor for partner_id, minor in getattr(self, name).items()}
            for name in ("today", "tomorrow")
        }
        return {"orders": self.orders, "changed": self.changed, **sums}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Totals":
        """Read them back."""
        today, tomorrow = (
            {UUID(partner_id): minor for partner_id, minor in stored.get(name, {}).items()}
            for name in ("today", "tomorrow")
        )
        return cls(stored.get("orders", 0), stored.get("changed", 0), today, tomorrow)


@dataclass(frozen=True, slots=True)
class Change:
    """An order that would go to somebody else, with what it earns whom today and tomorrow."""

    decided: Decided
    again: Again
    today: Mapping[UUID, int]
    tomorrow: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch gave. Without a cursor there is nothing left."""

    cursor: Cursor | None
    changes: list[Change]


def step(session: Session, *, question: Question, totals: Totals, after: Cursor | None, limit: int) -> Step:
    """Decide the next `limit` orders again and add them to the totals. Reads only."""
    period = {"starts_at": question.starts_at, "ends_at": question.ends_at}
    batch = queries.decided(session, program_id=question.program.id, **period, after=after, limit=limit)
    if not batch:
        return Step(None, [])
    again = _decide(session, question, batch)
    earned = queries.earned(session, conversion_ids=[one.order.id for one in batch])
    changed = [(one, new) for one, new in zip(batch, again, strict=True) if new.changed]
    priced = pricing.price(session, program=question.program, wanted=[_wanted(one, new) for one, new in changed])
    changes = [Change(one, new, earned.get(one.order.id, {}), priced[one.order.id]) for one, new in changed]
    for one in batch:
        today = earned.get(one.order.id, {})
        totals.add(today, priced.get(one.order.id, today))
    totals.orders += len(batch)
    totals.changed += len(changes)
    last = batch[-1].order
    return Step(Cursor(last.occurred_at, last.id) if len(batch) == limit else None, changes)


def _decide(session: Session, question: Question, batch: Sequence[Decided]) -> list[Again]:
    known = attribution.terms(session, program_ids=[question.program.id])[question.program.id]
    by_version = {term.policy.version: term.policy for term in known}
    if question.policy is None:
        return [compare.decide_again(one.then, policy=by_version[one.policy_version]) for one in batch]
    policy = question.policy
    alike = {version for version, other in by_version.items() if compare.asks_alike(policy, other)}
    asking = [one.order for one in batch if one.policy_version not in alike]
    found = journeys.load(session, orders=asking, policies={order.id: policy for order in asking}) if asking else {}
    return [
        compare.decide_again(
            one.then, policy=policy, found=found[one.order.id].touches if one.order.id in found else ()
        )
        for one in batch
    ]


def _wanted(one: Decided, again: Again) -> Wanted:
    return Wanted(one.order.id, again.credits, again.outcome.sale.is_new_customer)
