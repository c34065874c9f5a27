"""Making, pausing and resuming links; coupons. On SQLite and PostgreSQL."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent
from affiliate.links import queries, service
from affiliate.links.models import Link, LinkStatus
from affiliate.partners.models import EnrollmentStatus, Partner
from affiliate.programs.models import Program

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def partner(session: Session, program: Program) -> Partner:
    return make_partner(session, program=program)


@pytest.fixture
def actor(session: Session) -> Actor:
    return Actor("user", make_user(session).id)


def _link(session: Session, program: Program, partner: Partner, actor: Actor, **fields: object) -> Link:
    values: dict[str, object] = {"landing_url": "https://www.shop.example/pans", "now": NOW}
    return service.create_link(session, program=program, partner_id=partner.id, actor=actor, **values | fields)  # type: ignore[arg-type]


def _actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_a_link_gets_a_random_code_and_leaves_an_audit_row(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    link = _link(
        session, program, partner, actor, landing_url="www.shop.example/pans", subs={"sub1": " blog ", "sub2": " "}
    )
    assert link.landing_url == "https://www.shop.example/pans"
    assert link.subs == {"sub1": "blog"}
    assert link.status is LinkStatus.ACTIVE
    assert queries.link_by_code(session, code=link.code.upper()) is link
    assert _actions(session) == ["link.create"]


def test_a_chosen_code_is_kept_in_lower_case_and_taken_only_once(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    assert _link(session, program, partner, actor, code=" Marta-Ghisa ").code == "marta-ghisa"
    with pytest.raises(service.CodeTaken):
        _link(session, program, partner, actor, code="marta-ghisa")
    assert queries.link_count(session, program_id=program.id, partner_id=partner.id) == 1


def test_a_link_to_another_site_is_refused_with_the_host_in_the_message(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    with pytest.raises(service.HostNotAllowed) as refused:
        _link(session, program, partner, actor, landing_url="https://other.example/")
    assert refused.value.errors == {
        "landing_url": ["This address is at other.example. Links can point to www.shop.example only."]
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "admin"},
        {"code": "a b"},
        {"subs": {"sub11": "x"}},
        {"subs": {"sub1": "x" * 256}},
        {"subs": {"sub1": "a\nb"}},
    ],
)
def test_a_wrong_field_is_refused(
    session: Session, program: Program, partner: Partner, actor: Actor, fields: dict[str, object]
) -> None:
    with pytest.raises((service.BadCode, service.BadSubs)):
        _link(session, program, partner, actor, **fields)


@pytest.mark.parametrize("status", [status for status in EnrollmentStatus if status is not EnrollmentStatus.APPROVED])
def test_only_an_approved_partner_makes_links_and_coupons(
    session: Session, program: Program, actor: Actor, status: EnrollmentStatus
) -> None:
    partner = make_partner(session, program=program, status=status)
    with pytest.raises(service.PartnerNotActive):
        _link(session, program, partner, actor)
    with pytest.raises(service.PartnerNotActive):
        service.create_coupon(session, program_id=program.id, partner_id=partner.id, code="X5", actor=actor, now=NOW)


def test_the_number_of_links_is_bounded(
    session: Session, program: Program, partner: Partner, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LINKS_PER_PARTNER_MAX", 1)
    _link(session, program, partner, actor)
    with pytest.raises(service.TooManyLinks):
        _link(session, program, partner, actor)


def test_a_link_is_paused_once_and_resumed_and_the_trail_says_so(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    link = _link(session, program, partner, actor)
    later, latest = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    mine = {"link_id": link.id, "program_id": program.id, "partner_id": partner.id, "actor": actor}
    for _ in range(2):
        service.pause_link(session, **mine, now=later)
    assert (link.status, link.updated_at) == (LinkStatus.PAUSED, later)
    service.resume_link(session, **mine, now=latest)
    assert link.status is LinkStatus.ACTIVE
    assert _actions(session) == ["link.create", "link.pause", "link.resume"]


def test_somebody_elses_link_is_not_found(session: Session, program: Program, partner: Partner, actor: Actor) -> None:
    link = _link(session, program, partner, actor)
    other = make_partner(session, program=program)
    with pytest.raises(service.NoSuchLink):
        service.pause_link(session, link_id=link.id, program_id=program.id, partner_id=other.id, actor=actor, now=NOW)
    with pytest.raises(service.NoSuchLink):
        service.pause_link(session, link_id=link.id, program_id=ids.new(), actor=actor, now=NOW)
    assert queries.link_of(session, program_id=program.id, partner_id=other.id, link_id=link.id) is None


def test_links_are_paged_newest_first(
    session: Session, program: Program, partner: Partner, actor: Actor, now: datetime
) -> None:
    made = [_link(session, program, partner, actor, now=now + timedelta(seconds=second)) for second in range(5)]
    first = queries.links_of(session, program_id=program.id, partner_id=partner.id, limit=3)
    rest = queries.links_of(session, program_id=program.id, partner_id=partner.id, limit=3, offset=3)
    assert [*first, *rest] == made[::-1]


def test_a_coupon_is_bound_to_one_partner_of_a_program(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    coupon = service.create_coupon(
        session, program_id=program.id, partner_id=partner.id, code="marta5", actor=actor, now=NOW
    )
    other = make_partner(session, program=program)
    with pytest.raises(service.CodeTaken):
        service.create_coupon(session, program_id=program.id, partner_id=other.id, code="MARTA5", actor=actor, now=NOW)
    assert queries.coupon_by_code(session, program_id=program.id, code="Marta5") is coupon
    assert list(queries.coupons_of(session, program_id=program.id, partner_id=partner.id, limit=5)) == [coupon]


def test_the_same_coupon_may_exist_in_another_program(
    session: Session, program: Program, partner: Partner, actor: Actor
) -> None:
    second = make_program(session)
    there = make_partner(session, program=second)
    for program_id, partner_id in ((program.id, partner.id), (second.id, there.id)):
        made = service.create_coupon(
            session, program_id=program_id, partner_id=partner_id, code="SALE", actor=actor, now=NOW
        )
        assert queries.coupon_by_code(session, program_id=program_id, code="SALE") is made
