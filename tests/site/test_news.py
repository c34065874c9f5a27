"""News for people who are no partners: asked for, confirmed by a button and never by looking, stopped by one click, forgotten."""

import re
from functools import partial

import pytest
from accounts_cast import read
from factories import make_partner, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from affiliate.accounts import limits
from affiliate.mailer import OutboxMail
from affiliate.newsletters import audiences, tokens
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import OpeningConsent, Prospect, ProspectStatus
from affiliate.newsletters.tokens import ReaderToken
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.settings import Settings

FORM = {"name": "Paula <b>", "email": "Paula@Kitchen.example", "consent": "y", "from": "blog"}


@pytest.fixture
def program(app_session: Session) -> Program:
    made = make_program(app_session, slug="casa", name="Casa Ondera")
    app_session.commit()
    return made


def asked(session: Session) -> Prospect:
    (found,) = read(session, select(Prospect))
    return found


def mails(session: Session) -> list[OutboxMail]:
    return read(session, select(OutboxMail).order_by(OutboxMail.created_at))


def confirmation(session: Session) -> str:
    (mail,) = mails(session)
    found = re.search(r"http://localhost(/news/\S+)", mail.body_text)
    assert found
    return found[1]


def stop_path(prospect: Prospect, settings: Settings) -> str:
    token = tokens.write(settings.secret_key, ReaderToken(prospect.id, prospect.program_id, tokens.NO_DELIVERY, is_prospect=True))  # fmt: skip
    return f"/mail/{token}"


