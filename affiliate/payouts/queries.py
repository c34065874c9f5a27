"""Every SELECT of payouts: what each partner is due, and the rows of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner
from affiliate.payouts.models import Payout, PayoutRun
from affiliate.payouts.schedule import Due, Schedule, group
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person of a paid partner, for the mail that tells it."""

    email: str
    name: str
    locale: str | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Debt:
    """A clawback of a commission that is in a run: what the partner would owe once the run is paid."""

    adjustment_id: UUID
    program_id: UUID
    partner_id: UUID
    amount_minor: int
    currency: str


def payable_commissions(program_id: UUID) -> sa.ColumnElement[bool]:
    """Commissions that wait for a payout: approved, with something left, in the program's currency."""
    return sa.and_(
        Commission.program_id == program_id,
        Commission.status == CommissionStatus.APPROVED,
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


def _currency(program_id: UUID) -> sa.ScalarSelect[str]:
    return sa.select(Program.currency).where(Program.id == program_id).scalar_subquery()


def _dues(program_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    zero = sa.literal(0)
    earned = (
        sa.select(
            Commission.partner_id.label("partner_id"),
            sa.func.sum(Commission.amount_minor - Commission.reversed_minor).label("earned"),
            zero.label("clawed"), sa.func.count().label("commissions"), zero.label("clawbacks"),
        )
        .where(payable_commissions(program_id))
        .group_by(Commission.partner_id)
    )  # fmt: skip
    owed = (
        sa.select(
            CommissionAdjustment.partner_id, zero, sa.func.sum(CommissionAdjustment.amount_minor), zero, sa.func.count()
        )
        .where(open_clawbacks(program_id))
        .group_by(CommissionAdjustment.partner_id)
    )
    both = sa.union_all(earned, owed).subquery()
    sums = [sa.cast(sa.func.sum(column), sa.BigInteger) for column in list(both.c)[1:]]
    return sa.select(both.c.partner_id, *sums).group_by(both.c.partner_id)


def dues(session: Session, *, program: Program) -> list[Due]:
    """What each partner of a program is due, in its currency, by name; those that only owe are there too."""
    sums = _dues(program.id).subquery()
    active = sa.func.coalesce(Enrollment.status == EnrollmentStatus.APPROVED, sa.false())
    enrolled = sa.and_(Enrollment.partner_id == Partner.id, Enrollment.program_id == program.id)
    rows = session.execute(
        sa.select(Partner.id, Partner.name, active, *list(sums.c)[1:])
        .join(sums, sums.c.partner_id == Partner.id)
        .outerjoin(Enrollment, enrolled)
        .order_by(Partner.name, Partner.id)
    )
    return [
        Due(partner_id, name, bool(is_active), program.currency, earned, clawed, commissions, clawbacks)
        for partner_id, name, is_active, earned, clawed, commissions, clawbacks in rows
    ]


def preview(session: Session, *, program_id: UUID) -> Schedule:
    """The run as it would be proposed now: who gets what, who is left out and why."""
    program = session.get_one(Program, program_id)
    return group(dues(session, program=program), minimum_minor=program.payout_min_minor)


def run_of(session: Session, *, run_id: UUID, program_id: UUID) -> PayoutRun | None:
    """One run of this program, as it stands in the database now."""
    found = sa.select(PayoutRun).where(PayoutRun.id == run_id, PayoutRun.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def payouts_of(session: Session, *, run_id: UUID) -> Sequence[Payout]:
    """The payouts of a run, as they stand in the database now."""
    of_run = sa.select(Payout).where(Payout.run_id == run_id).order_by(Payout.id)
    return session.scalars(of_run.execution_options(populate_existing=True)).all()


def debts_in(session: Session, *, run_id: UUID) -> list[Debt]:
    """What was clawed back from commissions of a run since it was proposed."""
    columns = sa.select(
        CommissionAdjustment.id, CommissionAdjustment.program_id, CommissionAdjustment.partner_id,
        CommissionAdjustment.amount_minor, CommissionAdjustment.currency,
    )  # fmt: skip
    of_run = (
        columns.join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .join(Payout, Payout.id == Commission.payout_id)
        .where(Payout.run_id == run_id, CommissionAdjustment.is_clawback)
        .order_by(CommissionAdjustment.id)
    )
    return [Debt(*row) for row in session.execute(of_run)]


def recipients(session: Session, *, run_id: UUID) -> list[Recipient]:
    """The people of the partners in a run who can sign in, each with what its partner got."""
    people = (
        sa.select(User.email, User.name, User.locale, Payout.amount_minor, Payout.currency)
        .join(Member, Member.user_id == User.id)
        .join(Payout, Payout.partner_id == Member.partner_id)
        .where(Payout.run_id == run_id, User.active)
        .order_by(User.email)
    )
    return [Recipient(*row) for row in session.execute(people)]
