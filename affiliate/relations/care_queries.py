"""Every SELECT on what is agreed with partners and kept about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.commissions.models import Commission
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import Program
from affiliate.relations.care_models import (
    Duty,
    DutyStatus,
    GoalStatus,
    PartnerCare,
    PartnerGoal,
    PartnerGoalNote,
    PartnerSegment,
    PartnerTag,
)
from affiliate.relations.models import Side
from affiliate.relations.rounds import KEPT_MAX, Cadence
from affiliate.reports.periods import start_of_day
from affiliate.reports.queries import NOT_COUNTED

DUTIES_MAX = 50
GOALS_MAX = 30
GOAL_NOTES_MAX = 50
TAGS_MAX = 500
SEGMENTS_MAX = 50
TRIALS_MAX = 200
RUNNING_MAX = 50
_MANAGING = (GrantRole.MANAGER, GrantRole.ADMIN)


@dataclass(frozen=True, slots=True)
class Manager:
    """Who may look after partners of a program, and since when."""

    user_id: UUID
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DutyLine:
    """A duty with the names that a list shows."""

    duty: Duty
    partner_name: str
    owner_name: str | None


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """What a partner brought since its trial began: orders, and the commission of them before and by reversals."""

    orders: int
    earned_minor: int
    reversed_minor: int


def managers(session: Session, *, program_id: UUID) -> list[Manager]:
    """The people who may manage this program, by name, each with its oldest grant."""
    here = sa.or_(Grant.program_id == program_id, Grant.program_id.is_(None))
    since = sa.func.min(Grant.created_at)
    found = (
        sa.select(User.id, User.name, since)
        .join(Grant, Grant.user_id == User.id)
        .where(User.active, Grant.role.in_(_MANAGING), here)
        .group_by(User.id, User.name)
        .order_by(User.name, User.id)
    )
    # An aggregate loses the type of its column on SQLite: the instant is read by its type.
    found = found.with_only_columns(User.id, User.name, sa.type_coerce(since, Grant.created_at.type))
    return [Manager(*row) for row in session.execute(found.limit(TAGS_MAX))]


def care_of(session: Session, *, program_id: UUID, partner_id: UUID) -> PartnerCare | None:
    """Who looks after a partner, and its trial."""
    mine = (PartnerCare.program_id == program_id, PartnerCare.partner_id == partner_id)
    return session.scalar(sa.select(PartnerCare).where(*mine).execution_options(populate_existing=True))


def leads_of(session: Session, *, program_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, str]:
    """The name of the lead manager of each of these partners that has one."""
    if not partner_ids:
        return {}
    these = db.among(session, PartnerCare.partner_id, partner_ids)
    found = sa.select(PartnerCare.partner_id, User.name).join(User, User.id == PartnerCare.lead_id)
    return {row[0]: row[1] for row in session.execute(found.where(PartnerCare.program_id == program_id, these))}


def trials(session: Session, *, program_id: UUID) -> list[tuple[PartnerCare, str]]:
    """Partners on trial with their names, the one that ends first first: so many as one statement judges, and one that tells of more."""
    return [(row[0], row[1]) for row in session.execute(trials_placed(program_id))]


def trials_placed(program_id: UUID, *, after: tuple[date, UUID] | None = None) -> sa.Select[*tuple[Any, ...]]:
    """The same as a statement to be asked beside others: `PartnerCare`, `partner_name`, `place`. `after`: the last day and the partner before the first."""
    order = (PartnerCare.trial_ends_on, PartnerCare.partner_id)
    place = sa.func.row_number().over(order_by=order).label("place")
    found = (
        sa.select(PartnerCare, Partner.name.label("partner_name"), place)
        .join(Partner, Partner.id == PartnerCare.partner_id)
        .where(PartnerCare.program_id == program_id, PartnerCare.trial_ends_on.is_not(None))
    )
    return found.where(*_beyond(order, after)).order_by(*order).limit(TRIALS_MAX + 1)


def trial_facts(session: Session, *, program: Program, rows: Sequence[PartnerCare]) -> list[TrialFacts]:
    """What each of these partners brought since its trial began, in their order, by one statement."""
    if not rows:
        return []
    parts = [_since_trial(program, place, row) for place, row in enumerate(rows)]
    found = {
        row[0]: TrialFacts(row[1], int(row[2] or 0), int(row[3] or 0)) for row in session.execute(sa.union_all(*parts))
    }
    return [found[place] for place in range(len(rows))]


def _since_trial(program: Program, place: int, row: PartnerCare) -> sa.Select[*tuple[Any, ...]]:
    begun = start_of_day(row.trial_starts_on or row.updated_at.date(), zone=program.time_zone)
    here = (Commission.program_id == program.id, Commission.partner_id == row.partner_id, Commission.is_live)
    counted = sa.select(
        sa.literal(place),
        sa.func.count(Commission.conversion_id.distinct()),
        sa.func.sum(Commission.amount_minor),
        sa.func.sum(Commission.reversed_minor),
    )
    return counted.where(*here, Commission.status.not_in(NOT_COUNTED), Commission.earned_at >= begun)


def tags_of(session: Session, *, program_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The tags of these partners, in order."""
    if not partner_ids:
        return {}
    these = db.among(session, PartnerTag.partner_id, partner_ids)
    rows = session.execute(
        sa.select(PartnerTag.partner_id, PartnerTag.tag)
        .where(PartnerTag.program_id == program_id, these)
        .order_by(PartnerTag.tag)
    )
    found: dict[UUID, list[str]] = {}
    for partner_id, tag in rows:
        found.setdefault(partner_id, []).append(tag)
    return found


