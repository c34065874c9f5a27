"""What other settings would have said about the orders of a period, before anybody switches them on. Reads only."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.fraud import gathering, queries, rules
from affiliate.fraud.policy import Policy
from affiliate.fraud.queries import Cursor, Pair
from affiliate.fraud.signals import Verdict

BATCH = 1_000
"""Orders judged at a time, the oldest first, so that each batch has its own past before it."""

PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Question:
    """Other settings beside those in force, for the orders of a half-open period as they stand at its end."""

    program_id: UUID
    present: Policy
    wanted: Policy
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class Effect:
    """How many credits of a batch were tried, which of them each side stops, and how often each rule speaks under the new settings.

    Without a cursor there is nothing left.
    """

    tried: int = 0
    before: dict[Pair, Verdict] = field(default_factory=dict)
    after: dict[Pair, Verdict] = field(default_factory=dict)
    spoke: Counter[str] = field(default_factory=Counter)
    cursor: Cursor | None = None


def step(session: Session, *, question: Question, after: Cursor | None, limit: int) -> Effect:
    """The next credits under the settings in force and under the wanted ones. Decisions of managers are left out of both."""
    program_id, present, wanted = question.program_id, question.present, question.wanted
    period = {"starts_at": question.starts_at, "ends_at": question.ends_at}
    rows = queries.credits_between(session, program_id=program_id, **period, after=after, limit=limit)
    facts = gathering.facts_of(session, credits_=rows, policies={program_id: present}, now=question.ends_at)
    effect = Effect(tried=len(rows), cursor=Cursor.at(rows[-1]) if len(rows) == limit else None)
    for row in rows:
        known = facts[row.attribution_id, row.partner_id]
        words = replace(known.program, brand_terms=wanted.brand_terms, banned_hosts=wanted.banned_hosts)
        judged = rules.judge(replace(known, program=words), settings=wanted.rules)
        _note(effect.before, row.pair, rules.judge(known, settings=present.rules).verdict)
        _note(effect.after, row.pair, judged.verdict)
        effect.spoke.update(finding.rule for finding in judged.findings)
    return effect


def _note(stopped: dict[Pair, Verdict], pair: Pair, verdict: Verdict) -> None:
    if verdict is not Verdict.PASS:
        stopped[pair] = verdict
