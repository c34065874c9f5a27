"""What other settings would have said about the orders of a period, before anybody switches them on. Reads only."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.fraud import gathering, queries, rules
from affiliate.fraud.policy import Policy
from affiliate.fraud.queries import CreditRow, Pair
from affiliate.fraud.signals import Verdict

BATCH = 1_000
ORDERS_MAX = 5_000
"""How many orders are tried at most, the newest: a page has to answer."""

PERIOD = timedelta(days=30)


@dataclass(slots=True)
class Effect:
    """How many credits were tried, which of them each side stops, and how often each rule speaks under the new settings."""

    tried: int = 0
    is_whole: bool = True
    before: dict[Pair, Verdict] = field(default_factory=dict)
    after: dict[Pair, Verdict] = field(default_factory=dict)
    spoke: Counter[str] = field(default_factory=Counter)


def of(session: Session, *, program_id: UUID, wanted: Policy, now: datetime) -> Effect:
    """The last 30 days under the settings in force and under the wanted ones. Decisions of managers are left out of both."""
    rows = queries.credits_between(session, program_id=program_id, since=now - PERIOD, until=now, limit=ORDERS_MAX + 1)
    effect = Effect(tried=min(len(rows), ORDERS_MAX), is_whole=len(rows) <= ORDERS_MAX)
    present = queries.policies(session, program_ids={program_id})[program_id]
    for batch in _batches(rows[:ORDERS_MAX]):
        facts = gathering.facts_of(session, credits_=batch, policies={program_id: present}, now=now)
        for row in batch:
            known = facts[row.attribution_id, row.partner_id]
            words = replace(known.program, brand_terms=wanted.brand_terms, banned_hosts=wanted.banned_hosts)
            after = rules.judge(replace(known, program=words), settings=wanted.rules)
            _note(effect.before, row.pair, rules.judge(known, settings=present.rules).verdict)
            _note(effect.after, row.pair, after.verdict)
            effect.spoke.update(finding.rule for finding in after.findings)
    return effect


def _note(stopped: dict[Pair, Verdict], pair: Pair, verdict: Verdict) -> None:
    if verdict is not Verdict.PASS:
        stopped[pair] = verdict


def _batches(rows: Sequence[CreditRow]) -> Iterator[list[CreditRow]]:
    """The oldest first, so that each batch has its own past before it."""
    remaining = iter(sorted(rows, key=lambda row: (row.occurred_at, row.conversion_id)))
    while batch := list(islice(remaining, BATCH)):
        yield batch
