"""The account page: name, language, time zone, and the ways to everything else."""

import sqlalchemy as sa
from accounts_cast import read, sign_in
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent, User

PROFILE = {"name": "  Alice   Meadow ", "locale": "it", "time_zone": "Europe/Rome"}


def test_a_person_sets_name_language_and_zone(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    assert client.post("/account/", data=PROFILE).location == "/account/"
    (stored,) = read(app_session, sa.select(User))
    assert (stored.name, stored.locale, stored.time_zone) == ("Alice Meadow", "it", "Europe/Rome")
    assert read(app_session, sa.select(AuditEvent.action)) == ["user.update"]
    page = client.get("/account/", headers={"Accept-Language": "pl"}).text
    assert '<html lang="it">' in page
    assert "Alice Meadow" in page


def test_an_empty_choice_leaves_it_to_the_browser(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    client.post("/account/", data=PROFILE)
    client.post("/account/", data={"name": "Alice", "locale": "", "time_zone": ""})
    (stored,) = read(app_session, sa.select(User))
    assert (stored.locale, stored.time_zone) == (None, None)
    assert '<html lang="pl">' in client.get("/account/", headers={"Accept-Language": "pl"}).text


def test_what_cannot_be_is_refused_in_its_place(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    for wrong in ({"name": " "}, {"name": "x" * 121}, {"locale": "xx"}, {"time_zone": "Mars/Olympus"}):
        answer = client.post("/account/", data=PROFILE | wrong)
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in answer.text
    assert read(app_session, sa.select(User.name)) == ["Alice Example"]


def test_a_name_is_text_never_markup(client: FlaskClient, alice: User) -> None:
    sign_in(client, alice)
    client.post("/account/", data=PROFILE | {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/account/").text


def test_the_account_page_needs_few_queries(client: FlaskClient, alice: User, count_queries: object) -> None:
    sign_in(client, alice)
    with count_queries() as queries:
        client.get("/account/")
    assert len(queries) <= 3
