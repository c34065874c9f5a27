"""A session is a row: a cookie is worth nothing once its row has ended."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from accounts_cast import PASSWORD, is_signed_in, read, sign_in
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole, User, UserSession


def rows(session: Session) -> list[UserSession]:
    """All sessions, oldest first."""
    return read(session, sa.select(UserSession).order_by(UserSession.id))


def copy_cookie(client: FlaskClient) -> FlaskClient:
    """Another browser with a stolen cookie."""
    thief = client.application.test_client()
    cookie = client.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    return thief


def test_a_copied_cookie_does_not_survive_sign_out(client: FlaskClient, alice: User) -> None:
    sign_in(client, alice)
    thief = copy_cookie(client)
    assert is_signed_in(thief)
    client.post("/logout")
    assert not is_signed_in(thief)


def test_a_sign_in_is_a_row_that_names_the_browser_and_ends_with_the_sign_out(
    client: FlaskClient, app_session: Session, alice: User
) -> None:
    client.post(
        "/login",
        data={"email": alice.email, "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"},
    )
    (row,) = rows(app_session)
    assert (row.user_id, row.device, row.ended_at) == (alice.id, "Firefox, Linux", None)
    assert row.expires_at - row.created_at == service.SESSION_TERM
    client.post("/logout")
    (row,) = rows(app_session)
    assert row.ended_at is not None


def test_the_cookie_stays_as_long_as_the_row_and_is_for_the_server_alone(client: FlaskClient, alice: User) -> None:
    cookie = sign_in(client, alice).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires=" in cookie


def test_an_expired_session_is_signed_out(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    app_session.execute(sa.update(UserSession).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    app_session.commit()
    assert not is_signed_in(client)


def test_a_session_that_never_was_is_signed_out(client: FlaskClient, alice: User) -> None:
    sign_in(client, alice)
    for made_up in (str(ids.new()), "not an id", 7):
        with client.session_transaction() as cookie:
            before = cookie["sid"]
            cookie["sid"] = made_up
        assert not is_signed_in(client)
        with client.session_transaction() as cookie:
            cookie["sid"] = before
    assert is_signed_in(client)


def test_the_row_of_another_person_does_not_count(client: FlaskClient, alice: User, bob: User) -> None:
    sign_in(client, bob)
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    with client.session_transaction() as bobs, other_browser.session_transaction() as alices:
        alices["sid"] = bobs["sid"]
    assert not is_signed_in(other_browser)


def test_a_new_right_ends_all_sessions(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    what = {"user_id": alice.id, "role": GrantRole.MANAGER, "program_id": None, "actor": SYSTEM}
    service.grant(app_session, **what, now=datetime.now(UTC))
    app_session.commit()
    assert not is_signed_in(client)


def test_one_browser_can_be_signed_out_from_another(client: FlaskClient, app_session: Session, alice: User) -> None:
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    (lost,) = rows(app_session)
    sign_in(client, alice)
    page = client.get("/account/").text
    assert f"/account/sessions/{lost.id}/end" in page
    assert client.post(f"/account/sessions/{lost.id}/end").location == "/account/"
    assert is_signed_in(client)
    assert not is_signed_in(other_browser)


def test_the_session_of_somebody_else_is_not_there(
    client: FlaskClient, app_session: Session, alice: User, bob: User
) -> None:
    other_browser = client.application.test_client()
    sign_in(other_browser, bob)
    (bobs,) = rows(app_session)
    sign_in(client, alice)
    for target in (bobs.id, ids.new(), UUID(int=0)):
        assert client.post(f"/account/sessions/{target}/end").status_code == 404
    assert is_signed_in(other_browser)


def test_signing_out_everywhere_ends_this_browser_too(client: FlaskClient, alice: User) -> None:
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    sign_in(client, alice)
    assert client.post("/account/sessions/end").location == "/login"
    assert not is_signed_in(client)
    assert not is_signed_in(other_browser)


def test_remember_me_sets_no_second_cookie(client: FlaskClient, alice: User) -> None:
    sign_in(client, alice, remember="y")
    with client.session_transaction() as cookie:
        cookie.pop("sid")
    assert not is_signed_in(client)


def test_a_page_that_tells_of_a_failing_database_does_not_fail_itself(
    client: FlaskClient, app_session: Session, alice: User
) -> None:
    sign_in(client, alice)
    client.application.config["TESTING"] = False
    app_session.execute(sa.text("ALTER TABLE user_sessions RENAME TO lost"))
    app_session.commit()
    answer = client.get("/account/")
    assert answer.status_code == 500
    assert "</html>" in answer.text
