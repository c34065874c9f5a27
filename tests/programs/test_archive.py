"""An archived program takes nothing new, keeps what it has, and can be opened again."""

from datetime import datetime

import pytest
from factories import make_link, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.links import service as links
from affiliate.partners import queries
from affiliate.partners import service as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import archive, service
from affiliate.programs.archive import NotArchived, ProgramArchived
from affiliate.programs.models import ProgramStatus


def test_closing_pauses_asks_for_a_reason_and_happens_once(app_session: Session, now: datetime) -> None:
    program = make_program(app_session)
    facts = {"program_id": program.id, "actor": SYSTEM, "now": now}
    with pytest.raises(Invalid):
        archive.archive(app_session, reason="  ", **facts)
    archive.archive(app_session, reason="The shop is sold", **facts)
    app_session.refresh(program)
    assert (program.status, program.archived_at) == (ProgramStatus.PAUSED, now)
    with pytest.raises(ProgramArchived):
        archive.archive(app_session, reason="again", **facts)
    with pytest.raises(ProgramArchived):
        service.go_live(app_session, **facts)
    archive.reopen(app_session, **facts)
    app_session.refresh(program)
    assert (program.status, program.archived_at) == (ProgramStatus.PAUSED, None)
    with pytest.raises(NotArchived):
        archive.reopen(app_session, **facts)


def test_no_link_coupon_or_partner_is_taken_any_more(app_session: Session, now: datetime) -> None:
    program = make_program(app_session)
    partner = make_partner(app_session, program=program)
    make_link(app_session, program=program, partner=partner, code="before")
    archive.archive(app_session, program_id=program.id, reason="closed", actor=SYSTEM, now=now)
    app_session.refresh(program)
    mine = {"program": program, "partner_id": partner.id, "actor": SYSTEM, "now": now}
    with pytest.raises(ProgramArchived):
        links.create_link(app_session, landing_url=program.shop_url, **mine)
    other = partners.create_partner(app_session, name="Late", now=now)
    with pytest.raises(ProgramArchived):
        partners.enroll(
            app_session, program_id=program.id, partner_id=other.id, status=EnrollmentStatus.PENDING, now=now
        )
    applicant = make_partner(app_session, program=program, status=EnrollmentStatus.PENDING)
    waiting = queries.enrollment_of(app_session, program_id=program.id, partner_id=applicant.id)
    assert waiting is not None
    with pytest.raises(ProgramArchived):
        partners.approve(app_session, enrollment_id=waiting.id, program_id=program.id, actor=SYSTEM, now=now)
