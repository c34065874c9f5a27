"""Who may call which route: nobody, people, partners, managers and keys, each against what is theirs and what is not."""

from datetime import UTC, datetime, timedelta

import factories
import pytest
from accounts_cast import give, make_person, sign_in
from flask import Flask
from flask.testing import FlaskClient
from flask.views import MethodView
from sqlalchemy.orm import Session

from affiliate.accounts import access, service
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import ApiKey, GrantRole, User
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program


@pytest.mark.parametrize("path", ["/portal/one/probe", "/console/one/probe", "/console/nowhere/probe", "/account/"])
def test_nobody_is_led_to_the_door_and_back(client: FlaskClient, one: Program, path: str) -> None:
    answer = client.get(f"{path}?page=2")
    assert (answer.status_code, answer.location) == (302, f"/login?next={path}?page%3D2")


def test_nobody_who_posts_comes_back_to_the_page_of_the_form(client: FlaskClient, one: Program) -> None:
    answer = client.post("/console/one/probe", headers={"Referer": "http://localhost/console/one/page"})
    assert answer.location == "/login?next=/console/one/page"
    assert client.post("/console/one/probe", headers={"Referer": "http://evil.example/x"}).location == "/login?next=/"


def test_a_part_of_a_page_leads_the_whole_page_to_the_door(client: FlaskClient, one: Program) -> None:
    answer = client.get("/console/one/probe", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login?next=/console/one/probe")


def test_a_manager_of_one_program_finds_nothing_in_another(
    client: FlaskClient, app_session: Session, alice: User, one: Program, other: Program
) -> None:
    give(app_session, alice, GrantRole.MANAGER, one)
    sign_in(client, alice)
    answer = client.get("/console/one/probe")
    assert answer.get_json()["actor"] == ["user", str(alice.id)]
    assert answer.get_json()["roles"] == ["manager"]
    for path in ("/console/other/probe", "/console/nowhere/probe", "/console/probe", "/portal/one/probe"):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [(GrantRole.FINANCE, 200), (GrantRole.ADMIN, 200), (GrantRole.MANAGER, 404), (GrantRole.PARTNER, 404)],
)
def test_a_role_opens_what_is_declared_for_it_and_admin_opens_all(
    client: FlaskClient, one: Program, app_session: Session, role: GrantRole, status: int
) -> None:
    alice = make_person(app_session, "Alice")
    give(app_session, alice, role)  # in all programs
    sign_in(client, alice)
    assert client.get("/console/one/money").status_code == status


def test_what_concerns_all_programs_needs_a_grant_for_all(
    client: FlaskClient, app_session: Session, alice: User, bob: User, one: Program
) -> None:
    give(app_session, alice, GrantRole.ADMIN, one)
    give(app_session, bob, GrantRole.ADMIN)
    sign_in(client, alice)
    assert client.get("/console/probe").status_code == 404
    client.post("/logout")
    sign_in(client, bob)
    assert client.get("/console/probe").status_code == 200


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (EnrollmentStatus.APPROVED, 200),
        (EnrollmentStatus.PENDING, 200),
        (EnrollmentStatus.PAUSED, 200),
        (EnrollmentStatus.REJECTED, 404),
        (EnrollmentStatus.BANNED, 404),
    ],
)
def test_a_partner_sees_the_portal_of_programs_it_is_in_and_no_console(
    client: FlaskClient, app_session: Session, one: Program, status: EnrollmentStatus, expected: int
) -> None:
    alice = make_person(app_session, "Alice")
    factories.make_partner(app_session, program=one, user=alice, status=status, name="Otter Blog")
    factories.make_program(app_session, slug="other")
    app_session.commit()
    sign_in(client, alice)
    answer = client.get("/portal/one/probe")
    assert answer.status_code == expected
    assert expected != 200 or answer.get_json()["partner"] == "Otter Blog"
    assert client.get("/portal/other/probe").status_code == 404
    assert client.get("/console/one/probe").status_code == 404


def test_what_moves_money_asks_for_the_password_again_after_a_while(
    client: FlaskClient, app_session: Session, alice: User, one: Program
) -> None:
    give(app_session, alice, GrantRole.FINANCE, one)
    sign_in(client, alice)
    assert client.get("/console/one/money").status_code == 200
    with client.session_transaction() as cookie:
        cookie["fs_paa"] -= access.FRESH_FOR.total_seconds() + 1
        cookie.pop("fs_gexp")
    answer = client.get("/console/one/money")
    assert answer.location == "/verify?next=/console/one/money"
    again = client.post(
        answer.location, data={"password": "four pale otters in the rain", "next": "/console/one/money"}
    )
    assert again.location == "/console/one/money"
    assert client.get("/console/one/money").status_code == 200