def test_news_come_only_after_the_button_in_the_mail(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    page = client.get("/p/casa?from=blog").text
    assert 'action="/p/casa/news"' in page
    assert 'name="consent"' in page
    assert " checked" not in page
    answer = client.post("/p/casa/news", data=FORM, follow_redirects=True)
    assert "One step is left" in answer.text
    prospect = asked(app_session)
    assert (prospect.email, prospect.source, prospect.status) == ("paula@kitchen.example", "blog", ProspectStatus.ASKED)
    assert "news of the partner program of Casa Ondera" in prospect.consent_text
    path = confirmation(app_session)
    assert (
        "<b>" not in mails(app_session)[0].body_text
    )  # nothing that was typed leaves for a mailbox that may be another's
    for _ in range(2):
        assert "Yes, send me news" in client.get(path).text
    assert asked(app_session).status is ProspectStatus.ASKED
    assert "Done." in client.post(path, follow_redirects=True).text
    assert asked(app_session).status is ProspectStatus.CONFIRMED
    assert asked(app_session).confirmed_at is not None
    assert client.post(path).status_code == 303


def test_who_signs_up_for_news_keeps_its_origin(client: FlaskClient, program: Program) -> None:
    for page in ("/p/casa", "/p/casa/news"):
        told = client.get(f"{page}?from=blog&invite=2345abcd").text
        hidden = dict(re.findall(r'type="hidden" name="(from|invite)" value="([^"]+)"', told))
        assert hidden == {"from": "blog", "invite": "2345abcd"}
    assert client.post("/p/casa/news", data=FORM | hidden).location == "/p/casa?from=blog&invite=2345abcd"


def test_a_form_without_consent_keeps_what_was_typed(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    answer = client.post("/p/casa/news", data={"name": "Paula <b>", "email": "paula@", "from": "blog"})
    assert answer.status_code == 422
    assert "Paula &lt;b&gt;" in answer.text
    assert "This is not an e-mail address" in answer.text
    assert "Without your consent we send nothing" in answer.text
    assert read(app_session, select(Prospect)) == []
    assert client.get("/p/casa/news").status_code == 200
    assert client.post("/p/nothing/news", data=FORM).status_code == 404


def test_a_prospect_chooses_what_to_hear_of_when_signing_up_and_by_each_mail(
    client: FlaskClient, app_session: Session, program: Program, app: Flask
) -> None:
    client.post("/p/casa/news", data=FORM | {"kinds": ["news", "offers", "nonsense"]})
    assert read(app_session, select(Prospect)) == []  # no such kind: the form says so
    client.post("/p/casa/news", data=FORM | {"kinds": ["news", "offers"]})
    client.post(confirmation(app_session))
    prospect = asked(app_session)
    kinds = partial(audiences.kinds_of_prospect, app_session, prospect_id=prospect.id)
    assert kinds() == [IssueKind.NEWS, IssueKind.OFFERS]
    app_session.commit()
    path = stop_path(prospect, app.extensions["affiliate_settings"])
    page = client.get(path).text
    assert re.findall(r'value="(\w+)" checked', page) == ["news", "offers"]
    answer = client.post(path, data={"choose": "1", "kind": ["education"]}, follow_redirects=True)
    assert "From now on you get: Tips and training." in answer.text
    assert (kinds(), asked(app_session).status) == ([IssueKind.EDUCATION], ProspectStatus.CONFIRMED)
    app_session.commit()
    assert "no more newsletters" in client.post(path, data={"choose": "1"}, follow_redirects=True).text
    assert asked(app_session).status is ProspectStatus.STOPPED


def test_a_prospect_agrees_to_tell_of_openings_and_takes_it_back(
    client: FlaskClient, app_session: Session, program: Program, app: Flask
) -> None:
    client.post("/p/casa/news", data=FORM)
    path = stop_path(asked(app_session), app.extensions["affiliate_settings"])
    agreed, silent = {"choose": "1", "kind": ["news"], "openings": "1"}, {"choose": "1", "kind": ["news"]}
    client.post(path, data=agreed)
    assert read(app_session, select(OpeningConsent)) == []  # whoever reads the mailbox has not confirmed it
    client.post(confirmation(app_session))
    box = 'name="openings" value="{}" aria-describedby="openings-hint"{}>'
    assert box.format(program.id.hex, "") in client.get(path).text
    client.post(path, data=agreed)
    (consent,) = read(app_session, select(OpeningConsent))
    assert consent.consent_text == "Tell Casa Ondera when I open its newsletters"
    assert (consent.prospect_id, consent.user_id) == (asked(app_session).id, None)
    assert box.format(program.id.hex, " checked") in client.get(path).text
    assert "what was is forgotten" in client.post(path, data=silent, follow_redirects=True).text
    assert read(app_session, select(OpeningConsent)) == []
    client.post(path, data=agreed)
    client.post(path)
    assert read(app_session, select(OpeningConsent)) == []


def test_nobody_learns_who_gets_news_already(client: FlaskClient, app_session: Session, program: Program) -> None:
    first = client.post("/p/casa/news", data=FORM, follow_redirects=True).text
    client.post(confirmation(app_session))
    again = client.post("/p/casa/news", data=FORM, follow_redirects=True).text
    assert ("One step is left" in first, "One step is left" in again) == (True, True)
    assert len(mails(app_session)) == 1


def test_one_click_stops_and_looking_does_not(
    client: FlaskClient, app: Flask, app_session: Session, program: Program, sqlite_settings: Settings
) -> None:
    client.post("/p/casa/news", data=FORM)
    client.post(confirmation(app_session))
    path = stop_path(asked(app_session), sqlite_settings)
    one_click = path.replace("/mail/", "/hooks/unsubscribe/")
    assert "Stop these mails" in client.get(one_click, follow_redirects=True).text
    assert asked(app_session).status is ProspectStatus.CONFIRMED
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.post(one_click, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert asked(app_session).status is ProspectStatus.STOPPED
    app.config["WTF_CSRF_ENABLED"] = False
    page = client.post(path, data={"forget": "1"}, follow_redirects=True).text
    assert "are erased" in page
    assert "paula" not in page
    gone = asked(app_session)
    assert (gone.name, gone.email) == ("", f"erased-{gone.id.hex}@invalid")


def test_a_token_of_a_prospect_opens_no_partners_page_and_the_other_way_round(
    client: FlaskClient, app_session: Session, program: Program, sqlite_settings: Settings
) -> None:
    person = make_user(app_session, email="marta@example.test")
    make_partner(app_session, program=program, user=person, status=EnrollmentStatus.APPROVED)
    app_session.commit()
    mixed = ReaderToken(person.id, program.id, tokens.NO_DELIVERY, is_prospect=True)
    assert client.get(f"/mail/{tokens.write(sqlite_settings.secret_key, mixed)}").status_code == 404
    spoiled = tokens.write_confirmation(sqlite_settings.secret_key, person.id)
    assert client.get(f"/news/{spoiled}").status_code == 404
    assert client.post(f"/news/{spoiled[:-1]}").status_code == 404
    assert client.get(f"/mail/{spoiled}").status_code == 404


def test_many_sign_ups_of_one_address_are_slowed_down(client: FlaskClient, program: Program) -> None:
    allowed = int(limits.SIGN_UPS.split(maxsplit=1)[0])
    codes = [
        client.post("/p/casa/news", data=FORM | {"email": f"p{n}@kitchen.example"}).status_code
        for n in range(allowed + 1)
    ]
    assert codes == [303] * allowed + [429]
