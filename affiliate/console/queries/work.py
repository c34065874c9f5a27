"""What waits for a person in one program."""

from collections.abc import Iterable, Sequence
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
from affiliate.ledger.models import LedgerProof
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Partner
from affiliate.partners.queries import waits_since
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


def open_decisions(session: Session, *, program_id: UUID) -> tuple[OpenDecisions, LedgerProof | None]:
    """What the navigation counts, and the newest proof of the books, which stands beside it, in one trip."""
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
    newest = sa.select(LedgerProof.id).order_by(LedgerProof.checked_at.desc()).limit(1).scalar_subquery()
    here = sa.select(sa.literal(1).label("one")).subquery()  # a row also where there is no proof yet
    found = sa.select(*counts, reviews, LedgerProof).select_from(here).outerjoin(LedgerProof, LedgerProof.id == newest)
    row = session.execute(found).one()
    return OpenDecisions(row[0], row[1], row[4], row[2], row[3]), row[5]


def applications_waiting(program_id: UUID, *, limit: int = APPLICATIONS_SHOWN) -> sa.Select[*tuple[Any, ...]]:
    """The applications that wait longest, with the partner, what was written, and their `place`: a statement to be asked beside others."""
    since = waits_since()
    order = (since, Enrollment.id)
    columns = (
        Enrollment.id,
        Enrollment.partner_id,
        since.label("waits_since"),
        Partner.name,
        Partner.website,
        Partner.country,
    )
    return (
        sa.select(*columns, Application.answers, sa.func.row_number().over(order_by=order).label("place"))
        .join(Partner, Partner.id == Enrollment.partner_id)
        .outerjoin(Application, sa.and_(Application.enrollment_id == Enrollment.id, Application.is_current))
        .where(Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.PENDING)
        .order_by(*order)
        .limit(limit)
    )


@dataclass(frozen=True, slots=True)
class Coming:
    """What is approved by itself soon, what is to be validated this month, and what was refused of late."""

    soon: Maturing
    month: Validating
    refused: Sequence[Refused]


def coming(session: Session, *, program_id: UUID, until: datetime, month_ends: datetime, since: datetime) -> Coming:
    """What is approved by itself before `until`, what is to be validated before the month ends, what was refused since then.

    One statement, which reads the pending commissions once: a large program has as many as it sells in its validation period.
    """
    refused = _refused(program_id, since).with_only_columns(
        sa.literal(_REFUSED), RejectedEvent.reason, sa.func.count(), sa.literal(0), _newest()
    )
    first = sa.select(Commission.matures_at.label("at")).where(*_pending(program_id), Commission.awaits.is_(None))
    first_at = first.where(Commission.matures_at < until).order_by(Commission.matures_at).limit(1).subquery().c.at
    parts = [refused, sa.select(sa.literal(_FIRST), sa.null(), sa.literal(1), sa.literal(0), first_at)]
    edges = sorted((until, month_ends))
    pending = _summed(_PENDING, _pending(program_id), edges)
    awaiting = _summed(_AWAITING, _awaiting(program_id), edges)
    rows: Sequence[Any] = session.execute(sa.union_all(*parts, *pending, *awaiting)).all()
    sums = {row[0]: (row[2], int(row[3]), row[4]) for row in rows}

    def before(end: datetime, kind: int) -> tuple[int, int]:
        """How many mature before one of the edges, and minor units."""
        stretches = [sums[kind + place] for place in range(edges.index(end) + 1)]
        return sum(count for count, _minor, _at in stretches), sum(minor for _count, minor, _at in stretches)

    (count, minor), (held, held_minor) = before(until, _PENDING), before(until, _AWAITING)
    return Coming(
        Maturing(count - held, minor - held_minor, sums[_FIRST][2] if _FIRST in sums else None),
        Validating(*before(month_ends, _PENDING), before(month_ends, _AWAITING)[0]),
        _newest_first(Refused(row[1], row[2], row[4]) for row in rows if row[0] == _REFUSED),
    )


_REFUSED, _FIRST, _PENDING, _AWAITING = 0, 1, 2, 4
"""What a row of `coming` is about; of commissions there is one row for each of two stretches."""


def _summed(kind: int, which: tuple[Any, ...], edges: Sequence[datetime]) -> list[sa.Select[Any]]:
    """These commissions before the first edge, and from there to the second: how many, and what is left in minor units."""
    left = sa.func.coalesce(sa.func.sum(Commission.amount_minor - Commission.reversed_minor), 0)
    found: list[sa.Select[Any]] = []
    for place, since in enumerate(((), (Commission.matures_at >= edges[0],))):
        columns: tuple[Any, ...] = (sa.literal(kind + place), sa.null(), sa.func.count(), left, sa.null())
        found.append(sa.select(*columns).where(*which, *since, Commission.matures_at < edges[place]))
    return found


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
    counted = _refused(program_id, since).with_only_columns(RejectedEvent.reason, sa.func.count(), _newest())
    return _newest_first(Refused(*row) for row in session.execute(counted))


def _newest_first(found: Iterable[Refused]) -> list[Refused]:
    return sorted(found, key=lambda one: one.newest_at, reverse=True)


def _refused(program_id: UUID, since: datetime) -> sa.Select[Any]:
    found = sa.select(RejectedEvent.reason).where(
        RejectedEvent.program_id == program_id, RejectedEvent.received_at >= since
    )
    # A shop that reports by tag, pixel and API is overruled by itself with every order: nobody has to look at that.
    return found.where(RejectedEvent.reason != RejectReason.LOWER_TRUST).group_by(RejectedEvent.reason)


def _newest() -> Any:
    return sa.type_coerce(sa.func.max(RejectedEvent.received_at), RejectedEvent.received_at.type)


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
    late = (waits_since() < applied_before, Case.answer_by < now, FraudVerdict.answer_by < now)
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
