"""The page for the shop's developer: secrets are shown once or to who has just confirmed the password."""

import re
from typing import Any

import sqlalchemy as sa
from accounts_cast import PASSWORD, forget_password
from console_cast import Cast, public, text_of
from flask import Flask
from flask.testing import FlaskClient

from affiliate.accounts import keys
from affiliate.accounts.models import ApiKey, AuditEvent
from affiliate.programs import secrets


def test_the_secret_stands_only_on_its_own_page(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    secret = secrets.pixel_secret(cast.program, app.extensions["affiliate_settings"].secret_key)
    assert secret not in mara.get("/console/casa/tracking").text
    assert secret in mara.get("/console/casa/tracking/secret").text


def test_the_code_to_copy_names_this_program_and_no_secret(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/tracking"))
    assert '<script src="http://localhost/t/tag.js" data-program="casa" defer></script>' in page
    assert "curl http://localhost/api/v1/conversions" in page
    assert 'program="casa"' in page
    assert "hash_hmac" in page


def test_an_old_sign_in_is_asked_for_the_password_first(cast: Cast, mara: FlaskClient) -> None:
    with mara.session_transaction() as session:
        session["fs_paa"] = 0
        session.pop("fs_gexp", None)
    for response in (mara.get("/console/casa/tracking/secret"), mara.post("/console/casa/tracking/keys")):
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/verify")


def test_a_key_or_a_person_is_typed_once_even_if_the_password_is_asked_for(cast: Cast, mara: FlaskClient) -> None:
    forms: dict[str, dict[str, Any]] = {
        "/console/casa/tracking/keys": {"name": "Shop server", "scopes": ["reports:read"]},
        "/console/casa/people": {"name": "Zoe", "email": "zoe@example.test", "preset": "tech"},
    }
    for (address, form), page in zip(forms.items(), ("/console/casa/tracking", "/console/casa/people"), strict=True):
        forget_password(mara)
        asked = mara.post(address, data=form)
        mara.post(asked.headers["Location"], data={"password": PASSWORD})
        text = mara.get(page).text
        for value in ("Shop server",) if "scopes" in form else ("Zoe", "zoe@example.test"):
            assert f'value="{value}"' in text
        chosen = "reports:read" if "scopes" in form else "tech"
        assert re.search(rf'value="{chosen}" checked|checked[^>]* value="{chosen}"', text)
        assert f'value="{form["name"]}"' not in mara.get(page).text


def test_the_secret_is_replaced_once_by_two_equal_presses(cast: Cast, mara: FlaskClient) -> None:
    before = mara.get("/console/casa/tracking/secret").text
    page = mara.post("/console/casa/tracking/secret", data={"version": "1"}, follow_redirects=True)
    assert "The pixel secret is new." in text_of(page)
    assert re.findall(r'value="([0-9a-f]{64})"', before) != re.findall(r'value="([0-9a-f]{64})"', page.text)
    again = mara.post("/console/casa/tracking/secret", data={"version": "1"}, follow_redirects=True)
    assert "The secret was already replaced." in text_of(again)
    cast.settle()
    assert cast.program.pixel_secret_version == 2


def test_a_key_is_shown_once_and_works_by_its_fingerprint(cast: Cast, mara: FlaskClient) -> None:
    form = {"name": "Shop server", "scopes": ["conversions:write", "conversions:read"], "is_test": "y"}
    response = mara.post("/console/casa/tracking/keys", data=form)
    secret = re.findall(r'value="(aff_test_[^"]+)"', response.text)[0]
    assert response.headers["Cache-Control"] == "no-store"
    key = cast.session.scalars(sa.select(ApiKey)).one()
    cast.session.commit()
    assert key.secret_hash == keys.fingerprint(secret)
    assert (key.scopes, key.is_test, key.program_id) == (
        ["conversions:read", "conversions:write"],
        True,
        cast.program.id,
    )
    page = mara.get("/console/casa/tracking").text
    assert secret not in page
    assert key.prefix in page


def test_a_key_without_name_or_scope_is_not_made(cast: Cast, mara: FlaskClient) -> None:
    response = mara.post("/console/casa/tracking/keys", data={"name": "", "scopes": []})
    assert response.status_code == 422
    assert "Choose at least one." in text_of(response)
    assert mara.post("/console/casa/tracking/keys", data={"name": "x", "scopes": ["everything"]}).status_code == 422
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(ApiKey)) == 0


def test_a_key_is_revoked_and_another_programs_key_is_not_found(cast: Cast, mara: FlaskClient) -> None:
    mara.post("/console/casa/tracking/keys", data={"name": "x", "scopes": ["links:read"]})
    key = cast.session.scalars(sa.select(ApiKey)).one()
    cast.session.commit()
    revoke = f"/console/casa/tracking/keys/{public('key', key)}/revoke"
    assert "The key is revoked." in text_of(mara.post(revoke, follow_redirects=True))
    cast.settle()
    assert key.revoked_at is not None
    key.program_id = cast.other.id
    cast.session.commit()
    assert mara.post(revoke).status_code == 404
    actions = set(cast.session.scalars(sa.select(AuditEvent.action)))
    assert {"api_key.create", "api_key.revoke"} <= actions
