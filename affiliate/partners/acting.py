"""Using the portal for a partner: begun with a reason, from one browser, for half an hour. Takes session and now; never commits."""

from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import UserSession
from affiliate.accounts.roles import MemberRole
from affiliate.errors import Invalid, NotFound
from affiliate.partners import queries
from affiliate.partners.models import ActingTerm, Enrollment, EnrollmentStatus, Partner

N_ = str  # marks a sentence for the translators
TERM = timedelta(minutes=30)
REASON_LENGTH_MAX = 500
OPEN_TO = (EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED)
"""Where a partner has a portal that somebody could use for it."""


class NobodyToActFor(NotFound):
    """The partner does not take part in this program."""


def start(
    session: Session,
    *,
    user_id: UUID,
    session_id: UUID,
    program_id: UUID,
    partner_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
) -> ActingTerm:
    """From now on this browser sees the partner's portal. What it acted for before ends.

    Raises:
        Invalid: no reason. NobodyToActFor: the partner is not in the program.
    """
    reason = reason.strip()[:REASON_LENGTH_MAX]
    if not reason:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    enrollment = queries.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None or enrollment.status not in OPEN_TO:
        raise NobodyToActFor("This partner does not take part in the program.")
    # A button that is pressed twice makes two of these at once: the second waits here, and ends what the first began.
    session.execute(sa.select(UserSession.id).where(UserSession.id == session_id).with_for_update())
    _end(session, session_id, now)
    term = ActingTerm(
        id=ids.new_at(now), user_id=user_id, session_id=session_id, program_id=program_id, partner_id=partner_id,
        reason=reason, started_at=now, ends_at=now + TERM,
    )  # fmt: skip
    session.add(term)
    session.flush()
    _record(session, "acting.start", program_id, partner_id, actor=actor, now=now, details={"reason": reason})
    return term


def stop(session: Session, *, session_id: UUID, actor: Actor, now: datetime) -> ActingTerm | None:
    """End what this browser acts for; nothing where it acts for nobody any more."""
    term = _end(session, session_id, now)
    if term is not None:
        _record(session, "acting.stop", term.program_id, term.partner_id, actor=actor, now=now, details={})
    return term


def own(
    session: Session, *, user_id: UUID, session_id: UUID | None, program_id: UUID, now: datetime
) -> tuple[tuple[Partner, Enrollment, MemberRole] | None, bool]:
    """The person's own membership in the program, and whether `present` may find somebody for whom it acts: in one trip for most."""
    asked = {"user_id": user_id, "session_id": session_id, "program_id": program_id, "now": now}
    row = session.execute(_own(), asked).one_or_none()
    return (None, session_id is not None) if row is None else ((row[0], row[1], row[2]), row[3])


@cache
def _own() -> sa.Select[Partner, Enrollment, MemberRole, bool]:
    """Built once: every page of the portal asks it."""
    return queries.membership_row().add_columns(sa.exists().where(*_lasting()))


def _lasting() -> tuple[sa.ColumnElement[bool], ...]:
    mine = [getattr(ActingTerm, name) == sa.bindparam(name) for name in ("session_id", "user_id", "program_id")]
    return (*mine, ActingTerm.ended_at.is_(None), ActingTerm.ends_at > sa.bindparam("now"))


def present(
    session: Session, *, user_id: UUID, session_id: UUID, program_id: UUID, now: datetime
) -> tuple[ActingTerm, Partner, Enrollment] | None:
    """For whom this person acts in the program, from this browser and at this moment."""
    named = {"user_id": user_id, "session_id": session_id, "program_id": program_id, "now": now}
    row = session.execute(_present(), named).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


@cache
def _present() -> sa.Select[ActingTerm, Partner, Enrollment]:
    """Built once."""
    here = sa.and_(Enrollment.partner_id == ActingTerm.partner_id, Enrollment.program_id == ActingTerm.program_id)
    return (
        sa.select(ActingTerm, Partner, Enrollment)
        .join(Partner, Partner.id == ActingTerm.partner_id)
        .join(Enrollment, here)
        .where(*_lasting(), Enrollment.status.in_(OPEN_TO))
    )


def _end(session: Session, session_id: UUID, now: datetime) -> ActingTerm | None:
    """Guarded: two ends at once are one."""
    open_here = (ActingTerm.session_id == session_id, ActingTerm.ended_at.is_(None))
    ending = sa.update(ActingTerm).where(*open_here).values(ended_at=now).returning(ActingTerm)
    return session.scalar(ending, execution_options={"synchronize_session": False})


def _record(
    session: Session,
    action: str,
    program_id: UUID,
    partner_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    details: dict[str, str],
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="partner", subject_id=partner_id, program_id=program_id,
        details={"acting_for": str(partner_id)} | details, now=now,
    )  # fmt: skip
