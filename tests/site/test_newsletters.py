"""Newsletters are stopped by one click of a mail provider, by the link in the mail, and in the account; never by looking."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, read, sign_in
from factories import make_partner, make_program
from flask import Flask
from flask.testing import FlaskClient
from newsletter_cast import a_draft, make_issue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from affiliate import clock, ids
from affiliate.accounts.models import User
from affiliate.newsletters import counting, openings, queries, tokens
from affiliate.newsletters.models import (
    DeliveryStatus,
    IssueKind,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterOpening,
    NewsletterRefusal,
    OpeningConsent,
)
from affiliate.newsletters.tokens import ReaderToken
from affiliate.settings import Settings
from affiliate.tracking.views import GIF

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ALL = set(IssueKind)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
TELL = "Tell Casa when I open its newsletters"


@pytest.fixture
def marta(app_session: Session) -> User:
    """A partner of two programs, who reads Italian."""
    person = make_person(app_session, "Marta")
    person.locale = "it"
    for slug in ("casa", "altra"):
        program = make_program(app_session, slug=slug, name=slug.title())
        make_partner(app_session, program=program, user=person, name=f"Marta at {slug}")
    app_session.commit()
    return person


@pytest.fixture
def delivery(app_session: Session, marta: User) -> NewsletterDelivery:
    """A newsletter of Casa that Marta got."""
    from affiliate.partners.queries import memberships_of
    from affiliate.programs.queries import program_by_slug

    program = program_by_slug(app_session, slug="casa")
    assert program is not None
    now = clock.now() - timedelta(days=1)
    issue = make_issue(app_session, program=program, now=now)
    partner_id = memberships_of(app_session, user_id=marta.id)[0].partner_id
    row = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=marta.id, partner_id=partner_id)
    row.status, row.due_at, row.settled_at = DeliveryStatus.SENT, now, now
    app_session.add(row)
    app_session.commit()
    return row


@pytest.fixture
def token(app_session: Session, delivery: NewsletterDelivery, sqlite_settings: Settings) -> str:
    """The token in that newsletter."""
    program_id = app_session.get_one(NewsletterIssue, delivery.issue_id).program_id
    app_session.commit()
    return tokens.write(sqlite_settings.secret_key, ReaderToken(delivery.user_id, program_id, delivery.id))


def refused(session: Session) -> set[IssueKind]:
    return {row.kind for row in read(session, select(NewsletterRefusal))}


def test_one_click_of_a_provider_stops_everything_of_the_program_and_is_counted(
    app: Flask, app_session: Session, token: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True  # a provider has no token of a form
    client = app.test_client()
    for _again in range(2):
        answer = client.post(f"/hooks/unsubscribe/{token}", data=ONE_CLICK)
        assert (answer.status_code, answer.data) == (200, b"")
    assert refused(app_session) == ALL
    (delivery,) = read(app_session, select(NewsletterDelivery))
    assert delivery.unsubscribed_at is not None


def test_a_provider_may_post_a_multipart_form(client: FlaskClient, app_session: Session, token: str) -> None:
    answer = client.post(f"/hooks/unsubscribe/{token}", data=ONE_CLICK, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert refused(app_session) == ALL


def test_opening_the_addresses_changes_nothing(client: FlaskClient, app_session: Session, token: str) -> None:
    for _again in range(2):
        assert client.get(f"/hooks/unsubscribe/{token}").headers["Location"] == f"/mail/{token}"
        page = client.get(f"/mail/{token}")
        assert page.status_code == 200
        assert page.text.count("checked") == len(ALL)
        client.head(f"/hooks/unsubscribe/{token}")
    assert refused(app_session) == set()


def test_a_post_that_says_nothing_changes_nothing(client: FlaskClient, app_session: Session, token: str) -> None:
    assert client.post(f"/hooks/unsubscribe/{token}").status_code == 400
    assert refused(app_session) == set()


def test_an_altered_token_is_nobodys(client: FlaskClient, app_session: Session, token: str) -> None:
    altered = ("A" if token[0] != "A" else "B") + token[1:]
    for text in (altered, token[:-1], "x", "ü.x", "a" * 5000):
        assert client.post(f"/hooks/unsubscribe/{text}", data=ONE_CLICK).status_code == 404
        assert client.get(f"/mail/{text}").status_code == 404
        assert client.post(f"/mail/{text}").status_code == 404
    assert refused(app_session) == set()


def test_the_page_of_the_mail_keeps_what_is_chosen_signed_out(
    client: FlaskClient, app_session: Session, token: str
) -> None:
    assert "Newsletter" in client.get(f"/mail/{token}").text
    client.post(f"/mail/{token}", data={"kind": ["news", "nonsense"]})
    assert refused(app_session) == {IssueKind.OFFERS, IssueKind.EDUCATION}
    client.post(f"/mail/{token}", data={})
    assert refused(app_session) == ALL
    client.post(f"/mail/{token}", data={"kind": [kind.value for kind in IssueKind]})
    assert refused(app_session) == set()


def test_the_page_asks_for_a_token_of_its_form(app: Flask, app_session: Session, token: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post(f"/mail/{token}").status_code == 400
    assert refused(app_session) == set()


def test_the_account_shows_each_program_and_keeps_the_choice(
    app: Flask, app_session: Session, marta: User, token: str
) -> None:
    browser = app.test_client()
    assert browser.get("/account/mail").status_code == 302
    sign_in(browser, marta)
    page = browser.get("/account/mail").text
    assert "Casa" in page
    assert "Altra" in page
    names = re.findall(r'name="([0-9a-f]{32})" value="news"', page)
    browser.post("/account/mail", data={names[0]: ["news", "offers", "education"], names[1]: ["news"]})
    assert {row.kind for row in read(app_session, select(NewsletterRefusal))} == {IssueKind.OFFERS, IssueKind.EDUCATION}
    assert len(read(app_session, select(NewsletterRefusal))) == 2
    assert 'href="/account/mail"' in browser.get("/account/").text


def test_an_address_of_a_mail_leads_on_and_counts_people_only(client: FlaskClient, app_session: Session) -> None:
    program = make_program(app_session)
    url = "https://www.shop.example/new?a=1&b=2"
    draft = a_draft("News", f"[New]({url})")
    issue = make_issue(app_session, program=program, now=clock.now(), draft=draft)
    counting.write_down(app_session, issue_id=issue.id, urls=[url])
    app_session.commit()
    address = f"/n/{ids.public('nws', issue.id)}/{counting.code_of(url)}"
    for _twice in range(2):
        answer = client.get(address, headers=BROWSER)
        assert (answer.status_code, answer.location, answer.headers["Cache-Control"]) == (302, url, "no-store")
    client.head(address, headers=BROWSER)
    client.get(address, headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    app_session.expire_all()
    [link] = queries.links_of(app_session, issue_id=issue.id)
    assert link.clicks == 2
    app_session.commit()
    assert client.get(f"/n/{ids.public('nws', issue.id)}/0000").status_code == 404


@pytest.fixture
def picture(app_session: Session, delivery: NewsletterDelivery, token: str, sqlite_settings: Settings) -> str:
    """The address of the picture in that newsletter, which left after Marta had agreed."""
    program_id = tokens.read(sqlite_settings.secret_key, token).program_id
    told = {"consent_text": TELL, "source": "page", "now": clock.now()}
    openings.agree(app_session, user_id=delivery.user_id, program_id=program_id, **told)
    (consent,) = app_session.scalars(select(OpeningConsent)).all()
    openings.expect(app_session, delivery_id=delivery.id, consent_id=consent.id)
    app_session.commit()
    return f"/n/opened/{tokens.write_opening(sqlite_settings.secret_key, delivery.id)}"


def opened(session: Session) -> list[bool]:
    return [row.is_opened for row in read(session, select(NewsletterOpening))]


def assert_picture(answer: TestResponse, *, body: bytes = GIF) -> None:
    """The picture, kept by nobody, without a mark on who fetched it."""
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/gif", body)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_picture_of_a_mail_tells_once_that_a_person_opened_it(
    app: Flask, client: FlaskClient, app_session: Session, picture: str
) -> None:
    assert_picture(client.head(picture, headers=BROWSER), body=b"")
    assert_picture(client.get(picture, headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}))
    assert_picture(client.get(picture, headers=BROWSER | {"Sec-Purpose": "prefetch"}))
    assert opened(app_session) == [False]
    for _twice in range(2):
        assert_picture(client.get(picture, headers=BROWSER))
        assert opened(app_session) == [True]


def test_a_picture_that_was_fetched_once_writes_no_more(
    client: FlaskClient, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(openings, "record", lambda *_, **__: told.append("written"))
    client.get(picture, headers=BROWSER)
    assert told == ["written"]
    monkeypatch.undo()
    client.get(picture, headers=BROWSER)
    monkeypatch.setattr(openings, "record", lambda *_, **__: told.append("written"))
    client.get(picture, headers=BROWSER)
    assert told == ["written"]


def test_a_wrong_address_of_a_picture_is_answered_with_it_and_tells_nothing(
    client: FlaskClient, app_session: Session, picture: str, token: str
) -> None:
    right = picture.rpartition("/")[2]
    altered = ("A" if right[0] != "A" else "B") + right[1:]
    for wrong in (altered, right[:-1], token, "x", "ü.x", "a" * 5000, "%00", "%ff%fe", "..%2F..%2Fetc%2Fpasswd"):
        assert_picture(client.get(f"/n/opened/{wrong}", headers=BROWSER))
    assert opened(app_session) == [False]
    assert client.get(f"/mail/{right}").status_code == 404  # nor does it open the reader's choices


@pytest.mark.parametrize("place", [(openings, "record"), (queries, "awaits_opening")])
def test_the_picture_comes_while_the_database_does_not_answer(
    client: FlaskClient, app_session: Session, picture: str, monkeypatch: pytest.MonkeyPatch, place: tuple[object, str]
) -> None:
    def away(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("UPDATE", None, Exception("database is locked"))

    monkeypatch.setattr(*place, away)
    assert_picture(client.get(picture, headers=BROWSER))
    assert opened(app_session) == [False]


def test_a_reader_agrees_to_tell_by_the_page_of_the_mail_and_takes_it_back_there(
    client: FlaskClient, app_session: Session, token: str
) -> None:
    kinds = [kind.value for kind in IssueKind]
    page = client.get(f"/mail/{token}").text
    box = re.search(r'<input[^>]*name="openings"[^>]*>', page)
    assert box is not None
    assert " checked" not in box[0]
    assert read(app_session, select(OpeningConsent)) == []
    client.post(f"/mail/{token}", data={"kind": kinds})
    assert read(app_session, select(OpeningConsent)) == []
    for _twice in range(2):
        client.post(f"/mail/{token}", data={"kind": ["news"], "openings": "1"})
    (consent,) = read(app_session, select(OpeningConsent))
    assert (consent.source, consent.prospect_id) == ("page", None)
    assert "Casa" in consent.consent_text
    assert refused(app_session) == {IssueKind.OFFERS, IssueKind.EDUCATION}
    box = re.search(r'<input[^>]*name="openings"[^>]*>', client.get(f"/mail/{token}").text)
    assert box is not None
    assert " checked" in box[0]
    client.post(f"/mail/{token}", data={"kind": kinds})
    assert read(app_session, select(OpeningConsent)) == []


def test_taking_it_back_forgets_what_was_recorded_and_records_no_more(
    client: FlaskClient, app_session: Session, token: str, picture: str
) -> None:
    client.get(picture, headers=BROWSER)
    client.post(f"/mail/{token}", data={"kind": ["news"]})
    assert opened(app_session) == []
    assert_picture(client.get(picture, headers=BROWSER))
    client.post(f"/mail/{token}", data={"kind": ["news"], "openings": "1"})
    assert_picture(client.get(picture, headers=BROWSER))
    assert opened(app_session) == []


def test_one_click_of_a_provider_takes_it_back_too(
    client: FlaskClient, app_session: Session, token: str, picture: str
) -> None:
    client.get(picture, headers=BROWSER)
    client.post(f"/hooks/unsubscribe/{token}", data=ONE_CLICK)
    assert (opened(app_session), read(app_session, select(OpeningConsent))) == ([], [])


def test_who_wants_no_newsletters_agrees_to_nothing(client: FlaskClient, app_session: Session, token: str) -> None:
    client.post(f"/mail/{token}", data={"openings": "1"})
    assert read(app_session, select(OpeningConsent)) == []


def test_the_account_asks_for_each_program_by_itself(app: Flask, app_session: Session, marta: User, token: str) -> None:
    browser = app.test_client()
    sign_in(browser, marta)
    page = browser.get("/account/mail").text
    casa, altra = (re.search(rf'name="openings" value="(\w+)"[^>]*>[^/]*{name}', page) for name in ("Casa", "Altra"))
    assert casa is not None
    assert altra is not None
    kinds = {each[1]: [kind.value for kind in IssueKind] for each in (casa, altra)}
    browser.post("/account/mail", data=kinds | {"openings": [casa[1]]})
    (consent,) = read(app_session, select(OpeningConsent))
    assert (consent.program_id.hex, consent.user_id, consent.source) == (casa[1], marta.id, "account")
    browser.post("/account/mail", data=kinds | {"openings": [altra[1]]})
    (consent,) = read(app_session, select(OpeningConsent))
    assert consent.program_id.hex == altra[1]
    browser.post("/account/mail", data={casa[1]: ["news"], "openings": [casa[1], altra[1], "nonsense"]})
    (consent,) = read(app_session, select(OpeningConsent))
    assert consent.program_id.hex == casa[1]
