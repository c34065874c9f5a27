"""Steps for all units: when a period is over and its orders are validated, the partner gets what earlier orders miss.

One entry for a partner, a plan and a period; its id derives from these, so that it is posted once, whoever runs.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM
from affiliate.commissions import facts
from affiliate.commissions import volume as steps
from affiliate.commissions.counters import Tally
from affiliate.commissions.life import CommissionStatus
from affiliate.commissions.models import Commission
from affiliate.commissions.terms import Period, Plan
from affiliate.commissions.volume import Bounds, Earned
from affiliate.ledger import postings as ledger
from affiliate.ledger import service as ledger_service
from affiliate.money import Money
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus
from affiliate.programs.models import Program

_UNDECIDED = (CommissionStatus.PENDING, CommissionStatus.UNDER_REVIEW)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A period of a plan that is over."""

    program: Program
    plan: Plan
    period: Period
    bounds: Bounds

    def key(self, partner_id: UUID) -> UUID:
        """The id of the partner's entry."""
        return ids.derived(self.plan.id, "volume", self.period.value, self.bounds[0].isoformat(), str(partner_id))

    def row(self, partner_id: UUID, amount_minor: int, now: datetime) -> dict[str, Any]:
        """The partner's entry."""
        first, last = self.bounds[0].date().isoformat(), (self.bounds[1] - timedelta(days=1)).date().isoformat()
        return {
            "id": self.key(partner_id), "program_id": self.program.id, "partner_id": partner_id,
            "kind": AdjustmentKind.VOLUME, "status": AdjustmentStatus.POSTED, "amount_minor": amount_minor,
            "currency": self.program.currency, "is_single_handed": True,
            "reason": f"{self.plan.name}, {first} – {last}", "facts": {"plan": self.plan.name, "first": first, "last": last},
            "entered_by_id": None, "entered_at": now, "decided_by_id": None, "decided_at": now,
        }  # fmt: skip


def post_due(session: Session, *, limit: int, now: datetime) -> int:
    """Post the entries that are due, for up to `limit` partners of each plan and period; how many."""
    programs = {program.id: program for program in session.scalars(sa.select(Program))}
    posted = 0
    for program_id, plans in facts.plans_of(session, program_ids=programs).items():
        program = programs[program_id]
        for plan in plans:
            for period, bounds in steps.settled_periods(plan.terms, zone=program.time_zone, now=now):
                if bounds[1] > plan.effective_from:
                    posted += _post(session, _Ended(program, plan, period, bounds), limit, now)
    return posted


def _post(session: Session, ended: _Ended, limit: int, now: datetime) -> int:
    ledger_service.lock_books(session, program_ids=[ended.program.id])
    terms, period = ended.plan.terms, ended.period
    validated = _validated(session, ended)
    tallies = {one: tally for one, tally in validated.items() if steps.reaches_a_step(terms, period, tally)}
    keys = {ended.key(partner_id): partner_id for partner_id in sorted(tallies)}
    known = set(session.scalars(sa.select(Adjustment.id).where(db.among(session, Adjustment.id, keys))))
    wanted = [partner_id for key, partner_id in keys.items() if key not in known][:limit]
    orders = _orders(session, ended, wanted)
    amounts = {
        one: steps.missing(terms, period=period, tally=tallies[one], orders=orders.get(one, ())) for one in wanted
    }
    rows = [ended.row(one, amount_minor, now) for one, amount_minor in amounts.items() if amount_minor]
    inserted = set(db.insert_new(session, Adjustment, rows))
    _enter(session, [row for row in rows if row["id"] in inserted], now)
    return len(inserted)


def _enter(session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    postings = []
    for row in rows:
        amount = Money(row["amount_minor"], row["currency"])
        whose = {"program_id": row["program_id"], "partner_id": row["partner_id"]}
        postings += ledger.adjust(**whose, manual_id=row["id"], amount=amount)
        details = {"kind": row["kind"].value, "partner_id": str(row["partner_id"]), "reason": row["reason"]}
        audit.record(
            session, actor=SYSTEM, action="adjustment.post", subject_kind="adjustment", subject_id=row["id"],
            program_id=row["program_id"], details=details | {"amount_minor": row["amount_minor"]}, now=now,
        )  # fmt: skip
    ledger_service.post(session, postings=postings, now=now)


def _of(ended: _Ended) -> sa.ColumnElement[bool]:
    return sa.and_(
        Commission.program_id == ended.program.id,
        Commission.earned_at >= ended.bounds[0],
        Commission.earned_at < ended.bounds[1],
        Commission.is_live,
        Commission.level == 1,
        Commission.status.not_in(facts.NOT_COUNTED),
    )


def _validated(session: Session, ended: _Ended) -> dict[UUID, Tally]:
    """What the partners brought of whom no order of the period waits for its validation any more."""
    waits = sa.func.sum(sa.case((Commission.status.in_(_UNDECIDED), 1), else_=0))
    is_same = Commission.counted_currency == ended.plan.currency(ended.program.currency)
    base = sa.func.sum(sa.case((is_same, Commission.counted_base_minor), else_=0))
    rows = session.execute(
        sa.select(Commission.partner_id, sa.func.count(), base)
        .where(_of(ended))
        .group_by(Commission.partner_id)
        .having(waits == 0)
    )
    return {row[0]: Tally(row[1], int(row[2])) for row in rows}


def _orders(session: Session, ended: _Ended, partner_ids: Collection[UUID]) -> dict[UUID, list[Earned]]:
    found: defaultdict[UUID, list[Earned]] = defaultdict(list)
    columns = (Commission.partner_id, Commission.trace, Commission.amount_minor, Commission.reversed_minor)
    mine = sa.select(*columns).where(
        _of(ended), Commission.plan_id == ended.plan.id, db.among(session, Commission.partner_id, partner_ids)
    )
    for partner_id, trace, amount, reversed_ in session.execute(mine):
        found[partner_id].append(Earned(trace, amount, amount - reversed_))
    return found
