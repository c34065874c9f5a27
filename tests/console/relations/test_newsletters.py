"""The pages of newsletters: written without script, seen before they leave, taken back in time; closed to everybody else."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from accounts_cast import read
from console_cast import Cast, public, text_of
from factories import make_click, make_commission, make_link
from flask.testing import FlaskClient
from newsletter_cast import Block, BlockKind, a_draft, make_issue, make_reader, order
from sqlalchemy import select

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, User
from affiliate.mailer import OutboxMail
from affiliate.newsletters import service
from affiliate.newsletters.models import (
    DeliveryStatus,
    IssueKind,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterRefusal,
    StoryConsent,
    SuppressedAddress,
)

HOSTILE = '</textarea><script>alert("x")</script>{first_name}'


@pytest.fixture
def issue(cast: Cast) -> NewsletterIssue:
    """A draft of Casa."""
    made = make_issue(cast.session, program=cast.program, now=clock.now())
    cast.session.commit()
    return made


def at(issue: NewsletterIssue, rest: str = "") -> str:
    return f"/console/casa/newsletters/{public('nws', issue)}{rest}"


def stored(cast: Cast) -> NewsletterIssue:
    (found,) = read(cast.session, select(NewsletterIssue))
    return found


def typed(issue: NewsletterIssue, **more: str) -> dict[str, str]:
    """What the form holds."""
    fields = {"version": str(issue.version), "language": "en", "kind": "news", "act": "save", "statuses": "approved"}
    fields |= {"en-subject": "Hello", "en-preheader": "", "in_archive": "1", "performance": "any", "days": "90"}
    fields |= {f"en-{block['id']}-body": "Text" for block in issue.blocks if block["kind"] == "text"}
    return fields | more


def test_a_newsletter_is_begun_written_and_ordered_without_script(cast: Cast, mara: FlaskClient) -> None:
    there = mara.post("/console/casa/newsletters", data={"kind": "offers", "language": "it"}).headers["Location"]
    issue = stored(cast)
    assert (issue.kind, issue.language, issue.status) == (IssueKind.OFFERS, "it", IssueStatus.DRAFT)
    page = mara.get(there).text
    assert 'name="it-subject"' in page
    (block,) = issue.blocks
    words = {"it-subject": "Ciao {first_name}", f"it-{block['id']}-body": "**Dodici** per cento"}
    mara.post(there, data={"version": "1", "language": "it", "kind": "offers", "act": "save", **words})
    assert "Ciao {first_name}" in text_of(mara.get(there))
    page = mara.get(f"{there}/mail").text
    assert "<strong>Dodici</strong>" in page
    answer = mara.post(f"{there}/schedule", data={"version": "2", "when": "now", "quiet": "1"})
    assert answer.status_code == 303
    ordered = stored(cast)
    assert ordered.status is IssueStatus.SCHEDULED
    assert ordered.release_at is not None
    assert ordered.release_at >= clock.now() + timedelta(minutes=9)
    assert "Take it back" in mara.get(there).text
    mara.post(f"{there}/undo")
    assert stored(cast).status is IssueStatus.DRAFT
    acts = [
        event.action for event in read(cast.session, select(AuditEvent).where(AuditEvent.subject_kind == "newsletter"))
    ]
    assert acts == ["newsletter.create", "newsletter.schedule", "newsletter.undo"]


def test_no_act_in_the_editor_loses_a_word(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    (first,) = issue.blocks
    body = f"en-{first['id']}-body"
    mara.post(at(issue), data=typed(issue, act="add", block_kind="news") | {body: "Kept"})
    issue = stored(cast)
    first, second = issue.blocks
    assert first["texts"]["en"]["body"] == "Kept"
    assert second["kind"] == "news"
    mara.post(
        at(issue), data=typed(issue, act=f"up:{second['id']}") | {body: "Kept too", f"en-{second['id']}-title": "New"}
    )
    issue = stored(cast)
    assert [block["id"] for block in issue.blocks] == [second["id"], first["id"]]
    assert issue.blocks[0]["texts"]["en"]["title"] == "New"
    there = mara.post(at(issue), data=typed(issue, act="language:pl") | {body: "Kept three"}).headers["Location"]
    assert 'name="pl-subject"' in mara.get(there).text
    issue = stored(cast)
    assert issue.blocks[1]["texts"]["en"]["body"] == "Kept three"
    mara.post(at(issue), data=typed(issue, act=f"remove:{second['id']}"))
    assert [block["id"] for block in stored(cast).blocks] == [first["id"]]


def test_what_is_too_long_is_kept_on_the_page_and_told(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    answer = mara.post(at(issue), data=typed(issue) | {"en-subject": "x" * 151, "en-preheader": "mine"})
    assert answer.status_code == 422
    assert "x" * 151 in answer.text
    assert 'value="mine"' in answer.text
    assert "150 characters are the limit" in answer.text
    assert stored(cast).version == issue.version


def test_two_managers_do_not_overwrite_one_another(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, browser_of: Callable[[User], FlaskClient]
) -> None:
    browser_of(cast.max).post(at(issue), data=typed(issue) | {"en-subject": "Of Max"})
    answer = mara.post(at(issue), data=typed(issue) | {"en-subject": "Of Mara"})
    assert answer.status_code == 409
    assert 'value="Of Mara"' in answer.text
    assert stored(cast).texts["en"]["subject"] == "Of Max"


def test_wrong_fields_and_addresses_are_named_and_keep_it_from_being_sent(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    (block,) = issue.blocks
    wrong = {"en-subject": "Hi {favourite}", f"en-{block['id']}-body": "[x](javascript:alert(1))"}
    mara.post(at(issue), data=typed(issue) | wrong)
    page = text_of(mara.get(at(issue)))
    assert "Unknown field {favourite}. Known: first_name" in page
    assert "“javascript:alert(1” is no address of a link" in page
    answer = mara.post(at(issue, "/schedule"), data={"version": "3", "when": "now"})
    assert answer.status_code == 422
    assert stored(cast).status is IssueStatus.DRAFT


def test_a_time_that_is_over_or_unreadable_is_refused_and_kept(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    for when, day, told in (("at", "2020-01-01", "This time is over"), ("reader", "never", "Choose a day and an hour")):
        answer = mara.post(at(issue, "/schedule"), data={"version": "2", "when": when, "day": day, "hour": "09:30"})
        assert answer.status_code == 422
        assert told in answer.text
        assert 'value="09:30"' in answer.text
        assert f'value="{day}"' in answer.text


def test_hostile_words_stay_words_on_every_page(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    (block,) = issue.blocks
    words = {"en-subject": HOSTILE, "en-preheader": HOSTILE, f"en-{block['id']}-body": HOSTILE}
    mara.post(at(issue), data=typed(issue) | words)
    issue = stored(cast)
    rests = ["", "/preview", "/preview?view=text", "/preview?reader=<script>", "/mail"]
    pages = ["/console/casa/newsletters", *[at(issue, rest) for rest in rests]]
    for page in pages:
        text = mara.get(page).text
        assert "<script>alert" not in text, page
        assert "<script>" not in re.sub(r"<script [^>]*src=", "", text), page


def test_the_preview_is_of_any_partner_in_a_frame_that_runs_nothing(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    answer = mara.get(at(issue, "/mail?reader=Slow+Kitchen"))
    assert "Dear Marta of Slow Kitchen" in answer.text
    assert "/r/ragu?sub10=nws_" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    page = mara.get(at(issue, "/preview?reader=slow&view=narrow")).text
    assert 'sandbox=""' in page
    assert "As Slow Kitchen gets it." in page
    assert "Dear Marta of Slow Kitchen" in mara.get(at(issue, "/preview?reader=slow&view=text")).text
    prospects = mara.get(at(issue, "/preview?prospect=1&view=text")).text
    assert "because you asked for news" in prospects
    assert "/apply/casa" in prospects
    assert "because you asked for news" in mara.get(at(issue, "/mail?prospect=1")).text


def test_a_test_goes_to_oneself_alone(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    mara.post(at(issue, "/test"))
    (mail,) = read(cast.session, select(OutboxMail))
    assert mail.recipient == cast.mara.email
    assert mail.subject.startswith("Test: News for ")


def test_the_number_of_readers_leaves_out_who_said_no_and_whose_mail_comes_back(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    for name in ("Nora Example", "Gina Example", "Kurt Example"):
        person, _ = make_reader(cast.session, program=cast.program, name=name)
        if name.startswith("Nora"):
            refusal = NewsletterRefusal(
                id=ids.new(), user_id=person.id, program_id=cast.program.id, kind=IssueKind.NEWS
            )
            refusal.source, refusal.created_at = "page", clock.now()
            cast.session.add(refusal)
        if name.startswith("Gina"):
            cast.session.add(SuppressedAddress(address=person.email, reason="5.1.1 gone", suppressed_at=clock.now()))
    cast.session.commit()
    assert "2 readers" in mara.get(at(issue)).text
    page = mara.get("/console/casa/newsletters/suppressed").text
    assert "5.1.1 gone" in page
    mara.post("/console/casa/newsletters/suppressed", data={"address": "gina@example.test"})
    assert "3 readers" in mara.get(at(issue)).text
    assert mara.post("/console/casa/newsletters/suppressed", data={"address": "nora@example.test"}).status_code == 404


def test_a_story_is_told_only_with_consent_to_exactly_its_words(cast: Cast, mara: FlaskClient) -> None:
    story = Block(
        "story",
        BlockKind.STORY,
        {"en": {"title": "Twice the basket", "body": "They link one pan."}},
        "",
        str(cast.partner.id),
    )
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=a_draft("S", "B", story))
    cast.session.commit()
    answer = mara.post(at(issue, "/schedule"), data={"version": str(issue.version), "when": "now"})
    assert "A story waits for its partner&#39;s consent" in answer.text
    kept = {"en-first-body": "B", "en-story-title": "Twice the basket", "en-story-body": "They link one pan."}
    mara.post(at(issue), data=typed(issue, act="ask:story") | kept | {"story-partner": "Slow Kitchen"})
    (consent,) = read(cast.session, select(StoryConsent))
    mails = read(cast.session, select(OutboxMail))
    assert [mail.recipient for mail in mails] == ["marta@example.test"]
    here = {"program_id": cast.program.id, "partner_id": cast.partner.id, "actor": SYSTEM, "now": clock.now()}
    service.answer_consent(cast.session, consent_id=consent.id, is_given=True, **here)
    cast.session.commit()
    issue = stored(cast)
    changed = kept | {"en-story-body": "They link two pans.", "story-partner": "Slow Kitchen"}
    mara.post(at(issue), data=typed(issue) | changed)
    issue = stored(cast)
    refused = mara.post(at(issue, "/schedule"), data={"version": str(issue.version), "when": "now"})
    assert refused.status_code == 422
    mara.post(at(issue), data=typed(issue) | kept | {"story-partner": "Slow Kitchen"})
    issue = stored(cast)
    assert mara.post(at(issue, "/schedule"), data={"version": str(issue.version), "when": "now"}).status_code == 303


def test_the_results_tell_what_came_through_and_what_needs_a_person(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    now = clock.now()
    order(cast.session, issue, now=now - timedelta(days=1))
    issue = service.found(cast.session, issue_id=issue.id, program_id=cast.program.id)
    issue.status, issue.released_at = IssueStatus.SENT, now - timedelta(hours=20)
    person, partner = make_reader(cast.session, program=cast.program, name="Ugo Example")
    mail = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=person.id, partner_id=partner.id, due_at=now)
    mail.status, mail.error, mail.unsubscribed_at = DeliveryStatus.UNCERTAIN, "connection lost", now
    cast.session.add(mail)
    link = make_link(cast.session, program=cast.program, partner=partner)
    click = make_click(
        cast.session, link=link, subs={"sub10": public("nws", issue)}, occurred_at=now - timedelta(hours=2)
    )
    sale = make_commission(
        cast.session, program=cast.program, partner=partner, earned_at=now - timedelta(hours=1), link=link
    )
    from affiliate.attribution.models import Credit

    cast.session.get_one(Credit, sale.credit_id).click_id = click.id
    cast.session.commit()
    page = text_of(mara.get(at(issue)))
    assert "ugo@example.test" in page
    assert "connection lost" in page
    assert "€100.00" in page
    mara.post(f"/console/casa/newsletters/deliveries/{mail.id}/resend")
    (again,) = read(cast.session, select(NewsletterDelivery))
    assert again.status is DeliveryStatus.WAITING
    assert stored(cast).status is IssueStatus.SENDING
    assert "Stop…" in mara.get(at(issue)).text


def test_newsletters_are_of_managers_of_this_program(
    cast: Cast, finn: FlaskClient, mara: FlaskClient, issue: NewsletterIssue, client: FlaskClient
) -> None:
    foreign = make_issue(cast.session, program=cast.other, now=clock.now())
    person, partner = make_reader(cast.session, program=cast.other)
    mail = NewsletterDelivery(
        id=ids.new(), issue_id=foreign.id, user_id=person.id, partner_id=partner.id, due_at=clock.now()
    )
    mail.status = DeliveryStatus.FAILED
    cast.session.add(mail)
    cast.session.commit()
    reading = ["", "/preview", "/mail"]
    acting = ["", "/test", "/schedule", "/undo", "/stop", "/resume"]
    for browser, of in ((finn, issue), (mara, foreign)):
        assert {browser.get(at(of, rest)).status_code for rest in reading} == {404}
        assert {browser.post(at(of, rest), data=typed(of)).status_code for rest in acting} <= {404, 303}
        assert browser.post(f"/console/casa/newsletters/deliveries/{mail.id}/resend").status_code == 404
    for page in ("/console/casa/newsletters", "/console/casa/newsletters/suppressed"):
        assert finn.get(page).status_code == 404
        assert client.get(page).status_code == 302
    assert {row.status for row in read(cast.session, select(NewsletterIssue))} == {IssueStatus.DRAFT}
    assert {row.version for row in read(cast.session, select(NewsletterIssue))} == {2}
    assert read(cast.session, select(OutboxMail)) == []
