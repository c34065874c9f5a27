"""Every SELECT on partners, their people, enrollments and applications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.mailer import OutboxMail
from affiliate.partners import facts
from affiliate.partners.facts import ApplicationFacts
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, Partner, PartnerTerms
from affiliate.programs.models import Program

MEMBERSHIPS_MAX = 100
_TOLD = ("audience", "experience", "references", "offers", "conflicts", "why")
_WELCOME = (EnrollmentStatus.PENDING, EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Membership:
    """One program that a person takes part in, through one partner."""

    program_id: UUID
    program_slug: str
    program_name: str
    partner_id: UUID
    partner_name: str
    enrollment_id: UUID
    status: EnrollmentStatus


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A partner in a program, for lists."""

    enrollment_id: UUID
    partner_id: UUID
    partner_name: str
    website: str | None
    country: str | None
    status: EnrollmentStatus
    reason: str | None
    created_at: datetime
    decided_at: datetime | None


def partner_by_id(session: Session, *, partner_id: UUID) -> Partner | None:
    """One partner."""
    return session.get(Partner, partner_id)


def partner_names(session: Session, *, partner_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of the given partners, by id."""
    if not partner_ids:
        return {}
    found = session.execute(sa.select(Partner.id, Partner.name).where(Partner.id.in_(partner_ids)))
    return {row.id: row.name for row in found}


def enrollment_of(session: Session, *, program_id: UUID, partner_id: UUID) -> Enrollment | None:
    """A partner's membership in a program."""
    mine = (Enrollment.program_id == program_id, Enrollment.partner_id == partner_id)
    return session.scalar(sa.select(Enrollment).where(*mine))


def enrollment_in(session: Session, *, enrollment_id: UUID, program_id: UUID) -> Enrollment | None:
    """One enrollment, if it is of this program; always as it stands in the database now."""
    found = sa.select(Enrollment).where(Enrollment.id == enrollment_id, Enrollment.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def enrolled(
    session: Session,
    *,
    program_id: UUID,
    statuses: Sequence[EnrollmentStatus] = tuple(EnrollmentStatus),
    limit: int,
    before: UUID | None = None,
) -> list[Enrolled]:
    """Up to `limit` partners of a program in one of the statuses, newest first; `before` is the last enrollment of the page above."""
    columns = (
        Enrollment.id.label("enrollment_id"), Partner.id.label("partner_id"), Partner.name.label("partner_name"), Partner.website,
        Partner.country, Enrollment.status, Enrollment.reason, Enrollment.created_at, Enrollment.decided_at,
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .where(Enrollment.program_id == program_id, Enrollment.status.in_(statuses))
    )
    if before is not None:
        found = found.where(Enrollment.id < before)
    return [Enrolled(**row._mapping) for row in session.execute(found.order_by(Enrollment.id.desc()).limit(limit))]  # noqa: SLF001 - the documented name of a row's mapping


def waits_since() -> sa.ColumnElement[datetime]:
    """Since when an enrollment that waits does: who was refused and applied again waits since then, not since the first time."""
    received = sa.select(Application.confirmed_at).where(
        Application.enrollment_id == Enrollment.id, Application.is_current
    )
    first = sa.func.coalesce(received.correlate(Enrollment).scalar_subquery(), Enrollment.created_at)
    return sa.type_coerce(first, Enrollment.created_at.type)


def counts_by_status(session: Session, *, program_id: UUID) -> dict[EnrollmentStatus, int]:
    """How many partners of a program stand where; every status is there."""
    counted = (
        sa.select(Enrollment.status, sa.func.count().label("partners"))
        .where(Enrollment.program_id == program_id)
        .group_by(Enrollment.status)
    )
    found = {row.status: row.partners for row in session.execute(counted)}
    return {status: found.get(status, 0) for status in EnrollmentStatus}


def application_of(session: Session, *, enrollment_id: UUID) -> Application | None:
    """What the applicant wrote last; None for a partner who did not apply by the form."""
    current = (Application.enrollment_id == enrollment_id, Application.is_current)
    return session.scalar(sa.select(Application).where(*current))


def application_facts(session: Session, *, program_id: UUID, enrollment_ids: Sequence[UUID]) -> list[ApplicationFacts]:
    """The present applications of these enrollments as plain values; those of other programs and of nobody are left out."""
    if not enrollment_ids:
        return []
    recruited = sa.and_(
        PartnerTerms.program_id == Enrollment.program_id, PartnerTerms.partner_id == Enrollment.partner_id
    )
    found = (
        sa.select(Application, Enrollment.partner_id, Partner.country, Partner.website, PartnerTerms.recruiter_id)
        .join(Enrollment, Enrollment.id == Application.enrollment_id)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .outerjoin(PartnerTerms, recruited)
        .where(Enrollment.program_id == program_id, Enrollment.id.in_(enrollment_ids), Application.is_current)
        .order_by(Enrollment.id)
    )
    return [_facts(row) for row in session.execute(found)]


def _facts(row: Any) -> ApplicationFacts:
    application: Application = row.Application
    answers = application.answers
    told = {key: facts.text(answers, key) for key in _TOLD}
    asked = [question["key"] for question in application.asked]
    return ApplicationFacts(
        application.id,
        application.enrollment_id,
        row.partner_id,
        application.submitted_at,
        application.confirmed_at,
        row.country or "",
        row.website or "",
        facts.channels(answers.get("channels")),
        **told,
        asked=len(asked),
        answered=sum(1 for key in asked if answers.get(key)),
        files=sum(1 for answer in answers.values() if facts.is_file(answer)),
        source=application.source,
        recruiter_id=row.recruiter_id,
    )


def membership(session: Session, *, user_id: UUID, program_id: UUID) -> tuple[Partner, Enrollment, MemberRole] | None:
    """The partner through which a person takes part in a program, unless it was rejected or banned there, and the role: what opens the portal."""
    row = session.execute(membership_row(), {"user_id": user_id, "program_id": program_id}).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


@cache
def membership_row() -> sa.Select[Partner, Enrollment, MemberRole]:
    """What `membership` asks, of `user_id` and `program_id`. Built once."""
    mine = (Member.user_id == sa.bindparam("user_id"), Enrollment.program_id == sa.bindparam("program_id"))
    return (
        sa.select(Partner, Enrollment, Member.role)
        .join(Enrollment, Enrollment.partner_id == Partner.id)
        .join(Member, Member.partner_id == Partner.id)
        .where(*mine, Enrollment.status.in_(_WELCOME))
        .order_by(Member.id)
        .limit(1)
    )


def is_welcome(session: Session, *, partner_id: UUID, program_id: UUID) -> bool:
    """Whether a partner takes part in a program, active or paused: what keeps its keys working."""
    mine = (Enrollment.partner_id == partner_id, Enrollment.program_id == program_id)
    inside = Enrollment.status.in_((EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED))
    return bool(session.scalar(sa.select(sa.exists().where(*mine, inside))))


def memberships_of(session: Session, *, user_id: UUID) -> list[Membership]:
    """The programs of a person, by name; rejected and banned ones too, so that the chooser can say so."""
    found = (
        sa.select(Program.id, Program.slug, Program.name, Partner.id, Partner.name, Enrollment.id, Enrollment.status)
        .select_from(Member)
        .join(Partner, Partner.id == Member.partner_id)
        .join(Enrollment, Enrollment.partner_id == Member.partner_id)
        .join(Program, Program.id == Enrollment.program_id)
        .where(Member.user_id == user_id)
        .order_by(Program.name, Partner.name)
        .limit(MEMBERSHIPS_MAX)
    )
    return [Membership(*row) for row in session.execute(found)]


def members_of(session: Session, *, partner_id: UUID) -> Sequence[User]:
    """The people of a partner, oldest member first."""
    found = sa.select(User).join(Member, Member.user_id == User.id).where(Member.partner_id == partner_id)
    return session.scalars(found.order_by(Member.id)).all()


def owned_partner(session: Session, *, user_id: UUID) -> Partner | None:
    """The first partner that a person belongs to."""
    found = sa.select(Partner).join(Member, Member.partner_id == Partner.id).where(Member.user_id == user_id)
    return session.scalar(found.order_by(Member.id).limit(1))


def mails_since(session: Session, *, recipient: str, since: datetime) -> int:
    """How many mails were written to an address since then: the form must not become a way to flood somebody."""
    counted = sa.select(sa.func.count()).where(OutboxMail.recipient == recipient, OutboxMail.created_at >= since)
    return session.scalar(counted) or 0
