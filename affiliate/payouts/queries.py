"""Every SELECT of payouts: what each partner is due, and the rows of a run."""

import functools
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.roles import MemberRole
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner
from affiliate.payouts import taxing
from affiliate.payouts.models import (
    Adjustment,
    AdjustmentKind,
    AdjustmentStatus,
    Payout,
    PayoutBlock,
    PayoutMethod,
    PayoutPolicy,
    PayoutRun,
    PayoutStatus,
)
from affiliate.payouts.schedule import Cadence, Due, Schedule, due_on, group
from affiliate.programs.models import Program

_ALWAYS = datetime(9000, 1, 1, tzinfo=UTC)
Wanted = Callable[[Any], sa.ColumnElement[bool]]
"""Whether a partner is asked for, of the column of its id."""


@dataclass(frozen=True, slots=True)
class Debt:
    """A clawback of a commission that is in a run: what the partner would owe once the run is paid."""

    adjustment_id: UUID
    program_id: UUID
    partner_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Review:
    """What of a partner's is under review, in the program's currency."""

    partner_id: UUID
    name: str
    commissions: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Policy:
    """How a program pays: the row of `payout_policies`, or what holds without one."""

    cadence: Cadence = Cadence.MANUAL
    net_days: int = 0
    is_one_person: bool = False
    adjustment_limit_minor: int = 0
    payer_name: str | None = None
    payer_account: str | None = None
    wise_template: str | None = None

    def until(self, now: datetime) -> datetime:
        """What was approved by then is paid now."""
        return now - timedelta(days=self.net_days)


def policy_of(session: Session, *, program_id: UUID) -> Policy:
    """How a program pays."""
    row = session.get(PayoutPolicy, program_id, populate_existing=True)
    if row is None:
        return Policy()
    return Policy(**{each.name: getattr(row, each.name) for each in fields(Policy)})


def next_run_on(session: Session, *, program_id: UUID, today: date) -> date | None:
    """The day on which the next run is due, in the past if it was missed; None if runs come when somebody wants one."""
    runs = (PayoutRun.program_id == program_id, PayoutRun.status != PayoutStatus.CANCELLED)
    last_proposed_at = sa.select(sa.func.max(PayoutRun.proposed_at)).where(*runs).scalar_subquery()
    policy = sa.select(PayoutPolicy.cadence, last_proposed_at).where(PayoutPolicy.program_id == program_id)
    row = session.execute(policy).one_or_none()
    if row is None:
        return None
    cadence, last = row
    return due_on(cadence, last_run_on=last.date() if last else None, today=today)


def payable_commissions(program_id: UUID, *, until: datetime) -> sa.ColumnElement[bool]:
    """Commissions that wait for a payout: approved by `until`, with something left, in the program's currency."""
    return sa.and_(
        Commission.program_id == program_id,
        Commission.status == CommissionStatus.APPROVED,
        Commission.approved_at <= until,
        Commission.amount_minor > Commission.reversed_minor,
        Commission.currency == _currency(program_id),
    )


def open_clawbacks(program_id: UUID) -> sa.ColumnElement[bool]:
    """What partners owe from commissions that really were paid, not yet netted by any payout.

    While the payout of a commission is still open its clawback waits: if that payout is cancelled, nothing was paid.
    """
    paid = sa.select(Commission.id).where(Commission.status == CommissionStatus.PAID)
    return sa.and_(
        CommissionAdjustment.program_id == program_id,
        CommissionAdjustment.is_clawback,
        CommissionAdjustment.payout_id.is_(None),
        CommissionAdjustment.currency == _currency(program_id),
        CommissionAdjustment.commission_id.in_(paid),
    )


def posted() -> sa.ColumnElement[bool]:
    """Entries by hand that count."""
    return Adjustment.status == AdjustmentStatus.POSTED


def bonuses() -> sa.ColumnElement[bool]:
    """Entries that partners are paid: they lie with the approved commissions until a payout takes them."""
    return sa.and_(posted(), Adjustment.amount_minor > 0, Adjustment.kind != AdjustmentKind.WRITE_OFF)


def debts() -> sa.ColumnElement[bool]:
    """Entries that lie with the clawbacks: corrections below zero, and write-offs, which make a debt smaller."""
    return sa.and_(posted(), sa.or_(Adjustment.amount_minor < 0, Adjustment.kind == AdjustmentKind.WRITE_OFF))


def open_entries(program_id: UUID) -> sa.ColumnElement[bool]:
    """Entries that no payout holds, in the program's currency."""
    mine = (Adjustment.program_id == program_id, Adjustment.currency == _currency(program_id))
    return sa.and_(*mine, posted(), Adjustment.payout_id.is_(None))


def _currency(program_id: UUID) -> sa.ScalarSelect[str]:
    return sa.select(Program.currency).where(Program.id == program_id).scalar_subquery()


