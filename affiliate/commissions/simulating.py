"""A plan tried on a program's own history, in money: what each partner would have earned against what it did.

A job goes through the orders of a period in the order they were placed, a batch a transaction; sums and counters are
kept in the row, so that a killed job goes on where the last batch ended. Counters of steps and caps begin at zero with
the period. Amounts are as first reckoned, before refunds, on both sides. Production is only read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions import examples, facts, recruiters, terms
from affiliate.commissions.commissioning import Counting, rate_in_turn
from affiliate.commissions.counters import Tally
from affiliate.commissions.facts import CreditFacts, Window
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.models import Commission, CommissionPlan, PlanSimulation
from affiliate.commissions.terms import Plan
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion, Trust
from affiliate.partners.models import Partner

N_ = str  # marks a sentence for the translators
_LISTED_MAX = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a partner earned and would have earned, in minor units."""

    partner_id: UUID
    name: str
    orders: int
    today_minor: int
    then_minor: int

    @property
    def more_minor(self) -> int:
        """What the partner would gain; below zero, lose."""
        return self.then_minor - self.today_minor


def start(
    session: Session, *, plan: CommissionPlan, starts_at: datetime, ends_at: datetime, actor: Actor, now: datetime
) -> PlanSimulation:
    """Ask for a plan, as it stands now, to be tried on the orders of a half-open period.

    Raises:
        Invalid: the period is empty.
    """
    if ends_at <= starts_at:
        raise Invalid({"ends_on": [N_("The period ends before it begins. Choose a later end.")]})
    total = session.scalar(sa.select(sa.func.count()).select_from(Conversion).where(*_orders(plan.program_id, starts_at, ends_at)))  # fmt: skip
    simulation = PlanSimulation(
        id=ids.new_at(now), program_id=plan.program_id, plan_name=plan.name, terms=plan.terms, starts_at=starts_at,
        ends_at=ends_at, state={}, orders_done=0, orders_total=total or 0, created_at=now,
        created_by_id=actor.id if actor.kind == "user" else None, finished_at=None,
    )  # fmt: skip
    session.add(simulation)
    session.flush()
    audit.record(
        session, actor=actor, action="plan.simulate", subject_kind="plan", subject_id=plan.id,
        program_id=plan.program_id, details={"name": plan.name}, now=now,
    )  # fmt: skip
    return simulation


def advance(session: Session, *, limit: int, now: datetime) -> int:
    """Go on with the oldest simulation by up to `limit` orders, and give how many were looked at (1 for the last step)."""
    simulation = session.scalars(_open().limit(1)).one_or_none()
    if simulation is None:
        return 0
    placed, after = simulation.state.get("placed"), simulation.state.get("after")
    batch = _batch(session, simulation, placed, after, limit)
    state = _reckoned(session, simulation, [row[0] for row in batch])
    if batch:
        state |= {"placed": batch[-1][1].isoformat(), "after": str(batch[-1][0])}
    done = simulation.orders_done + len(batch)
    change = sa.update(PlanSimulation).where(
        PlanSimulation.id == simulation.id,
        PlanSimulation.orders_done == simulation.orders_done,
        PlanSimulation.finished_at.is_(None),
    )
    ended = {} if len(batch) == limit else {"finished_at": now}
    result = session.execute(
        change.values(state=state, orders_done=done, **ended), execution_options={"synchronize_session": False}
    )
    return max(1, len(batch)) if cast("CursorResult[Any]", result).rowcount else 0


def one(session: Session, *, simulation_id: UUID, program_id: UUID) -> PlanSimulation | None:
    """One simulation of this program."""
    mine = (PlanSimulation.id == simulation_id, PlanSimulation.program_id == program_id)
    return session.scalars(sa.select(PlanSimulation).where(*mine)).one_or_none()


def newest(session: Session, *, program_id: UUID) -> Sequence[PlanSimulation]:
    """The newest simulations of a program."""
    mine = sa.select(PlanSimulation).where(PlanSimulation.program_id == program_id)
    return session.scalars(mine.order_by(PlanSimulation.created_at.desc()).limit(_LISTED_MAX)).all()


def outcomes(session: Session, *, simulation: PlanSimulation) -> list[Outcome]:
    """What came of it so far for each partner, those who would lose the most first."""
    sums = {UUID(key): numbers for key, numbers in simulation.state.get("partners", {}).items()}
    named = sa.select(Partner.id, Partner.name).where(db.among(session, Partner.id, sums))
    names = {row[0]: row[1] for row in session.execute(named)}
    found = [Outcome(key, names.get(key, ""), *numbers) for key, numbers in sums.items()]
    return sorted(found, key=lambda outcome: (outcome.more_minor, outcome.name))


