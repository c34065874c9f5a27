"""A partner's own address of a product feed: for programs without an account, replaceable, and silent about everybody else."""

import html
import re
from datetime import datetime, timedelta

import pytest
from accounts_cast import make_person, sign_in
from creative_cast import make_creative
from factories import make_link, make_program
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.roles import MemberRole
from affiliate.creatives import feed_files, queries, service
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative, FeedAddress
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus, Member

LIST = "/portal/casa/creatives"


@pytest.fixture
def feed(app_session: Session, cast: Cast) -> Creative:
    """The program's product feed."""
    made = make_creative(
        app_session, program=cast.program, kind=CreativeKind.FEED, now=clock.now() - timedelta(minutes=1)
    )
    app_session.commit()
    return made


def page_of(feed: Creative) -> str:
    return f"{LIST}/{ids.public('crv', feed.id)}"


def made(browser: FlaskClient, feed: Creative, kind: str = "csv") -> str:
    """The path of the partner's address, newly made."""
    assert browser.post(f"{page_of(feed)}/feed-address").status_code == 303
    return shown(browser, feed)[kind]


def shown(browser: FlaskClient, feed: Creative) -> dict[str, str]:
    """The addresses on the page, by kind."""
    found = re.findall(
        r'value="http://localhost(/p/casa/products/[^"]+\.(csv|xml|json)[^"]*)"', browser.get(page_of(feed)).text
    )
    return {kind: html.unescape(address) for address, kind in found}


@pytest.mark.parametrize("kind", ["csv", "xml", "json"])
def test_the_address_gives_anybody_what_the_download_gives_the_partner(
    marta: FlaskClient, client: FlaskClient, feed: Creative, kind: str
) -> None:
    assert shown(marta, feed) == {}
    answer = client.get(made(marta, feed, kind))
    download = marta.get(f"{page_of(feed)}/feed.{kind}")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, download.data, download.mimetype)
    assert "/r/ragu?creative=crv_" in answer.text
    assert "Content-Length" not in answer.headers  # it is written while it is sent: a server stops after what is told
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in answer.headers


def test_the_address_says_nothing_about_the_partner_and_its_row_opens_nothing(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, feed: Creative
) -> None:
    address = made(marta, feed).partition("?")[0]
    for thing in (
        ids.public("prt", cast.partner.id).partition("_")[2],
        ids.public("crv", feed.id).partition("_")[2],
        "ragu",
        "kitchen",
    ):
        assert thing not in address.lower()
    kept = queries.feed_address_of(app_session, partner_id=cast.partner.id, creative_id=feed.id)
    assert kept is not None
    token = address.rpartition("/")[2].removesuffix(".csv")
    assert token.startswith(f"{ids.public('fed', kept.code)}.")
    for guess in (
        f"{ids.public('fed', kept.code)}.{'0' * 20}",
        ids.public("fed", kept.code),
        token[:-1],
        "x",
        token.upper() + ".",
    ):
        assert client.get(address.replace(token, guess)).status_code == 404, guess
    make_program(app_session, slug="altra")
    app_session.commit()
    assert client.get(address.replace("/casa/", "/altra/")).status_code == 404


def test_a_new_address_ends_the_old_one(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, feed: Creative
) -> None:
    old = made(marta, feed)
    assert client.get(old).status_code == 200
    fresh = made(marta, feed)
    assert fresh != old
    assert (client.get(old).status_code, client.get(fresh).status_code) == (404, 200)
    assert app_session.query(FeedAddress).count() == 1


@pytest.mark.parametrize(("role", "status"), [(MemberRole.MARKETER, 303), (MemberRole.FINANCE, 403)])
def test_owners_and_marketers_make_it_and_others_only_read_it(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast, *, feed: Creative, role: MemberRole, status: int
) -> None:
    person = make_person(app_session, "Paolo")
    app_session.add(
        Member(id=ids.new(), user_id=person.id, partner_id=cast.partner.id, role=role, created_at=clock.now())
    )
    app_session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    assert ("feed-address" in browser.get(page_of(feed)).text) is (status == 303)
    assert browser.post(f"{page_of(feed)}/feed-address").status_code == status
    address = made(marta, feed)
    assert shown(browser, feed)["csv"] == address
    assert ("feed-address" in browser.get(page_of(feed)).text) is (status == 303)


