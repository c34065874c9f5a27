"""Asking for membership: applications become pending enrollments. Takes session and now; never commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import queries as account_queries
from affiliate.accounts import service as accounts
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.db import insert_new
from affiliate.partners import queries, service
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, as typed into the public form. `answers` go to the manager who decides."""

    email: str
    name: str
    partner_name: str
    website: str | None
    country: str | None
    locale: str
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """An application as it comes in: its id, when it was sent, what was asked, through what the applicant came, and who recruited it."""

    application_id: UUID
    submitted_at: datetime
    asked: Sequence[Mapping[str, Any]] = ()
    source: str = ""
    recruiter_id: UUID | None = None


def apply(
    session: Session,
    *,
    program_id: UUID,
    user_id: UUID,
    partner_id: UUID,
    answers: Mapping[str, Any],
    sent: Sent | None = None,
    now: datetime,
) -> Application:
    """Ask for membership: a pending enrollment with what the applicant wrote. A second submission changes nothing.

    Whoever was refused and may try again by now waits once more; the earlier application stays, no longer current.
    """
    sent = sent or Sent(ids.new_at(now), now)
    enrollment = service.enroll(
        session, program_id=program_id, partner_id=partner_id, status=EnrollmentStatus.PENDING, now=now
    )
    if _opens_again(session, enrollment, now):
        session.execute(
            sa.update(Application)
            .where(Application.enrollment_id == enrollment.id, Application.is_current)
            .values(is_current=False)
        )
    row = {"id": sent.application_id, "enrollment_id": enrollment.id, "user_id": user_id, "answers": dict(answers)}
    row |= {"asked": list(sent.asked), "source": sent.source, "is_current": True, "confirmed_at": now}
    insert_new(session, Application, [row | {"submitted_at": sent.submitted_at}])
    current = (Application.enrollment_id == enrollment.id, Application.is_current)
    return session.scalars(sa.select(Application).where(*current)).one()


def _opens_again(session: Session, enrollment: Enrollment, now: datetime) -> bool:
    """Let a refused partner wait again, if its time has come. Guarded: of two at once, one does it."""
    refused = (Enrollment.id == enrollment.id, Enrollment.status == EnrollmentStatus.REJECTED)
    values = {"status": EnrollmentStatus.PENDING, "reason": None, "apply_again_at": None, "updated_at": now}
    again = sa.update(Enrollment).where(*refused, Enrollment.apply_again_at <= now).values(values)
    opened = session.scalar(again.returning(Enrollment.id), execution_options={"synchronize_session": False})
    if opened is not None:
        session.refresh(enrollment)
    return opened is not None


def take_in(
    session: Session, *, program: Program, applicant: Applicant, sent: Sent, user_id: UUID | None, now: datetime
) -> Application:
    """Take an application of somebody whose mailbox is proved, or who is signed in. An address without an account gets one.

    The application of who takes part already is theirs of before: nothing changes, and the caller sees it by its id.
    """
    person_id = user_id or _person_id(session, applicant, now)
    # Two submissions at once wait for one another here, so that the person does not become two partners.
    session.execute(sa.select(User.id).where(User.id == person_id).with_for_update())
    partner = queries.owned_partner(session, user_id=person_id)
    if partner is None:
        partner = service.create_partner(
            session, name=applicant.partner_name, website=applicant.website, country=applicant.country, now=now
        )
        service.add_member(session, user_id=person_id, partner_id=partner.id, role=MemberRole.OWNER, now=now)
    found = apply(
        session, program_id=program.id, user_id=person_id, partner_id=partner.id, answers=applicant.answers,
        sent=sent, now=now,
    )  # fmt: skip
    if sent.recruiter_id is not None and sent.recruiter_id != partner.id and found.id == sent.application_id:
        terms = {"program_id": program.id, "partner_id": partner.id, "recruiter_id": sent.recruiter_id}
        insert_new(session, PartnerTerms, [terms | {"updated_at": now}])
    return found


def _person_id(session: Session, applicant: Applicant, now: datetime) -> UUID:
    try:
        made = accounts.create_user(
            session, email=applicant.email, name=applicant.name, locale=applicant.locale, now=now
        )
    except accounts.EmailTaken:
        known = account_queries.user_by_email(session, email=applicant.email)
        if known is None:
            raise
        return known.id
    return made.id