def tags_in(session: Session, *, program_id: UUID) -> list[str]:
    """The tags that a program uses."""
    used = sa.select(PartnerTag.tag).where(PartnerTag.program_id == program_id).distinct()
    return list(session.scalars(used.order_by(PartnerTag.tag).limit(TAGS_MAX)))


def duties_of(session: Session, *, program_id: UUID, partner_id: UUID) -> list[DutyLine]:
    """The table of responsibilities with a partner: what is open, the soonest day first, what has no day after it."""
    return [DutyLine(*row) for row in session.execute(_open_duties(program_id, partner_id))]


def duties_placed(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """The same as a statement to be asked beside others: as `DutyLine` takes them, with their `place`."""
    return _open_duties(program_id, partner_id).add_columns(_DUTY_PLACE)


def _open_duties(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    mine = (Duty.program_id == program_id, Duty.partner_id == partner_id, Duty.status != DutyStatus.DONE)
    return _duties(sa.and_(*mine)).limit(DUTIES_MAX)


def duties_due(program_id: UUID, *, before: date, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """Duties of a program whose day comes before this one, the soonest first, as `DutyLine` takes them, with their `place`: a statement to be asked beside others."""
    due = _duties(sa.and_(Duty.program_id == program_id, Duty.due_on < before))
    return due.add_columns(_DUTY_PLACE).limit(limit)


def duties_to_close(session: Session, *, today: date, limit: int) -> Sequence[tuple[Duty, Program]]:
    """Duties due until `today`, with their programs: nobody was reminded of them, or they may be missed, which one notes once.

    What nobody was reminded of comes first, so that neither holds up the other.
    """
    is_told = Duty.reminded_on.is_not_distinct_from(Duty.due_on)
    is_noted = Duty.settled_on.is_not_distinct_from(Duty.due_on)
    waiting = sa.or_(sa.not_(is_told), Duty.cadence != Cadence.ONCE, sa.not_(is_noted))
    found = sa.select(Duty, Program).join(Program, Program.id == Duty.program_id).where(Duty.due_on <= today, waiting)
    rows = session.execute(found.order_by(is_told, Duty.due_on, Duty.id).limit(limit))
    return [(row[0], row[1]) for row in rows]


def last_rounds(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """The `rounds` of the partner's own duties of which one ended last, also of those that are over, the newest first: so many as are judged.

    With their `place`: a statement to be asked beside others.
    """
    order = (Duty.settled_on.desc(), Duty.id.desc())
    mine = (Duty.program_id == program_id, Duty.partner_id == partner_id, Duty.side == Side.PARTNER)
    found = sa.select(Duty.rounds, sa.func.row_number().over(order_by=order).label("place"))
    return found.where(*mine, Duty.settled_on.is_not(None)).order_by(*order).limit(KEPT_MAX)


def duty_in(session: Session, *, program_id: UUID, duty_id: UUID, partner_id: UUID | None = None) -> Duty | None:
    """One duty of the program, of this partner when one is given."""
    mine = [Duty.id == duty_id, Duty.program_id == program_id]
    if partner_id is not None:
        mine.append(Duty.partner_id == partner_id)
    return session.scalar(sa.select(Duty).where(*mine).execution_options(populate_existing=True))


_DUTY_ORDER = (Duty.due_on.is_(None), Duty.due_on, Duty.id)
_DUTY_PLACE = sa.func.row_number().over(order_by=_DUTY_ORDER).label("place")


def _duties(which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    owner = aliased(User)
    return (
        sa.select(Duty, Partner.name.label("partner_name"), owner.name.label("owner_name"))
        .join(Partner, Partner.id == Duty.partner_id)
        .outerjoin(owner, owner.id == Duty.owner_id)
        .where(which)
        .order_by(*_DUTY_ORDER)
    )


def goals_of(session: Session, *, program_id: UUID, partner_id: UUID) -> Sequence[PartnerGoal]:
    """The shared goals of a partner that were not declined: first those that are not over, the one that ends last first.

    Changes of them are not among these until they are agreed: they stand with the goal that they would change.
    """
    mine = (PartnerGoal.program_id == program_id, PartnerGoal.partner_id == partner_id)
    counts = sa.or_(PartnerGoal.replaces_id.is_(None), PartnerGoal.status != GoalStatus.PROPOSED)
    found = sa.select(PartnerGoal).where(*mine, PartnerGoal.status != GoalStatus.DECLINED, counts)
    order = (PartnerGoal.status == GoalStatus.ENDED, PartnerGoal.ends_on.desc(), PartnerGoal.id)
    return session.scalars(found.order_by(*order).limit(GOALS_MAX)).all()


def change_of(session: Session, *, goal_id: UUID) -> PartnerGoal | None:
    """The change of a goal that waits for an answer, if there is one."""
    waiting = (PartnerGoal.replaces_id == goal_id, PartnerGoal.status == GoalStatus.PROPOSED)
    return session.scalar(sa.select(PartnerGoal).where(*waiting).execution_options(populate_existing=True))


def goal_changes(session: Session, *, goals: Collection[PartnerGoal]) -> dict[UUID, list[PartnerGoal]]:
    """By each of these goals what was or would be agreed in its place, and the one whose place it took; the newest first."""
    if not goals:
        return {}
    here, before = [goal.id for goal in goals], {goal.replaces_id for goal in goals if goal.replaces_id}
    found = sa.select(PartnerGoal).where(sa.or_(PartnerGoal.replaces_id.in_(here), PartnerGoal.id.in_(before)))
    rows = session.scalars(found.order_by(PartnerGoal.id.desc()).limit(GOALS_MAX * GOAL_NOTES_MAX)).all()
    return {
        goal.id: [row for row in rows if row.replaces_id == goal.id or row.id == goal.replaces_id] for goal in goals
    }  # fmt: skip


def open_goals(session: Session, *, program_id: UUID, partner_id: UUID) -> int:
    """How many goals with a partner are proposed or agreed: those that ended or were declined take nobody's place, nor do changes that wait."""
    mine = (PartnerGoal.program_id == program_id, PartnerGoal.partner_id == partner_id)
    is_new = sa.and_(PartnerGoal.status == GoalStatus.PROPOSED, PartnerGoal.replaces_id.is_(None))
    is_open = sa.or_(is_new, PartnerGoal.status == GoalStatus.AGREED)
    return session.scalar(sa.select(sa.func.count()).where(*mine, is_open)) or 0


def goals_proposed(program_id: UUID, *, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """Shared goals that partners proposed and that wait for a manager: `PartnerGoal`, `partner_name`, `place`, to be asked beside others."""
    order = (PartnerGoal.created_at, PartnerGoal.id)
    place = sa.func.row_number().over(order_by=order).label("place")
    waiting = (PartnerGoal.status == GoalStatus.PROPOSED, PartnerGoal.proposed_by == Side.PARTNER)
    found = sa.select(PartnerGoal, Partner.name.label("partner_name"), place)
    here = found.join(Partner, Partner.id == PartnerGoal.partner_id).where(
        PartnerGoal.program_id == program_id, *waiting
    )
    return here.order_by(*order).limit(limit)


def is_running(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Whether the days of a shared goal have begun and are not over."""
    return PartnerGoal.starts_on <= today, PartnerGoal.ends_on > today


def goals_running(
    program_id: UUID, *, today: date, after: tuple[date, UUID] | None = None
) -> sa.Select[*tuple[Any, ...]]:
    """Agreed goals that run, the one that ends first first, so many as are judged at once, and one that tells of more.

    `PartnerGoal`, `partner_name`, `said_at` (the last review, or when it was agreed) and `place`, to be asked beside others.
    `after`: the last day and the goal before the first.
    """
    order = (PartnerGoal.ends_on, PartnerGoal.id)
    place = sa.func.row_number().over(order_by=order).label("place")
    last = sa.select(sa.func.max(PartnerGoalNote.said_at)).where(PartnerGoalNote.goal_id == PartnerGoal.id)
    said = sa.func.coalesce(last.scalar_subquery(), PartnerGoal.decided_at, PartnerGoal.created_at)
    said_at = sa.type_coerce(said, PartnerGoalNote.said_at.type).label("said_at")
    found = sa.select(PartnerGoal, Partner.name.label("partner_name"), said_at, place)
    here = (PartnerGoal.program_id == program_id, PartnerGoal.status == GoalStatus.AGREED, *is_running(today))
    running = found.join(Partner, Partner.id == PartnerGoal.partner_id).where(*here, *_beyond(order, after))
    return running.order_by(*order).limit(RUNNING_MAX + 1)


def _beyond(order: tuple[Any, Any], after: tuple[date, UUID] | None) -> tuple[sa.ColumnElement[bool], ...]:
    if after is None:
        return ()
    day, identifier = order
    return (
        sa.tuple_(day, identifier) > sa.tuple_(sa.literal(after[0], day.type), sa.literal(after[1], identifier.type)),
    )


def goal_in(session: Session, *, program_id: UUID, goal_id: UUID, partner_id: UUID | None = None) -> PartnerGoal | None:
    """One shared goal of the program, of this partner when one is given."""
    mine = [PartnerGoal.id == goal_id, PartnerGoal.program_id == program_id]
    if partner_id is not None:
        mine.append(PartnerGoal.partner_id == partner_id)
    return session.scalar(sa.select(PartnerGoal).where(*mine).execution_options(populate_existing=True))


def goal_notes(session: Session, *, goal_ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    """What was said at the reviews of these goals, newest first, each with who said it."""
    if not goal_ids:
        return {}
    columns = (PartnerGoalNote.goal_id, PartnerGoalNote.side, PartnerGoalNote.text, PartnerGoalNote.reached, PartnerGoalNote.said_at, User.name)  # fmt: skip
    rows = session.execute(
        sa.select(*columns).outerjoin(User, User.id == PartnerGoalNote.by_id)
        .where(PartnerGoalNote.goal_id.in_(goal_ids)).order_by(PartnerGoalNote.id.desc()).limit(GOALS_MAX * GOAL_NOTES_MAX)
    )  # fmt: skip
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.goal_id, []).append(row)
    return found


def goal_note_count(session: Session, *, goal_id: UUID) -> int:
    """How often something was said about a goal."""
    return session.scalar(sa.select(sa.func.count()).where(PartnerGoalNote.goal_id == goal_id)) or 0


def segments(session: Session, *, program_id: UUID) -> Sequence[PartnerSegment]:
    """The saved choices of a program, by name."""
    mine = sa.select(PartnerSegment).where(PartnerSegment.program_id == program_id)
    return session.scalars(mine.order_by(PartnerSegment.name).limit(SEGMENTS_MAX)).all()


def enrolled_among(session: Session, *, program_id: UUID, partner_ids: Collection[UUID]) -> list[UUID]:
    """Those of the partners that take part in the program."""
    if not partner_ids:
        return []
    these = db.among(session, Enrollment.partner_id, partner_ids)
    here = (Enrollment.program_id == program_id, Enrollment.status != EnrollmentStatus.REJECTED)
    return list(session.scalars(sa.select(Enrollment.partner_id).where(*here, these).order_by(Enrollment.partner_id)))