def _parts(program_id: UUID, until: datetime, wanted: Wanted) -> tuple[sa.Subquery, ...]:
    """What each partner has earned and owes by commissions, clawbacks and entries, and of how many of them that is the sum.

    Each kind is summed by itself and joined: of one sum over all of them the database cannot tell how many partners it gives.
    """
    left = Commission.amount_minor - Commission.reversed_minor
    given = sa.case((bonuses(), Adjustment.amount_minor), else_=0)
    kinds: tuple[tuple[Any, ...], ...] = (
        (Commission, {"earned": left}, payable_commissions(program_id, until=until)),
        (CommissionAdjustment, {"owed": CommissionAdjustment.amount_minor}, open_clawbacks(program_id)),
        (
            Adjustment,
            {"earned": given, "owed": sa.case((debts(), -Adjustment.amount_minor), else_=0)},
            open_entries(program_id),
        ),
    )
    return tuple(_due(*kind, wanted(kind[0].partner_id)).subquery() for kind in kinds)


def debt_parts(program_id: UUID) -> tuple[sa.Subquery, ...]:
    """What each partner owes, without what it has earned: parts of `rows_told`."""
    taken = {"owed": CommissionAdjustment.amount_minor}
    clawed = _due(CommissionAdjustment, taken, open_clawbacks(program_id))
    entered = _due(Adjustment, {"owed": -Adjustment.amount_minor}, open_entries(program_id), debts())
    return clawed.subquery(), entered.subquery()


def _due(table: Any, amounts: Mapping[str, Any], *which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    sums = [sa.cast(sa.func.sum(minor), sa.BigInteger).label(name) for name, minor in amounts.items()]
    columns = (table.partner_id, *sums, sa.func.count().label("number"))
    return sa.select(*columns).where(*which).group_by(table.partner_id)


def _dues(parts: Sequence[sa.FromClause]) -> sa.Select[*tuple[Any, ...]]:
    """What each partner has earned and owes by all of these parts: `partner_id`, `earned_minor`, `clawed_back_minor`."""
    earned, owed = (_together(parts, name) for name in ("earned", "owed"))
    rows = sa.select(Partner.id.label("partner_id"), earned.label("earned_minor"), owed.label("clawed_back_minor"))
    for part in parts:
        rows = rows.outerjoin(part, part.c.partner_id == Partner.id)
    return rows.where(sa.or_(earned != 0, owed != 0))  # a debt that was written off is no due any more


def _together(parts: Sequence[sa.FromClause], name: str) -> sa.ColumnElement[int]:
    """What those parts say that know of it, added up."""
    return functools.reduce(operator.add, (sa.func.coalesce(part.c[name], 0) for part in parts if name in part.c))


def _everybody(_partner_id: Any) -> sa.ColumnElement[bool]:
    return sa.true()


def dues(
    session: Session, *, program: Program, until: datetime, partner_ids: Collection[UUID] | None = None
) -> list[Due]:
    """What each partner of a program is due, or each of these, in its currency, by name; those that only owe are there too."""

    def wanted(partner_id: Any) -> sa.ColumnElement[bool]:
        return sa.true() if partner_ids is None else db.among(session, partner_id, partner_ids)

    found = due_rows(program, until=until, wanted=wanted)
    rows = session.execute(found.order_by(Partner.name, Partner.id)).mappings()
    return [Due(**dict(row) | {"is_active": bool(row["is_active"])}) for row in rows]


def due_rows(program: Program, *, until: datetime, wanted: Wanted = _everybody) -> sa.Select[*tuple[Any, ...]]:
    """What each partner of a program is due, summed by the database; without order. The columns are fields of `Due`.

    `wanted`: whether a partner by its id is asked for; nothing of the others is summed.
    """
    parts = _parts(program.id, until, wanted)
    counts = (sa.func.coalesce(part.c.number, 0) for part in parts)
    named = (count.label(name) for count, name in zip(counts, ("commissions", "clawbacks", "entries"), strict=True))
    return rows_told(program, parts).where(wanted(Partner.id)).add_columns(*named)


def rows_told(program: Program, parts: Sequence[sa.FromClause]) -> sa.Select[*tuple[Any, ...]]:
    """What each partner of a program is due by these parts, with what decides whether it is paid.

    `parts`: rows of `partner_id` with `earned`, `owed` or both; one row for each partner.
    """
    active = sa.func.coalesce(Enrollment.status == EnrollmentStatus.APPROVED, sa.false())
    enrolled = sa.and_(Enrollment.partner_id == Partner.id, Enrollment.program_id == program.id)
    method = sa.and_(PayoutMethod.partner_id == Partner.id, PayoutMethod.replaced_at.is_(None))
    block = sa.and_(
        PayoutBlock.partner_id == Partner.id, PayoutBlock.program_id == program.id, PayoutBlock.lifted_at.is_(None)
    )
    return (
        _dues(parts)
        .add_columns(
            Partner.name.label("partner_name"), active.label("is_active"), sa.literal(program.currency).label("currency"),
            PayoutMethod.id.label("method_id"), PayoutMethod.usable_from, PayoutBlock.reason.label("block_reason"),
        )
        .outerjoin(Enrollment, enrolled)
        .outerjoin(PayoutMethod, method)
        .outerjoin(PayoutBlock, block)
    )  # fmt: skip


def debt(session: Session, *, program: Program, partner_id: UUID) -> int:
    """What a partner owes beyond what it is due, in minor units; zero or less if it owes nothing."""
    rows = _dues(_parts(program.id, _ALWAYS, lambda column: column == partner_id)).where(Partner.id == partner_id)
    _id, earned, owed = rows.selected_columns
    return session.scalar(rows.with_only_columns(owed - earned)) or 0


def under_review(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID] | sa.Select[UUID]
) -> list[Review]:
    """Those of these partners that have commissions which a fraud rule holds back, by name."""
    rows = review_rows(program_id).where(Commission.partner_id.in_(partner_ids)).order_by(Partner.name)
    return [Review(*row[:4]) for row in session.execute(rows)]


