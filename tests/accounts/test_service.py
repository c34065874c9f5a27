"""People, grants, sessions and keys, on both databases."""

from datetime import datetime, timedelta

import factories
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import keys, queries, service
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import ApiKey, AuditEvent, Grant, GrantRole, User, UserSession
from affiliate.accounts.passwords import PasswordProblem

GOOD = "four pale otters in the rain"


def actions(session: Session) -> list[str]:
    """The audit trail in order."""
    return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def live(session: Session, user: User, now: datetime) -> int:
    """How many sessions of the person work."""
    return len(queries.live_sessions(session, user_id=user.id, now=now))


def test_a_person_is_created_once_per_address_whatever_its_case(session: Session, now: datetime) -> None:
    created = service.create_user(session, email=" Alice@Example.test ", name="Alice", password=GOOD, now=now)
    assert created.email == "alice@example.test"
    assert queries.user_by_email(session, email="ALICE@example.test") is created
    with pytest.raises(service.EmailTaken):
        service.create_user(session, email="alice@example.TEST", name="Somebody", now=now)
    assert actions(session) == ["user.create"]


def test_a_guessable_password_is_refused_with_its_reason(session: Session, now: datetime) -> None:
    with pytest.raises(service.PasswordRefused) as refused:
        service.create_user(session, email="alice@example.test", name="Alice", password="short", now=now)
    assert refused.value.problem is PasswordProblem.TOO_SHORT
    assert "password" in refused.value.errors


def test_a_grant_is_given_once_and_ends_the_sessions_of_that_person_alone(session: Session, now: datetime) -> None:
    alice, bob = factories.make_user(session), factories.make_user(session)
    program = factories.make_program(session)
    for person in (alice, alice, bob):
        service.start_session(session, user_id=person.id, device="", now=now)
    admin = Actor(kind="user", id=bob.id)
    for program_id in (program.id, None):
        service.grant(session, user_id=alice.id, role=GrantRole.MANAGER, program_id=program_id, actor=admin, now=now)
    assert (live(session, alice, now), live(session, bob, now)) == (0, 1)
    service.start_session(session, user_id=alice.id, device="", now=now)
    for program_id in (program.id, None):
        service.grant(session, user_id=alice.id, role=GrantRole.MANAGER, program_id=program_id, actor=admin, now=now)
    assert live(session, alice, now) == 1  # nothing changed, so nobody is signed out
    assert actions(session) == ["grant.give", "grant.give"]


def test_a_further_role_keeps_the_limit_of_the_others_in_that_program(session: Session, now: datetime) -> None:
    alice = factories.make_user(session)
    here, elsewhere = factories.make_program(session), factories.make_program(session)
    for role, limit_minor in ((GrantRole.FINANCE, 500_00), (GrantRole.MANAGER, None)):
        factories.make_grant(session, user=alice, role=role, program=here).payout_limit_minor = limit_minor
    session.flush()
    what = {"user_id": alice.id, "role": GrantRole.ADMIN, "actor": SYSTEM, "now": now}
    for program, limited in ((here, {"payout_limit_minor": 500_00}), (elsewhere, {})):
        service.grant(session, program_id=program.id, **what)
        given = session.query(Grant).filter_by(program_id=program.id, role=GrantRole.ADMIN).one()
        assert given.payout_limit_minor == limited.get("payout_limit_minor")
        assert session.query(AuditEvent).filter_by(program_id=program.id).one().details == {"role": "admin"} | limited


def test_a_revoked_grant_is_gone_and_signs_the_person_out(session: Session, now: datetime) -> None:
    alice, program = factories.make_user(session), factories.make_program(session)
    factories.make_grant(session, user=alice, role=GrantRole.MANAGER, program=program)
    service.start_session(session, user_id=alice.id, device="", now=now)
    what = {"user_id": alice.id, "role": GrantRole.MANAGER, "actor": SYSTEM, "now": now}
    with pytest.raises(service.NoSuchGrant):
        service.revoke_grant(session, program_id=None, **what)  # that would be the grant for all programs
    service.revoke_grant(session, program_id=program.id, **what)
    assert queries.roles_in(session, user_id=alice.id, program_id=program.id) == frozenset()
    assert live(session, alice, now) == 0
    with pytest.raises(service.NoSuchGrant):
        service.revoke_grant(session, program_id=program.id, **what)


def test_roles_in_a_program_include_those_for_all_programs(session: Session) -> None:
    alice, one, other = factories.make_user(session), factories.make_program(session), factories.make_program(session)
    factories.make_grant(session, user=alice, role=GrantRole.MANAGER, program=one)
    factories.make_grant(session, user=alice, role=GrantRole.FINANCE)
    assert queries.roles_in(session, user_id=alice.id, program_id=one.id) == {GrantRole.MANAGER, GrantRole.FINANCE}
    assert queries.roles_in(session, user_id=alice.id, program_id=other.id) == {GrantRole.FINANCE}
    assert queries.roles_in(session, user_id=alice.id, program_id=None) == {GrantRole.FINANCE}
    assert queries.granted_program_ids(session, user_id=alice.id) == {one.id, None}


