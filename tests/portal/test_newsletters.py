"""Partners read newsletters again with their own links in them, and nobody tells their story without their word."""

import re
from datetime import timedelta

import pytest
from accounts_cast import make_person, read, sign_in
from creative_cast import make_creative
from factories import make_partner
from flask import Flask
from flask.testing import FlaskClient
from newsletter_cast import Block, BlockKind, a_draft, make_issue
from portal_cast import Cast
from sqlalchemy import select
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.creatives.kinds import CreativeKind
from affiliate.newsletters import service
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    StoryConsent,
)
from affiliate.partners.models import PartnerTerms
from affiliate.portal.blueprint import PAGE_SIZE


@pytest.fixture
def sent(app_session: Session, cast: Cast) -> NewsletterIssue:
    """An issue that everybody may read."""
    now = clock.now()
    issue = make_issue(app_session, program=cast.program, now=now)
    issue.status, issue.release_at, issue.released_at = IssueStatus.SENT, now - timedelta(days=2), now
    app_session.commit()
    return issue


def at(issue: NewsletterIssue, rest: str = "") -> str:
    return f"/portal/casa/newsletters/{ids.public('nws', issue.id)}{rest}"


def test_what_was_sent_stands_in_the_archive_with_the_readers_own_values(
    marta: FlaskClient, sent: NewsletterIssue
) -> None:
    assert "News for Marta" in marta.get("/portal/casa/newsletters").text
    page = marta.get(at(sent)).text
    assert 'sandbox=""' in page
    mail = marta.get(at(sent, "/mail"))
    assert "Dear Marta of Slow Kitchen" in mail.text
    assert "/r/ragu?sub10=nws_" in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]


def test_the_archive_tells_a_group_of_its_creatives(app_session: Session, cast: Cast, marta: FlaskClient) -> None:
    now = clock.now()
    library = Block("library", BlockKind.CREATIVES, {"en": {"title": "New", "body": "Take them."}})
    issue = make_issue(app_session, program=cast.program, now=now, draft=a_draft("News", "Hello.", library))
    issue.status, issue.release_at = IssueStatus.SENT, now
    for group in ("Gold", "Silver"):
        facts = {"title": f"For {group}", "group_names": [group], "now": now - timedelta(days=1)}
        make_creative(app_session, program=cast.program, kind=CreativeKind.TEXT, **facts)
    here = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    app_session.add(PartnerTerms(**here, group_name="Gold", updated_at=now))
    app_session.commit()
    mail = marta.get(at(issue, "/mail")).text
    assert "For Gold" in mail
    assert "For Silver" not in mail


def test_the_archive_has_as_many_pages_as_it_needs(app_session: Session, cast: Cast, marta: FlaskClient) -> None:
    now = clock.now()
    for number in range(1, PAGE_SIZE + 2):
        draft = a_draft(f"Issue {number:03}")
        issue = make_issue(app_session, program=cast.program, now=now, draft=draft)
        issue.status, issue.release_at = IssueStatus.SENT, now - timedelta(days=number)
    app_session.commit()
    first = marta.get("/portal/casa/newsletters").text
    assert re.findall(r"Issue \d{3}", first) == [f"Issue {number:03}" for number in range(1, PAGE_SIZE + 1)]
    [older] = re.findall(r'rel="next" href="([^"]*)"', first)
    last = marta.get(older).text
    assert re.findall(r"Issue \d{3}", last) == [f"Issue {PAGE_SIZE + 1:03}"]
    assert 'rel="next"' not in last


@pytest.mark.parametrize("name", ["", "  "])
def test_an_account_without_a_name_reads_them_too(
    app_session: Session, cast: Cast, marta: FlaskClient, sent: NewsletterIssue, name: str
) -> None:
    cast.person.name = name
    app_session.commit()
    for page in ("/portal/casa/newsletters", at(sent), at(sent, "/mail"), "/portal/casa/"):
        answer = marta.get(page)
        assert answer.status_code == 200, page
        assert "{first_name}" not in answer.text
    assert "News for" in marta.get("/portal/casa/newsletters").text


def test_drafts_and_issues_for_others_are_not_there(
    app: Flask, app_session: Session, cast: Cast, marta: FlaskClient, sent: NewsletterIssue
) -> None:
    draft = make_issue(app_session, program=cast.program, now=clock.now(), draft=a_draft("Not yet"))
    sent.in_archive = False
    app_session.commit()
    page = marta.get("/portal/casa/newsletters").text
    assert "Not yet" not in page
    assert "News for" not in page
    for issue in (draft, sent):
        assert marta.get(at(issue)).status_code == 404
        assert marta.get(at(issue, "/mail")).status_code == 404
    mine = NewsletterDelivery(id=ids.new(), issue_id=sent.id, user_id=cast.person.id, partner_id=cast.partner.id)
    mine.status, mine.due_at = DeliveryStatus.SENT, clock.now()
    app_session.add(mine)
    app_session.commit()
    assert marta.get(at(sent)).status_code == 200


def test_a_partner_of_another_program_reads_nothing_here(
    app: Flask, app_session: Session, cast: Cast, sent: NewsletterIssue
) -> None:
    stranger = make_person(app_session, "Stan")
    make_partner(app_session, user=stranger)
    app_session.commit()
    browser = app.test_client()
    sign_in(browser, stranger)
    for page in ("/portal/casa/newsletters", at(sent), at(sent, "/mail")):
        assert browser.get(page).status_code == 404


def test_a_story_is_read_and_answered_by_its_own_partner_only(
    app: Flask, app_session: Session, cast: Cast, marta: FlaskClient
) -> None:
    words = {"en": {"title": "<b>One pan</b>", "body": "They link <i>one</i> pan."}}
    story = Block("story", BlockKind.STORY, words, "", str(cast.partner.id))
    issue = make_issue(app_session, program=cast.program, now=clock.now(), draft=a_draft("S", "B", story))
    app_session.commit()
    with app.test_request_context():
        service.ask_consent(
            app_session, issue_id=issue.id, program=cast.program, block_id="story", actor=SYSTEM, now=clock.now()
        )
    app_session.commit()
    page = marta.get("/portal/casa/newsletters").text
    assert "They link &lt;i&gt;one&lt;/i&gt; pan." in page
    (consent,) = read(app_session, select(StoryConsent))
    eva = make_person(app_session, "Ewa")
    from factories import make_member

    make_member(app_session, user=eva, partner=cast.other)
    app_session.commit()
    other = app.test_client()
    sign_in(other, eva)
    assert "They link" not in other.get("/portal/casa/newsletters").text
    assert other.post(f"/portal/casa/newsletters/stories/{consent.id}/agree").status_code == 404
    marta.post(f"/portal/casa/newsletters/stories/{consent.id}/agree")
    assert [row.status for row in read(app_session, select(StoryConsent))] == [ConsentStatus.GIVEN]
    marta.post(f"/portal/casa/newsletters/stories/{consent.id}/decline")
    assert [row.status for row in read(app_session, select(StoryConsent))] == [ConsentStatus.DECLINED]
