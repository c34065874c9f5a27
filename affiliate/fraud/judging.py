"""Judging a batch of credits: one verdict for each, written once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.fraud import counting, gathering, queries, rules
from affiliate.fraud.models import FraudDecision, FraudPlace, FraudVerdict
from affiliate.fraud.policy import Policy
from affiliate.fraud.queries import CreditRow, Pair
from affiliate.fraud.rules import Judgement
from affiliate.fraud.signals import Action, Verdict
from affiliate.ingest.models import Click, Trust

Key = tuple[UUID, UUID]
"""An attribution and a partner."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the commission stage has to know about a credit."""

    verdict_id: UUID
    verdict: Verdict


def judge(session: Session, *, conversion_ids: Collection[UUID], now: datetime) -> dict[Key, Ruling]:
    """One verdict for each credit in force of these conversions, by attribution and partner. Tests have none.

    A credit that was judged before keeps its verdict. Called in the transaction that makes the commissions, so that
    neither exists without the other.
    """
    credits_ = queries.credits_of(session, conversion_ids=conversion_ids)
    counting.keep(session, conversion_ids=conversion_ids, credits_=credits_)
    known = queries.verdicts_of(session, attribution_ids={row.attribution_id for row in credits_})
    found = {(row.attribution_id, row.partner_id): Ruling(row.id, row.verdict) for row in known}
    fresh = [row for row in credits_ if (row.attribution_id, row.partner_id) not in found]
    if not fresh:
        return found
    _remember_places(session, fresh)
    policies = queries.policies(session, program_ids={row.program_id for row in fresh})
    facts = gathering.facts_of(session, credits_=fresh, policies=policies, now=now)
    rows = [
        _row(row, rules.judge(facts[row.attribution_id, row.partner_id], settings=wanted.rules), wanted, now)
        for row in fresh
        for wanted in (policies[row.program_id],)
    ]
    _overrule(session, rows)
    session.execute(sa.insert(FraudVerdict), rows, execution_options={"render_nulls": True})
    return found | {(row["attribution_id"], row["partner_id"]): Ruling(row["id"], row["verdict"]) for row in rows}


def _remember_places(session: Session, credits_: Sequence[CreditRow]) -> None:
    """Keep over which connection each order came: raw clicks are not indexed by it, and are many."""
    of_click = {row.click_id: row for row in credits_ if row.click_id is not None}
    named = sa.select(Click.id, Click.address_hash).where(
        db.among(session, Click.id, of_click.keys()), Click.address_hash.is_not(None)
    )
    rows = [
        {
            "conversion_id": row.conversion_id,
            "program_id": row.program_id,
            "connection": connection,
            "occurred_at": row.occurred_at,
        }
        for click_id, connection in session.execute(named)
        for row in (of_click[click_id],)
    ]
    db.insert_new(session, FraudPlace, rows)


def _row(row: CreditRow, judged: Judgement, wanted: Policy, now: datetime) -> dict[str, Any]:
    findings = [
        {"rule": one.rule, "action": one.action.value, "evidence": dict(one.evidence)} for one in judged.findings
    ]
    return {
        "id": ids.derived(row.attribution_id, "fraud", str(row.partner_id)),
        "program_id": row.program_id,
        "conversion_id": row.conversion_id,
        "attribution_id": row.attribution_id,
        "partner_id": row.partner_id,
        "verdict": judged.verdict,
        "reason": judged.reason,
        "findings": findings,
        "settings_version": wanted.version,
        "decision_id": None,
        "answer_by": now + timedelta(days=wanted.answer_days),
        "recheck_at": _recheck_at(row, wanted),
        "judged_at": now,
    }


def _recheck_at(row: CreditRow, wanted: Policy) -> datetime | None:
    """When an order that nobody confirmed so far is looked at again."""
    unconfirmed = wanted.of("unconfirmed")
    if row.trust >= Trust.SIGNED or unconfirmed.action is Action.OFF:
        return None
    return row.received_at + timedelta(days=unconfirmed.limits["days"])


def _overrule(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """A manager's word stands over the rules; an answer that was promised for a day stays promised for that day."""
    conversion_ids = {row["conversion_id"] for row in rows}
    decisions = queries.last_decisions(session, conversion_ids=conversion_ids)
    promised = queries.promises(session, conversion_ids=conversion_ids)
    for row in rows:
        pair: Pair = (row["conversion_id"], row["partner_id"])
        if pair in decisions:
            row.update(_decided(decisions[pair], row["reason"]))
        under_review = row["verdict"] is Verdict.FLAG
        row["answer_by"] = promised.get(pair, row["answer_by"]) if under_review else None


def _decided(decision: FraudDecision, reason: str | None) -> Mapping[str, Any]:
    told = decision.rule or reason
    return {
        "verdict": decision.verdict,
        "reason": None if decision.verdict is Verdict.PASS else told,
        "decision_id": decision.id,
    }
