"""Many links from a table: each row by itself, with its own answer."""

import csv
import io

import pytest
import sqlalchemy as sa
from factories import NOW, make_clicks, make_commission, make_link
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from affiliate.ingest.models import ClickVerdict
from affiliate.links.models import Link
from affiliate.portal import link_file


def _upload(browser: FlaskClient, content: bytes, **more: str) -> TestResponse:
    return browser.post("/portal/casa/links/import", data={"table": (io.BytesIO(content), "links.csv"), **more})


def _codes(session: Session) -> set[str]:
    found = set(session.scalars(sa.select(Link.code)))
    session.commit()
    return found


def test_each_row_becomes_a_link_or_says_why_not(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    table = (
        b"landing_url;name;code;sub1;coupon\n"
        b"https://www.shop.example/pans;Pans;my-pans;post;\n"
        b"https://other.example/;Elsewhere;;;\n"
        b"www.shop.example/knives;;;;\n"
        b"www.shop.example/forks;;;;NEVER\n"
        b"https://www.shop.example/;Taken;my-pans;;\n"
    )
    answer = _upload(marta, table)
    assert answer.status_code == 200
    assert "2 links are ready. 3 rows were refused." in answer.text
    assert "This address is at other.example." in answer.text
    assert "This code is taken." in answer.text
    assert "not one of your active coupons" in answer.text
    assert len(_codes(app_session)) == 1 + 2
    made = app_session.scalars(sa.select(Link).where(Link.code == "my-pans")).one()
    assert (made.landing_url, made.name, made.subs) == ("https://www.shop.example/pans", "Pans", {"sub1": "post"})


def _table(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_what_became_of_each_row_comes_as_a_file_too(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    content = b"landing_url;code\nhttps://www.shop.example/pans;my-pans\nhttps://other.example/;=1+1\n"
    made, refused = _table(_upload(marta, content, kind="csv"))
    assert (made["line"], made["landing_url"], made["refused"]) == ("2", "https://www.shop.example/pans", "")
    assert made["address"].endswith("/r/my-pans")
    assert (refused["landing_url"], refused["address"]) == ("https://other.example/", "")
    assert refused["refused"]
    assert _codes(app_session) == {cast.link.code, "my-pans"}
    assert _upload(marta, content, kind="xlsx").data[:2] == b"PK"
    assert "were refused" in _upload(marta, content, kind="exe").text
    assert "Choose a file first." in _upload(marta, b"", kind="csv").text


def test_all_links_come_as_a_file_with_addresses_and_sums(
    marta: FlaskClient, app_session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_file, "READ_AT_ONCE", 2)
    for number in range(4):
        make_link(app_session, program=cast.program, partner=cast.partner, code=f"l{number}", name="=1+1", subs={"sub1": "post"})  # fmt: skip
    make_link(app_session, program=cast.program, partner=cast.other, code="theirs")
    make_clicks(app_session, link=cast.link, hour=NOW, clicks=4)
    make_clicks(app_session, link=cast.link, hour=NOW, clicks=1, verdict=ClickVerdict.BOT)
    make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, amount_minor=8_00)
    app_session.commit()
    page = marta.get("/portal/casa/links").text
    assert "/portal/casa/links.csv" in page
    rows = _table(marta.get("/portal/casa/links.csv"))
    assert [row["code"] for row in rows] == ["l3", "l2", "l1", "l0", cast.link.code]
    assert (rows[0]["name"], rows[0]["sub1"]) == ("'=1+1", "post")
    last = rows[-1]
    assert last["address"].endswith(f"/r/{cast.link.code}")
    told = (
        last["clicks_raw"],
        last["clicks_valid"],
        last["conversions"],
        last["conversion_rate_bps"],
        last["earnings"],
    )
    assert (*told, last["currency"]) == ("5", "4", "1", "2500", "8.00", "EUR")
    assert marta.get("/portal/casa/links.xlsx").data[:2] == b"PK"
    assert marta.get("/portal/casa/links.exe").status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file first."),
        (b"address\nhttps://www.shop.example/\n", "no column “landing_url”"),
        (b"landing_url\n" + b"x\n" * 501, "more than 500 rows"),
        (b"\x89PNG\r\n\x1a\n\x00", "not written in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(
    marta: FlaskClient, app_session: Session, cast: Cast, content: bytes, said: str
) -> None:
    answer = _upload(marta, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert len(_codes(app_session)) == 1


def test_without_a_file_nothing_happens(marta: FlaskClient, cast: Cast) -> None:
    assert marta.post("/portal/casa/links/import").status_code == 422
    assert "landing_url" in marta.get("/portal/casa/links/import").text
