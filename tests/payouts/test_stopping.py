"""Who is paused or banned leaves the runs that wait for approval, and comes back with the next one."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from factories import make_partner
from money_cast import MATURE, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.partners import service as partners
from affiliate.partners.models import Enrollment
from affiliate.payouts import queries, service, stopping
from affiliate.payouts.models import PayoutStatus

PAYDAY = MATURE + timedelta(days=1)


@pytest.mark.parametrize("act", ["pause", "ban"])
def test_one_act_takes_a_partner_out_of_the_waiting_run_and_a_second_one_undoes_it(session: Session, act: str) -> None:
    books = open_books(session)
    other = make_partner(session, program=books.program)
    for partner in (books.partner, other):
        books.order(partner=partner)
    books.work(now=MATURE)
    run = service.propose(session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    mine = session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == books.partner.id)).one()
    here = {"enrollment_id": mine.id, "program_id": books.program.id, "now": PAYDAY}
    taken = getattr(stopping, act)(session, **here, actor=books.bob, reason="Bought its own orders")
    session.expire_all()
    assert (taken, run.status, run.total_minor) == (1, PayoutStatus.PROPOSED, 10_00)
    assert [one.partner_id for one in queries.preview(session, program_id=books.program.id, now=PAYDAY).payable] == []
    acts = session.scalars(sa.select(AuditEvent.action).where(AuditEvent.actor_id == books.bob.id))
    assert {f"enrollment.{act}", "payout.take_out"} == set(acts)
    books.assert_proven()
    partners.resume(session, **here, actor=books.bob)
    again = queries.preview(session, program_id=books.program.id, now=PAYDAY)
    assert [(one.partner_id, one.amount_minor) for one in again.payable] == [(books.partner.id, 10_00)]
    books.assert_proven()


def test_an_approved_run_is_on_its_way_and_stays(session: Session) -> None:
    books = open_books(session)
    books.order()
    books.work(now=MATURE)
    run = service.propose(session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    service.approve_run(session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    mine = session.scalars(sa.select(Enrollment)).one()
    stopped = stopping.pause(
        session, enrollment_id=mine.id, program_id=books.program.id, actor=books.bob, reason=None, now=PAYDAY
    )
    assert (stopped, run.status) == (0, PayoutStatus.APPROVED)
    books.assert_proven()
