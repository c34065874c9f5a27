"""A partner's API keys in the portal: made once, shown once, named, and ended; by owners alone."""

import random
import re
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import PASSWORD, forget_password, make_person, sign_in
from factories import make_member, make_partner
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.keys import PARTNER_KEYS_MAX
from affiliate.accounts.models import ApiKey, AuditEvent
from affiliate.accounts.roles import MemberRole
from affiliate.web import request_now

PAGE = "/portal/casa/keys"
FORM = {"name": "My board", "scopes": ["links:read", "reports:read"]}


def test_a_key_is_shown_once_and_reads_the_partners_rows(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    made = marta.post(PAGE, data=FORM)
    assert made.headers["Cache-Control"] == "no-store"
    found = re.search(r'value="(aff_live_[^"]+)"', made.text)
    assert found is not None
    secret = found[1]
    page = marta.get(PAGE).text
    assert ("My board" in page, secret in page, "never" in page) == (True, False, True)
    answer = marta.get("/api/v1/links", headers={"Authorization": f"Bearer {secret}"})
    assert [row["code"] for row in answer.json or ()] == ["ragu"]
    assert "never" not in marta.get(PAGE).text
    actions = app_session.scalars(sa.select(AuditEvent.action).where(AuditEvent.subject_kind == "api_key")).all()
    key = app_session.scalars(sa.select(ApiKey)).one()
    assert (actions, key.partner_id, key.scopes) == (["api_key.create"], cast.partner.id, FORM["scopes"])
    app_session.commit()
    page = marta.post(f"{PAGE}/{re.search(r'(key_[0-9a-z]+)/revoke', page)[1]}/revoke", follow_redirects=True).text  # type: ignore[index] # it is there
    assert "Revoked" in page
    assert marta.get("/api/v1/links", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_form_that_says_too_little_comes_back_with_what_was_typed(marta: FlaskClient, cast: Cast) -> None:
    assert cast.program.slug == "casa"
    refused = marta.post(PAGE, data={"name": "<b>My board"})
    assert (refused.status_code, "Choose at least one." in refused.text) == (422, True)
    assert 'value="&lt;b&gt;My board"' in refused.text
    assert marta.post(PAGE, data={"name": "x", "scopes": ["admin"]}).status_code == 422


def test_a_partner_has_so_many_keys_and_no_more(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    with app.test_request_context():
        now = request_now()
    actor = Actor(kind="user", id=cast.person.id)
    for number in range(PARTNER_KEYS_MAX):
        accounts.create_api_key(
            app_session, program_id=cast.program.id, partner_id=cast.partner.id, name=str(number), scopes=["links:read"],
            actor=actor, now=now,
        )  # fmt: skip
    app_session.commit()
    refused = marta.post(PAGE, data=FORM)
    assert (refused.status_code, "Revoke one first" in refused.text) == (409, True)


def test_nobody_but_an_owner_sees_keys_and_no_owner_those_of_others(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    person = make_person(app_session, "Rita")
    make_member(app_session, user=person, partner=cast.partner).role = MemberRole.MARKETER
    app_session.commit()
    rita = app.test_client()
    sign_in(rita, person)
    assert (rita.get(PAGE).status_code, rita.post(PAGE, data=FORM).status_code) == (403, 403)
    assert PAGE not in rita.get("/portal/casa/settings").text
    assert PAGE in marta.get("/portal/casa/settings").text
    with app.test_request_context():
        now = request_now()
    actor = Actor(kind="user", id=cast.person.id)
    others = make_partner(app_session, program=cast.program)
    made = [
        accounts.create_api_key(
            app_session,
            program_id=cast.program.id,
            partner_id=whose,
            name=name,
            scopes=["links:read"],
            actor=actor,
            now=now,
        )[0]
        for whose, name in ((None, "The shop's"), (others.id, "Another's"))
    ]
    app_session.commit()
    page = marta.get(PAGE).text
    assert ("The shop" in page, "Another" in page) == (False, False)
    for key in made:
        assert marta.post(f"{PAGE}/{ids.public('key', key.id)}/revoke").status_code == 404


def test_what_was_typed_stands_there_once_after_the_password_was_asked_for(marta: FlaskClient, cast: Cast) -> None:
    forget_password(marta)
    asked = marta.post(PAGE, data=FORM | {"other": "x" * 2000}, headers={"Referer": f"http://localhost{PAGE}"})
    assert asked.location == f"/verify?next={PAGE}"
    assert marta.post(asked.location, data={"password": PASSWORD, "next": PAGE}).location == PAGE
    assert 'value="My board"' not in marta.get("/portal/casa/team/invite").text  # of another form
    with marta.session_transaction() as cookie:
        mine, cookie["typed"] = cookie["typed"], cookie["typed"] | {"person": "somebody else"}
    assert 'value="My board"' not in marta.get(PAGE).text
    with marta.session_transaction() as cookie:
        cookie["typed"] = mine
    page = marta.get(PAGE).text
    assert 'value="My board"' in page
    assert set(re.findall(r'value="([a-z:]+)"[^>]* checked|checked[^>]* value="([a-z:]+)"', page)) == {
        ("", "links:read"), ("", "reports:read"),
    }  # fmt: skip
    assert 'value="My board"' not in marta.get(PAGE).text


def letters(count: int, *, first: int, last: int) -> str:
    """Letters in no order, which hardly become fewer bytes when they are compressed."""
    return "".join(map(chr, random.Random(7).choices(range(first, last), k=count)))


@pytest.mark.parametrize(
    ("fields", "is_kept"),
    [
        ({"name": letters(1_300, first=0x61, last=0x7B)}, True),
        ({"name": letters(220, first=0x4E00, last=0x9FA5)}, True),
        ({"name": letters(1_601, first=0x61, last=0x7B)}, False),
        ({"name": letters(1_000, first=0x4E00, last=0x9FA5)}, False),
        ({"name": "Many", "scopes": [""] * 10_000}, False),
    ],
)
def test_more_than_a_cookie_holds_is_not_kept(
    marta: FlaskClient, cast: Cast, fields: dict[str, Any], is_kept: bool
) -> None:
    forget_password(marta)
    asked = marta.post(PAGE, data=FORM | fields)
    assert len(asked.headers.get("Set-Cookie", "")) < 4_096
    with marta.session_transaction() as cookie:
        assert ("typed" in cookie) is is_kept
    marta.post(asked.location, data={"password": PASSWORD})
    assert (f'value="{fields["name"]}"' in marta.get(PAGE).text) is is_kept


def test_a_long_address_is_not_kept_either(marta: FlaskClient) -> None:
    forget_password(marta)
    marta.post(f"/portal/{'x' * 1_600}/keys", data=FORM)
    with marta.session_transaction() as cookie:
        assert "typed" not in cookie


def test_what_is_kept_leaves_room_for_all_else_in_the_cookie(marta: FlaskClient) -> None:
    with marta.session_transaction() as cookie:
        cookie["_flashes"] = [("error", letters(600, first=0x30, last=0x7B))]
    forget_password(marta)
    asked = marta.post(PAGE, data=FORM | {"name": letters(1_300, first=0x61, last=0x7B)})
    with marta.session_transaction() as cookie:
        assert "typed" in cookie
    assert len(asked.headers["Set-Cookie"]) < 4_096
