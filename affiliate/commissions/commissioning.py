"""Turning credits into commissions: rate each, insert what is new, post what it is worth."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions import life, queries, rates
from affiliate.commissions.life import CommissionStatus, Worth
from affiliate.commissions.models import Commission
from affiliate.commissions.queries import CreditFacts, Standing
from affiliate.commissions.takings import Changes, declined, take, write
from affiliate.ledger import postings as ledger
from affiliate.ledger.postings import Posting
from affiliate.money import Money


def commission_credits(session: Session, *, conversion_ids: Collection[UUID], now: datetime) -> list[Posting]:
    """One commission for each credit in force that has none. What a manager has declined before stays declined."""
    credits_ = queries.credits_of(session, conversion_ids=conversion_ids)
    rows = _rows(session, credits_, now)
    inserted = set(db.insert_new(session, Commission, rows))
    standings = [_fresh(row) for row in rows if row["id"] in inserted]
    no_longer, changes = queries.declined_pairs(session, conversion_ids=conversion_ids), Changes()
    for standing in standings:
        if (standing.conversion_id, standing.partner_id) in no_longer and standing.worth.status in life.WITH_US:
            take(changes, standing, [declined(standing)], now=now)
    accruals = [posting for standing in standings for posting in _accrual(standing)]
    return accruals + write(session, changes)


def _rows(session: Session, credits_: Sequence[CreditFacts], now: datetime) -> list[dict[str, Any]]:
    plans = queries.plans_of(session, program_ids={credit.program_id for credit in credits_})
    rows = []
    for _, of_one_order in groupby(credits_, key=lambda credit: credit.attribution_id):
        before_bps = 0
        for credit in of_one_order:
            if not credit.has_commission:
                plan = rates.plan_in_force(plans.get(credit.program_id, []), at=credit.placed_at)
                rows.append(_row(credit, rates.Share(credit.share_bps, before_bps), plan, now))
            before_bps += credit.share_bps
    return rows


def _row(credit: CreditFacts, share: rates.Share, plan: rates.Plan | None, now: datetime) -> dict[str, Any]:
    rated = rates.rate(order=credit.order, share=share, plan=plan, currency=credit.program_currency)
    return {
        "id": ids.new_at(credit.placed_at),
        "program_id": credit.program_id,
        "partner_id": credit.partner_id,
        "conversion_id": credit.conversion_id,
        "attribution_id": credit.attribution_id,
        "credit_id": credit.credit_id,
        "plan_id": plan.id if plan else None,
        "level": 1,
        "is_live": True,
        "status": _first_status(credit),
        "reason": rated.reason,
        "currency": credit.order.currency,
        "base_minor": rated.base_minor,
        "amount_minor": rated.amount_minor,
        "reversed_minor": 0,
        "trace": rated.trace,
        "earned_at": credit.placed_at,
        "matures_at": credit.placed_at + timedelta(days=credit.validation_days),
        "created_at": now,
    }


def _first_status(credit: CreditFacts) -> CommissionStatus:
    if credit.is_test:
        return CommissionStatus.TEST
    return CommissionStatus.PENDING if credit.is_verified else CommissionStatus.UNVERIFIED


def _fresh(row: dict[str, Any]) -> Standing:
    keys = ("id", "program_id", "partner_id", "conversion_id", "attribution_id", "is_live", "currency")
    worth = Worth(row["status"], row["reason"], row["amount_minor"], row["reversed_minor"])
    return Standing(**{key: row[key] for key in keys}, worth=worth)


def _accrual(standing: Standing) -> list[Posting]:
    if standing.worth.status in life.NEVER_POSTED:
        return []
    amount = Money(standing.worth.amount_minor, standing.currency)
    return ledger.accrue(
        program_id=standing.program_id, partner_id=standing.partner_id, commission_id=standing.id, amount=amount
    )
