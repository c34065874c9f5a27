"""The SELECTs of plans, examples and recruiters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import CommissionPlan, PartnerTerms, PlanExample
from affiliate.programs.models import Program

_LISTED_MAX = 100


def plan(session: Session, *, plan_id: UUID, program_id: UUID) -> CommissionPlan | None:
    """One plan of this program."""
    mine = (CommissionPlan.id == plan_id, CommissionPlan.program_id == program_id)
    return session.scalars(sa.select(CommissionPlan).where(*mine)).one_or_none()


def plans(session: Session, *, program_id: UUID) -> Sequence[CommissionPlan]:
    """Drafts first, then by start, the newest first."""
    statement = sa.select(CommissionPlan).where(CommissionPlan.program_id == program_id)
    ordered = statement.order_by(CommissionPlan.published_at.is_not(None), CommissionPlan.effective_from.desc())
    return session.scalars(ordered.order_by(CommissionPlan.created_at.desc()).limit(_LISTED_MAX)).all()


def in_force(session: Session, *, program_id: UUID, at: datetime) -> CommissionPlan | None:
    """The plan by which an order of this moment is paid."""
    begun = (CommissionPlan.program_id == program_id, CommissionPlan.effective_from <= at)
    newest = sa.select(CommissionPlan).where(*begun).order_by(CommissionPlan.effective_from.desc()).limit(1)
    return session.scalars(newest).one_or_none()


def starts_at(session: Session, *, program_id: UUID, at: datetime) -> bool:
    """Whether a plan starts exactly then."""
    same = sa.exists().where(CommissionPlan.program_id == program_id, CommissionPlan.effective_from == at)
    return bool(session.scalar(sa.select(same)))


def examples(session: Session, *, program_id: UUID) -> Sequence[PlanExample]:
    """The pinned examples of a program, the oldest first."""
    mine = sa.select(PlanExample).where(PlanExample.program_id == program_id)
    return session.scalars(mine.order_by(PlanExample.created_at, PlanExample.id)).all()


def currency_of(session: Session, *, program_id: UUID) -> str:
    """The currency in which a program pays."""
    return session.scalars(sa.select(Program.currency).where(Program.id == program_id)).one()


def recruiters(session: Session, *, program_id: UUID) -> dict[UUID, UUID]:
    """Who recruited whom: the recruiter by the recruited partner."""
    columns = sa.select(PartnerTerms.partner_id, PartnerTerms.recruiter_id)
    known = columns.where(PartnerTerms.program_id == program_id, PartnerTerms.recruiter_id.is_not(None))
    return {partner_id: recruiter_id for partner_id, recruiter_id in session.execute(known) if recruiter_id}


def chain(partner_id: UUID, recruiters: Mapping[UUID, UUID]) -> Iterator[UUID]:
    """A partner, its recruiter, that one's, and so on; ends even where the data goes round."""
    seen: set[UUID] = set()
    step: UUID | None = partner_id
    while step is not None and step not in seen:
        seen.add(step)
        yield step
        step = recruiters.get(step)


def partner_terms(session: Session, *, program_id: UUID, partner_id: UUID) -> PartnerTerms | None:
    """What plans know of a partner."""
    return session.get(PartnerTerms, (program_id, partner_id))


def groups_of(session: Session, *, program_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, str]:
    """The group of each of these partners that is in one."""
    if not partner_ids:
        return {}
    these = db.among(session, PartnerTerms.partner_id, partner_ids)
    found = sa.select(PartnerTerms.partner_id, PartnerTerms.group_name).where(
        PartnerTerms.program_id == program_id, these
    )
    return {partner_id: name for partner_id, name in session.execute(found) if name}