def make_key(
    session: Session, program: Program, *scopes: str, is_test: bool = False, revoked: bool = False
) -> tuple[ApiKey, dict[str, str]]:
    """A key of the program, and the headers of a request with it."""
    person = make_person(session, "Carla")
    actor, now = Actor(kind="user", id=person.id), datetime.now(UTC)
    key, secret = service.create_api_key(
        session, program_id=program.id, name="Shop", scopes=scopes, is_test=is_test, actor=actor, now=now
    )
    if revoked:
        service.revoke_api_key(session, key_id=key.id, program_id=program.id, actor=actor, now=now)
    session.commit()
    return key, {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_key_with_the_scope_may_call_and_says_whether_it_is_a_test_key(
    client: FlaskClient, app_session: Session, one: Program, kind: str
) -> None:
    key, headers = make_key(app_session, one, "conversions:write", is_test=kind == "test")
    for answer in (client.get("/api/v1/probe", headers=headers), client.post("/api/v1/probe", headers=headers)):
        assert answer.get_json()["actor"] == ["key", str(key.id)]
        assert answer.get_json()["is_test"] is (kind == "test")


def test_a_key_without_the_scope_is_told_which_one_it_needs(
    client: FlaskClient, app_session: Session, one: Program
) -> None:
    _, headers = make_key(app_session, one, "conversions:read")
    answer = client.get("/api/v1/probe", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")
    assert "conversions:write" in answer.get_json()["message"]


def test_an_admin_key_has_every_scope(client: FlaskClient, app_session: Session, one: Program) -> None:
    _, headers = make_key(app_session, one, "admin")
    assert client.get("/api/v1/probe", headers=headers).status_code == 200


def test_without_a_good_key_the_api_answers_401(client: FlaskClient, app_session: Session, one: Program) -> None:
    _, revoked = make_key(app_session, one, "conversions:write", revoked=True)
    wrong = (
        {},
        revoked,
        {"Authorization": "Bearer aff_live_made-up"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer "},
    )
    for headers in wrong:
        answer = client.get("/api/v1/probe", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_person_is_no_key(client: FlaskClient, app_session: Session, alice: User, one: Program) -> None:
    give(app_session, alice, GrantRole.ADMIN)
    sign_in(client, alice)
    assert client.get("/api/v1/probe").status_code == 401


def test_the_use_of_a_key_is_noted_also_by_a_request_that_only_reads(
    client: FlaskClient, app_session: Session, one: Program
) -> None:
    key, headers = make_key(app_session, one, "conversions:write")
    client.get("/api/v1/probe", headers=headers)
    app_session.refresh(key)
    first = key.last_used_at
    assert first is not None
    client.get("/api/v1/probe", headers=headers)
    app_session.refresh(key)
    assert key.last_used_at == first  # within a minute it is not written again
    key.last_used_at = first - timedelta(minutes=2)
    app_session.commit()
    client.get("/api/v1/probe", headers=headers)
    app_session.refresh(key)
    assert key.last_used_at > first - timedelta(minutes=1)


def test_a_route_that_declares_nothing_is_refused(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")
    with pytest.raises(RuntimeError, match="forgotten does not declare"):
        client.get("/forgotten")


def test_each_method_of_a_class_declares_for_itself(app: Flask, client: FlaskClient) -> None:
    class Thing(MethodView):
        @access.public
        def get(self) -> str:
            return "seen"

        @access.signed_in
        def post(self) -> str:
            return "changed"

    app.add_url_rule("/thing", view_func=Thing.as_view("thing"))
    assert client.get("/thing").data == b"seen"
    assert client.head("/thing").status_code == 200
    assert client.options("/thing").status_code == 200
    assert client.post("/thing").location.startswith("/login")


def test_a_second_declaration_is_a_mistake() -> None:
    @access.public
    def view() -> None:
        """Open to all."""

    with pytest.raises(TypeError):
        access.signed_in(view)


def test_a_key_cannot_ask_for_a_scope_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="unknown scope"):
        access.key("conversions:delete")


def test_what_was_made_for_one_caller_is_kept_by_nobody(client: FlaskClient, alice: User) -> None:
    assert "no-store" not in client.get("/healthz").headers.get("Cache-Control", "")
    sign_in(client, alice)
    for path in ("/account/", "/healthz"):  # a page that is open to all may hold the name of who is signed in
        assert client.get(path).headers["Cache-Control"] == "private, no-store"
