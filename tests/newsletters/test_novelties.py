"""The block of new creatives: its list stands below the words, its titles stay text."""

from datetime import timedelta

from creative_cast import make_creative
from factories import NOW, make_program
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.creatives import queries
from affiliate.creatives.kinds import CreativeKind
from affiliate.newsletters import markdown, novelties
from affiliate.newsletters.content import Block, BlockKind, Draft


def test_new_creatives_for_everybody_stand_below_the_words(session: Session) -> None:
    program = make_program(session)
    kind = CreativeKind.TEXT
    make_creative(session, program=program, kind=kind, title="[x](https://evil.example) <b>{name}", now=NOW)
    make_creative(session, program=program, kind=kind, title="For gold", group_names=["Gold"], now=NOW)
    make_creative(session, program=program, kind=kind, title="Old", now=NOW - timedelta(days=60))
    draft = Draft("en", {}, [Block("a", BlockKind.CREATIVES, {"en": {"title": "New", "body": "Take them."}, "it": {}})])
    found = novelties.with_creatives(session, draft, program=program, at=NOW + timedelta(hours=1))
    body = found.blocks[0].text("en", "body")
    assert body.startswith("Take them.\n\n- [")
    assert "{" not in body
    page = markdown.to_html(body)
    assert page.count("<a ") == 1
    assert f"/portal/{program.slug}/creatives/crv_" in page
    assert "evil.example" in page
    assert 'href="https://evil.example' not in page
    assert "<b>" not in page
    assert "For gold" not in page
    assert "Old" not in page
    assert found.blocks[0].text("it", "body") == ""


def test_each_reader_is_told_what_it_may_use_and_led_where_it_can_go(session: Session) -> None:
    program = make_program(session)
    kind, later = CreativeKind.TEXT, NOW + timedelta(hours=1)
    for title, groups in (("For all", []), ("For gold", ["Gold"]), ("For silver", ["Silver"])):
        make_creative(session, program=program, kind=kind, title=title, group_names=groups, now=NOW)
    assert queries.groups_with_new(session, program_id=program.id, now=later) == {"Gold", "Silver"}
    draft = Draft("it", {}, [Block("a", BlockKind.CREATIVES, {"it": {"title": "New", "body": "Take them."}})])
    gold = novelties.with_creatives(session, draft, program=program, at=later, group="Gold").blocks[0]
    assert "For gold" in gold.text("it", "body")
    assert "For all" in gold.text("it", "body")
    assert "For silver" not in gold.text("it", "body")
    prospects = novelties.with_creatives(session, draft, program=program, at=later, for_prospects=True).blocks[0]
    said = prospects.text("it", "body")
    page = f"{settings.current().base_url}/p/{program.slug}"
    assert said.endswith(f"- For all\n\n[Vedi la pagina del programma]({page})")
    assert "/portal/" not in said
    assert "For gold" not in said
