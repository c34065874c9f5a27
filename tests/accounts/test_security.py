"""Sign-in, sign-out, forgotten and changed passwords, second factor, as a browser without JavaScript sees them."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from accounts_cast import PASSWORD, give, is_signed_in, make_person, read, sign_in
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from affiliate import clock, mailer
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.app import create_app
from affiliate.mailer import OutboxMail
from affiliate.settings import Settings

NEW_PASSWORD = "nine quiet herons under a bridge"
WRONG = "The e-mail address or the password is wrong."


class Sink:
    """An SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch, app: Flask) -> Iterator[Sink]:
    """A real mail server, named in the settings of this process."""
    from affiliate import settings

    sink = Sink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("AFFILIATE_SMTP_URL", f"smtp://127.0.0.1:{port}")
    settings.current.cache_clear()
    yield sink
    controller.stop()


def actions(session: Session) -> list[str]:
    """The audit trail in order."""
    return read(session, sa.select(AuditEvent.action).order_by(AuditEvent.id))


def letters(session: Session) -> list[OutboxMail]:
    """The mails in the outbox."""
    return read(session, sa.select(OutboxMail).order_by(OutboxMail.id))


def stored(session: Session, person: User) -> User:
    """The person as the tables have them now."""
    return read(session, sa.select(User).where(User.id == person.id))[0]


def page_of(answer: TestResponse) -> str:
    """What two people would compare: without the token of the form, as if for one address."""
    return re.sub(r'(name="csrf_token"[^>]*value=")[^"]*', r"\1", answer.text).replace("nobody", "alice")


def test_a_person_signs_in_and_out_again(client: FlaskClient, alice: User) -> None:
    assert client.get("/login").status_code == 200
    assert sign_in(client, alice).location == "/welcome"
    assert is_signed_in(client)
    assert client.post("/logout").location == "/login"
    assert not is_signed_in(client)


