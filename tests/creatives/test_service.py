"""Creatives from proposal to end: who sees what and when, versions, decisions that are taken once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from creative_cast import make_creative, png
from factories import NOW, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.creatives import queries, service
from affiliate.creatives.facts import Facts
from affiliate.creatives.kinds import CreativeKind, Said, Upload
from affiliate.creatives.queries import Reader, Wanted
from affiliate.errors import Invalid
from affiliate.mailer import OutboxMail
from affiliate.programs.models import Program

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


def titles(
    session: Session, program: Program, reader: Reader | None, now: object = LATER, **wanted: object
) -> list[str]:
    found = queries.offered(
        session,
        program_id=program.id,
        reader=reader,
        wanted=Wanted(**wanted),
        now=now,
        limit=50,  # type: ignore[arg-type]
    )
    return [creative.title for creative, _version in found]


def test_each_partner_sees_what_is_meant_for_it_and_offered_now(session: Session, program: Program) -> None:
    gold, other = Reader(make_partner(session, program=program).id, "Gold"), Reader(ids.new(), None)
    kind = CreativeKind.TEXT
    make_creative(session, program=program, kind=kind, title="for all", now=NOW)
    make_creative(session, program=program, kind=kind, title="for gold", group_names=["Gold", "Silver"], now=NOW)
    make_creative(session, program=program, kind=kind, title="later", starts_at=LATER + timedelta(days=1), now=NOW)
    make_creative(session, program=program, kind=kind, title="over", ends_at=LATER, now=NOW)
    make_creative(session, program=make_program(session), kind=kind, title="elsewhere", now=NOW)
    assert sorted(titles(session, program, gold)) == ["for all", "for gold"]
    assert titles(session, program, other) == ["for all"]
    assert titles(session, program, None) == ["for all"]
    assert sorted(titles(session, program, other, now=NOW)) == ["for all", "over"]


def test_the_library_is_narrowed_by_every_filter(session: Session, program: Program) -> None:
    reader = Reader(ids.new(), None)
    make_creative(session, program=program, title="Winter pan", campaign="Advent", language="it", now=NOW)
    make_creative(session, program=program, kind=CreativeKind.TEXT, title="Words", now=NOW - timedelta(days=60))
    assert titles(session, program, reader, kind=CreativeKind.BANNER) == ["Winter pan"]
    assert titles(session, program, reader, language="it") == ["Winter pan", "Words"]
    assert titles(session, program, reader, language="pl") == ["Words"]
    assert titles(session, program, reader, campaign="Advent") == ["Winter pan"]
    assert titles(session, program, reader, size=(300, 250)) == ["Winter pan"]
    assert titles(session, program, reader, size=(1, 1)) == []
    assert titles(session, program, reader, is_new=True) == ["Winter pan"]
    assert titles(session, program, reader, words="PAN advent") == ["Winter pan"]
    assert titles(session, program, reader, words="100%") == []
    assert titles(session, program, reader, words="STAYS") == ["Words"]  # of its text
    make_creative(session, program=program, kind=CreativeKind.TEXT, title="Łódź", now=NOW)
    assert titles(session, program, reader, words="łódŹ") == ["Łódź"]
    facets = queries.facets(session, program_id=program.id, reader=reader, now=LATER)
    assert (list(facets.kinds), facets.languages, facets.campaigns, facets.sizes) == (
        [CreativeKind.BANNER, CreativeKind.TEXT], ["it"], ["Advent"], [(300, 250)],
    )  # fmt: skip


def test_a_banner_gets_another_version_of_its_own_size_only(session: Session, program: Program) -> None:
    made = make_creative(session, program=program, now=NOW)
    who = {"program": program, "creative_id": made.id, "actor": SYSTEM, "now": LATER}
    with pytest.raises(Invalid):
        service.add_version(session, said=Said(upload=Upload("a.png", png(728, 90))), **who)
    service.add_version(session, said=Said(upload=Upload("a.png", png()), alt="Another"), **who)
    found = queries.creative_in(session, program_id=program.id, creative_id=made.id)
    assert found is not None
    creative, version = found
    assert (creative.version, version.version, version.alt) == (2, 2, "Another")
    assert [each.version for each in queries.versions_of(session, creative_id=made.id)] == [2, 1]
    assert version.file_id is not None
    stored = files.file_by_id(session, file_id=version.file_id)
    assert stored is not None
    assert (stored.name, stored.media_type) == ("banner-300x250.png", "image/png")


def test_a_proposal_is_decided_once_and_its_partner_told(session: Session, program: Program) -> None:
    person = make_user(session, email="marta@example.test")
    partner = make_partner(session, program=program, user=person)
    said = Said(body="Mine")

    def propose() -> object:
        return service.propose(
            session, program=program, partner_id=partner.id, kind=CreativeKind.TEXT, facts=Facts("Mine"), said=said,
            actor=SYSTEM, now=NOW,
        ).id  # fmt: skip

    first, second = propose(), propose()
    reader, other = Reader(partner.id, None), Reader(ids.new(), None)
    assert titles(session, program, reader) == []
    service.approve(session, program=program, creative_id=first, for_all=False, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    assert (titles(session, program, reader), titles(session, program, other)) == (["Mine"], [])
    with pytest.raises(service.CreativeMoved):
        service.refuse(session, program=program, creative_id=first, reason="No", actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    service.approve(session, program=program, creative_id=second, for_all=True, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    assert titles(session, program, other) == ["Mine"]
    mails = session.scalars(sa.select(OutboxMail.subject).where(OutboxMail.recipient == "marta@example.test")).all()
    assert mails == ["Approved: Mine", "Approved: Mine"]


def test_proposals_that_wait_are_bounded(session: Session, program: Program) -> None:
    partner = make_partner(session, program=program)

    def propose() -> None:
        service.propose(
            session, program=program, partner_id=partner.id, kind=CreativeKind.TEXT, facts=Facts("Mine"),
            said=Said(body="x"), actor=SYSTEM, now=NOW,
        )  # fmt: skip

    for _ in range(service.PROPOSALS_OPEN_MAX):
        propose()
    with pytest.raises(service.TooMany):
        propose()


def test_an_end_is_told_to_those_who_use_it_and_can_be_taken_back(session: Session, program: Program) -> None:
    person = make_user(session, email="marta@example.test")
    partner = make_partner(session, program=program, user=person)
    made = make_creative(session, program=program, kind=CreativeKind.TEXT, now=NOW)
    who = {"program": program, "creative_id": made.id, "actor": SYSTEM, "now": LATER}
    service.retire(session, ends_at=LATER + timedelta(days=7), note="Take the new one.", tell=[partner.id], **who)
    mail = session.scalars(sa.select(OutboxMail)).one()
    assert mail.subject == "It ends: A text"
    assert "Take the new one." in mail.body_text
    assert titles(session, program, None, now=LATER + timedelta(days=8)) == []
    service.change(session, facts=Facts("A text"), **who)
    assert titles(session, program, None, now=LATER + timedelta(days=8)) == ["A text"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (Facts(""), "title"),
        (Facts("x" * 121), "title"),
        (Facts("a\u202eb"), "title"),
        (Facts("a", campaign="x" * 61), "campaign"),
        (Facts("a", language="xx"), "language"),
        (Facts("a", landing_url="https://evil.example/"), "landing_url"),
        (Facts("a", ends_at=NOW), "last_on"),
        (Facts("a", group_names=[str(number) for number in range(21)]), "groups"),
    ],
)
def test_facts_that_cannot_be_are_refused_at_their_field(
    session: Session, program: Program, facts: Facts, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        service.add(
            session, program=program, kind=CreativeKind.TEXT, facts=facts, said=Said(body="x"), actor=SYSTEM, now=NOW
        )
    assert set(refused.value.errors) == {field}
