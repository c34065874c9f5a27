"""Guessing is slowed down by account and by address, also while Redis is away."""

import dataclasses
import io

import pytest
import redis
import time_machine
from accounts_cast import is_signed_in, sign_in
from factories import make_program
from flask import Flask
from flask.testing import FlaskClient
from flask_limiter import RequestLimit
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.app import create_app
from affiliate.joining.accepting import NONE
from affiliate.settings import Settings


def guess(client: FlaskClient, email: str, *, address: str = "198.51.100.7", times: int = 1) -> list[int]:
    """Wrong passwords from one address."""
    form = {"email": email, "password": "a wrong guess"}
    return [client.post("/login", data=form, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(times)]


def test_the_eleventh_wrong_password_of_an_account_has_to_wait_wherever_it_comes_from(
    client: FlaskClient, alice: User, bob: User
) -> None:
    for number in range(10):
        assert guess(client, alice.email, address=f"198.51.100.{number}") == [200]
    answer = client.post("/login", data={"email": "ALICE@example.test ", "password": "x"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "Too many tries" in answer.text
    assert sign_in(client, alice).status_code == 429  # the right password too: else the limit would tell it
    assert guess(client, "nobody@example.test", times=11) == [200] * 10 + [429]  # no account, same answer
    sign_in(client, bob)
    assert is_signed_in(client)


def test_right_passwords_do_not_count(client: FlaskClient, alice: User) -> None:
    for _ in range(12):
        assert sign_in(client, alice).location == "/welcome"
        client.post("/logout")


def test_an_address_that_tries_many_accounts_has_to_wait(client: FlaskClient) -> None:
    for number in range(30):
        assert guess(client, f"person{number}@example.test", address="203.0.113.5") == [200]
    assert guess(client, "another@example.test", address="203.0.113.5") == [429]
    assert guess(client, "another@example.test", address="203.0.113.6") == [200]


def test_a_network_of_one_customer_counts_as_one_address(client: FlaskClient) -> None:
    for number in range(30):
        assert guess(client, f"person{number}@example.test", address=f"2001:db8:0:1::{number:x}") == [200]
    assert guess(client, "another@example.test", address="2001:db8:0:1:ffff::1") == [429]
    assert guess(client, "another@example.test", address="2001:db8:0:2::1") == [200]


def test_mails_to_one_account_are_few(client: FlaskClient, alice: User) -> None:
    sent = [client.post("/reset", data={"email": alice.email}).status_code for _ in range(6)]
    assert sent == [200] * 5 + [429]


def test_a_signed_in_thief_cannot_guess_the_password_under_another_name(client: FlaskClient, alice: User) -> None:
    sign_in(client, alice)
    tries = [
        client.post("/verify", data={"password": "guess", "email": f"other{number}@example.test"}).status_code
        for number in range(11)
    ]
    assert tries == [200] * 10 + [429]


def test_redis_never_learns_an_address_or_a_name(client: FlaskClient, alice: User, redis_client: redis.Redis) -> None:
    guess(client, alice.email)
    keys = b" ".join(redis_client.keys("*"))
    assert b"aff:limit" in keys
    assert b"alice" not in keys
    assert b"198.51" not in keys


@pytest.fixture
def app_without_redis(sqlite_settings: Settings) -> Flask:
    """The application, pointed at a Redis that is not there."""
    app = create_app(dataclasses.replace(sqlite_settings, redis_url="unix:///nowhere/redis.sock"))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def test_without_redis_people_sign_in_and_guessing_is_still_limited(app_without_redis: Flask, alice: User) -> None:
    client = app_without_redis.test_client()
    sign_in(client, alice)
    assert is_signed_in(client)
    client.post("/logout")
    with time_machine.travel("2026-11-16T12:01:00Z", tick=False):  # not on the border of two windows
        assert guess(client, alice.email, times=11) == [200] * 10 + [429]


def test_a_redis_that_goes_away_after_it_refused_fails_nobody(
    client: FlaskClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_arguments: object) -> None:
        raise redis.TimeoutError("Timeout reading from socket")

    guess(client, alice.email, times=10)
    monkeypatch.setattr(RequestLimit, "window", property(gone))
    refused = client.post("/login", data={"email": alice.email, "password": "a wrong guess"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(15 * 60))


def test_new_drafts_and_files_are_few_from_one_address_and_typing_goes_on(
    client: FlaskClient, app_session: Session
) -> None:
    make_program(app_session, slug="casa")
    app_session.commit()
    saved = [client.post("/apply/casa/save", data={"why": "I co"}) for _ in range(21)]
    assert [answer.status_code for answer in saved] == [200] * 20 + [429]
    draft = {"draft": saved[0].get_json()["draft"], "why": "I cook"}
    assert client.post("/apply/casa/save", data=draft).status_code == 200
    file = {"own_1": (io.BytesIO(b"GIF89a"), "me.gif")}
    assert client.post("/apply/casa/save", data=draft | file).status_code == 429


def test_applications_are_few_for_one_person_and_from_one_address(client: FlaskClient, app_session: Session) -> None:
    make_program(app_session, slug="casa")
    app_session.commit()

    def apply(email: str, address: str) -> int:
        form = {"name": "Marta", "email": email, "partner_name": "Kitchen", "website": "kitchen.example"}
        rest = {"country": "IT", "channels-address": "newsletter", "terms": "y", "terms_version": NONE}
        answer = client.post("/apply/casa", data=form | rest, environ_base={"REMOTE_ADDR": address})
        return answer.status_code

    assert [apply("marta@kitchen.example", f"198.51.100.{n}") for n in range(6)] == [303] * 5 + [429]
    assert [apply(f"marta{n}@kitchen.example", "203.0.113.5") for n in range(21)] == [303] * 20 + [429]
    assert client.get("/apply/casa", environ_base={"REMOTE_ADDR": "203.0.113.5"}).status_code == 200
