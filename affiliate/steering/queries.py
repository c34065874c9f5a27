"""Every SELECT on watches and momentum."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.notifications.models import LateMark
from affiliate.partners import queries as partners
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.programs.models import Program, ProgramStatus
from affiliate.relations.care_models import Duty
from affiliate.relations.models import Case, CaseStatus
from affiliate.reports.momentum import AT_RISK, Momentum
from affiliate.steering.models import KpiWatch, PartnerMomentum, WatchState

WATCHES_MAX = 50
DECIDED_WITHIN = timedelta(days=3)
"""A payout run, an invoice or a creative that waits longer for a decision is late. Who applies is promised a time by the program."""
AT_RISK_SHOWN = 10


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A partner that should be looked after, and its name."""

    momentum: PartnerMomentum
    partner_name: str


@dataclass(frozen=True, slots=True)
class Late:
    """How many things of a program are late: applications, cases, payout runs, tasks."""

    applications: int
    cases: int
    runs: int
    duties: int

    @property
    def is_any(self) -> bool:
        """Whether anything is."""
        return any((self.applications, self.cases, self.runs, self.duties))


def late(session: Session, *, program_id: UUID, applied_before: datetime, today: date, now: datetime) -> Late:
    """What is late; `today` is the program's own day. An archived program takes no applications and has no tasks left."""
    application = (Enrollment.status == EnrollmentStatus.PENDING, partners.waits_since() < applied_before)
    case = (Case.status == CaseStatus.OPEN, Case.answer_by < now)
    since = sa.func.coalesce(PayoutRun.approved_at, PayoutRun.proposed_at)
    run = (PayoutRun.status.in_((PayoutStatus.PROPOSED, PayoutStatus.APPROVED)), since < now - DECIDED_WITHIN)
    is_open = sa.exists().where(Program.id == program_id, Program.archived_at.is_(None))
    counted = [
        sa.select(sa.func.count()).where(table.program_id == program_id, *conditions).scalar_subquery()
        for table, conditions in (
            (Enrollment, (*application, is_open)),
            (Case, case),
            (PayoutRun, run),
            (Duty, (Duty.due_on < today, is_open)),
        )
    ]
    return Late(*session.execute(sa.select(*counted)).one())


def untold(session: Session, *, before: date, limit: int) -> Sequence[Program]:
    """Programs whose managers were not told of what is late on a day before; a day may have begun in some alone.

    Archived ones, too: they still owe answers and payouts.
    """
    told = sa.exists().where(LateMark.program_id == Program.id, LateMark.day >= before)
    works = sa.or_(Program.status == ProgramStatus.LIVE, Program.archived_at.is_not(None))
    found = sa.select(Program).where(works, ~told)
    return session.scalars(found.order_by(Program.id).limit(limit)).all()


def watches_of(session: Session, *, program_id: UUID) -> Sequence[KpiWatch]:
    """The watches of a program, the oldest first."""
    mine = (KpiWatch.program_id == program_id, KpiWatch.removed_at.is_(None))
    return session.scalars(sa.select(KpiWatch).where(*mine).order_by(KpiWatch.id).limit(WATCHES_MAX)).all()


def watch_in(session: Session, *, program_id: UUID, watch_id: UUID, locked: bool = False) -> KpiWatch | None:
    """One watch of a program that was not removed; `locked` for who changes it."""
    mine = (KpiWatch.id == watch_id, KpiWatch.program_id == program_id, KpiWatch.removed_at.is_(None))
    found = sa.select(KpiWatch).where(*mine).execution_options(populate_existing=True)
    return session.scalar(found.with_for_update() if locked else found)


def alarms(program_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """The watches whose figure is on the wrong side, with their `place`: a statement to be asked beside others."""
    mine = (KpiWatch.program_id == program_id, KpiWatch.removed_at.is_(None), KpiWatch.state == WatchState.ALARM)
    order = (KpiWatch.since, KpiWatch.id)
    found = sa.select(KpiWatch, sa.func.row_number().over(order_by=order).label("place")).where(*mine)
    return found.order_by(*order).limit(WATCHES_MAX)


def to_check(session: Session, *, before: datetime, limit: int) -> Sequence[KpiWatch]:
    """Watches of programs that run, not looked at since `before`; those of one program and span stand together."""
    due = sa.or_(KpiWatch.checked_at.is_(None), KpiWatch.checked_at < before)
    found = (
        sa.select(KpiWatch)
        .join(Program, Program.id == KpiWatch.program_id)
        .where(KpiWatch.removed_at.is_(None), due, Program.status == ProgramStatus.LIVE)
        .order_by(KpiWatch.program_id, KpiWatch.look_back_days, KpiWatch.id)
    )
    return session.scalars(found.limit(limit)).all()


def program_to_compute(session: Session, *, before: datetime) -> Program | None:
    """A live program with approved partners whose momentum was not judged since `before`."""
    fresh = sa.exists().where(PartnerMomentum.program_id == Program.id, PartnerMomentum.computed_at >= before)
    approved = sa.exists().where(Enrollment.program_id == Program.id, Enrollment.status == EnrollmentStatus.APPROVED)
    found = sa.select(Program).where(Program.status == ProgramStatus.LIVE, approved, sa.not_(fresh))
    return session.scalar(found.order_by(Program.id).limit(1))


def momentum_in(session: Session, *, program_id: UUID) -> dict[UUID, PartnerMomentum]:
    """What is known of every partner of a program."""
    rows = session.scalars(sa.select(PartnerMomentum).where(PartnerMomentum.program_id == program_id))
    return {row.partner_id: row for row in rows}


def momentum_of(session: Session, *, program_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, PartnerMomentum]:
    """The momentum of these partners, where it was judged."""
    if not partner_ids:
        return {}
    these = db.among(session, PartnerMomentum.partner_id, partner_ids)
    rows = session.scalars(sa.select(PartnerMomentum).where(PartnerMomentum.program_id == program_id, these))
    return {row.partner_id: row for row in rows}


def at_risk(session: Session, *, program_id: UUID, limit: int = AT_RISK_SHOWN) -> list[AtRisk]:
    """Partners at risk that nobody has looked after in this state, those with most at stake first."""
    return [AtRisk(row, name) for row, name, _place in session.execute(at_risk_placed(program_id, limit=limit))]


def at_risk_placed(program_id: UUID, *, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """The same as a statement to be asked beside others: `PartnerMomentum`, `partner_name`, `place`."""
    order = (PartnerMomentum.weight_minor.desc(), PartnerMomentum.since, PartnerMomentum.partner_id)
    place = sa.func.row_number().over(order_by=order).label("place")
    found = (
        sa.select(PartnerMomentum, Partner.name.label("partner_name"), place)
        .join(Partner, Partner.id == PartnerMomentum.partner_id)
        .where(
            PartnerMomentum.program_id == program_id,
            PartnerMomentum.momentum.in_(AT_RISK),
            PartnerMomentum.seen_at.is_(None),
        )
    )
    return found.order_by(*order).limit(limit)


def counts_by_momentum(session: Session, *, program_id: UUID) -> dict[Momentum, int]:
    """How many partners are in each state; every state is there."""
    counted = sa.select(PartnerMomentum.momentum, sa.func.count()).where(PartnerMomentum.program_id == program_id)
    found = {row[0]: row[1] for row in session.execute(counted.group_by(PartnerMomentum.momentum))}
    return {each: found.get(each, 0) for each in Momentum}