def test_a_session_ends_by_its_owner_only_and_once(session: Session, now: datetime) -> None:
    alice, bob = factories.make_user(session), factories.make_user(session)
    started = service.start_session(session, user_id=alice.id, device="Firefox, Linux", now=now)
    assert not service.end_session(session, session_id=started, user_id=bob.id, now=now)
    assert service.end_session(session, session_id=started, user_id=alice.id, now=now)
    assert not service.end_session(session, session_id=started, user_id=alice.id, now=now)


def test_signing_out_elsewhere_keeps_this_browser(session: Session, now: datetime) -> None:
    alice = factories.make_user(session)
    here, *_others = [service.start_session(session, user_id=alice.id, device="", now=now) for _ in range(3)]
    assert service.end_sessions(session, user_id=alice.id, keep=here, now=now) == 2
    assert [row.id for row in queries.live_sessions(session, user_id=alice.id, now=now)] == [here]


def test_a_session_expires_at_its_term_and_is_forgotten_a_month_later(session: Session, now: datetime) -> None:
    alice = factories.make_user(session)
    service.start_session(session, user_id=alice.id, device="", now=now)
    end = now + service.SESSION_TERM
    assert live(session, alice, end - timedelta(seconds=1)) == 1
    assert live(session, alice, end) == 0
    assert service.sweep_sessions(session, limit=10, now=end + timedelta(days=29)) == 0
    assert service.sweep_sessions(session, limit=10, now=end + timedelta(days=31)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(UserSession)) == 0


def test_the_secret_of_a_key_is_shown_once_and_not_kept(session: Session, now: datetime) -> None:
    alice, program = factories.make_user(session), factories.make_program(session)
    key, secret = service.create_api_key(
        session,
        program_id=program.id,
        name="Shop",
        scopes={"conversions:write", "conversions:read"},
        actor=Actor(kind="user", id=alice.id),
        now=now,
    )
    assert secret.startswith("aff_live_")
    assert len(secret) > 40
    stored = session.get_one(ApiKey, key.id, populate_existing=True)
    assert secret not in {stored.secret_hash, stored.prefix}
    assert secret.startswith(stored.prefix)
    assert stored.scopes == ["conversions:read", "conversions:write"]
    assert queries.api_key_by_fingerprint(session, fingerprint=keys.fingerprint(secret)) is stored
    assert actions(session) == ["api_key.create"]


@pytest.mark.parametrize("scopes", [[], ["conversions:write", "everything"]])
def test_a_key_needs_scopes_that_exist(session: Session, now: datetime, scopes: list[str]) -> None:
    alice, program = factories.make_user(session), factories.make_program(session)
    with pytest.raises(service.UnknownScope):
        service.create_api_key(
            session, program_id=program.id, name="Shop", scopes=scopes, actor=Actor(kind="user", id=alice.id), now=now
        )


def test_a_key_is_revoked_once_and_only_in_its_own_program(session: Session, now: datetime) -> None:
    alice, program, other = (
        factories.make_user(session),
        factories.make_program(session),
        factories.make_program(session),
    )
    actor = Actor(kind="user", id=alice.id)
    key, _ = service.create_api_key(
        session, program_id=program.id, name="Shop", scopes=["reports:read"], is_test=True, actor=actor, now=now
    )
    later = now + timedelta(hours=1)
    with pytest.raises(service.NoSuchKey):
        service.revoke_api_key(session, key_id=key.id, program_id=other.id, actor=actor, now=later)
    for _ in range(2):
        service.revoke_api_key(session, key_id=key.id, program_id=program.id, actor=actor, now=later)
    session.refresh(key)
    assert (key.revoked_at, key.updated_at) == (later, later)
    assert actions(session) == ["api_key.create", "api_key.revoke"]
    with pytest.raises(service.NoSuchKey):
        service.revoke_api_key(session, key_id=ids.new(), program_id=program.id, actor=actor, now=later)


def test_the_last_use_of_a_key_is_written_at_most_once_a_minute(session: Session, now: datetime) -> None:
    alice, program = factories.make_user(session), factories.make_program(session)
    key, _ = service.create_api_key(
        session,
        program_id=program.id,
        name="Shop",
        scopes=["reports:read"],
        actor=Actor(kind="user", id=alice.id),
        now=now,
    )
    minute = timedelta(minutes=1)
    for moment, expected in (
        (now, now),
        (now + minute / 2, now),
        (now + minute, now + minute),
    ):
        service.note_key_use(session, key_id=key.id, now=moment, every=minute)
        session.refresh(key)
        assert key.last_used_at == expected
    assert key.updated_at == now
