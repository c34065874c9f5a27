"""How much of each kind waits for a person in one program, and how much of it is late: what the work list asks first."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.console.queries.undelivered import Lost, lost
from affiliate.creatives.models import Creative, CreativeStatus
from affiliate.fraud import lists as fraud
from affiliate.papers.models import FiledInvoice, FiledStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.partners.queries import waits_since
from affiliate.payouts.models import Adjustment, AdjustmentStatus, PayoutRun, PayoutStatus
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.relations.care_models import Duty, GoalStatus, PartnerCare, PartnerGoal
from affiliate.relations.care_queries import is_running
from affiliate.relations.models import Case, CaseStatus, Side
from affiliate.reports.momentum import AT_RISK
from affiliate.steering.models import KpiWatch, PartnerMomentum, WatchState


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many things of a kind wait; how many of them are late, or since when the first one waits, as the kind is told."""

    count: int
    late: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Stirring:
    """What there is of each kind, so that a page asks further only where there is some, and knows how much it leaves out."""

    applications: Waiting
    cases: Waiting
    runs: Waiting
    invoices: Waiting
    creatives: Waiting
    adjustments: Waiting
    erasures: Waiting
    duties: Waiting
    goals: Waiting
    running: Waiting
    at_risk: Waiting
    alarms: Waiting
    trials: Waiting
    reviews: int
    review_by: datetime | None  # when the first answer to an order under review is promised
    lost: Lost  # what did not arrive


@dataclass(frozen=True, slots=True)
class Moments:
    """What waits since before `late_before` is late, an application before `applied_before`; `today` is the program's own day; duties count that are due before `until`, and what was lost since `lost_since`."""

    now: datetime
    applied_before: datetime
    late_before: datetime
    today: date
    until: date
    lost_since: datetime


def stirring(session: Session, *, program_id: UUID, at: Moments, letters_of: UUID | None) -> Stirring:
    """What waits in this program, in one statement that reads each table once. `letters_of`: see `undelivered.lost`."""
    piles = [each.subquery() for each in _piles(program_id, at)]
    side_by_side: sa.FromClause = piles[0]
    for pile in piles[1:]:
        side_by_side = side_by_side.join(pile, sa.true())
    columns = [column for pile in piles for column in pile.c]
    reviews, _appeals = fraud.counted(program_id)
    first_answer = fraud.promised(program_id).scalar_subquery()
    asked = (*columns, reviews, first_answer, *lost(program_id, at.lost_since, letters_of=letters_of))
    row = session.execute(sa.select(*asked).select_from(side_by_side)).one()
    found: list[Any] = [Waiting(*row[place : place + 3]) for place in range(0, len(columns), 3)]
    under_review, review_by, *missing = row[len(columns) :]
    found += [under_review, review_by, Lost(*map(bool, missing))]
    return Stirring(*found)


def _piles(program_id: UUID, at: Moments) -> list[sa.Select[*tuple[Any, ...]]]:
    """Each kind in the order of `Stirring`."""
    run_since = sa.func.coalesce(PayoutRun.approved_at, PayoutRun.proposed_at)
    open_run = PayoutRun.status.in_((PayoutStatus.PROPOSED, PayoutStatus.APPROVED))
    momentum = (PartnerMomentum.momentum.in_(AT_RISK), PartnerMomentum.seen_at.is_(None))
    goal = (PartnerGoal.status == GoalStatus.PROPOSED, PartnerGoal.proposed_by == Side.PARTNER)
    agreed = (PartnerGoal.status == GoalStatus.AGREED, *is_running(at.today))
    alarm = (KpiWatch.removed_at.is_(None), KpiWatch.state == WatchState.ALARM)
    kinds: tuple[tuple[Any, tuple[Any, ...], Any, Any], ...] = (  # the table, what waits, what is late, since when
        (Enrollment, (Enrollment.status == EnrollmentStatus.PENDING,), waits_since() < at.applied_before, None),
        (Case, (Case.status == CaseStatus.OPEN,), Case.answer_by < at.now, None),
        (PayoutRun, (open_run,), run_since < at.late_before, None),
        (FiledInvoice, (FiledInvoice.status == FiledStatus.FILED,), FiledInvoice.filed_at < at.late_before, None),
        (Creative, (Creative.status == CreativeStatus.PROPOSED,), sa.false(), Creative.created_at),
        (Adjustment, (Adjustment.status == AdjustmentStatus.PROPOSED,), sa.false(), Adjustment.entered_at),
        (ErasureRequest, (ErasureRequest.status == ErasureStatus.ASKED,), sa.false(), ErasureRequest.asked_at),
        (Duty, (Duty.due_on < at.until,), Duty.due_on < at.today, None),
        (PartnerGoal, goal, sa.false(), None),
        (PartnerGoal, agreed, sa.false(), None),
        (PartnerMomentum, momentum, sa.false(), None),
        (KpiWatch, alarm, sa.false(), None),
        (PartnerCare, (PartnerCare.trial_ends_on.is_not(None),), sa.false(), None),
    )
    return [
        sa.select(sa.func.count().label("count"), sa.func.count().filter(late).label("late"), _first(since).label("since"))
        .select_from(table)
        .where(table.program_id == program_id, *which)
        for table, which, late, since in kinds
    ]  # fmt: skip


def _first(since: Any) -> Any:
    """An aggregate loses the type of its column on SQLite: the instant is read by its type."""
    return sa.null() if since is None else sa.type_coerce(sa.func.min(since), since.type)
