"""Every SELECT on partners, their people, enrollments and applications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, Partner
from affiliate.programs.models import Program

MEMBERSHIPS_MAX = 100
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
    """What the applicant wrote; None for a partner who did not apply by the form."""
    return session.scalar(sa.select(Application).where(Application.enrollment_id == enrollment_id))


def membership(session: Session, *, user_id: UUID, program_id: UUID) -> tuple[Partner, Enrollment] | None:
    """The partner through which a person takes part in a program, unless it was rejected or banned there: what opens the portal."""
    found = (
        sa.select(Partner, Enrollment)
        .join(Enrollment, Enrollment.partner_id == Partner.id)
        .join(Member, Member.partner_id == Partner.id)
        .where(Member.user_id == user_id, Enrollment.program_id == program_id, Enrollment.status.in_(_WELCOME))
        .order_by(Member.id)
        .limit(1)
    )
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


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


def members_of_all(session: Session, *, partner_ids: Sequence[UUID]) -> Sequence[User]:
    """The people of several partners, each once."""
    if not partner_ids:
        return []
    theirs = sa.select(Member.user_id).where(Member.partner_id.in_(partner_ids))
    return session.scalars(sa.select(User).where(User.id.in_(theirs)).order_by(User.id)).all()


def owned_partner(session: Session, *, user_id: UUID) -> Partner | None:
    """The first partner that a person belongs to."""
    found = sa.select(Partner).join(Member, Member.partner_id == Partner.id).where(Member.user_id == user_id)
    return session.scalar(found.order_by(Member.id).limit(1))


def mails_since(session: Session, *, recipient: str, since: datetime) -> int:
    """How many mails were written to an address since then: the form must not become a way to flood somebody."""
    counted = sa.select(sa.func.count()).where(OutboxMail.recipient == recipient, OutboxMail.created_at >= since)
    return session.scalar(counted) or 0
