"""Who is chosen: by group, tag, momentum and what partners bring, each rule alone and together."""

from datetime import datetime
from typing import Any

import pytest
from newsletter_cast import make_reader

from affiliate import db
from affiliate.newsletters import audiences, segments
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.segments import Performance, Segment
from affiliate.partners.models import PartnerTerms
from affiliate.programs.models import Program
from affiliate.relations.care_models import PartnerTag
from affiliate.reports.momentum import Momentum, Reason
from affiliate.steering.models import PartnerMomentum


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

    def readers(**rules: Any) -> int:
        with db.reading() as session:
            found = audiences.audience(
                session, program_id=program.id, segment=Segment(**rules), language="en", kind=IssueKind.NEWS, now=now
            )
        return found.readers

    assert readers() == 4
    assert readers(tag="video") == 2
    assert readers(tag="text") == 0
    assert readers(momentum="rising") == 1
    assert readers(group="Gold", tag="video", momentum="dormant") == 1
    assert readers(group="Gold", momentum="rising") == 0
    assert readers(performance=Performance.QUIET) == 4


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ({}, Segment()),
        ({"statuses": ["nonsense"], "momentum": "up", "tag": "x" * 50, "days": 7}, Segment(tag="x" * 40)),
        ({"statuses": [], "prospects": True}, Segment(statuses=(), prospects=True)),
        ({"momentum": "fading", "prospects": False}, Segment(momentum="fading")),
    ],
)
def test_what_does_not_exist_is_left_out(typed: dict[str, Any], read: Segment) -> None:
    assert segments.read(typed) == read
    assert segments.read(read.document()) == read
