"""Every write on partners, their people and enrollments. Takes session and now; never commits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.roles import MemberRole
from affiliate.db import insert_new
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.partners import mails, queries
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner
from affiliate.programs import archive

N_ = str  # marks a sentence for the translators
WINDOW_DAYS_MAX = 365
_REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class _Move:
    """A change of status: its name in the audit trail, where it may start, where it ends."""

    action: str
    expected: tuple[EnrollmentStatus, ...]
    to: EnrollmentStatus


_ANY_BUT_BANNED = tuple(status for status in EnrollmentStatus if status is not EnrollmentStatus.BANNED)
_APPROVE = _Move("enrollment.approve", (EnrollmentStatus.PENDING, EnrollmentStatus.REJECTED), EnrollmentStatus.APPROVED)
_REJECT = _Move("enrollment.reject", (EnrollmentStatus.PENDING,), EnrollmentStatus.REJECTED)
_PAUSE = _Move("enrollment.pause", (EnrollmentStatus.APPROVED,), EnrollmentStatus.PAUSED)
_RESUME = _Move("enrollment.resume", (EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED), EnrollmentStatus.APPROVED)
_BAN = _Move("enrollment.ban", _ANY_BUT_BANNED, EnrollmentStatus.BANNED)


class NoSuchEnrollment(NotFound):
    """There is no such enrollment in this program."""


class EnrollmentMoved(Conflict):
    """The enrollment is not where the act expects it: somebody was faster. `status` says where it is."""

    code = "enrollment_moved"

    def __init__(self, status: EnrollmentStatus) -> None:
        self.status = status
        super().__init__(f"This partner is {status.value} by now. Nothing was changed.")


def create_partner(
    session: Session, *, name: str, website: str | None = None, country: str | None = None, now: datetime
) -> Partner:
    """A new partner, member of no program yet."""
    partner = Partner(id=ids.new_at(now), name=name, website=website, country=country, created_at=now)
    session.add(partner)
    session.flush()
    return partner


def add_member(session: Session, *, user_id: UUID, partner_id: UUID, role: MemberRole, now: datetime) -> None:
    """Make a person one of a partner's people. Doing it twice changes nothing."""
    row = {"id": ids.new_at(now), "user_id": user_id, "partner_id": partner_id, "role": role, "created_at": now}
    insert_new(session, Member, [row])


def enroll(
    session: Session, *, program_id: UUID, partner_id: UUID, status: EnrollmentStatus, now: datetime
) -> Enrollment:
    """A partner's membership in a program; the existing one, unchanged, if there is one.

    Raises:
        ProgramArchived: the program takes nobody any more.
    """
    archive.require_open(session, program_id=program_id)
    decided_at = None if status is EnrollmentStatus.PENDING else now
    row = {
        "id": ids.new_at(now),
        "program_id": program_id,
        "partner_id": partner_id,
        "status": status,
        "decided_at": decided_at,
    }
    insert_new(session, Enrollment, [row | {"created_at": now, "updated_at": now}])
    enrollment = queries.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None:
        raise NoSuchEnrollment("The membership was removed in this moment.")
    return enrollment


def approve(
    session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None = None, now: datetime
) -> None:
    """Let a pending (or once rejected) partner in, and tell its people by mail.

    Raises:
        NoSuchEnrollment: not in this program. EnrollmentMoved: it was decided already.
        ProgramArchived: the program takes nobody any more.
    """
    archive.require_open(session, program_id=program_id)
    enrollment = _move(
        session, _APPROVE, enrollment_id=enrollment_id, program_id=program_id, actor=actor, reason=reason, now=now
    )
    mails.tell_approved(session, enrollment=enrollment, now=now)


def reject(
    session: Session,
    *,
    enrollment_id: UUID,
    program_id: UUID,
    actor: Actor,
    reason: str | None = None,
    apply_again_at: datetime | None = None,
    now: datetime,
) -> None:
    """Refuse a pending partner, and tell its people by mail, with the reason and when they may apply again (null: not by themselves).

    Raises:
        NoSuchEnrollment, EnrollmentMoved: as above.
    """
    enrollment = _move(
        session, _REJECT, enrollment_id=enrollment_id, program_id=program_id, actor=actor, reason=reason, now=now
    )
    enrollment.apply_again_at = apply_again_at
    mails.tell_rejected(session, enrollment=enrollment, now=now)