def test_the_address_may_be_typed_in_any_case(client: FlaskClient, alice: User) -> None:
    client.post("/login", data={"email": " Alice@EXAMPLE.test", "password": PASSWORD})
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: FlaskClient, alice: User) -> None:
    wrong = sign_in(client, alice, password="not the password at all")
    unknown = client.post("/login", data={"email": "nobody@example.test", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 200
    texts = [page_of(answer) for answer in (wrong, unknown)]
    assert WRONG in texts[0]
    assert texts[0] == texts[1]
    assert not is_signed_in(client)


@pytest.mark.parametrize(("field", "value"), [("password", ""), ("email", ""), ("email", "no address")])
def test_an_incomplete_form_is_answered_with_the_form(client: FlaskClient, alice: User, field: str, value: str) -> None:
    answer = client.post("/login", data={"email": alice.email, "password": PASSWORD} | {field: value})
    assert answer.status_code == 200
    assert WRONG in answer.text


def test_a_closed_account_does_not_open(client: FlaskClient, app_session: Session, alice: User) -> None:
    sign_in(client, alice)
    alice.active = False
    app_session.commit()
    assert not is_signed_in(client)
    sign_in(client, alice)
    assert not is_signed_in(client)


def test_who_has_a_console_lands_there_and_everybody_else_in_the_portal(
    client: FlaskClient, app_session: Session, alice: User, bob: User
) -> None:
    give(app_session, alice, GrantRole.MANAGER)
    for person, home in ((alice, "/console/"), (bob, "/portal/")):
        sign_in(client, person)
        assert client.get("/welcome").location == home
        client.post("/logout")


def test_the_way_back_after_sign_in_stays_on_this_site(client: FlaskClient, alice: User) -> None:
    assert sign_in(client, alice, next="/account/?a=1").location == "/account/?a=1"
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
    ):
        client.post("/logout")
        location = sign_in(client, alice, next=elsewhere).location or "/login"
        assert re.match(r"/(welcome|login|%5C[a-z.]*)$", location), location


def test_the_door_speaks_the_reader_s_language(client: FlaskClient) -> None:
    assert 'lang="pl"' in client.get("/login", headers={"Accept-Language": "pl"}).text
    assert "no-store" in client.get("/login").headers["Cache-Control"]


def test_forms_carry_a_token_and_are_refused_without(app: Flask, client: FlaskClient, alice: User) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert sign_in(client, alice).status_code == 400
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert found
    assert sign_in(client, alice, csrf_token=found[1]).location == "/welcome"
    assert client.post("/logout").status_code == 400
    assert is_signed_in(client)


def reset_address(text: str) -> str:
    """The path of the link in a mail."""
    found = re.search(r"http://localhost(/reset/\S+)", text)
    assert found, text
    return found[1]


def test_a_forgotten_password_is_replaced_by_a_mail_that_really_arrives(
    client: FlaskClient, app_session: Session, alice: User, sink: Sink
) -> None:
    asked = client.post("/reset", data={"email": alice.email}, headers={"Host": "evil.example"})
    assert asked.status_code == 200
    assert mailer.send_due() == 1
    (mail,) = sink.messages
    assert mail["To"] == "alice@example.test"
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    link = reset_address(text)  # on our own address, whatever host the request named
    assert link in html
    assert client.get(link).status_code == 200
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    done = client.post(link, data={"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD})
    assert done.location == "/login"
    assert not is_signed_in(other_browser)
    assert sign_in(client, alice).status_code == 200  # the old password is refused
    assert sign_in(client, alice, password=NEW_PASSWORD).location == "/welcome"
    assert "user.reset_password" in actions(app_session)
    assert mailer.send_due() == 1
    assert sink.messages[-1]["Subject"] == "Your password was changed"


def test_a_reset_link_works_once(client: FlaskClient, app_session: Session, alice: User) -> None:
    client.post("/reset", data={"email": alice.email})
    link = reset_address(letters(app_session)[0].body_text)
    new = {"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD}
    assert client.post(link, data=new).location == "/login"
    assert client.post(link, data=new).location == "/reset"
    assert client.get(link).location == "/reset"
    assert client.get("/reset/made-up").location == "/reset"


def test_nobody_learns_from_the_reset_page_who_has_an_account(
    client: FlaskClient, app_session: Session, alice: User
) -> None:
    answers = [client.post("/reset", data={"email": email}) for email in (alice.email, "nobody@example.test")]
    texts = [page_of(answer) for answer in answers]
    assert texts[0] == texts[1]
    assert "a mail with a link is on its way" in texts[0]
    assert [mail.recipient for mail in letters(app_session)] == [alice.email]


def test_the_mail_speaks_the_language_of_the_person_not_of_the_browser(
    client: FlaskClient, app_session: Session, alice: User
) -> None:
    alice.locale = "it"
    app_session.commit()
    client.post("/reset", data={"email": alice.email}, headers={"Accept-Language": "pl"})
    assert '<html lang="it">' in str(letters(app_session)[0].body_html)


@pytest.mark.parametrize(
    ("new", "again", "message"),
    [
        ("short", "short", "Use at least 15 characters"),
        ("alice@example.test", "alice@example.test", "easy to guess"),
        (NEW_PASSWORD, "something else entirely", "The two passwords are not the same."),
        ("x" * 129, "x" * 129, "Use at most 128 characters"),
        (PASSWORD, PASSWORD, "The new password is the old one."),
    ],
)
def test_a_bad_new_password_is_refused_with_its_reason(
    client: FlaskClient, alice: User, new: str, again: str, message: str
) -> None:
    sign_in(client, alice)
    answer = client.post("/change", data={"password": PASSWORD, "new_password": new, "new_password_confirm": again})
    assert answer.status_code == 200
    assert message in answer.text


def test_a_changed_password_keeps_this_browser_and_signs_the_others_out(
    client: FlaskClient, app_session: Session, alice: User
) -> None:
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    sign_in(client, alice)
    new = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}
    assert client.post("/change", data={"password": "wrong", **new}).status_code == 200
    assert client.post("/change", data={"password": PASSWORD, **new}).location == "/account/"
    assert is_signed_in(client)
    assert not is_signed_in(other_browser)
    assert "user.change_password" in actions(app_session)
    assert [mail.subject for mail in letters(app_session)] == ["Your password was changed"]


def switch_second_factor_on(client: FlaskClient) -> pyotp.TOTP:
    """What a person with a phone does on the set-up page."""
    page = client.post("/tf-setup", data={"setup": "authenticator"}).text
    key = re.search(r'id="key"[^>]*value="([^"]+)"', page)
    action = re.search(r'action="(/tf-setup/[^"]+)"', page)
    assert key
    assert action
    assert "data:image/svg+xml" in page
    phone = pyotp.TOTP(key[1].replace("-", "").replace(" ", ""))
    assert client.post(action[1], data={"code": phone.at(clock.now())}).location == "/account/"
    return phone


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """A clock that tests move: codes change every 30 seconds, and a used one does not work again."""
    with time_machine.travel("2026-11-16T12:00:00Z", tick=False) as traveller:
        yield traveller


def test_with_a_second_factor_the_password_alone_opens_nothing(
    client: FlaskClient, app_session: Session, alice: User, time: time_machine.Traveller
) -> None:
    other_browser = client.application.test_client()
    sign_in(other_browser, alice)
    sign_in(client, alice)
    phone = switch_second_factor_on(client)
    assert is_signed_in(client)
    assert not is_signed_in(other_browser)
    client.post("/logout")
    time.shift(timedelta(seconds=30))
    assert sign_in(client, alice, next="/account/").location == "/tf-validate?next=/account/"
    assert not is_signed_in(client)
    wrong = client.post("/tf-validate", data={"code": "000000"})
    assert "This code is wrong, used or too old." in wrong.text
    assert not is_signed_in(client)
    right = phone.at(clock.now())
    assert client.post("/tf-validate?next=/account/", data={"code": right}).location == "/account/"
    assert is_signed_in(client)
    assert "user.set_second_factor" in actions(app_session)
    assert stored(app_session, alice).tf_totp_secret not in {None, phone.secret}


def test_who_came_for_nothing_in_particular_is_asked_for_the_code_too(
    client: FlaskClient, alice: User, time: time_machine.Traveller
) -> None:
    sign_in(client, alice)
    phone = switch_second_factor_on(client)
    client.post("/logout")
    time.shift(timedelta(seconds=30))
    door = sign_in(client, alice).location
    assert client.get(door).status_code == 200
    assert client.post(door, data={"code": phone.at(clock.now())}).status_code == 302
    assert is_signed_in(client)


def test_a_code_works_once(client: FlaskClient, alice: User, time: time_machine.Traveller) -> None:
    sign_in(client, alice)
    phone = switch_second_factor_on(client)
    client.post("/logout")
    time.shift(timedelta(seconds=30))
    code = phone.at(clock.now())
    thief = client.application.test_client()
    for browser, expected in ((client, True), (thief, False)):
        sign_in(browser, alice)
        browser.post("/tf-validate", data={"code": code})
        assert is_signed_in(browser) is expected


def test_a_recovery_code_stands_in_for_the_phone_once(
    client: FlaskClient, app_session: Session, alice: User, time: time_machine.Traveller
) -> None:
    sign_in(client, alice)
    switch_second_factor_on(client)
    page = client.post("/mf-recovery-codes", data={"generate_new_codes": "1"}).text
    codes = re.findall(r"<li>([0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})</li>", page)
    assert len(codes) == 10
    assert codes[0] not in str(stored(app_session, alice).mf_recovery_codes)
    client.post("/logout")
    for code, expected in ((codes[3], True), (codes[3], False), (codes[4], True), ("made-upup-code", False)):
        sign_in(client, alice)
        assert client.get("/mf-recovery").status_code == 200
        client.post("/mf-recovery", data={"code": code})
        assert is_signed_in(client) is expected
        client.post("/logout")
    assert len(stored(app_session, alice).mf_recovery_codes or []) == 8
    assert sorted(actions(app_session)) == [  # the clock stands still, so their order is open
        "user.make_recovery_codes",
        "user.set_second_factor",
        "user.use_recovery_code",
        "user.use_recovery_code",
    ]


def test_the_second_factor_is_switched_off_by_who_knows_the_password(
    client: FlaskClient, app_session: Session, alice: User, time: time_machine.Traveller
) -> None:
    sign_in(client, alice)
    switch_second_factor_on(client)
    assert "The second factor is on." in client.get("/tf-setup").text
    with client.session_transaction() as cookie:
        cookie["fs_paa"] -= 3600
        cookie.pop("fs_gexp")
    assert client.post("/tf-setup", data={"setup": "disable"}).location == "/verify?next=/tf-setup"
    client.post("/verify", data={"password": PASSWORD})
    assert client.post("/tf-setup", data={"setup": "disable"}).location == "/account/"
    assert stored(app_session, alice).tf_primary_method is None
    assert "user.disable_second_factor" in actions(app_session)


def test_a_code_page_without_a_password_before_leads_to_the_door(client: FlaskClient) -> None:
    for path in ("/tf-validate", "/mf-recovery"):
        assert client.get(path).location == "/login"
    assert client.get("/tf-rescue").location == "/mf-recovery"
    assert client.get("/tf-setup").location == "/login?next=/tf-setup"


def test_json_is_not_a_second_way_in(client: FlaskClient, alice: User) -> None:
    answer = client.post("/login?include_auth_token", json={"email": alice.email, "password": PASSWORD})
    assert answer.content_type.startswith("text/html")


def test_a_person_without_a_password_cannot_sign_in_until_one_is_set(client: FlaskClient, app_session: Session) -> None:
    carla = make_person(app_session, "Carla")
    carla.password = None
    app_session.commit()
    assert WRONG in sign_in(client, carla, password=PASSWORD).text
    client.post("/reset", data={"email": carla.email})
    link = reset_address(letters(app_session)[0].body_text)
    client.post(link, data={"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD})
    sign_in(client, carla, password=NEW_PASSWORD)
    assert is_signed_in(client)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_recovery_code_used_twice_at_the_same_moment_works_once(settings: Settings, engine: sa.Engine) -> None:
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    with Session(engine, expire_on_commit=False) as session:
        alice = make_person(session, "Alice")
        sign_in(client, alice)
        switch_second_factor_on(client)
        page = client.post("/mf-recovery-codes", data={"generate_new_codes": "1"}).text
        code = re.findall(r"<li>([0-9a-f-]{14})</li>", page)[0]
        client.post("/logout")
        sign_in(client, alice)
        # Another request holds the person and uses the code up; ours comes to the same place and has to wait.
        held = session.get_one(User, alice.id, populate_existing=True, with_for_update=True)
        held.mf_recovery_codes = []
        late = threading.Thread(target=lambda: client.post("/mf-recovery", data={"code": code}))
        late.start()
        waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
            while watch.scalar(waiting) == 0:
                assert late.is_alive()
        session.commit()
        late.join()
    assert not is_signed_in(client)