def _open() -> sa.Select[PlanSimulation]:
    waiting = sa.select(PlanSimulation).where(PlanSimulation.finished_at.is_(None))
    return waiting.order_by(PlanSimulation.created_at).with_for_update(skip_locked=True)


def _orders(program_id: UUID, starts_at: datetime, ends_at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """The orders that count."""
    return (
        Conversion.program_id == program_id,
        Conversion.occurred_at >= starts_at,
        Conversion.occurred_at < ends_at,
        ~Conversion.is_test,
        Conversion.trust >= Trust.SIGNED,
    )


def _batch(
    session: Session, simulation: PlanSimulation, placed: str | None, after: str | None, limit: int
) -> list[tuple[UUID, datetime]]:
    wanted = sa.select(Conversion.id, Conversion.occurred_at).where(
        *_orders(simulation.program_id, simulation.starts_at, simulation.ends_at)
    )
    if placed is not None and after is not None:
        moment = datetime.fromisoformat(placed)
        later = sa.and_(Conversion.occurred_at == moment, Conversion.id > UUID(after))
        wanted = wanted.where(sa.or_(Conversion.occurred_at > moment, later))
    rows = session.execute(wanted.order_by(Conversion.occurred_at, Conversion.id).limit(limit))
    return [(row[0], row[1]) for row in rows]


def _reckoned(session: Session, simulation: PlanSimulation, conversion_ids: Sequence[UUID]) -> dict[str, Any]:
    """The sums and counters after these orders."""
    partners = {key: list(numbers) for key, numbers in simulation.state.get("partners", {}).items()}
    counting = Counting(dict(_tallies(simulation.state.get("counters", ()))))
    plan = examples.as_plan(simulation.id, simulation.plan_name, simulation.terms)
    credits_ = _credits(session, conversion_ids, plan)
    today = _today(session, conversion_ids)
    base_minor = int(simulation.state.get("base_minor", 0))
    plans = {simulation.program_id: [plan]}
    exchange, above = facts.rates_for(session, credits_, plans), recruiters.of_plans(session, plans)
    for credit, _plan, rated in rate_in_turn(credits_, plans=plans, counting=counting, exchange=exchange):
        base_minor += rated.base_minor * credit.share_bps // 10_000
        own = partners.setdefault(str(credit.partner_id), [0, 0, 0])
        own[0] += 1
        own[2] += rated.amount_minor
        for _level, recruiter_id, theirs in above.shares(
            program_id=credit.program_id, partner_id=credit.partner_id, plan=plan, rated=rated
        ):
            partners.setdefault(str(recruiter_id), [0, 0, 0])[2] += theirs.amount_minor
    for partner_id, amount_minor in today.items():
        partners.setdefault(str(partner_id), [0, 0, 0])[1] += amount_minor
    return {"partners": partners, "counters": _stored(counting.tallies), "base_minor": base_minor}


def _credits(session: Session, conversion_ids: Sequence[UUID], plan: Plan) -> list[CreditFacts]:
    """The credits in force, in the order in which the orders were placed."""
    statement = (
        facts.credit_facts()
        .where(Conversion.id.in_(conversion_ids), Attribution.is_current)
        .order_by(Conversion.occurred_at, Conversion.id, Credit.partner_id)
    )
    found = [replace(facts.credit(row), has_commission=False) for row in session.execute(statement)]
    return facts.with_customers(session, found) if terms.asks_about_customers(plan.terms) else found


def _today(session: Session, conversion_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """What was reckoned for these orders, by partner; what a fraud verdict took never was."""
    live = sa.select(Commission.partner_id, sa.func.sum(Commission.amount_minor)).where(
        Commission.conversion_id.in_(conversion_ids),
        Commission.is_live,
        Commission.reason.is_distinct_from(CommissionReason.REJECTED),
    )
    return {row[0]: int(row[1]) for row in session.execute(live.group_by(Commission.partner_id))}


def _tallies(stored: Sequence[Sequence[Any]]) -> Iterator[tuple[Window, Tally]]:
    for program_id, partner_id, starts_at, ends_at, currency, *numbers in stored:
        start, end = (datetime.fromisoformat(edge) if edge else None for edge in (starts_at, ends_at))
        yield Window(UUID(program_id), UUID(partner_id), start, end, currency), Tally(*numbers)


def _stored(tallies: Mapping[Window, Tally]) -> list[list[Any]]:
    return [
        [
            str(window.program_id), str(window.partner_id),
            window.starts_at.isoformat() if window.starts_at else None, window.ends_at.isoformat() if window.ends_at else None,
            window.currency, tally.orders, tally.base_minor, tally.earned_minor,
        ]
        for window, tally in tallies.items()
    ]  # fmt: skip
