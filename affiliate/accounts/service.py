"""Every write about people, grants, sessions and keys. Callers own the transaction."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql import Update

from affiliate import db, errors, ids
from affiliate.accounts import audit, keys, passwords, queries
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import ApiKey, Grant, GrantRole, User, UserSession

SESSION_TERM = timedelta(days=14)
_SESSIONS_KEPT_FOR = timedelta(days=30)


class EmailTaken(errors.Conflict):
    """Somebody already has this address."""

    code = "email_taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"There is an account for {email} already.")
        self.email = email


class PasswordRefused(errors.Invalid):
    """The password is too short, too long, or one that everybody tries first."""

    code = "password_refused"

    def __init__(self, problem: passwords.PasswordProblem) -> None:
        super().__init__({"password": [_PASSWORD_MESSAGES[problem]]})
        self.problem = problem


class NoSuchGrant(errors.NotFound):
    """The person does not have this role there."""


class NoSuchKey(errors.NotFound):
    """The program has no such key."""


class UnknownScope(errors.Invalid):
    """A key can only have the scopes that exist, a partner's those for partners, and needs at least one."""

    def __init__(self, wrong: Collection[str], allowed: Collection[str] = keys.SCOPES) -> None:
        named = ", ".join(sorted(wrong)) or "none"
        super().__init__({"scopes": [f"Unknown: {named}. Choose from: {' '.join(allowed)}."]})


class TooManyKeys(errors.Conflict):
    """The partner has as many working keys as it may."""

    code = "too_many_keys"

    def __init__(self) -> None:
        super().__init__(f"{keys.PARTNER_KEYS_MAX} keys work already. Revoke one first.")


_PASSWORD_MESSAGES = {
    passwords.PasswordProblem.TOO_SHORT: f"Use at least {passwords.LENGTH_MIN} characters; a sentence is fine.",
    passwords.PasswordProblem.TOO_LONG: f"Use at most {passwords.LENGTH_MAX} characters.",
    passwords.PasswordProblem.COMMON: "This password is easy to guess. Add words that only you would think of.",
}


def create_user(
    session: Session,
    *,
    email: str,
    name: str,
    password: str | None = None,
    locale: str | None = None,
    actor: Actor = SYSTEM,
    now: datetime,
) -> User:
    """A new person; without a password they set one through “Forgot your password?”.

    Raises:
        EmailTaken: there is an account with this address.
        PasswordRefused: see `passwords`.
    """
    address = email.strip().lower()
    hashed = None if password is None else _hash_of_good(password, about=(address, name))
    row = {"id": ids.new_at(now), "email": address, "name": name, "locale": locale, "time_zone": None}
    row |= {"password": hashed, "active": True, "fs_uniquifier": uuid4().hex, "created_at": now}
    created = db.insert_new(session, User, [row], returning=User.id)
    if not created:
        raise EmailTaken(address)
    audit.record(session, actor=actor, action="user.create", subject_kind="user", subject_id=created[0], now=now)
    return session.get_one(User, created[0])


