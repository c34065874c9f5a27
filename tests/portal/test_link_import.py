"""Many links from a table: each row by itself, with its own answer."""

import io

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from affiliate.links.models import Link


def _upload(browser: FlaskClient, content: bytes) -> TestResponse:
    return browser.post("/portal/casa/links/import", data={"table": (io.BytesIO(content), "links.csv")})


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
