"""Postback addresses as a partner's people enter and see them."""

from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from factories import make_member
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from postback_cast import make_address
from sqlalchemy.orm import Session

from affiliate import formats, ids
from affiliate.accounts.models import AuditEvent
from affiliate.accounts.roles import MemberRole
from affiliate.notifications.models import DeliveryStatus, PostbackAddress, PostbackDelivery, PostbackEvent

PAGE = "/portal/casa/postbacks"
GOOD = "https://track.example/p?cid={sub1}&token=s3cret"


def add(browser: FlaskClient, url: str = GOOD, **form: Any) -> Any:
    return browser.post(PAGE, data={"url": url, "events": ["conversion", "paid"]} | form, follow_redirects=True)


def addresses(session: Session) -> list[PostbackAddress]:
    found = list(session.scalars(sa.select(PostbackAddress).execution_options(populate_existing=True)))
    session.commit()
    return found


def test_an_address_is_added_tested_switched_changed_and_removed(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    assert "No postback yet" in marta.get(PAGE).text
    page = add(marta).text
    assert GOOD.replace("&", "&amp;") in page
    assert "whsec_" not in page
    (address,) = addresses(app_session)
    here = f"{PAGE}/{ids.public('pba', address.id)}"
    assert "A test is on its way" in marta.post(f"{here}/test", follow_redirects=True).text
    assert "Switched off" in marta.post(f"{here}/off", follow_redirects=True).text
    assert "Switched on" in marta.post(f"{here}/on", follow_redirects=True).text
    changed = {"url": GOOD + "&p={payout}", "events": ["approved"], "is_signed": "y"}
    assert "whsec_" in marta.post(f"{here}/change", data=changed, follow_redirects=True).text
    (address,) = addresses(app_session)
    assert (address.events, address.is_signed, address.url) == (["approved"], True, GOOD + "&p={payout}")
    assert "No postback yet" in marta.post(f"{here}/remove", follow_redirects=True).text
    assert marta.get(here).status_code == 404
    told = app_session.scalars(sa.select(AuditEvent).where(AuditEvent.action.startswith("postback."))).all()
    assert [each.action for each in told] == [
        "postback.add", "postback.switch_off", "postback.switch_on", "postback.change", "postback.remove",
    ]  # fmt: skip
    assert not any("s3cret" in str(each.details) for each in told)


def test_a_partner_tests_so_often_and_no_more(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    address = make_address(app_session, cast.program, cast.partner, GOOD)
    app_session.commit()
    here = f"{PAGE}/{ids.public('pba', address.id)}"
    answers = [marta.post(f"{here}/test").status_code for _ in range(30)]
    assert (answers[0], answers[-1]) == (303, 429)
    assert len(app_session.scalars(sa.select(PostbackDelivery.id)).all()) == 1  # the one that waits is enough
    app_session.commit()
    assert marta.post(f"{here}/off").status_code == 303


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"url": "https://track.example/p?c={ip}"}, "We do not hand out {ip}"),
        ({"url": "https://track.example/p?c={Sub1}"}, "Unknown: {Sub1}"),
        ({"url": "https://<script>.example/{sub1"}, "A brace has no partner"),
        ({"url": ""}, "Type the address"),
        ({"events": []}, "Choose at least one"),
        ({"events": ["test"]}, "not a valid choice"),
    ],
)
def test_a_refused_address_stays_as_it_was_typed_with_the_reason_beside_it(
    marta: FlaskClient, app_session: Session, form: dict[str, Any], sentence: str
) -> None:
    answer = add(marta, **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "<script>." not in answer.text
    typed = form.get("url", GOOD).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f'value="{typed}"' in answer.text
    assert addresses(app_session) == []


def test_a_partner_has_at_most_five_addresses(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    for _ in range(5):
        make_address(app_session, cast.program, cast.partner, GOOD)
    app_session.commit()
    answer = add(marta)
    assert (answer.status_code, len(addresses(app_session))) == (409, 5)
    assert "five addresses already" in answer.text


def test_the_log_shows_hostile_answers_as_text_and_a_given_up_call_is_tried_again(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    address = make_address(app_session, cast.program, cast.partner, GOOD)
    call = PostbackDelivery(id=ids.new(), address_id=address.id, event=PostbackEvent.CONVERSION, url=GOOD, attempts=7)
    call.status, call.answer_code, call.answer = DeliveryStatus.GIVEN_UP, 500, "<script>alert(1)</script>"
    call.send_after = call.created_at = call.finished_at = address.created_at
    app_session.add(call)
    app_session.commit()
    here = f"{PAGE}/{ids.public('pba', address.id)}"
    page = marta.get(here).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    again = f"{here}/calls/{ids.public('pbd', call.id)}"
    assert again in page
    assert "It is tried again now" in marta.post(again, follow_redirects=True).text
    assert marta.post(again).status_code == 409
    assert "Given up" not in marta.get(here).text


def test_the_log_says_why_nobody_answered(
    marta: FlaskClient, app_session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "call_problem", lambda told: f"[{told}]")  # as another language has it
    address = make_address(app_session, cast.program, cast.partner, GOOD)
    call = PostbackDelivery(id=ids.new(), address_id=address.id, event=PostbackEvent.TEST, url=GOOD, attempts=1)
    call.status, call.error = DeliveryStatus.GIVEN_UP, "it took too long"
    call.send_after = call.created_at = call.finished_at = address.created_at
    app_session.add(call)
    app_session.commit()
    assert "[it took too long]" in marta.get(f"{PAGE}/{ids.public('pba', address.id)}").text


def test_addresses_of_others_are_not_there_and_a_reader_sees_no_secret(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    theirs = make_address(app_session, cast.program, cast.other, GOOD)
    mine = make_address(app_session, cast.program, cast.partner, GOOD, is_signed=True)
    reader = make_person(app_session, "Rita")
    make_member(app_session, user=reader, partner=cast.partner).role = MemberRole.READER
    app_session.commit()
    for act in ("test", "off", "remove", "change", "secret"):
        assert marta.post(f"{PAGE}/{ids.public('pba', theirs.id)}/{act}").status_code == 404
    rita = app.test_client()
    sign_in(rita, reader)
    here = f"{PAGE}/{ids.public('pba', mine.id)}"
    assert "whsec_" in marta.get(here).text
    page = rita.get(here)
    assert (page.status_code, "whsec_" in page.text, f"{here}/test" in page.text) == (200, False, False)
    assert rita.post(f"{here}/test").status_code == 403
