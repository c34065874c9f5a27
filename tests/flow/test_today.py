"""Today, as a manager empties it: applications approved together, a responsibility done, a goal agreed to; an act on many is stopped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import make_application, make_partner, make_user
from installation import Installation
from pages import NARROW, Visitor, is_sound
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session
from walks import at_work

from affiliate import clock, db, ids
from affiliate.accounts.actors import Actor
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import GoalMetric, Program
from affiliate.relations import agreeing, bulk, duties
from affiliate.relations.agreeing import Target, Who
from affiliate.relations.bulk import Chosen
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkStatus
from affiliate.relations.care_models import Duty, DutyStatus, GoalStatus, PartnerGoal
from affiliate.relations.duties import Task
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence

MakeVisitor = Callable[..., Visitor]
APPLICANTS = ("Bread and Salt", "Olive Letters")
FRIEND = "Kitchen by the Canal"
TASK = "Send the pan for the film"
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.usefixtures("inside")]


def test_applications_are_approved_together_a_task_is_done_and_a_goal_agreed_to(
    installation: Installation, visitor: MakeVisitor
) -> None:
    with db.transaction() as session:
        program, manager = at_work(session, installation, "manager")
        _let_work_wait(session, program, manager)
    page = visitor("manager").open(f"/console/{installation.demo['program']}/")
    assert is_sound(page)
    for name in APPLICANTS:
        page.get_by_role("checkbox", name=f"Application: {name}").check()
    page.get_by_role("main").get_by_role("button", name="Approve", exact=True).last.click()
    for name in APPLICANTS:
        expect(_line(page, name)).to_have_count(0, timeout=SEEN_MS_MAX)
    for about, act in ((TASK, "Done"), (f"{FRIEND} proposes a goal", "Agree")):
        _line(page, about).get_by_role("button", name=act, exact=True).click()
        expect(_line(page, about)).to_have_count(0, timeout=SEEN_MS_MAX)
    page.set_viewport_size(NARROW)
    assert is_sound(page)
    with db.reading() as session:
        applied = sa.select(Enrollment.status).join(Partner, Partner.id == Enrollment.partner_id)
        assert set(session.scalars(applied.where(Partner.name.in_(APPLICANTS)))) == {EnrollmentStatus.APPROVED}
        assert session.scalars(sa.select(Duty.status).where(Duty.task == TASK)).one() is DutyStatus.DONE
        theirs = sa.select(PartnerGoal.status).join(Partner, Partner.id == PartnerGoal.partner_id)
        assert session.scalars(theirs.where(Partner.name == FRIEND)).one() is GoalStatus.AGREED


def test_an_act_on_many_is_stopped_and_what_was_done_stays(installation: Installation, visitor: MakeVisitor) -> None:
    with db.transaction() as session:
        program, manager = at_work(session, installation, "manager")
        first, act = _waiting_act(session, program, manager)
    page = visitor("manager").open(f"/console/{installation.demo['program']}/acts/{ids.public('blk', act)}")
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("1 of 3.")
    assert is_sound(page)
    progress.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. 1 was done before.")).to_be_visible(timeout=SEEN_MS_MAX)
    expect(progress.get_by_role("button", name="Stop")).to_have_count(0)
    with db.transaction() as session:
        stopped = session.get_one(BulkAct, act)
        assert (stopped.status, stopped.done, stopped.changed) == (BulkStatus.STOPPED, 1, 1)
        session.delete(session.get_one(BulkAct, first))


def _line(page: Page, about: str) -> Any:
    """A line of the work list."""
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=about)


def _let_work_wait(session: Session, program: Program, manager: Actor) -> None:
    """Two applications, and a partner with a task of today and a goal that it proposes."""
    now = clock.now()
    for name in APPLICANTS:
        user = make_user(session, email=f"{name.split()[0].lower()}@letters.example", name=name)
        partner = make_partner(
            session, program=program, user=user, status=EnrollmentStatus.PENDING, name=name, can_be_paid=False
        )
        make_application(session, program=program, partner=partner, user=user)
    friend = make_partner(session, program=program, name=FRIEND, can_be_paid=False)
    here: dict[str, Any] = {"program": program, "partner_id": friend.id, "now": now}
    duties.agree(session, task=Task(TASK, Side.PROGRAM, Cadence.ONCE, now.date(), manager.id), actor=manager, **here)
    target = Target(GoalMetric.SALES, 12, now.date(), now.date() + timedelta(days=30))
    agreeing.propose(session, target=target, who=Who(Side.PARTNER, manager), **here)


def _waiting_act(session: Session, program: Program, manager: Actor) -> tuple[UUID, UUID]:
    """An act of which the first of three is done. The worker goes on with the oldest act; one before it has nobody left and never ends."""
    now = clock.now()
    first = BulkAct(
        id=ids.new(), program_id=program.id, kind=BulkKind.TAG, arguments={"tag": "spring"}, status=BulkStatus.RUNNING, total=1,
        done=0, changed=0, created_by_id=manager.id, created_at=now - timedelta(days=1), finished_at=None,
    )  # fmt: skip
    session.add(first)
    session.flush()
    chosen = [Chosen(make_partner(session, program=program, can_be_paid=False).id) for _ in range(3)]
    act = bulk.start(
        session, program_id=program.id, kind=BulkKind.TAG, arguments={"tag": "spring"}, chosen=chosen, actor=manager,
        now=now, limit=1,
    )  # fmt: skip
    return first.id, act.id
