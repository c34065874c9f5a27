"""Joining a program and being let in, refused, paused, banned. On SQLite and PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program, make_user
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent, User
from affiliate.accounts.roles import MemberRole
from affiliate.mailer import OutboxMail
from affiliate.partners import applying, queries, service
from affiliate.partners.applying import Applicant, Sent
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, Partner
from affiliate.programs.models import Program
from affiliate.settings import Settings

pytestmark = pytest.mark.usefixtures("settings")
S = EnrollmentStatus


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session, name="Casa Ondera", slug="casa-ondera")


@pytest.fixture
def manager(session: Session) -> Actor:
    return Actor("user", make_user(session, name="Ines").id)


def _enrollment(session: Session, program: Program, status: EnrollmentStatus, **fields: object) -> Enrollment:
    partner = make_partner(session, program=program, status=status, **fields)  # type: ignore[arg-type]
    found = queries.enrollment_of(session, program_id=program.id, partner_id=partner.id)
    assert found is not None
    return found


def _applicant(**fields: object) -> Applicant:
    values: dict[str, object] = {"email": "Marta@kitchen.example", "name": "Marta S.", "partner_name": "Slow Kitchen"}
    values |= {"website": "https://kitchen.example", "country": "IT", "locale": "it", "answers": {"why": "I cook."}}
    return Applicant(**values | fields)  # type: ignore[arg-type]


def _count(session: Session, table: type) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _mails(session: Session) -> list[OutboxMail]:
    return list(session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at, OutboxMail.recipient)))


Rule = tuple[Callable[..., None], set[EnrollmentStatus], EnrollmentStatus]
MOVES: list[Rule] = [
    (service.approve, {S.PENDING, S.REJECTED}, S.APPROVED),
    (service.reject, {S.PENDING}, S.REJECTED),
    (service.pause, {S.APPROVED}, S.PAUSED),
    (service.resume, {S.PAUSED, S.BANNED}, S.APPROVED),
    (service.ban, {S.PENDING, S.APPROVED, S.PAUSED, S.REJECTED}, S.BANNED),
]


@pytest.mark.parametrize("status", list(EnrollmentStatus))
@pytest.mark.parametrize("rule", MOVES, ids=lambda rule: rule[0].__name__)
def test_a_move_starts_where_it_may_and_nowhere_else(
    session: Session, program: Program, manager: Actor, status: EnrollmentStatus, rule: Rule
) -> None:
    move, expected, to = rule
    enrollment = _enrollment(session, program, status)
    act = {
        "enrollment_id": enrollment.id,
        "program_id": program.id,
        "actor": manager,
        "reason": " because ",
        "now": NOW + timedelta(hours=1),
    }
    if status in expected:
        move(session, **act)
        assert (enrollment.status, enrollment.reason, enrollment.decided_by_id) == (to, "because", manager.id)
        assert enrollment.updated_at == enrollment.decided_at == NOW + timedelta(hours=1)
        assert session.scalars(sa.select(AuditEvent.action)).all() == [f"enrollment.{move.__name__}"]
    else:
        with pytest.raises(service.EnrollmentMoved) as refused:
            move(session, **act)
        assert refused.value.status is status
        assert enrollment.status is status
        assert _count(session, AuditEvent) == 0


def test_an_enrollment_of_another_program_is_not_found(session: Session, program: Program, manager: Actor) -> None:
    enrollment = _enrollment(session, program, S.PENDING)
    with pytest.raises(service.NoSuchEnrollment):
        service.approve(session, enrollment_id=enrollment.id, program_id=ids.new(), actor=manager, now=NOW)
    assert enrollment.status is S.PENDING


def test_approval_writes_a_letter_that_leads_to_a_password_if_there_is_none(
    session: Session, program: Program, manager: Actor
) -> None:
    enrollment = _enrollment(
        session, program, S.PENDING, user=make_user(session, email="marta@kitchen.example", name="Marta")
    )
    second = make_user(session, email="aldo@kitchen.example", password="hash")
    service.add_member(session, user_id=second.id, partner_id=enrollment.partner_id, role=MemberRole.MARKETER, now=NOW)
    service.approve(session, enrollment_id=enrollment.id, program_id=program.id, actor=manager, now=NOW)
    letters = {mail.recipient: mail.body_text for mail in _mails(session)}
    assert "http://localhost/reset" in letters["marta@kitchen.example"]
    assert "http://localhost/portal/casa-ondera/" in letters["aldo@kitchen.example"]


def test_a_refusal_tells_its_reason(session: Session, program: Program, manager: Actor) -> None:
    enrollment = _enrollment(session, program, S.PENDING, user=make_user(session))
    service.reject(
        session, enrollment_id=enrollment.id, program_id=program.id, actor=manager, reason="No site yet.", now=NOW
    )
    assert "Reason: No site yet." in _mails(session)[0].body_text


def test_enrolling_and_adding_twice_changes_nothing(session: Session, program: Program) -> None:
    partner, person = make_partner(session), make_user(session)
    first = service.enroll(session, program_id=program.id, partner_id=partner.id, status=S.APPROVED, now=NOW)
    again = service.enroll(session, program_id=program.id, partner_id=partner.id, status=S.PENDING, now=NOW)
    assert (again.id, again.status, again.decided_at) == (first.id, S.APPROVED, NOW)
    for _ in range(2):
        service.add_member(session, user_id=person.id, partner_id=partner.id, role=MemberRole.OWNER, now=NOW)
    assert _count(session, Member) == 1


def _take_in(session: Session, program: Program, *, user_id: UUID | None = None, **fields: object) -> Application:
    return applying.take_in(
        session, program=program, applicant=_applicant(**fields), sent=Sent(ids.new(), NOW), user_id=user_id, now=NOW
    )


def test_a_stranger_gets_an_account_without_password_and_a_pending_membership(
    session: Session, program: Program
) -> None:
    application = _take_in(session, program)
    person = session.scalars(sa.select(User)).one()
    assert (person.email, person.password, person.locale) == ("marta@kitchen.example", None, "it")
    [membership] = queries.memberships_of(session, user_id=person.id)
    assert (membership.partner_name, membership.status) == ("Slow Kitchen", S.PENDING)
    assert queries.application_of(session, enrollment_id=membership.enrollment_id) is application
    assert application.answers == {"why": "I cook."}


def test_a_second_submission_changes_nothing(session: Session, program: Program) -> None:
    first, again = _take_in(session, program), _take_in(session, program, answers={"why": "Other words."})
    counted = [_count(session, table) for table in (User, Partner, Member, Enrollment, Application)]
    assert (again.id, again.answers, counted) == (first.id, {"why": "I cook."}, [1, 1, 1, 1, 1])


def test_a_person_applies_with_the_partner_that_is_there(session: Session, program: Program) -> None:
    person = make_user(session)
    partner = make_partner(session, user=person)
    _take_in(session, program, user_id=person.id)
    enrollment = queries.enrollment_of(session, program_id=program.id, partner_id=partner.id)
    assert enrollment is not None
    assert enrollment.status is S.PENDING
    assert _count(session, Partner) == 1


@pytest.mark.parametrize(("days", "status"), [(None, S.REJECTED), (1, S.REJECTED), (0, S.PENDING)])
def test_a_refused_partner_may_apply_again_once_its_time_has_come(
    session: Session, program: Program, manager: Actor, days: int | None, status: EnrollmentStatus
) -> None:
    person = make_user(session)
    first = _take_in(session, program, user_id=person.id)
    again_at = None if days is None else NOW + timedelta(days=days)
    enrollment = session.get_one(Enrollment, first.enrollment_id)
    act: dict[str, Any] = {"enrollment_id": enrollment.id, "program_id": program.id, "actor": manager}
    service.reject(session, **act, apply_again_at=again_at, now=NOW)
    second = _take_in(session, program, user_id=person.id)
    assert (enrollment.status, second.id == first.id) == (status, status is S.REJECTED)


def test_two_managers_at_once_decide_only_once(
    settings: Settings, engine: Engine, session: Session, program: Program
) -> None:
    enrollment = _enrollment(session, program, S.PENDING)
    managers = [Actor("user", make_user(session).id) for _ in range(2)]
    session.commit()
    outcomes: list[str] = []

    def decide(move: Callable[..., None], actor: Actor) -> None:
        with Session(engine) as own, own.begin():
            try:
                move(own, enrollment_id=enrollment.id, program_id=program.id, actor=actor, now=NOW)
                outcomes.append("done")
            except service.EnrollmentMoved:
                outcomes.append("moved")

    deciders = [threading.Thread(target=decide, args=(service.approve, manager)) for manager in managers]
    for thread in deciders:
        thread.start()
    for thread in deciders:
        thread.join()
    assert sorted(outcomes) == ["done", "moved"]
    session.expire_all()
    assert _count(session, AuditEvent) == 1


def test_membership_opens_for_those_who_wait_or_are_in_and_not_for_the_refused(
    session: Session, program: Program
) -> None:
    for status in EnrollmentStatus:
        person = make_user(session)
        partner = make_partner(session, program=program, user=person, status=status)
        found = queries.membership(session, user_id=person.id, program_id=program.id)
        if status in {S.REJECTED, S.BANNED}:
            assert found is None
        else:
            assert found is not None
            assert (found[0], found[1].status) == (partner, status)


def test_partners_of_a_program_are_listed_by_status_and_paged(session: Session, program: Program) -> None:
    waiting = [make_partner(session, program=program, status=S.PENDING) for _ in range(3)]
    make_partner(session, program=program, status=S.APPROVED)
    make_partner(session, program=make_program(session), status=S.PENDING)
    first = queries.enrolled(session, program_id=program.id, statuses=[S.PENDING], limit=2)
    rest = queries.enrolled(
        session, program_id=program.id, statuses=[S.PENDING], limit=2, before=first[-1].enrollment_id
    )
    assert [line.partner_id for line in [*first, *rest]] == [partner.id for partner in reversed(waiting)]
    counts = queries.counts_by_status(session, program_id=program.id)
    assert counts == {S.PENDING: 3, S.APPROVED: 1, S.REJECTED: 0, S.PAUSED: 0, S.BANNED: 0}


def test_a_letter_from_a_worker_speaks_the_language_of_its_reader(
    session: Session, program: Program, manager: Actor
) -> None:
    enrollment = _enrollment(session, program, S.PENDING)
    person = make_user(session, email="zofia@kuchnia.example", name="Zofia", locale="pl")
    service.add_member(session, user_id=person.id, partner_id=enrollment.partner_id, role=MemberRole.OWNER, now=NOW)
    act: dict[str, Any] = {"enrollment_id": enrollment.id, "program_id": program.id, "actor": manager, "now": NOW}
    service.approve(session, reason=None, **act)
    found = sa.select(OutboxMail.subject).where(OutboxMail.recipient == person.email)
    said = session.scalars(found).one()
    assert "Casa Ondera" in said
    assert "Welcome" not in said
