"""Who is chosen: by group, tag, momentum and what partners bring, each rule alone and together."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_clicks, make_commission, make_link
from newsletter_cast import make_choice, make_reader

from affiliate import db
from affiliate.commissions.life import CommissionStatus
from affiliate.newsletters import audiences, segments
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.segments import Performance, Segment
from affiliate.partners.models import Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.programs.models import Program
from affiliate.relations.care_models import PartnerTag
from affiliate.reports.momentum import Momentum, Reason
from affiliate.steering.models import PartnerMomentum


def readers(program: Program, now: datetime, **rules: Any) -> int:
    """How many the rules choose."""
    with db.reading() as session:
        found = audiences.audience(
            session, program_id=program.id, segment=Segment(**rules), language="en", kind=IssueKind.NEWS, now=now
        )
    return found.readers


def test_each_rule_narrows_the_readers(program: Program, now: datetime) -> None:
    with db.transaction() as session:
        for name, tag, momentum in (("Carla", "video", Momentum.RISING), ("Dora", "video", Momentum.DORMANT)):
            _, partner = make_reader(session, program=program, name=f"{name} Example")
            here: dict[str, Any] = {"program_id": program.id, "partner_id": partner.id}
            session.add(PartnerTag(**here, tag=tag))
            session.add(
                PartnerMomentum(
                    **here, momentum=momentum, reason=Reason.SALES_CHANGED,
                    now=1, before=1, weight_minor=0, since=now, computed_at=now,
                )
            )  # fmt: skip
        session.add(PartnerTerms(**here, group_name="Gold", updated_at=now))

    assert readers(program, now) == 4
    assert readers(program, now, tags=("video",)) == 2
    assert readers(program, now, tags=("text",)) == 0
    assert readers(program, now, momentum="rising") == 1
    assert readers(program, now, groups=("Gold",), tags=("video",), momentum="dormant") == 1
    assert readers(program, now, groups=("Gold",), momentum="rising") == 0
    assert readers(program, now, performance=Performance.QUIET) == 4


def test_of_several_groups_and_tags_any_will_do_and_nobody_is_counted_twice(program: Program, now: datetime) -> None:
    with db.transaction() as session:
        for name, group, tags in (
            ("Carla", "Gold", ("video", "blog")), ("Dora", "Silver", ("video",)), ("Emma", "Bronze", ()),
            ("Fina", "Bronze", ("blog",)),
        ):  # fmt: skip
            _, partner = make_reader(session, program=program, name=f"{name} Example")
            here: dict[str, Any] = {"program_id": program.id, "partner_id": partner.id}
            session.add(PartnerTerms(**here, group_name=group, updated_at=now))
            session.add_all(PartnerTag(**here, tag=tag) for tag in tags)
    assert readers(program, now, tags=("blog", "video")) == 3
    assert readers(program, now, groups=("Bronze", "Gold")) == 3
    assert readers(program, now, groups=("Bronze", "Gold"), tags=("blog", "video")) == 2


def test_a_saved_choice_narrows_the_readers_and_what_else_is_chosen_holds_too(program: Program, now: datetime) -> None:
    with db.transaction() as session:
        for name, status in (("Carla", "approved"), ("Carlo", "paused"), ("Dora", "approved"), ("Carmen", "pending")):
            _, partner = make_reader(session, program=program, name=f"{name} Example")
            own = Enrollment.partner_id == partner.id
            session.execute(sa.update(Enrollment).where(own).values(status=EnrollmentStatus(status)))
            if name != "Dora":
                session.add(PartnerTag(program_id=program.id, partner_id=partner.id, tag="video"))
        tagged = make_choice(session, program=program, now=now, tag="video", name="car")
    every = ("approved", "paused", "pending")
    assert readers(program, now, statuses=every, tags=("video",)) == 3
    assert readers(program, now, statuses=every, choice=tagged) == 2  # who applies stands in no list of partners
    assert readers(program, now, choice=tagged) == 1
    assert readers(program, now, choice=tagged, tags=("blog",)) == 0


def test_what_partners_bring_counts_no_tests_and_nothing_unverified(program: Program, now: datetime) -> None:
    """Carla sold, Dora clicked, Emma has a test and Fina an order that is being verified; both clicked, too."""
    with db.transaction() as session:
        for name, status in (
            ("Carla", CommissionStatus.PENDING), ("Dora", None), ("Emma", CommissionStatus.TEST),
            ("Fina", CommissionStatus.UNVERIFIED),
        ):  # fmt: skip
            _, partner = make_reader(session, program=program, name=f"{name} Example")
            link = make_link(session, program=program, partner=partner)
            make_clicks(session, link=link, hour=now - timedelta(days=1), clicks=1)
            if status:
                make_commission(session, program=program, partner=partner, earned_at=now, status=status)
    assert readers(program, now, performance=Performance.SOLD) == 1
    assert readers(program, now, performance=Performance.CLICKED) == 3
    assert readers(program, now, performance=Performance.QUIET) == 2
    assert readers(program, now + timedelta(days=31), performance=Performance.SOLD, days=30) == 0
    assert readers(program, now + timedelta(days=31), performance=Performance.CLICKED, days=30) == 0


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ({}, Segment()),
        ({"statuses": ["nonsense"], "momentum": "up", "tags": ["x" * 50, ""], "days": 7}, Segment(tags=("x" * 40,))),
        ({"tags": ["video", "blog", "video"], "groups": ["Gold"]}, Segment(groups=("Gold",), tags=("blog", "video"))),
        (
            {"group": "Gold", "tag": "video"},
            Segment(groups=("Gold",), tags=("video",)),
        ),  # stored before there were several
        ({"choice": "0192" * 9}, Segment(choice="0192" * 9)),
        ({"group": "", "tag": ""}, Segment()),
        ({"statuses": [], "prospects": True}, Segment(statuses=(), prospects=True)),
        ({"momentum": "fading", "prospects": False}, Segment(momentum="fading")),
    ],
)
def test_what_does_not_exist_is_left_out(typed: dict[str, Any], read: Segment) -> None:
    assert segments.read(typed) == read
    assert segments.read(read.document()) == read
