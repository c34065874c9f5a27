"""Applications weighed with all that is known: facts, reviewers, others who look like the same person, and the program's rubric."""

from typing import Any

import pytest
from factories import NOW, make_application, make_member, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus, Partner
from affiliate.programs.models import Program
from affiliate.vetting import rubric, service
from affiliate.vetting.rubric import Because, Criterion, Rubric
from affiliate.vetting.service import Vetted


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def applicant(session: Session, program: Program) -> Partner:
    """Somebody who applied."""
    partner = make_partner(session, program=program, status=EnrollmentStatus.PENDING, name="Ferro e Fuoco")
    partner.website = "https://ferro.example"
    owner = make_user(session, email="enzo@ferro.example")
    make_member(session, user=owner, partner=partner)
    make_application(session, program=program, partner=partner, user=owner)
    return partner


def weighed(session: Session, program: Program, applicant: Partner) -> Vetted:
    enrollment = partners.enrollment_of(session, program_id=program.id, partner_id=applicant.id)
    assert enrollment is not None
    return service.vetted(session, program_id=program.id, enrollment_ids=[enrollment.id])[enrollment.id]


def test_who_looks_like_the_same_person_stands_beside_and_makes_the_rules_ask(
    session: Session, program: Program, applicant: Partner
) -> None:
    assert weighed(session, program, applicant).twins == []
    other = make_partner(session, program=program, name="Ferro Due")
    other.website = "https://ferro.example"
    session.flush()
    found = weighed(session, program, applicant)
    assert [(twin.name, twin.status) for twin in found.twins] == [("Ferro Due", EnrollmentStatus.APPROVED)]
    assert Because.DUPLICATE in found.weighed.because


def test_a_throwaway_mailbox_is_a_hint_whatever_the_rubric(
    session: Session, program: Program, applicant: Partner
) -> None:
    assert Because.DISPOSABLE not in weighed(session, program, applicant).weighed.because
    make_member(session, user=make_user(session, email="enzo@mailinator.com"), partner=applicant)
    found = weighed(session, program, applicant)
    assert Because.DISPOSABLE in found.weighed.because
    assert Because.DISPOSABLE in found.weighed_by(rubric.USUAL).because


def test_a_review_is_replaced_by_its_author_and_marked_when_the_facts_change(
    session: Session, program: Program, applicant: Partner
) -> None:
    for mark, name in ((4, "Olga"), (0, "Nina")):
        reviewer = make_user(session, name=name)
        assess(session, program, applicant, reviewer.id, {Criterion.VALUES: mark})
    found = weighed(session, program, applicant)
    ids_of = {one.reviewer: one.reviewer_id for one in found.reviews}
    assert set(ids_of) == {"Olga", "Nina"}
    values = next(part for part in found.weighed.parts if part.criterion is Criterion.VALUES)
    assert values.mark_hundredths == 200
    assess(session, program, applicant, ids_of["Olga"], {Criterion.VALUES: 2})
    again = weighed(session, program, applicant)
    assert {one.reviewer: one.marks[Criterion.VALUES] for one in again.reviews} == {"Olga": 2, "Nina": 0}
    assert {one.digest for one in again.reviews} == {again.digest}
    applicant.website = "https://elsewhere.example"
    session.flush()
    assert {one.digest for one in again.reviews} != {weighed(session, program, applicant).digest}


def test_a_mark_beyond_the_scale_or_none_at_all_is_refused(
    session: Session, program: Program, applicant: Partner
) -> None:
    reviewer = make_user(session)
    for marks in ({}, {Criterion.REACH: 5}, {Criterion.REACH: -1}):
        with pytest.raises(Invalid):
            assess(session, program, applicant, reviewer.id, marks)


def test_the_rubric_of_a_program_is_its_own_and_may_change(
    session: Session, program: Program, applicant: Partner
) -> None:
    assess(session, program, applicant, make_user(session).id, {Criterion.VALUES: 3})
    only = dict.fromkeys(Criterion, 0) | {Criterion.VALUES: 10}
    actor = Actor("user", make_user(session).id)
    for accept_from, score in ((80, 75), (60, 75)):
        wanted = Rubric(only, accept_from, 20)
        service.set_rubric(session, program_id=program.id, wanted=wanted, actor=actor, now=NOW)
        found = weighed(session, program, applicant).weighed
        assert (found.score, Because.SCORE_HIGH in found.because) == (score, accept_from == 60)
    elsewhere = make_program(session)
    assert service.queries.rubric_of(session, program_id=elsewhere.id) == rubric.USUAL


def assess(session: Session, program: Program, applicant: Partner, reviewer_id: Any, marks: Any) -> None:
    """What one reviewer says, without evidence."""
    service.assess(
        session, program_id=program.id, facts=weighed(session, program, applicant).facts, reviewer_id=reviewer_id,
        marks=marks, evidence={}, note="", actor=Actor("user", reviewer_id), now=NOW,
    )  # fmt: skip
