"""A program's own host answers with its pages; what a stranger's request calls us gets into no address."""

from datetime import datetime

import factories
import pytest
import sqlalchemy as sa
from accounts_cast import PASSWORD, make_person
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.mailer import OutboxMail
from affiliate.programs import domains
from affiliate.programs.models import Program, ProgramStatus
from affiliate.settings import Settings

HOST = "partners.shop.example"
OWN = f"http://{HOST}"
AT_HOME = {"base_url": OWN}
ELSEWHERE = {"base_url": "http://evil.example"}


@pytest.fixture
def program(app_session: Session) -> Program:
    """A live program with a proved host, beside another one."""
    factories.make_program(app_session, slug="other", status=ProgramStatus.LIVE)
    made = factories.make_program(app_session, slug="ondera", status=ProgramStatus.LIVE, own_host=HOST)
    app_session.commit()
    return made


def test_the_host_leads_to_its_program_and_others_to_theirs(
    program: Program, client: FlaskClient, sqlite_settings: Settings
) -> None:
    base = sqlite_settings.base_url
    assert client.get("/", **AT_HOME).location == "/p/ondera"
    assert client.get("/portal/", **AT_HOME).location == "/portal/ondera/"
    assert client.get("/p/ondera", **AT_HOME).status_code == 200
    assert client.get("/p/other?lang=it", **AT_HOME).location == f"{base}/p/other?lang=it"
    assert client.get("/console/other/", **AT_HOME).location == f"{base}/console/other/"
    assert client.get("/", **ELSEWHERE).status_code == 200  # nobody's host: as it was


def test_the_picture_of_a_mail_needs_no_database_at_a_programs_host(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT", None, Exception("database is away"))

    monkeypatch.setattr(domains, "program_at", away)
    assert client.get("/n/opened/x", **AT_HOME).mimetype == "image/gif"


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 64}.example"])
def test_a_host_that_no_address_can_have_is_a_bad_request(client: FlaskClient, host: str) -> None:
    assert client.get("/", environ_overrides={"HTTP_HOST": host}).status_code == 400


def test_the_page_names_its_own_host_and_never_a_strangers(program: Program, client: FlaskClient) -> None:
    for asked in (AT_HOME, ELSEWHERE):
        page = client.get("/p/ondera", **asked).text
        assert f'href="{OWN}/p/ondera' in page
        assert '"http://evil.example' not in page
    assert HOST not in client.get("/p/other").text


def test_a_password_is_reset_at_the_installation_whatever_host_was_asked(
    program: Program, client: FlaskClient, app_session: Session, sqlite_settings: Settings
) -> None:
    factories.make_user(app_session, email="marta@example.test")
    app_session.commit()
    for asked in (AT_HOME, ELSEWHERE, {}):
        assert client.post("/reset", data={"email": "marta@example.test"}, **asked).status_code in {200, 302}
    mails = app_session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)).all()
    # Whoever manages a program has its host in hand: a link there would give them anybody's account.
    assert [f"{sqlite_settings.base_url}/reset/" in mail.body_text for mail in mails] == [True, True, True]
    assert not any(HOST in mail.body_text or "evil" in mail.body_text for mail in mails)


def test_a_certificate_may_be_asked_for_a_host_that_is_had_or_wanted(
    program: Program, client: FlaskClient, app_session: Session, sqlite_settings: Settings, now: datetime
) -> None:
    domains.claim(app_session, program=program, typed="new.shop.example", actor=SYSTEM, now=now)
    app_session.commit()
    for host, status in ((HOST, 200), ("NEW.shop.example.", 200), ("evil.example", 404), ("", 404), ("127.0.0.1", 200)):
        assert client.get("/hosts/ask", query_string={"domain": host}).status_code == status, host
    shown = client.get(domains.PROOF_PATH, base_url="http://new.shop.example")
    secret = sqlite_settings.secret_key
    assert shown.text == domains.proof(secret, program_id=program.id, host="new.shop.example")
    assert client.get(domains.PROOF_PATH, **ELSEWHERE).status_code == 404


def test_who_signs_in_at_a_host_is_signed_in_there_alone(
    program: Program, client: FlaskClient, app_session: Session
) -> None:
    user = make_person(app_session, "Marta")
    partner = factories.make_partner(app_session, program=program, user=user)
    factories.make_link(app_session, program=program, partner=partner, code="ragu")
    app_session.commit()
    typed = {"email": user.email, "password": PASSWORD}
    signed_in = client.post("/login", data=typed, **AT_HOME)
    assert signed_in.status_code == 302
    assert client.get("/portal/ondera/", **AT_HOME).status_code == 200
    assert f"{HOST}/r/ragu" in client.get("/portal/ondera/links", **AT_HOME).text
    assert client.get("/portal/ondera/", **ELSEWHERE).status_code == 302  # to sign in
    away = client.post("/login?next=https://evil.example/", data=typed, **AT_HOME)
    assert "evil" not in (away.location or "")