def test_only_a_feed_that_is_offered_has_one(
    marta: FlaskClient, app_session: Session, cast: Cast, feed: Creative
) -> None:
    now = clock.now() - timedelta(minutes=1)
    banner = make_creative(app_session, program=cast.program, now=now)
    golden = make_creative(app_session, program=cast.program, kind=CreativeKind.FEED, group_names=["Gold"], now=now)
    app_session.commit()
    assert "feed-address" not in marta.get(page_of(banner)).text
    for other in (banner, golden):
        assert marta.post(f"{page_of(other)}/feed-address").status_code == 404


@pytest.mark.parametrize("what", ["retired", "paused", "banned", "archived", "linkless"])
def test_what_is_over_is_not_there(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, *, feed: Creative, what: str
) -> None:
    address = made(marta, feed)
    assert client.get(address).status_code == 200
    now = clock.now()
    enrollment = partners.enrollment_of(app_session, program_id=cast.program.id, partner_id=cast.partner.id)
    assert enrollment is not None
    if what == "retired":
        service.retire(
            app_session, program=cast.program, creative_id=feed.id, ends_at=now, note="", tell=[], actor=SYSTEM, now=now
        )
    elif what == "archived":
        cast.program.archived_at = now
    elif what == "linkless":
        cast.link.expires_at = now
    else:
        enrollment.status = EnrollmentStatus(what)
    app_session.commit()
    assert client.get(address).status_code == 404


def test_whoever_has_the_feed_already_is_told_so(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, feed: Creative
) -> None:
    address = made(marta, feed)
    first = client.get(address)
    head = client.head(address)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    tagged, dated = {"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}
    for known in (tagged, dated, tagged | dated):
        again = client.get(address, headers=known)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert client.get(address.replace(".csv", ".xml"), headers=tagged).status_code == 200
    later: datetime = clock.now() + timedelta(hours=1)
    cast.link.code, cast.link.updated_at = "soup", later
    app_session.commit()
    for known in (tagged, dated, tagged | dated):
        answer = client.get(address, headers=known)
        assert answer.status_code == 200
        assert "/r/soup?" in answer.text


def test_another_link_of_ones_own_is_named_in_the_address(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, feed: Creative
) -> None:
    made(marta, feed)
    second = make_link(app_session, program=cast.program, partner=cast.partner, code="second")
    theirs = make_link(app_session, program=cast.program, partner=cast.other, code="theirs")
    app_session.commit()
    address = shown(marta, feed)["json"].partition("?")[0]
    for link, code in ((second, "second"), (cast.link, "ragu"), (theirs, "second")):
        assert f"/r/{code}?" in client.get(f"{address}?link={ids.public('lnk', link.id)}").text


def test_the_named_link_stays_however_many_newer_ones_there_are(
    marta: FlaskClient, client: FlaskClient, app_session: Session, cast: Cast, *, feed: Creative, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(feed_files, "LINKS_MAX", 2)
    address = made(marta, feed)
    assert ids.public("lnk", cast.link.id) in address
    for number in range(3):
        make_link(app_session, program=cast.program, partner=cast.partner, code=f"newer{number}")
    theirs = make_link(app_session, program=cast.program, partner=cast.other, code="theirs")
    app_session.commit()
    assert "/r/ragu?" in client.get(address).text
    page = marta.get(f"{page_of(feed)}?link={ids.public('lnk', cast.link.id)}").text
    assert f'<option value="{ids.public("lnk", cast.link.id)}" selected>' in page
    for named in (ids.public("lnk", theirs.id), "lnk_x"):
        assert "/r/newer2?" in client.get(f"{address.partition('?')[0]}?link={named}").text
    cast.link.expires_at = clock.now()
    app_session.commit()
    assert "/r/newer2?" in client.get(address).text


def test_an_address_is_fetched_so_often_and_another_one_still_is(
    marta: FlaskClient, client: FlaskClient, feed: Creative
) -> None:
    address = made(marta, feed)
    answers = [client.head(address).status_code for _ in range(61)]
    assert (answers[:60], answers[60]) == ([200] * 60, 429)
    refused = client.get(address.replace(".csv", ".xml"))  # of the same address
    assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 3600) == (429, True)
    assert client.get(made(marta, feed)).status_code == 200
    callers = [client.head("/p/casa/products/made-up.csv").status_code for _ in range(60)]
    assert callers[0] == 404
    assert client.head("/p/casa/products/another.csv").status_code == 429
