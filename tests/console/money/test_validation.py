"""A month validated by file, in the console: nothing changes before the confirmation, and only once."""

import io
from datetime import timedelta

import factories
import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.commissions import jobs, validating
from affiliate.commissions.models import ValidationFile
from affiliate.commissions.validation import Verdict
from affiliate.console import paging
from affiliate.console.money.validation import sign
from affiliate.console.queries import lists, named

HEAD = "order_id,status,amount,reason\n"


def upload(browser: FlaskClient, content: bytes | str) -> TestResponse:
    raw = content.encode() if isinstance(content, str) else content
    data = {"file": (io.BytesIO(raw), "november.csv")}
    return browser.post("/console/casa/validation", data=data, follow_redirects=True)


def test_a_file_is_looked_at_confirmed_once_and_told_line_by_line(cast: Cast, mara: FlaskClient) -> None:
    for name in ("1", "2", "3"):
        cast.sale(name)
    assert "No file yet" in text_of(mara.get("/console/casa/validation"))
    page = upload(mara, HEAD + "1,approved,,\n2,approved,50.00,half came back\n3,declined,,not paid\n9,approved,,\n")
    told = text_of(page)
    assert "Nothing has changed yet." in told
    assert "3 lines change something." in told
    assert "Unknown order" in told
    assert told.count("/conversions/cnv_") == 3  # the orders that are known have a page
    cast.settle()
    assert cast.books.balances() == {"pending": 30_00}
    cast.session.commit()
    address = page.request.path
    done = text_of(mara.post(f"{address}/confirm", follow_redirects=True))
    assert "Done: 3 of 4 lines changed something." in done
    assert "These are the results." in done
    assert "This file was confirmed before." in text_of(mara.post(f"{address}/confirm", follow_redirects=True))
    assert "half came back" not in text_of(mara.get(f"{address}?verdict=decline"))
    assert "2,approved,50.00,half came back,reduce" in mara.get(f"{address}.csv").text
    file_id = cast.session.scalars(sa.select(ValidationFile.id)).one()
    first = lists.validation_lines(cast.session, file_id=file_id, verdict=None, cursor=None, size=3)
    assert first.older is not None
    here = paging.read_cursor(first.older)
    following = lists.validation_lines(cast.session, file_id=file_id, verdict=None, cursor=here, size=3)
    found = [row.ValidationLine.order_id for page in (first, following) for row in page.rows]
    assert (found, following.older) == (["1", "2", "3", "9"], None)
    cast.session.commit()
    cast.settle()
    assert cast.books.balances() == {"approved": 15_00}
    cast.assert_proven()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "has no column “order_id”"),
        (HEAD, "There is no line below the first one."),
        (b"\xff\xfe", "not written in UTF-8"),
        (HEAD + "1,approved,," + "x" * 4_000_000, "larger than 4 MB"),
    ],
)
def test_what_is_no_list_is_refused_at_its_field(
    cast: Cast, mara: FlaskClient, content: bytes | str, told: str
) -> None:
    response = upload(mara, content)
    assert response.status_code == 422
    assert told in text_of(response)


def test_every_result_has_a_word_of_its_own(app: Flask) -> None:
    with app.test_request_context():
        assert len({sign(verdict).word for verdict in Verdict}) == len(Verdict)


def test_the_orders_of_some_days_are_gathered_without_a_file(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    cast.session.commit()
    day = clock.now().date()
    days = {"starts_on": str(day - timedelta(days=400)), "ends_on": str(day + timedelta(days=1)), "partner": ""}
    refused = mara.post("/console/casa/validation/choose", data=days | {"word": "declined"})
    assert refused.status_code == 422
    assert "Say why" in text_of(refused)
    page = mara.post("/console/casa/validation/choose", data=days | {"word": "approved"}, follow_redirects=True)
    assert "1 line changes something." in text_of(page)
    mara.post(f"{page.request.path}/confirm")
    cast.settle()
    assert cast.books.balances() == {"approved": 10_00}
    cast.session.commit()
    nobody = {"starts_on": "", "ends_on": str(day), "word": "approved", "partner": ""}
    assert "Choose a day." in text_of(mara.post("/console/casa/validation/choose", data=nobody))


def test_the_orders_of_one_partner_are_gathered_by_its_name_or_id(cast: Cast, mara: FlaskClient) -> None:
    other = factories.make_partner(cast.session, program=cast.program, name="Quiet Garden")
    cast.sale("mine")
    cast.sale("theirs", partner=other)
    cast.session.commit()
    day = clock.now().date()
    days = {"starts_on": str(day - timedelta(days=400)), "ends_on": str(day + timedelta(days=1)), "word": "approved"}
    for typed in ("quiet garden ", public("ptn", other)):
        page = mara.post("/console/casa/validation/choose", data=days | {"partner": typed}, follow_redirects=True)
        assert "theirs" in text_of(page)
        assert "1 line changes something." in text_of(page)
    factories.make_partner(cast.session, program=cast.program, name="Quiet Garden")
    elsewhere = factories.make_partner(cast.session, program=cast.other, name="Far Away")
    cast.session.commit()
    for typed, told in (
        ("Quiet Garden", "Several partners have this name. Write the id instead."),
        ("Far Away", "There is no partner of this name in the program."),
        (public("ptn", elsewhere), "There is no partner of this name in the program."),
    ):
        refused = mara.post("/console/casa/validation/choose", data=days | {"partner": typed})
        assert refused.status_code == 422
        assert told in text_of(refused)


def test_a_page_offers_some_names_of_many_in_their_order(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Aaron", "Zora"):
        factories.make_partner(cast.session, program=cast.program, name=name)
    cast.session.commit()
    offered = named.partners_offered(cast.session, program_id=cast.program.id)
    assert {"Aaron", "Zora"} < {*offered}
    assert offered == sorted(offered)
    assert 'value="Zora"' in text_of(mara.get("/console/casa/validation"))
    monkeypatch.setattr(named, "OFFERED_MAX", 1)
    page = text_of(mara.get("/console/casa/validation"))
    assert [f'value="{name}"' in page for name in offered].count(True) == 1


def test_a_long_file_is_stopped_and_nothing_more_is_done_with_it(cast: Cast, mara: FlaskClient) -> None:
    lines = "".join(f"unknown-{number},approved\n" for number in range(validating.BATCH + 1))
    page = upload(mara, f"order_id,status\n{lines}").request.path
    assert mara.post(f"{page}/stop").status_code == 303
    assert "Stopped after 500 of 501 lines." in text_of(mara.get(page))
    assert jobs.validate() == 0
    again = mara.post(f"{page}/stop")
    assert again.status_code == 409
    assert "This file is through already." in text_of(again)
