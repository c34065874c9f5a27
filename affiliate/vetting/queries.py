"""Every SELECT on rubrics and assessments, and what else is known beside an application: who looks like the same person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.fraud import partners as fraud_partners
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Partner
from affiliate.vetting import rubric
from affiliate.vetting.models import Assessment, RubricSettings
from affiliate.vetting.rubric import Criterion, Rubric

REVIEWS_MAX = 20


@dataclass(frozen=True, slots=True)
class Review:
    """What one reviewer says; `digest` names the facts that were read."""

    reviewer_id: UUID
    reviewer: str
    marks: dict[Criterion, int]
    evidence: dict[Criterion, str]
    note: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Twin:
    """Another partner that shares something with an applicant: `by` are mail, website, account or VAT id."""

    partner_id: UUID
    name: str
    by: tuple[str, ...]
    status: EnrollmentStatus | None  # in this program


@dataclass(frozen=True, slots=True)
class Waiting:
    """An application that nobody has decided."""

    enrollment_id: UUID
    partner_id: UUID
    name: str


def waiting(session: Session, *, program_id: UUID, limit: int) -> list[Waiting]:
    """The applications that wait for a decision, the oldest first."""
    found = (
        sa.select(Enrollment.id, Partner.id, Partner.name)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .join(Application, Application.enrollment_id == Enrollment.id)
        .where(Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.PENDING)
        .where(Application.is_current)
    )
    rows = session.execute(found.order_by(Application.submitted_at, Application.id).limit(limit))
    return [Waiting(*row) for row in rows]


def rubric_of(session: Session, *, program_id: UUID) -> Rubric:
    """The rubric of a program; the usual one if it made none."""
    row = session.get(RubricSettings, program_id)
    if row is None:
        return rubric.USUAL
    return rubric.read(row.weights, accept_from=row.accept_from, refuse_below=row.refuse_below)


def reviews_of(session: Session, *, application_ids: Collection[UUID]) -> dict[UUID, list[Review]]:
    """What reviewers say of these applications, the first one first."""
    if not application_ids:
        return {}
    found = sa.select(Assessment, User.name).join(User, User.id == Assessment.reviewer_id)
    rows = session.execute(
        found.where(Assessment.application_id.in_(application_ids)).order_by(Assessment.id).limit(len(application_ids) * REVIEWS_MAX)
    )  # fmt: skip
    reviews: dict[UUID, list[Review]] = {}
    for row, name in rows:
        marks = {Criterion(key): int(mark) for key, mark in row.marks.items()}
        evidence = {Criterion(key): str(text) for key, text in row.evidence.items()}
        told = Review(row.reviewer_id, name, marks, evidence, row.note, row.facts_digest, row.updated_at)
        reviews.setdefault(row.application_id, []).append(told)
    return reviews


def mails_of(session: Session, *, partner_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The addresses of the people of each partner. They are compared and judged, and shown to nobody."""
    return fraud_partners.mails_of(session, partner_ids=partner_ids)


def twins_of(
    session: Session, *, program_id: UUID, mails: Mapping[UUID, list[str]], websites: Mapping[UUID, str | None]
) -> dict[UUID, list[Twin]]:
    """Other partners, in any program, that look like the same person as each of those whose websites these are."""
    if not websites:
        return {}
    found = fraud_partners.twins_of(session, mails=mails, websites=websites)
    others = _named(session, program_id, {one for twins in found.values() for one in twins.everybody})
    return {
        partner_id: [
            Twin(one, others[one][0], _by(twins, one), others[one][1])
            for one in sorted(twins.everybody)
            if one in others
        ]
        for partner_id, twins in found.items()
    }


def _by(twins: fraud_partners.Twins, other: UUID) -> tuple[str, ...]:
    kinds = {
        "mail": twins.by_mail, "website": twins.by_website, "account": twins.by_account, "vat_id": twins.by_vat_id,
    }  # fmt: skip
    return tuple(kind for kind, partners in kinds.items() if other in partners)


def _named(
    session: Session, program_id: UUID, partner_ids: Collection[UUID]
) -> dict[UUID, tuple[str, EnrollmentStatus | None]]:
    if not partner_ids:
        return {}
    here = sa.and_(Enrollment.partner_id == Partner.id, Enrollment.program_id == program_id)
    rows = session.execute(
        sa.select(Partner.id, Partner.name, Enrollment.status)
        .outerjoin(Enrollment, here)
        .where(Partner.id.in_(partner_ids))
    )
    return {row[0]: (row[1], row[2]) for row in rows}
