"""The partner's library: cards, codes with the own link, feeds, downloads, proposals; what is not offered is not there."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from creative_cast import make_creative, png
from factories import give_click, make_click, make_clicks, make_commission, make_link
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.attribution.models import Credit
from affiliate.creatives import queries, service
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative, CreativeStatus

LIST = "/portal/casa/creatives"


@pytest.fixture
def now() -> datetime:
    return clock.now() - timedelta(minutes=1)


def _address(creative: Creative, rest: str = "") -> str:
    return f"{LIST}/{ids.public('crv', creative.id)}{rest}"


def test_the_library_shows_cards_with_what_each_brought(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime
) -> None:
    made = make_creative(app_session, program=cast.program, title="Winter <b>pan</b>", campaign="Advent", now=now)
    name = ids.public("crv", made.id)
    hour = now.replace(minute=0, second=0, microsecond=0)
    make_clicks(app_session, link=cast.link, hour=hour, clicks=41, creative=name)
    click = make_click(app_session, link=cast.link, creative=name)
    sold = make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, amount_minor=8_88)
    give_click(app_session, credit=app_session.get_one(Credit, sold.credit_id), click_id=click.id)
    app_session.commit()
    page = marta.get(LIST).text
    for text in ("Winter &lt;b&gt;pan&lt;/b&gt;", "300 × 250", "Advent", "41", "€8.88", f"{_address(made)}/file?v=1"):
        assert text in page, text
    assert "Winter" not in marta.get(f"{LIST}?kind=feed").text
    assert "Nothing matches" in marta.get(f"{LIST}?q=nothing&size=9x9&language=xx&page=-1").text


def test_the_number_of_queries_does_not_grow_with_the_creatives(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime, count_queries: Any
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_creative(app_session, program=cast.program, kind=CreativeKind.TEXT, now=now)
        app_session.commit()
        with count_queries() as counter:
            marta.get(LIST)
        counts.append(len(counter))
    assert counts[0] == counts[1] <= 15


@pytest.mark.parametrize("kind", list(CreativeKind))
def test_every_kind_shows_its_code_with_the_partners_own_link(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime, kind: CreativeKind
) -> None:
    made = make_creative(
        app_session, program=cast.program, kind=kind, landing_url="https://www.shop.example/pan", language="en", now=now
    )
    app_session.commit()
    page = marta.get(_address(made))
    assert page.status_code == 200
    link = f"/r/ragu?creative={ids.public('crv', made.id)}"
    code = marta.get(_address(made, "/code"))
    if kind in {CreativeKind.DOCUMENT, CreativeKind.FEED}:
        assert code.status_code == 404
        return
    assert link in code.text
    assert link in page.text
    assert "url=https%3A%2F%2Fwww.shop.example%2Fpan" in code.text
    assert code.headers["Content-Disposition"].startswith("attachment;")
    if kind is CreativeKind.POST:
        assert code.text.startswith("Advertising: partner link, Casa Ondera\n\n")
    if kind is CreativeKind.TEXT:
        assert code.text.startswith('Advertising: partner link, Casa Ondera: <a href="')
        assert '<p class="said-x" lang="en">' in page.text


def test_a_rule_is_named_only_to_whom_it_holds_for(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime
) -> None:
    made = make_creative(app_session, program=cast.program, kind=CreativeKind.TEXT, now=now)
    for country, said in (("FR", "After Directive 2005/29/EC"), ("JP", "We know of no rule for your country")):
        cast.partner.country = country
        app_session.commit()
        page = marta.get(_address(made)).text
        assert said in page
        assert ("Directive" in page) is (country == "FR")
        assert "The words stand in the text already" in page


def test_another_link_of_ones_own_can_be_chosen_and_no_other(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime
) -> None:
    made = make_creative(app_session, program=cast.program, kind=CreativeKind.TEXT, now=now)
    second = make_link(app_session, program=cast.program, partner=cast.partner, code="second")
    theirs = make_link(app_session, program=cast.program, partner=cast.other, code="theirs")
    app_session.commit()
    assert "/r/second?" in marta.get(_address(made, f"/code?link={ids.public('lnk', second.id)}")).text
    assert "/r/ragu?" in marta.get(_address(made, f"/code?link={ids.public('lnk', cast.link.id)}")).text
    assert "/r/theirs?" not in marta.get(_address(made, f"/code?link={ids.public('lnk', theirs.id)}")).text


@pytest.mark.parametrize("kind", ["csv", "xml", "json"])
def test_the_feed_comes_with_the_partners_own_links(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime, kind: str
) -> None:
    made = make_creative(app_session, program=cast.program, kind=CreativeKind.FEED, now=now)
    app_session.commit()
    answer = marta.get(_address(made, f"/feed.{kind}"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="casa-products.{kind}"'
    assert "url=https%3A%2F%2Fwww.shop.example%2Fpan%3Fa%3D1%26b%3D2" in answer.text
    assert answer.text.count("/r/ragu?creative=crv_") == 1
    if kind == "csv":
        assert next(csv.DictReader(io.StringIO(answer.text)))["title"] == "'=Pan"


def test_a_snippet_stands_in_a_frame_where_nothing_runs(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime
) -> None:
    made = make_creative(app_session, program=cast.program, kind=CreativeKind.HTML, now=now)
    app_session.commit()
    answer = marta.get(_address(made, "/frame"))
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert '<iframe class="frame-x" sandbox src=' in marta.get(_address(made)).text


def test_a_document_leaves_as_an_attachment_only(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime
) -> None:
    made = make_creative(app_session, program=cast.program, kind=CreativeKind.DOCUMENT, now=now)
    app_session.commit()
    answer = marta.get(_address(made, "/file"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="guide.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("rest", ["", "/file", "/frame", "/code", "/feed.csv"])
def test_what_is_meant_for_others_is_not_there(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime, rest: str
) -> None:
    theirs = make_creative(app_session, program=cast.program, group_names=["Gold"], now=now)
    app_session.commit()
    assert marta.get(_address(theirs, rest)).status_code == 404


def test_a_proposal_waits_and_only_its_partner_sees_it(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    form = {"kind": "banner", "title": "My pan", "alt": "A pan", "language": ""}
    picture = (io.BytesIO(png(728, 90)), "pan.png")
    answer = marta.post(f"{LIST}/propose", data=form | {"file": picture})
    assert (answer.status_code, answer.location) == (303, LIST)
    [(made, version)] = queries.proposals_of(
        app_session, program_id=cast.program.id, partner_id=cast.partner.id, limit=9
    )
    app_session.commit()
    assert (made.status, made.only_partner_id, version.width) == (CreativeStatus.PROPOSED, cast.partner.id, 728)
    assert "Waits for the program" in marta.get(LIST).text
    assert marta.get(_address(made)).status_code == 200
    assert marta.get(_address(made, "/file")).mimetype == "image/png"


@pytest.mark.parametrize(
    ("form", "file", "sentence"),
    [
        ({"kind": "banner", "title": "T"}, None, "Choose a file."),
        ({"kind": "banner", "title": "T"}, (b"<svg onload=alert(1)>", "a.svg"), "This is no PNG"),
        ({"kind": "text", "title": "", "body": "Kept words"}, None, "Write a title"),
        ({"kind": "html", "title": "T", "body": "<b>Kept words"}, None, "Put {link} where"),
        ({"kind": "text", "title": "T", "body": "Kept words", "landing_url": "https://evil.example/"}, None, "no address of the shop"),
    ],
)  # fmt: skip
def test_a_refused_proposal_says_why_and_keeps_what_was_typed(
    marta: FlaskClient, cast: Cast, form: dict[str, str], file: tuple[bytes, str] | None, sentence: str
) -> None:
    data: dict[str, object] = {**form, "language": ""}
    if file:
        data["file"] = (io.BytesIO(file[0]), file[1])
    answer = marta.post(f"{LIST}/propose", data=data)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert form.get("body", "").replace("<", "&lt;").replace(">", "&gt;") in answer.text


def test_a_banner_is_public_and_becomes_empty_at_its_end(
    marta: FlaskClient, app_session: Session, cast: Cast, now: datetime, client: FlaskClient
) -> None:
    made = make_creative(app_session, program=cast.program, now=now)
    text = make_creative(app_session, program=cast.program, kind=CreativeKind.TEXT, now=now)
    app_session.commit()
    public = f"/c/{ids.public('crv', made.id)}"
    assert f"http://localhost{public}" in marta.get(_address(made, "/code")).text
    answer = client.get(public)
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("image/png", "public, max-age=3600")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get(f"/c/{ids.public('crv', text.id)}").status_code == 404
    who = {"program": cast.program, "creative_id": made.id, "actor": service.Actor("system", None), "now": clock.now()}
    service.retire(app_session, ends_at=clock.now(), note="", tell=[], **who)
    app_session.commit()
    assert client.get(public).mimetype == "image/gif"
    assert marta.get(_address(made)).status_code == 404