def pause(
    session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None = None, now: datetime
) -> None:
    """Stop counting an approved partner's clicks until further notice; what was earned stays.

    Raises:
        NoSuchEnrollment, EnrollmentMoved: as above.
    """
    _move(session, _PAUSE, enrollment_id=enrollment_id, program_id=program_id, actor=actor, reason=reason, now=now)


def resume(
    session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None = None, now: datetime
) -> None:
    """Let a paused or banned partner go on.

    Raises:
        NoSuchEnrollment, EnrollmentMoved: as above.
    """
    _move(session, _RESUME, enrollment_id=enrollment_id, program_id=program_id, actor=actor, reason=reason, now=now)


def ban(
    session: Session, *, enrollment_id: UUID, program_id: UUID, actor: Actor, reason: str | None = None, now: datetime
) -> None:
    """Shut a partner out: no clicks count, the portal of this program is closed.

    Raises:
        NoSuchEnrollment, EnrollmentMoved: as above.
    """
    _move(session, _BAN, enrollment_id=enrollment_id, program_id=program_id, actor=actor, reason=reason, now=now)


def _move(
    session: Session,
    move: _Move,
    *,
    enrollment_id: UUID,
    program_id: UUID,
    actor: Actor,
    reason: str | None,
    now: datetime,
) -> Enrollment:
    """Guarded: when two managers decide at once, the second changes nothing and is told where it stands."""
    reason = (reason or "").strip()[:_REASON_LENGTH_MAX] or None
    decided_by_id = actor.id if actor.kind == "user" else None
    values = {"status": move.to, "reason": reason, "decided_at": now, "decided_by_id": decided_by_id, "updated_at": now}
    here = (Enrollment.id == enrollment_id, Enrollment.program_id == program_id)
    changed = sa.update(Enrollment).where(*here, Enrollment.status.in_(move.expected)).values(values)
    changed = changed.returning(Enrollment.id).execution_options(synchronize_session=False)
    moved = session.scalar(changed) is not None
    enrollment = queries.enrollment_in(session, enrollment_id=enrollment_id, program_id=program_id)
    if enrollment is None:
        raise NoSuchEnrollment("There is no such partner in this program.")
    if not moved:
        raise EnrollmentMoved(enrollment.status)
    audit.record(
        session,
        actor=actor,
        action=move.action,
        subject_kind="enrollment",
        subject_id=enrollment_id,
        program_id=program_id,
        details={"partner_id": str(enrollment.partner_id), "reason": reason},
        now=now,
    )
    return enrollment


def set_attribution_terms(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    partner_class: PartnerClass,
    window_days: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Rank a partner, and promise it a window of its own in days (none: the program's). It counts for orders decided later.

    Raises:
        NoSuchEnrollment: the partner does not take part in this program.
        Invalid: the window is none.
    """
    if window_days is not None and not 1 <= window_days <= WINDOW_DAYS_MAX:
        raise Invalid({"window_days": [N_("Choose from 1 to 365 days, or leave it empty.")]})
    here = sa.and_(Enrollment.program_id == program_id, Enrollment.partner_id == partner_id)
    values = {"partner_class": partner_class, "attribution_window_days": window_days, "updated_at": now}
    change = sa.update(Enrollment).where(here).values(values).returning(Enrollment.id)
    enrollment_id = session.scalar(change.execution_options(synchronize_session=False))
    if enrollment_id is None:
        raise NoSuchEnrollment("There is no such partner in this program.")
    details = {"partner_id": str(partner_id), "partner_class": partner_class.value, "window_days": window_days}
    audit.record(
        session, actor=actor, action="enrollment.attribution_terms", subject_kind="enrollment",
        subject_id=enrollment_id, program_id=program_id, details=details, now=now,
    )  # fmt: skip
