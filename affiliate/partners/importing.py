"""Taking in partners that a table names. Takes session and now; never commits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.partners import mails, service, table
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, PartnerTerms
from affiliate.partners.table import Judged, Outcome, Row


def judge(session: Session, *, program_id: UUID, rows: Sequence[Row]) -> list[Judged]:
    """What each row comes to now."""
    emails = {row.email for row in rows}
    here = sa.and_(Enrollment.partner_id == Member.partner_id, Enrollment.program_id == program_id)
    inside = sa.exists().where(Member.user_id == User.id, here)
    known = sa.select(User.email, inside.label("inside")).where(db.among(session, User.email, emails))
    found = {row.email: row.inside for row in session.execute(known)}
    return table.judged(
        rows,
        inside={email for email, is_inside in found.items() if is_inside},
        elsewhere={email for email, is_inside in found.items() if not is_inside},
    )


def take(
    session: Session, *, program_id: UUID, rows: Sequence[Row], invites: bool, actor: Actor, now: datetime
) -> list[tuple[Judged, UUID | None]]:
    """Let the new ones in, approved, with `invites` each by a mail. Judged anew: what was taken meanwhile is known.

    Gives each row's outcome, with the id of a partner that was made.

    Raises:
        ProgramArchived: the program takes nobody any more.
    """
    done: list[tuple[Judged, UUID | None]] = []
    for one in judge(session, program_id=program_id, rows=rows):
        is_new = one.outcome is Outcome.NEW
        made = _made(session, program_id, one.row, invites=invites, actor=actor, now=now) if is_new else None
        done.append((one, made))
    count = sum(made is not None for _one, made in done)
    if count:
        audit.record(
            session, actor=actor, action="partner.import", subject_kind="program", subject_id=program_id,
            program_id=program_id, details={"partners": count, "invited": invites}, now=now,
        )  # fmt: skip
    return done


def _made(session: Session, program_id: UUID, row: Row, *, invites: bool, actor: Actor, now: datetime) -> UUID:
    person = accounts.create_user(
        session, email=row.email, name=row.person or row.name, locale=row.language, actor=actor, now=now
    )
    partner = service.create_partner(session, name=row.name, website=row.website, country=row.country, now=now)
    service.add_member(session, user_id=person.id, partner_id=partner.id, role=MemberRole.OWNER, now=now)
    enrollment = service.enroll(
        session, program_id=program_id, partner_id=partner.id, status=EnrollmentStatus.APPROVED, now=now
    )
    if row.group:
        terms = {"program_id": program_id, "partner_id": partner.id, "group_name": row.group, "updated_at": now}
        db.insert_new(session, PartnerTerms, [terms], returning=PartnerTerms.partner_id)
    if invites:
        mails.tell_taken_in(session, enrollment=enrollment, now=now)
    return partner.id
