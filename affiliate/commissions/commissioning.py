"""Turning credits into commissions: rate each, insert what is new, post what it is worth."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions import changed_days, facts, life, maturity, queries, rates, recruiters, terms
from affiliate.commissions.counters import Before, Tally
from affiliate.commissions.facts import CreditFacts, Window
from affiliate.commissions.life import CommissionStatus, Worth
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import Commission
from affiliate.commissions.queries import Standing
from affiliate.commissions.rates import Rated, Share
from affiliate.commissions.takings import Changes, declined, rejected, take, write
from affiliate.commissions.terms import Plan
from affiliate.currencies.convert import Rates
from affiliate.fraud import judging
from affiliate.fraud.signals import Verdict
from affiliate.ledger import postings as ledger
from affiliate.ledger.postings import Posting
from affiliate.money import Money

Events = Mapping[UUID, Mapping[Milestone, datetime]]


@dataclass(slots=True)
class Counting:
    """The counters of a batch: as stored before it, and moved on by each order of it."""

    tallies: dict[Window, Tally] = field(default_factory=dict)

    def before(self, credit: CreditFacts, plan: Plan | None) -> Before:
        """What the partner had brought before this order, for the periods that its plan asks for."""
        if plan is None:
            return {}
        wanted = sorted(terms.periods(plan.terms))
        return {period: self.tallies.get(facts.window(credit, plan, period), Tally()) for period in wanted}

    def add(self, credit: CreditFacts, plan: Plan | None, rated: Rated) -> None:
        """Count the order, unless it is one that no counter counts."""
        if plan is None or credit.is_rejected or first_status(credit) in facts.NOT_COUNTED:
            return
        for period in terms.periods(plan.terms):
            window = facts.window(credit, plan, period)
            tally, own = self.tallies.get(window, Tally()), rated.counted
            self.tallies[window] = tally.plus(base_minor=own.base_minor, earned_minor=own.amount_minor)


def commission_credits(session: Session, *, conversion_ids: Collection[UUID], now: datetime) -> list[Posting]:
    """A commission for each credit in force that has none. What a manager has declined before stays declined."""
    rows = _rows(session, _judged(session, conversion_ids, now), now)
    inserted = set(db.insert_new(session, Commission, rows))
    if inserted:
        changed_days.note(session, db.among(session, Commission.id, inserted))
    standings = [fresh(row) for row in rows if row["id"] in inserted]
    no_longer, changes = queries.declined_pairs(session, conversion_ids=conversion_ids), Changes()
    for standing in standings:
        if standing.trace.get("verdict") == Verdict.REJECT:
            take(changes, standing, [rejected(standing, verdict_id=UUID(standing.trace["verdict_id"]))], now=now)
        elif (standing.conversion_id, standing.partner_id) in no_longer and standing.worth.status in life.WITH_US:
            take(changes, standing, [declined(standing)], now=now)
    accruals = [posting for standing in standings for posting in accrual(standing)]
    return accruals + write(session, changes)


def _judged(session: Session, conversion_ids: Collection[UUID], now: datetime) -> list[CreditFacts]:
    """The credits of these conversions with what the fraud rules say of each."""
    rulings = judging.judge(session, conversion_ids=conversion_ids, now=now)
    found = facts.credits_of(session, conversion_ids=conversion_ids)
    return [replace(one, ruling=rulings.get((one.attribution_id, one.partner_id))) for one in found]


def rate_in_turn(
    credits_: Iterable[CreditFacts], *, plans: Mapping[UUID, Sequence[Plan]], counting: Counting, exchange: Rates
) -> Iterable[tuple[CreditFacts, Plan | None, Rated]]:
    """Rate the credits that have no commission, in their order; each counts for the next one of its partner."""
    for _, of_one_order in groupby(credits_, key=lambda credit: credit.attribution_id):
        before_bps = 0
        for credit in of_one_order:
            if not credit.has_commission:
                plan = rates.plan_in_force(plans.get(credit.program_id, []), at=credit.placed_at)
                rated = rates.rate(
                    order=credit.order,
                    share=Share(credit.share_bps, before_bps),
                    plan=plan,
                    currency=credit.program_currency,
                    before=counting.before(credit, plan),
                    **rates.exchanges(exchange, order=credit.order, plan=plan, currency=credit.program_currency),
                )
                counting.add(credit, plan, rated)
                yield credit, plan, rated
            before_bps += credit.share_bps


def counting_for(session: Session, credits_: Iterable[CreditFacts], plans: Mapping[UUID, Sequence[Plan]]) -> Counting:
    """The counters that these credits need, as they stand now."""
    wanted: dict[Window, None] = {}
    for credit in credits_:
        plan = rates.plan_in_force(plans.get(credit.program_id, []), at=credit.placed_at)
        if plan is not None and not credit.has_commission:
            wanted |= {facts.window(credit, plan, period): None for period in sorted(terms.periods(plan.terms))}
    return Counting(facts.tallies(session, windows=list(wanted)))


def _rows(session: Session, credits_: Sequence[CreditFacts], now: datetime) -> list[dict[str, Any]]:
    plans = facts.plans_of(session, program_ids={credit.program_id for credit in credits_})
    if any(terms.asks_about_customers(plan.terms) for of_program in plans.values() for plan in of_program):
        credits_ = facts.with_customers(session, credits_)
    waiting = {one.conversion_id for one in credits_ if maturity.waits_for_events(_validation(one))}
    events: Events = facts.events_of(session, conversion_ids=waiting) if waiting else {}
    counting = counting_for(session, credits_, plans)
    exchange, above = facts.rates_for(session, credits_, plans), recruiters.of_plans(session, plans)
    rows = []
    for credit, plan, rated in rate_in_turn(credits_, plans=plans, counting=counting, exchange=exchange):
        rows.append(_row(credit, plan, rated, events, now))
        for level, partner_id, theirs in above.shares(
            program_id=credit.program_id, partner_id=credit.partner_id, plan=plan, rated=rated
        ):
            rows.append(_row(credit, plan, theirs, events, now) | {"level": level + 1, "partner_id": partner_id})
    return rows


def _row(credit: CreditFacts, plan: Plan | None, rated: Rated, events: Events, now: datetime) -> dict[str, Any]:
    matures = maturity.maturity(_validation(credit), events=events.get(credit.conversion_id, {}))
    return {
        "id": ids.new_at(credit.placed_at),
        "program_id": credit.program_id,
        "partner_id": credit.partner_id,
        "conversion_id": credit.conversion_id,
        "attribution_id": credit.attribution_id,
        "credit_id": credit.credit_id,
        **credit.origin,
        "plan_id": plan.id if plan else None,
        "level": 1,
        "turn": 0,
        "is_live": True,
        "status": first_status(credit),
        "reason": rated.reason,
        "currency": credit.program_currency,
        "base_minor": rated.base_minor,
        "revenue_minor": rated.revenue_minor,
        "amount_minor": rated.amount_minor,
        "reversed_minor": 0,
        "counted_currency": rated.counted.currency,
        "counted_base_minor": rated.counted.base_minor,
        "counted_minor": rated.counted.amount_minor,
        "trace": rated.trace | _verdict(credit),
        "earned_at": credit.placed_at,
        "matures_at": matures.matures_at,
        "awaits": matures.awaits,
        "created_at": now,
    }


def _validation(credit: CreditFacts) -> maturity.Terms:
    return maturity.Terms(credit.placed_at, credit.validation_start, credit.validation_days, credit.payment_method)


def _verdict(credit: CreditFacts) -> dict[str, str]:
    if credit.ruling is None or credit.ruling.verdict is Verdict.PASS:
        return {}
    return {"verdict": credit.ruling.verdict.value, "verdict_id": str(credit.ruling.verdict_id)}


def first_status(credit: CreditFacts) -> CommissionStatus:
    """In which status the commission of a credit begins."""
    if credit.is_test:
        return CommissionStatus.TEST
    if not credit.is_verified:
        return CommissionStatus.UNVERIFIED
    flagged = credit.ruling is not None and credit.ruling.verdict is Verdict.FLAG
    return CommissionStatus.UNDER_REVIEW if flagged else CommissionStatus.PENDING


def fresh(row: dict[str, Any]) -> Standing:
    """Where a new row of a commission stands."""
    keys = ("id", "program_id", "partner_id", "conversion_id", "attribution_id", "is_live", "currency", "trace")
    worth = Worth(row["status"], row["reason"], row["amount_minor"], row["reversed_minor"])
    return Standing(**{key: row[key] for key in keys}, worth=worth)


def accrual(standing: Standing) -> list[Posting]:
    """The posting with which a commission enters the books; none for those that are never posted."""
    if standing.worth.status in life.NEVER_POSTED:
        return []
    amount = Money(standing.worth.amount_minor, standing.currency)
    return ledger.accrue(
        program_id=standing.program_id, partner_id=standing.partner_id, commission_id=standing.id, amount=amount
    )
