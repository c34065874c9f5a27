"""The other ways in: the token is shown to who confirmed the password, sites are confirmed, the own browser is left out."""

import re
from urllib.parse import urlsplit

from console_cast import Cast, text_of
from factories import make_link
from flask import Flask
from flask.testing import FlaskClient

from affiliate.programs import secrets


def test_the_token_stands_only_on_its_own_page(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    token = secrets.postback_token(cast.program, app.extensions["affiliate_settings"].secret_key)
    page = mara.get("/console/casa/tracking/more").text
    assert token not in page
    assert "/t/postback?token=TOKEN&amp;click_id={click_id}" in page
    shown = mara.get("/console/casa/tracking/token")
    assert token in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


def test_the_token_is_replaced_once_by_two_equal_presses(cast: Cast, mara: FlaskClient) -> None:
    def post() -> str:
        return text_of(mara.post("/console/casa/tracking/token", data={"version": "1"}, follow_redirects=True))

    assert "The token is new." in post()
    assert "already replaced" in post()
    cast.settle()
    assert cast.program.postback_token_version == 2


def test_a_website_is_confirmed_and_taken_back(cast: Cast, mara: FlaskClient) -> None:
    form = {"url": "https://www.slowkitchen.example/about", "code": "ragu"}
    page = mara.post("/console/casa/tracking/sites", data=form, follow_redirects=True)
    assert "slowkitchen.example" in page.text
    assert 'data-sites="yes"' in text_of(mara.get("/console/casa/tracking"))
    again = mara.post("/console/casa/tracking/sites", data=form, follow_redirects=True)
    assert "count for a link already" in text_of(again)
    withdraw = re.findall(r'action="([^"]+/withdraw)"', page.text)[0]
    assert "count for nobody" in text_of(mara.post(withdraw, follow_redirects=True))
    assert "slowkitchen.example" not in mara.get("/console/casa/tracking/more").text


def test_a_website_without_a_link_of_the_program_is_refused(cast: Cast, mara: FlaskClient) -> None:
    make_link(cast.session, program=cast.other, partner=cast.partner, code="foreign")
    cast.session.commit()
    for code in ("foreign", "", "nobody"):
        page = mara.post(
            "/console/casa/tracking/sites", data={"url": "https://a.example", "code": code}, follow_redirects=True
        )
        assert "There is no link with this code" in text_of(page)


def test_the_own_browser_is_led_to_the_tracking_host_and_left_out(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    app.extensions["affiliate_tracker"].directory.start()
    response = mara.post("/console/casa/tracking/team")
    address = response.headers["Location"]
    assert (response.status_code, urlsplit(address).path) == (303, "/t/team")
    marked = mara.get(f"/t/team?{urlsplit(address).query}")
    assert "Clicks from this browser do not count" in text_of(marked)
    assert "aff_team_casa=" in marked.headers["Set-Cookie"]
