"""The program's own link for test clicks, and the partner that it belongs to. Takes session and now; never commits."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.links import service
from affiliate.links.models import Link
from affiliate.partners import service as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import setup
from affiliate.programs.models import Program


def own_link(session: Session, *, program: Program, name: str, actor: Actor, now: datetime) -> Link:
    """The link of the program's own test partner; made once, with a partner of this name that has no people."""
    # Two tabs at once wait for one another here, so that there is one such partner.
    session.execute(sa.select(Program.id).where(Program.id == program.id).with_for_update())
    known = setup.of(session, program_id=program.id)
    found = session.get(Link, known.test_link_id) if known and known.test_link_id else None
    if found is not None:
        return found
    partner_id = _own_partner(session, program, name, now)
    made = service.create_link(
        session, program=program, partner_id=partner_id, landing_url=program.shop_url, name=name, actor=actor, now=now
    )
    setup.keep_link(session, program_id=program.id, link_id=made.id, now=now)
    return made


def _own_partner(session: Session, program: Program, name: str, now: datetime) -> UUID:
    partner = partners.create_partner(session, name=name, website=program.shop_url, now=now)
    partners.enroll(session, program_id=program.id, partner_id=partner.id, status=EnrollmentStatus.APPROVED, now=now)
    return partner.id