def update_profile(
    session: Session,
    *,
    user_id: UUID,
    name: str,
    locale: str | None,
    time_zone: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """How a person is called, and in which language and zone they read. Null: as the browser and the program say."""
    values = {"name": name, "locale": locale, "time_zone": time_zone}
    session.execute(sa.update(User).where(User.id == user_id).values(values))
    audit.record(session, actor=actor, action="user.update", subject_kind="user", subject_id=user_id, now=now)


def _hash_of_good(password: str, *, about: tuple[str, ...]) -> str:
    problem = passwords.problem(passwords.normalize(password), about=about)
    if problem is not None:
        raise PasswordRefused(problem)
    return passwords.hash_of(password)


def grant(
    session: Session, *, user_id: UUID, role: GrantRole, program_id: UUID | None, actor: Actor, now: datetime
) -> None:
    """Give a person a role in one program, or in all (null). Given before: nothing happens.

    The strictest limit of what the person may approve in that program holds for the new role as well.
    All sessions of the person end: rights change only at a sign-in.
    """
    there = (Grant.user_id == user_id, Grant.program_id == program_id)
    limit_minor = session.scalar(sa.select(sa.func.min(Grant.payout_limit_minor)).where(*there))
    row = {"id": ids.new_at(now), "user_id": user_id, "role": role, "program_id": program_id, "created_at": now}
    if db.insert_new(session, Grant, [row | {"payout_limit_minor": limit_minor}]):
        told = {} if limit_minor is None else {"payout_limit_minor": limit_minor}
        _rights_changed(
            session, "grant.give", user_id=user_id, role=role, program_id=program_id, actor=actor, now=now, **told
        )


def revoke_grant(
    session: Session, *, user_id: UUID, role: GrantRole, program_id: UUID | None, actor: Actor, now: datetime
) -> None:
    """Take a role away. All sessions of the person end.

    Raises:
        NoSuchGrant: the person does not have it.
    """
    where = Grant.program_id.is_(None) if program_id is None else Grant.program_id == program_id
    deleted = session.execute(sa.delete(Grant).where(Grant.user_id == user_id, Grant.role == role, where))
    if not isinstance(deleted, CursorResult) or deleted.rowcount != 1:
        raise NoSuchGrant(f"This person is not {role} there.")
    _rights_changed(session, "grant.revoke", user_id=user_id, role=role, program_id=program_id, actor=actor, now=now)


def _rights_changed(
    session: Session,
    action: str,
    *,
    user_id: UUID,
    role: GrantRole,
    program_id: UUID | None,
    actor: Actor,
    now: datetime,
    **told: int,
) -> None:
    end_sessions(session, user_id=user_id, now=now)
    audit.record(
        session,
        actor=actor,
        action=action,
        subject_kind="user",
        subject_id=user_id,
        program_id=program_id,
        details={"role": role} | told,
        now=now,
    )


def switch_second_factor_off(session: Session, *, user_id: UUID, actor: Actor, now: datetime) -> None:
    """For a person who lost the phone and the recovery codes: the password alone opens the account again.

    Ends all sessions, so that whoever has the phone now is out.
    """
    nothing = {"tf_primary_method": None, "tf_totp_secret": None, "tf_last_counter": None, "mf_recovery_codes": None}
    session.execute(sa.update(User).where(User.id == user_id).values(**nothing))
    end_sessions(session, user_id=user_id, now=now)
    audit.record(
        session, actor=actor, action="user.second_factor_off", subject_kind="user", subject_id=user_id, now=now
    )


def start_session(session: Session, *, user_id: UUID, device: str, now: datetime) -> UUID:
    """A new sign-in on one browser; the id goes into the cookie."""
    row = UserSession(
        id=ids.new_at(now), user_id=user_id, device=device, created_at=now, expires_at=now + SESSION_TERM, ended_at=None
    )
    session.add(row)
    return row.id


def end_session(session: Session, *, session_id: UUID, user_id: UUID, now: datetime) -> bool:
    """Sign one browser of the person out. False if it was not signed in, or is not theirs."""
    ended = _ending(now).where(UserSession.id == session_id, UserSession.user_id == user_id)
    return _changed(session, ended) == 1


def end_sessions(session: Session, *, user_id: UUID, keep: UUID | None = None, now: datetime) -> int:
    """Sign the person out everywhere, but for the session to keep. Gives how many ended."""
    ended = _ending(now).where(UserSession.user_id == user_id)
    return _changed(session, ended if keep is None else ended.where(UserSession.id != keep))


def sweep_sessions(session: Session, *, limit: int, now: datetime) -> int:
    """Forget sessions that ended or expired a month ago."""
    before = now - _SESSIONS_KEPT_FOR
    old = (
        sa.select(UserSession.id)
        .where(sa.or_(UserSession.ended_at < before, UserSession.expires_at < before))
        .limit(limit)
    )
    deleted = session.execute(sa.delete(UserSession).where(UserSession.id.in_(old)))
    return deleted.rowcount if isinstance(deleted, CursorResult) else 0


def _ending(now: datetime) -> Update:
    return sa.update(UserSession).where(UserSession.ended_at.is_(None)).values(ended_at=now)


def _changed(session: Session, update: Update) -> int:
    result = session.execute(update)
    return result.rowcount if isinstance(result, CursorResult) else 0


def create_api_key(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID | None = None,
    name: str,
    scopes: Collection[str],
    is_test: bool = False,
    actor: Actor,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A key of a program, or of this partner in it, and its secret, which is not kept: show it once.

    Raises:
        UnknownScope: a scope that does not exist, that is none for partners, or none at all. TooManyKeys: of the partner.
    """
    allowed = keys.SCOPES if partner_id is None else keys.PARTNER_SCOPES
    if not scopes or set(scopes) - set(allowed):
        raise UnknownScope(set(scopes) - set(allowed), allowed)
    if partner_id is not None:
        working = queries.live_key_count(session, program_id=program_id, partner_id=partner_id)
        if working >= keys.PARTNER_KEYS_MAX:
            raise TooManyKeys
    if actor.kind != "user" or actor.id is None:
        raise ValueError("a person answers for each key")
    secret = keys.make(is_test=is_test)
    key = ApiKey(id=ids.new_at(now), program_id=program_id, partner_id=partner_id, name=name, is_test=is_test)
    key.prefix = keys.shown(secret)
    key.secret_hash, key.scopes = keys.fingerprint(secret), sorted(set(scopes))
    key.created_by_id, key.created_at, key.updated_at = actor.id, now, now
    session.add(key)
    session.flush()
    _audit_key(session, "api_key.create", key_id=key.id, program_id=program_id, actor=actor, now=now)
    return key, secret


def revoke_api_key(
    session: Session, *, key_id: UUID, program_id: UUID, partner_id: UUID | None = None, actor: Actor, now: datetime
) -> None:
    """End a key of the program itself, or of this partner in it, for ever. Revoked before: nothing happens.

    Raises:
        NoSuchKey: none of theirs.
    """
    mine = (ApiKey.id == key_id, ApiKey.program_id == program_id, ApiKey.partner_id == partner_id)
    revoking = sa.update(ApiKey).where(*mine, ApiKey.revoked_at.is_(None)).values(revoked_at=now, updated_at=now)
    if _changed(session, revoking) == 1:
        _audit_key(session, "api_key.revoke", key_id=key_id, program_id=program_id, actor=actor, now=now)
    elif session.scalar(sa.select(sa.exists().where(*mine))) is not True:
        raise NoSuchKey("There is no such key.")


def _audit_key(session: Session, action: str, *, key_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="api_key", subject_id=key_id, program_id=program_id, now=now
    )


def note_key_use(session: Session, *, key_id: UUID, now: datetime, every: timedelta) -> None:
    """Remember that a key was used, at most once in `every`. Not a change of the key: `updated_at` stays."""
    session.execute(
        sa.update(ApiKey)
        .where(ApiKey.id == key_id, sa.or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - every))
        .values(last_used_at=now)
    )
