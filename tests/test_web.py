"""The web edge: transactions, errors in one shape, headers, languages."""

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask, Response, after_this_request
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import app as composition
from affiliate import errors, ids
from affiliate.accounts import access
from affiliate.partners.models import Partner
from affiliate.settings import Settings
from affiliate.web import orm, request_now


class Gone(errors.NotFound):
    """A test's own kind."""

    code = "gone_fishing"


def _probe() -> Blueprint:
    probe = Blueprint("probe", __name__)

    def add() -> None:
        orm.session.add(Partner(id=ids.new(), name="Added", created_at=request_now()))
        orm.session.flush()

    @probe.post("/api/probe/add")
    @access.public
    def stored() -> str:
        add()
        return "stored"

    @probe.post("/api/probe/refuse")
    @access.public
    def refused() -> str:
        add()
        raise errors.Invalid({"amount": ["Write 49.90."]})

    @probe.get("/api/probe/peek")
    @access.public
    def written_while_reading() -> str:
        add()
        return "never"

    @probe.get("/api/probe/<kind>")
    @access.public
    def raised(kind: str) -> str:
        raise {
            "gone": Gone("It left."),
            "busy": errors.Unavailable("Later."),
            "moved": errors.Conflict("Ada was faster."),
        }[kind]

    @probe.get("/probe/away")
    @access.public
    def away() -> str:
        raise sa.exc.OperationalError("BEGIN", {}, Exception("it is gone"))

    @probe.get("/probe/away-at-last")
    @access.public
    def away_at_last() -> str:
        @after_this_request
        def commit(_response: Response) -> Response:
            raise sa.exc.OperationalError("COMMIT", {}, Exception("it is gone"))

        return "done"

    @probe.get("/probe/page")
    @access.public
    def page() -> str:
        raise Gone("It left.")

    return probe


@pytest.fixture
def client(sqlite_settings: Settings) -> FlaskClient:
    app: Flask = composition.create_app(sqlite_settings)
    app.register_blueprint(_probe())
    app.config.update(WTF_CSRF_ENABLED=False)
    return app.test_client()


def names(session: Session) -> int:
    return session.query(Partner).count()


def test_a_view_that_answers_well_is_committed(client: FlaskClient, app_session: Session) -> None:
    assert client.post("/api/probe/add").status_code == 200
    assert names(app_session) == 1


def test_a_view_that_refuses_leaves_nothing_behind(client: FlaskClient, app_session: Session) -> None:
    answer = client.post("/api/probe/refuse")
    assert (answer.status_code, answer.json) == (
        422,
        {"code": "invalid", "message": "Some fields are wrong.", "errors": {"amount": ["Write 49.90."]}},
    )
    assert names(app_session) == 0


def test_the_database_refuses_a_write_in_a_safe_method(client: FlaskClient, app_session: Session) -> None:
    client.application.testing = False
    assert client.get("/api/probe/peek").status_code == 500
    assert names(app_session) == 0


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("gone", 404, "gone_fishing"), ("busy", 503, "unavailable"), ("moved", 409, "conflict")],
)
def test_a_domain_error_becomes_its_status(client: FlaskClient, kind: str, status: int, code: str) -> None:
    answer = client.get(f"/api/probe/{kind}")
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["code"] == code
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/api/probe/add")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.json is not None
    assert answer.json["code"] == "method_not_allowed"


def test_a_page_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/probe/page")
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert client.get("/no/such/page").status_code == 404


@pytest.mark.parametrize("path", ["/probe/away", "/probe/away-at-last"])
def test_a_database_that_is_away_is_told_of(client: FlaskClient, path: str) -> None:
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get(path)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "Back in a moment" in answer.text


def test_pages_forbid_inline_script_and_frames(client: FlaskClient) -> None:
    policy = client.get("/no/such/page").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_chosen_language_stays_and_leads_back(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "pl", "next": "/no/such/page"})
    assert answer.location == "/no/such/page"
    assert b'lang="pl"' in client.get("/no/such/page").data


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
def test_the_language_switch_leads_nowhere_else(client: FlaskClient, target: str) -> None:
    assert client.post("/language", data={"language": "it", "next": target}).location == "/"


def test_the_browsers_language_counts_until_one_is_chosen(client: FlaskClient) -> None:
    assert b'lang="it"' in client.get("/x", headers={"Accept-Language": "it-IT,it;q=0.9"}).data
    assert b'lang="en"' in client.get("/x", headers={"Accept-Language": "ja"}).data


@pytest.mark.parametrize(
    "target",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example", "/\r\nX: y"],
)
def test_the_language_switch_leads_to_our_own_pages_only(client: FlaskClient, target: str) -> None:
    assert client.post("/language", data={"language": "it", "next": target}).location == "/"
    assert client.post("/language", data={"language": "it", "next": "/p/casa?x=1"}).location == "/p/casa?x=1"


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "http://["]
)
def test_a_sign_in_that_would_lead_away_is_refused(client: FlaskClient, target: str) -> None:
    assert client.get("/login", query_string={"next": target}).status_code == 400
    assert client.post("/login", data={"email": "a@b.example", "password": "x", "next": target}).status_code == 400


def test_no_request_starts_a_thread_for_its_end(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coroutine among what ends a request costs a thread and an event loop each time."""
    client.get("/healthz")
    started: list[str] = []
    monkeypatch.setattr("threading.Thread.start", lambda thread: started.append(thread.name))
    assert client.get("/healthz").status_code == 200
    assert started == []
    assert [each.__name__ for each in app.teardown_appcontext_funcs].count("_close_sessions") == 1