def review_rows(program_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """The partners with commissions that a fraud rule holds back: the fields of `Review`, and the first of them as `id`."""
    held = (
        Commission.program_id == program_id,
        Commission.status == CommissionStatus.UNDER_REVIEW,
        Commission.is_live,
        Commission.currency == _currency(program_id),
    )
    left = sa.cast(sa.func.sum(Commission.amount_minor - Commission.reversed_minor), sa.BigInteger)
    first = sa.cast(sa.func.min(sa.cast(Commission.id, sa.Text)), sa.Uuid)  # older databases know no least id
    columns = (Partner.id.label("partner_id"), Partner.name.label("name"), sa.func.count().label("commissions"))
    rows = sa.select(*columns, left.label("amount_minor"), first.label("id"))
    return rows.join(Commission, Commission.partner_id == Partner.id).where(*held).group_by(Partner.id, Partner.name)


def preview(session: Session, *, program_id: UUID, now: datetime) -> Schedule:
    """The run as it would be proposed now: who gets what, who is left out and why."""
    program = session.get_one(Program, program_id)
    found = dues(session, program=program, until=payable_until(session, program_id=program_id, now=now))
    found = taxing.taxed(session, program=program, dues=found, clawbacks=open_clawbacks(program_id), now=now)
    return group(found, minimum_minor=program.payout_min_minor, now=now)


def payable_until(session: Session, *, program_id: UUID, now: datetime) -> datetime:
    """What was approved by then is paid now."""
    return policy_of(session, program_id=program_id).until(now)


def current_method(session: Session, *, partner_id: UUID) -> PayoutMethod | None:
    """Where a partner's money goes from now on, or after its pause."""
    mine = sa.select(PayoutMethod).where(PayoutMethod.partner_id == partner_id, PayoutMethod.replaced_at.is_(None))
    return session.scalar(mine.execution_options(populate_existing=True))


def methods_of_run(
    session: Session, *, run_id: UUID, statuses: Sequence[PayoutStatus]
) -> list[tuple[Payout, str, PayoutMethod]]:
    """The payouts of a run in these states with the partner's name and the account each goes to, in a fixed order."""
    found = (
        sa.select(Payout, Partner.name, PayoutMethod)
        .join(Partner, Partner.id == Payout.partner_id)
        .join(PayoutMethod, PayoutMethod.id == Payout.method_id)
        .where(Payout.run_id == run_id, Payout.status.in_(statuses))
        .order_by(Payout.id)
    )
    return [(payout, name, method) for payout, name, method in session.execute(found)]


def open_block(session: Session, *, program_id: UUID, partner_id: UUID) -> PayoutBlock | None:
    """The payment block of a partner, if there is one."""
    mine = (PayoutBlock.program_id == program_id, PayoutBlock.partner_id == partner_id, PayoutBlock.lifted_at.is_(None))
    return session.scalar(sa.select(PayoutBlock).where(*mine))


def is_owner(session: Session, *, user_id: UUID, partner_id: UUID) -> bool:
    """Whether this person owns the partner: only owners say where its money goes."""
    mine = (Member.user_id == user_id, Member.partner_id == partner_id, Member.role == MemberRole.OWNER)
    return bool(session.scalar(sa.select(sa.exists().where(*mine))))


def run_of(session: Session, *, run_id: UUID, program_id: UUID) -> PayoutRun | None:
    """One run of this program, as it stands in the database now."""
    found = sa.select(PayoutRun).where(PayoutRun.id == run_id, PayoutRun.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def payouts_of(session: Session, *, run_id: UUID) -> Sequence[Payout]:
    """The payouts of a run, as they stand in the database now."""
    of_run = sa.select(Payout).where(Payout.run_id == run_id).order_by(Payout.id)
    return session.scalars(of_run.execution_options(populate_existing=True)).all()


def debts_in(session: Session, *, payouts: sa.Select[UUID]) -> list[Debt]:
    """What was clawed back from commissions of these payouts since they were proposed."""
    columns = sa.select(
        CommissionAdjustment.id, CommissionAdjustment.program_id, CommissionAdjustment.partner_id,
        CommissionAdjustment.amount_minor, CommissionAdjustment.currency,
    )  # fmt: skip
    of_run = (
        columns.join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .where(Commission.payout_id.in_(payouts), CommissionAdjustment.is_clawback)
        .order_by(CommissionAdjustment.id)
    )
    return [Debt(*row) for row in session.execute(of_run)]
