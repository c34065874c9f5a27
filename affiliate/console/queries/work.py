"""What waits for a person in one program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission, CommissionPlan, CommissionStatus
from affiliate.creatives.models import Creative, CreativeStatus
from affiliate.fraud import lists as fraud
from affiliate.fraud.models import FraudVerdict, Verdict
from affiliate.ingest.models import RejectedEvent, RejectReason
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Partner
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.relations.models import Case, CaseStatus

APPLICATIONS_SHOWN = 20
RUNS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class OpenDecisions:
    """How many applications, payout runs, orders under review, proposed creatives and cases wait for a person."""

    applications: int
    runs: int
    reviews: int
    creatives: int
    cases: int


@dataclass(frozen=True, slots=True)
class Maturing:
    """Pending commissions that are approved by themselves until a moment: how many, minor units, the first one's moment."""

    count: int
    amount_minor: int
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class Validating:
    """Pending commissions whose validation ends until a moment: how many, minor units.

    `awaiting` of them wait for their order to be paid, shipped or delivered, and may have waited longer than was expected.
    """

    count: int
    amount_minor: int
    awaiting: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Events refused since a moment for one reason."""

    reason: RejectReason
    count: int
    newest_at: datetime


def open_decisions(session: Session, *, program_id: UUID) -> OpenDecisions:
    """What the navigation counts."""
    pending = sa.select(sa.func.count()).where(
        Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.PENDING
    )
    open_states = (PayoutStatus.PROPOSED, PayoutStatus.APPROVED)
    runs = sa.select(sa.func.count()).where(PayoutRun.program_id == program_id, PayoutRun.status.in_(open_states))
    proposed = sa.select(sa.func.count()).where(
        Creative.program_id == program_id, Creative.status == CreativeStatus.PROPOSED
    )
    cases = sa.select(sa.func.count()).where(Case.program_id == program_id, Case.status == CaseStatus.OPEN)
    reviews, _appeals = fraud.counted(program_id)
    counts = [each.scalar_subquery() for each in (pending, runs, proposed, cases)]
    row = session.execute(sa.select(*counts, reviews)).one()
    return OpenDecisions(row[0], row[1], row[4], row[2], row[3])


def applications_waiting(session: Session, *, program_id: UUID, limit: int = APPLICATIONS_SHOWN) -> Sequence[Any]:
    """The applications that wait longest, with the partner and what was written."""
    columns = (
        Enrollment.id,
        Enrollment.partner_id,
        Enrollment.created_at,
        Partner.name,
        Partner.website,
        Partner.country,
    )
    statement = (
        sa.select(*columns, Application.answers)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .outerjoin(Application, sa.and_(Application.enrollment_id == Enrollment.id, Application.is_current))
        .where(Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.PENDING)
        .order_by(Enrollment.created_at, Enrollment.id)
        .limit(limit)
    )
    return session.execute(statement).all()


def maturing(
    session: Session, *, program_id: UUID, until: datetime, month_ends: datetime
) -> tuple[Maturing, Validating]:
    """What is approved by itself before `until`, and what is to be validated before the month ends, in one statement."""
    awaiting = _awaiting(program_id)
    first = sa.select(Commission.matures_at).where(*_pending(program_id), Commission.awaits.is_(None))
    parts = (
        *_sums(*_pending(program_id), Commission.matures_at < until),
        *_sums(*awaiting, Commission.matures_at < until),
        *_sums(*_pending(program_id), Commission.matures_at < month_ends),
        *_sums(*awaiting, Commission.matures_at < month_ends)[:1],
        first.where(Commission.matures_at < until).order_by(Commission.matures_at).limit(1).scalar_subquery(),
    )
    row = session.execute(sa.select(*parts)).one()
    soon = Maturing(row[0] - row[2], int(row[1] - row[3]), row[7])
    return soon, Validating(row[4], int(row[5]), row[6])


def left_after(session: Session, *, program_id: UUID, after: datetime) -> int:
    """Minor units of the pending commissions that are approved by themselves from then on, or by nobody knows when."""
    later = _sums(*_pending(program_id), Commission.matures_at >= after)[1]
    unknown = _sums(*_awaiting(program_id), Commission.matures_at < after)[1]
    return int(session.scalar(sa.select(later + unknown)) or 0)


def _pending(program_id: UUID) -> tuple[Any, ...]:
    return Commission.program_id == program_id, Commission.status == CommissionStatus.PENDING, Commission.is_live


def _awaiting(program_id: UUID) -> tuple[Any, ...]:
    """Of the pending ones those that await something.

    They are summed apart: the index of all pending ones holds the amounts and not this, so that a condition on it would
    read every row, and rows are wide.
    """
    is_pending = sa.text("status = 'pending'")  # written out: the planner sees that the partial index fits
    return Commission.awaits.is_not(None), is_pending, Commission.program_id == program_id, Commission.is_live


def _sums(*which: Any) -> tuple[sa.ScalarSelect[int], sa.ScalarSelect[int]]:
    """How many commissions these are, and what is left of them in minor units."""
    left = sa.func.coalesce(sa.func.sum(Commission.amount_minor - Commission.reversed_minor), 0)
    counted = sa.select(sa.func.count()).select_from(Commission).where(*which)
    return counted.scalar_subquery(), sa.select(left).where(*which).scalar_subquery()


def open_runs(session: Session, *, program_id: UUID, limit: int = RUNS_SHOWN) -> Sequence[Any]:
    """Payout runs that wait for a second person or for the bank, oldest first."""
    partners = sa.select(sa.func.count()).where(Payout.run_id == PayoutRun.id).scalar_subquery()
    statement = (
        sa.select(
            PayoutRun.id, PayoutRun.status, PayoutRun.total_minor, PayoutRun.currency, PayoutRun.proposed_at,
            PayoutRun.approved_at, PayoutRun.proposed_by_id, User.name.label("proposed_by"), partners.label("partners"),
        )
        .join(User, User.id == PayoutRun.proposed_by_id)
        .where(PayoutRun.program_id == program_id, PayoutRun.status.in_([PayoutStatus.PROPOSED, PayoutStatus.APPROVED]))
        .order_by(PayoutRun.proposed_at)
        .limit(limit)
    )  # fmt: skip
    return session.execute(statement).all()


def refused_since(session: Session, *, program_id: UUID, since: datetime) -> list[Refused]:
    """Refused events of the program by reason, the newest first, but for those whose order a more trusted source had reported."""
    newest = sa.func.max(RejectedEvent.received_at)
    statement = (
        sa.select(RejectedEvent.reason, sa.func.count(), newest)
        .where(RejectedEvent.program_id == program_id, RejectedEvent.received_at >= since)
        # A shop that reports by tag, pixel and API is overruled by itself with every order: nobody has to look at that.
        .where(RejectedEvent.reason != RejectReason.LOWER_TRUST)
        .group_by(RejectedEvent.reason)
        .order_by(newest.desc())
    )
    return [Refused(*row) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class Overdue:
    """Decisions that people wait for (applications, cases, reviews), and those of them that wait longer than promised."""

    waiting: int
    late: int


def overdue(session: Session, *, program_id: UUID, applied_before: datetime, now: datetime) -> Overdue:
    """How many wait and how many are late, in one statement."""
    applied = (Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.PENDING)
    cases = (Case.program_id == program_id, Case.status == CaseStatus.OPEN)
    flagged = (FraudVerdict.program_id == program_id, FraudVerdict.verdict == sa.literal_column(f"'{Verdict.FLAG}'"))
    current = sa.exists().where(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current)
    late = (Enrollment.created_at < applied_before, Case.answer_by < now, FraudVerdict.answer_by < now)
    groups = (applied, cases, (*flagged, current))
    counts = [sa.select(sa.func.count()).where(*each).scalar_subquery() for each in groups]
    counts += [
        sa.select(sa.func.count()).where(*each, too_late).scalar_subquery()
        for each, too_late in zip(groups, late, strict=True)
    ]
    row = session.execute(sa.select(*counts)).one()
    return Overdue(sum(row[: len(groups)]), sum(row[len(groups) :]))


def has_plan(session: Session, *, program_id: UUID) -> bool:
    """Whether the program says what it pays."""
    published = sa.exists().where(CommissionPlan.program_id == program_id, CommissionPlan.published_at.is_not(None))
    return bool(session.scalar(sa.select(published)))
