"""What is known of people, their grants, sessions and keys."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import mail_kinds
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import ApiKey, Grant, GrantRole, MailRefusal, NoticeRefusal, User, UserSession
from affiliate.db import Base

_SESSIONS_SHOWN_MAX = 50
_PEOPLE_SHOWN_MAX = 500
_KEYS_SHOWN_MAX = 200
Person = TypeVar("Person", bound=Base)


def user_by_email(session: Session, *, email: str) -> User | None:
    """The person with this address, whatever its case."""
    return session.scalars(sa.select(User).where(User.email == email.strip().lower())).one_or_none()


def signed_in(
    session: Session, *, person: type[Person], uniquifier: str, session_id: UUID, now: datetime
) -> Person | None:
    """The active person behind a cookie, as this mapped class, if the session's row is theirs, not ended, not expired."""
    named = {"uniquifier": uniquifier, "session_id": session_id, "now": now}
    return session.scalars(_signed_in(person), named).one_or_none()


@cache
def _signed_in(person: type[Person]) -> sa.Select[Person]:
    """Built once: every request asks it."""
    users = User.__table__.c
    return (
        sa.select(person)
        .join_from(person, UserSession, UserSession.user_id == users.id)
        .where(
            users.fs_uniquifier == sa.bindparam("uniquifier"),
            users.active,
            UserSession.id == sa.bindparam("session_id"),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > sa.bindparam("now"),
        )
    )


def roles_in(session: Session, *, user_id: UUID, program_id: UUID | None) -> frozenset[GrantRole]:
    """The person's roles in a program, with those for all programs; null asks for the latter alone."""
    in_all = Grant.program_id.is_(None)
    where = in_all if program_id is None else sa.or_(in_all, Grant.program_id == program_id)
    return frozenset(session.scalars(sa.select(Grant.role).where(Grant.user_id == user_id, where)))


def roles_by_reach(
    session: Session, *, user_id: UUID, program_id: UUID | None
) -> tuple[frozenset[GrantRole], frozenset[GrantRole]]:
    """`roles_in` the program, and those of them that are for all programs."""
    here = sa.or_(Grant.program_id.is_(None), Grant.program_id == program_id)
    found = session.execute(sa.select(Grant.role, Grant.program_id).where(Grant.user_id == user_id, here)).all()
    return frozenset(row.role for row in found), frozenset(row.role for row in found if row.program_id is None)


def roles_anywhere(session: Session, *, user_id: UUID) -> frozenset[GrantRole]:
    """The person's roles, in whatever program."""
    return frozenset(session.scalars(sa.select(Grant.role).where(Grant.user_id == user_id).distinct()))


def may_manage(session: Session, *, user_id: UUID, program_id: UUID) -> bool:
    """Whether this person has an account that works and may manage the program."""
    here = sa.or_(Grant.program_id == program_id, Grant.program_id.is_(None))
    granted = sa.exists().where(Grant.user_id == User.id, Grant.role.in_((GrantRole.MANAGER, GrantRole.ADMIN)), here)
    return bool(session.scalar(sa.select(sa.exists().where(User.id == user_id, User.active, granted))))


def granted_program_ids(session: Session, *, user_id: UUID) -> set[UUID | None]:
    """The programs whose console the person may open; null in the set means all of them."""
    in_console = (Grant.user_id == user_id, Grant.role != GrantRole.PARTNER)
    return set(session.scalars(sa.select(Grant.program_id).where(*in_console)))


def people_in(session: Session, *, program_id: UUID) -> list[tuple[User, Grant]]:
    """Who works on a program, by name: a row for each role there or in all programs."""
    here = (Grant.role != GrantRole.PARTNER, sa.or_(Grant.program_id == program_id, Grant.program_id.is_(None)))
    rows = sa.select(User, Grant).join(Grant, Grant.user_id == User.id).where(User.active, *here)
    found = session.execute(rows.order_by(User.name, User.id, Grant.program_id, Grant.role).limit(_PEOPLE_SHOWN_MAX))
    return [(row[0], row[1]) for row in found]


def refused_mails(session: Session, *, user_id: UUID) -> frozenset[MailKind]:
    """The kinds of mail that a person does not want."""
    return frozenset(session.scalars(sa.select(MailRefusal.kind).where(MailRefusal.user_id == user_id)))


def refused_notices(session: Session, *, user_id: UUID) -> frozenset[MailKind]:
    """What a person does not want to be told in the portal."""
    return frozenset(session.scalars(sa.select(NoticeRefusal.kind).where(NoticeRefusal.user_id == user_id)))


def live_sessions(session: Session, *, user_id: UUID, now: datetime) -> Sequence[UserSession]:
    """The person's sessions that still work, newest first."""
    return session.scalars(
        sa.select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > now)
        .order_by(UserSession.created_at.desc())
        .limit(_SESSIONS_SHOWN_MAX)
    ).all()


def api_key_by_fingerprint(session: Session, *, fingerprint: str) -> ApiKey | None:
    """The key with this SHA-256, revoked or not."""
    return session.scalars(sa.select(ApiKey).where(ApiKey.secret_hash == fingerprint)).one_or_none()


def api_keys(session: Session, *, program_id: UUID, partner_id: UUID | None = None) -> Sequence[ApiKey]:
    """The keys of a program itself, or of this partner in it: the newest first, revoked ones last."""
    mine = (ApiKey.program_id == program_id, ApiKey.partner_id == partner_id)
    newest = (ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc(), ApiKey.id)
    return session.scalars(sa.select(ApiKey).where(*mine).order_by(*newest).limit(_KEYS_SHOWN_MAX)).all()


def live_key_count(session: Session, *, program_id: UUID, partner_id: UUID) -> int:
    """How many keys of this partner in the program work."""
    mine = (ApiKey.program_id == program_id, ApiKey.partner_id == partner_id, ApiKey.revoked_at.is_(None))
    return session.scalar(sa.select(sa.func.count()).where(*mine)) or 0


def wants(kind: MailKind) -> sa.ColumnElement[bool]:
    """Whether the person of a row of `User` wants mails of this kind: nobody is asked about those that are always sent."""
    if kind in mail_kinds.REQUIRED:
        return sa.true()
    return ~sa.exists().where(MailRefusal.user_id == User.id, MailRefusal.kind == kind)
