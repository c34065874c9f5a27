"""People who have applied: how their applications stand, on pages to which no link leads.

Called where this process reads the settings of an installation: the rows are written into its database.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from factories import make_application, make_grant, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts import passwords
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole
from affiliate.joining import queries, tokens
from affiliate.joining import service as joining
from affiliate.joining.service import Origin
from affiliate.joining.tokens import Purpose
from affiliate.partners import queries as partners
from affiliate.partners import service as enrollments
from affiliate.partners.applying import Applicant
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import Program

QUESTION, REASON = "How many of them read German?", "Not in <b>your</b> country yet."
STANDINGS = ("waits", "asked", "let in", "refused")


def applied_twice(
    session: Session, *, slugs: tuple[str, str], email: str, manager: str, password: str, now: datetime
) -> None:
    """Two programs, and somebody who waits for the first, which has asked something, and whom the second has refused.

    `email` is of the applicant, `manager` of somebody who manages both.
    """
    waits_for, refused_by = (make_program(session, slug=slug, name=f"Program {slug}", created_at=now) for slug in slugs)
    clerk = make_user(session, email=manager, name="Mona", password=passwords.hash_of(password))
    for program in (waits_for, refused_by):
        make_grant(session, user=clerk, role=GrantRole.MANAGER, program=program)
    rosa = make_user(session, email=email, name="Rosa Test", password=passwords.hash_of(password))
    partner = make_partner(session, program=waits_for, user=rosa, status=EnrollmentStatus.PENDING, name="Rosa’s Table")
    make_application(session, program=waits_for, partner=partner, user=rosa)
    enrollment = partners.enrollment_of(session, program_id=waits_for.id, partner_id=partner.id)
    assert enrollment is not None
    _ask(session, waits_for, enrollment, now)
    other = enrollments.enroll(
        session, program_id=refused_by.id, partner_id=partner.id, status=EnrollmentStatus.PENDING, now=now
    )
    _refuse(session, other, now)


def standings(session: Session, *, program: Program, language: str, now: datetime) -> Iterator[str]:
    """An application in each of the `STANDINGS`, sent in this language; gives the page that says so to its applicant."""
    for standing in STANDINGS:
        enrollment, path = _applied(session, program, language, now)
        if standing == "asked":
            _ask(session, program, enrollment, now)
        elif standing == "let in":
            enrollments.approve(
                session, enrollment_id=enrollment.id, program_id=program.id, actor=SYSTEM, reason=REASON, now=now
            )
        elif standing == "refused":
            _refuse(session, enrollment, now)
        yield path


def _applied(session: Session, program: Program, language: str, now: datetime) -> tuple[Enrollment, str]:
    draft = joining.begin(session, program=program, origin=Origin(), user_id=None, locale=language, now=now)
    email = f"rosa-{secrets.token_hex(4)}@example.com"
    said = {
        "why": "My readers cook at home.",
        "channels": [{"kind": "blog", "address": "rosa.example", "people": 2_400}],
    }
    applicant = Applicant(email, "Rosa Test", "Rosa’s Table", "https://rosa.example", "IT", language, said)
    asked = queries.form_of(session, program_id=program.id)
    joining.send(session, program=program, draft=draft, applicant=applicant, asked=asked, now=now)
    joining.confirm(session, program=program, draft=draft, now=now)
    row = queries.application(session, application_id=draft.id)
    assert row is not None
    token = tokens.write(settings.current().secret_key, Purpose.DRAFT, draft.id)
    return row[1], f"/apply/{program.slug}/status/{token}"


def _ask(session: Session, program: Program, enrollment: Enrollment, now: datetime) -> None:
    application = partners.application_of(session, enrollment_id=enrollment.id)
    assert application is not None
    joining.ask(
        session, program=program, application=application, enrollment=enrollment, text=QUESTION, actor=SYSTEM, now=now
    )


def _refuse(session: Session, enrollment: Enrollment, now: datetime) -> None:
    enrollments.reject(
        session, enrollment_id=enrollment.id, program_id=enrollment.program_id, actor=SYSTEM, reason=REASON,
        apply_again_at=now + timedelta(days=30), now=now,
    )  # fmt: skip
