"""Who a partner is and where it promotes, as its people say it anew."""

from typing import Any

import pytest
from factories import make_application
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate.partners.models import Partner

PAGE = "/portal/casa/settings/profile"
GOOD = {
    "name": "  Slow\n Kitchen ", "website": "slow.example", "country": "IT",
    "channels-kind": ["instagram", "no kind", ""], "channels-address": ["@slow", "A <b>list</b>", ""],
    "channels-people": ["2.400", "", ""],
}  # fmt: skip


def save(browser: FlaskClient, **form: Any) -> Any:
    return browser.post(PAGE, data=GOOD | form, follow_redirects=True)


def stored(session: Session, cast: Cast) -> Partner:
    found = session.get_one(Partner, cast.partner.id, populate_existing=True)
    session.commit()
    return found


def test_a_profile_is_saved_and_shown_with_its_channels_as_text(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    page = save(marta).text
    assert "A &lt;b&gt;list&lt;/b&gt;" in page
    assert 'value="2400"' in page
    found = stored(app_session, cast)
    assert (found.name, found.website, found.country) == ("Slow Kitchen", "https://slow.example", "IT")
    assert found.channels == [
        {"kind": "instagram", "address": "@slow", "people": 2400},
        {"kind": "other", "address": "A <b>list</b>", "people": None},
    ]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": " "}, "Write the name of your site"),
        ({"website": "javascript://alert(1)"}, "Write the whole address"),
        ({"country": "XX"}, "Not a valid choice"),
        ({"channels-people": ["many", "", ""]}, "as a number"),
        ({"channels-address": ["", "B", ""]}, "the address or the name of each place"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_stays_typed(
    marta: FlaskClient, app_session: Session, cast: Cast, form: dict[str, Any], sentence: str
) -> None:
    answer = save(marta, **form)
    assert answer.status_code == 422
    assert sentence.lower() in answer.text.lower()
    assert 'value="many"' in answer.text if "channels-people" in form else True
    assert stored(app_session, cast).channels == []


def test_the_channels_of_the_application_stand_there_first(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    application = make_application(app_session, program=cast.program, partner=cast.partner, user=cast.person)
    application.answers = {"channels": [{"kind": "youtube", "address": "youtube.example/slow", "people": 900}]}
    app_session.commit()
    page = marta.get(PAGE).text
    assert 'value="youtube.example/slow"' in page
    assert 'value="900"' in page
