"""The pages of newsletters: written without script, seen before they leave, taken back in time; closed to everybody else."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from accounts_cast import give, make_person, read
from console_cast import Cast, public, text_of
from factories import give_click, make_click, make_commission, make_link, make_program
from flask.testing import FlaskClient
from newsletter_cast import Block, BlockKind, Draft, a_draft, make_choice, make_issue, make_reader, order
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.attribution.models import Credit
from affiliate.commissions.life import CommissionStatus
from affiliate.console import paging
from affiliate.console.queries import newsletters as lists
from affiliate.ingest.models import ClickVerdict
from affiliate.mailer import OutboxMail
from affiliate.newsletters import openings, queries, service
from affiliate.newsletters.content import fingerprint
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueKind,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterRefusal,
    OpeningConsent,
    StoryConsent,
    SuppressedAddress,
)
from affiliate.relations.care_models import PartnerTag

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
    form = {"version": "2", "language": "it", "kind": "offers", "act": "schedule", "when": "now", "quiet": "1"}
    answer = mara.post(there, data=form | words)
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


def version_in(page: str) -> str:
    (version,) = re.findall(r'name="version" value="([^"]*)"', page)
    return str(version)


def test_a_form_of_an_old_version_is_refused_until_its_writer_saves_over_the_other(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, browser_of: Callable[[User], FlaskClient]
) -> None:
    max_ = browser_of(cast.max)
    max_.post(at(issue), data=typed(issue) | {"en-subject": "Of Max"})
    mine = typed(issue, kind="offers", main_language="it") | {"en-subject": "Of Mara"}
    mine.pop("in_archive")
    for _press in range(2):
        answer = mara.post(at(issue), data=mine)
        assert answer.status_code == 409
        assert version_in(answer.text) == mine["version"]
        assert 'value="offers" selected' in answer.text
        assert 'value="it" selected' in answer.text
        assert 'name="in_archive" value="1">' in answer.text
    (over,) = re.findall(r'name="act" value="(over:\d+)"', answer.text)
    max_.post(at(issue), data=typed(stored(cast)) | {"en-subject": "Of Max again"})
    assert mara.post(at(issue), data=mine | {"act": over}).status_code == 409  # not the one that the page told of
    assert stored(cast).texts["en"]["subject"] == "Of Max again"
    version = stored(cast).version
    assert mara.post(at(issue), data=mine | {"act": f"over:{version}"}).status_code == 303
    now = stored(cast)
    assert (now.texts["en"]["subject"], now.version) == ("Of Mara", version + 1)
    assert (now.kind, now.language, now.in_archive) == (IssueKind.OFFERS, "it", False)


def test_a_form_of_an_old_version_is_told_even_if_it_says_the_same(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    old = typed(issue)
    mara.post(at(issue), data=old)
    for act in ("save", "test", "schedule"):
        assert mara.post(at(issue), data=old | {"act": act}).status_code == 409, act
    assert read(cast.session, select(OutboxMail)) == []
    assert mara.post(at(issue), data=typed(stored(cast))).status_code == 303


def test_a_form_of_an_old_version_is_still_one_after_its_mistakes_were_told(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, browser_of: Callable[[User], FlaskClient]
) -> None:
    browser_of(cast.max).post(at(issue), data=typed(issue) | {"en-subject": "Of Max"})
    page = mara.post(at(issue), data=typed(issue, kind="offers") | {"en-subject": "x" * 151})
    assert page.status_code == 422
    assert 'value="offers" selected' in page.text
    again = typed(issue) | {"version": version_in(page.text), "en-subject": "Of Mara"}
    assert mara.post(at(issue), data=again).status_code == 409
    assert stored(cast).texts["en"]["subject"] == "Of Max"


def test_words_in_a_block_that_somebody_else_removed_are_not_lost(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    draft = a_draft("S", "B", Block("second", BlockKind.NEWS, {"en": {"title": "New", "body": "Old"}}))
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=draft)
    cast.session.commit()
    keys = re.findall(r'name="block" value="([^"]*)"', mara.get(at(issue)).text)
    assert keys == ["first:text", "second:news"]
    mine: dict[str, Any] = typed(issue) | {"en-first-body": "Mine", "en-second-title": "New", "en-second-body": "Old"}
    browser_of(cast.max).post(at(issue), data=typed(issue, act="remove:first"))
    assert [block["id"] for block in stored(cast).blocks] == ["second"]
    mine["block"] = [*keys, "<b>:text", "third:none"]
    answer = mara.post(at(issue), data=mine)
    assert answer.status_code == 409
    assert "Mine</textarea>" in answer.text
    assert mara.post(at(issue), data=mine | {"act": f"over:{stored(cast).version}"}).status_code == 303
    first, second = stored(cast).blocks
    assert (first["id"], first["texts"]["en"]["body"], second["id"]) == ("first", "Mine", "second")


def test_an_issue_under_way_is_not_saved_over(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    order(cast.session, issue, now=clock.now())
    cast.session.commit()
    answer = mara.post(at(issue), data=typed(issue) | {"en-subject": "Kept here"})
    assert answer.status_code == 409
    assert 'value="Kept here"' in answer.text
    assert "over:" not in answer.text
    assert mara.post(at(issue), data=typed(issue, act=f"over:{issue.version}")).status_code == 409


def test_wrong_fields_and_addresses_are_named_and_keep_it_from_being_sent(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    (block,) = issue.blocks
    wrong = {"en-subject": "Hi {favourite}", f"en-{block['id']}-body": "[x](javascript:alert(1))"}
    mara.post(at(issue), data=typed(issue) | wrong)
    page = text_of(mara.get(at(issue)))
    assert "Unknown field {favourite}. Known: first_name" in page
    assert "“javascript:alert(1)” is no address of a link" in page
    answer = mara.post(at(issue), data=typed(stored(cast), act="schedule") | wrong)
    assert "Something in the text must be put right first" in answer.text
    assert stored(cast).status is IssueStatus.DRAFT


def test_the_page_of_an_offer_is_one_of_the_shop(cast: Cast, mara: FlaskClient) -> None:
    offer = Block("offer", BlockKind.OFFER, {"en": {"title": "Pans", "body": "Until 30 November."}})
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=a_draft("S", "B", offer))
    cast.session.commit()
    words = {"en-first-body": "B", "en-offer-title": "Pans", "en-offer-body": "Until 30 November."}
    [host] = cast.program.allowed_hosts
    answer = mara.post(at(issue), data=typed(issue, act="schedule") | words | {"offer-url": "https://evil.example/pan"})
    assert "Something in the text must be put right first." in answer.text
    beside = re.search(r'id="f-offer-url-error">.*?</p>', answer.text)
    assert beside is not None
    assert f"This address is at evil.example. Links can point to {host} only." in beside[0]
    assert stored(cast).status is IssueStatus.DRAFT
    mara.post(at(issue), data=typed(stored(cast), act="schedule") | words | {"offer-url": f"{host}/pan?a=ü"})
    assert stored(cast).status is IssueStatus.SCHEDULED
    assert stored(cast).blocks[1]["url"] == f"https://{host}/pan?a=%C3%BC"
    assert f"url=https%3A%2F%2F{host}%2Fpan" in mara.get(at(issue, "/mail?reader=Slow+Kitchen")).text


def test_a_refused_time_comes_back_with_the_words_which_are_stored(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    (block,) = issue.blocks
    for when, day, told in (("at", "2020-01-01", "This time is over"), ("reader", "never", "Choose a day and an hour")):
        words = {f"en-{block['id']}-body": f"Kept at {when}"}
        time = {"when": when, "day": day, "hour": "09:30"}
        answer = mara.post(at(issue), data=typed(stored(cast), act="schedule") | words | time)
        assert told in answer.text
        for value in ("09:30", day, str(stored(cast).version)):
            assert f'value="{value}"' in answer.text
        assert f'value="{when}" checked' in answer.text
        assert 'name="quiet" value="1">' in answer.text
        assert f"Kept at {when}</textarea>" in answer.text
        assert stored(cast).blocks[0]["texts"]["en"]["body"] == f"Kept at {when}"
        assert stored(cast).status is IssueStatus.DRAFT


def test_what_was_typed_is_stored_before_it_is_seen_tested_or_sent(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    (block,) = issue.blocks
    body = f"en-{block['id']}-body"
    seen = mara.post(at(issue), data=typed(issue, act="preview:text") | {body: "Seen"})
    assert seen.status_code == 303
    assert "Seen" in mara.get(seen.headers["Location"]).text
    assert "Seen" in mara.get(at(issue, "/mail")).text
    mara.post(at(issue), data=typed(stored(cast), act="test") | {body: "Tested"})
    (mail,) = read(cast.session, select(OutboxMail))
    assert "Tested" in mail.body_text
    time = {"when": "at", "day": "2099-01-01", "hour": "10:00"}
    mara.post(at(issue), data=typed(stored(cast), act="schedule") | {body: "Sent"} | time)
    assert stored(cast).status is IssueStatus.SCHEDULED
    assert stored(cast).blocks[0]["texts"]["en"]["body"] == "Sent"
    assert stored(cast).send_at is not None


def test_the_time_that_was_typed_stays_through_other_acts(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    time = {"when": "reader", "day": "2099-01-01", "hour": "10:15", "quiet": "1"}
    for act in ("save", "test", "language:it", "add"):
        page = mara.get(mara.post(at(issue), data=typed(stored(cast), act=act) | time).headers["Location"]).text
        assert 'value="10:15"' in page, act
        assert 'value="reader" checked' in page, act
        assert 'name="quiet" value="1" checked' in page, act
    assert "when=" not in mara.post(at(issue), data=typed(stored(cast))).headers["Location"]


def test_a_form_of_the_page_holds_every_act_and_saves_at_a_press_of_enter(
    mara: FlaskClient, issue: NewsletterIssue
) -> None:
    answer = mara.get(at(issue))
    main = answer.text[answer.text.index("<main") :]
    assert main.count(f'action="{at(issue)}"') == 1
    assert "/test" not in main
    assert "/schedule" not in main
    buttons = re.findall(r'<button [^>]*name="act" value="([^"]*)"', main)
    assert buttons[0] == "save"
    assert {"test", "preview", "preview:text", "schedule"} < set(buttons)
    assert answer.headers["Cache-Control"] == "no-store"  # who comes back from the preview sees what is stored


def test_what_is_looked_at_only_changes_nothing(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    mara.post(at(issue), data=typed(issue))
    issue = stored(cast)
    before = (issue.version, issue.texts, issue.blocks)
    mara.post(at(issue), data=typed(issue, act="preview"))
    empty = {"it-subject": "", "it-preheader": "", f"it-{issue.blocks[0]['id']}-body": ""}
    mara.post(at(issue), data=typed(issue, language="it", act="preview") | empty)
    again = stored(cast)
    assert (again.version, again.texts, again.blocks) == before


def test_other_readers_than_the_button_told_are_looked_at_first(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    other = {"statuses": "paused", "act": "schedule", "when": "now"}
    answer = mara.post(at(issue), data=typed(issue) | other)
    assert "The choice of readers was another one a moment ago." in answer.text
    assert stored(cast).status is IssueStatus.DRAFT
    mara.post(at(issue), data=typed(stored(cast)) | other)
    assert stored(cast).status is IssueStatus.SCHEDULED


@pytest.mark.parametrize("other", [{"kind": "offers"}, {"main_language": "it"}])
def test_another_kind_or_language_may_mean_other_readers(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, other: dict[str, str]
) -> None:
    words = {"it-subject": "Ciao", "it-first-body": "Testo"}
    mara.post(at(issue), data=typed(issue, language="it") | words)
    answer = mara.post(at(issue), data=typed(stored(cast), act="schedule", when="now") | other)
    assert "The choice of readers was another one a moment ago." in answer.text
    assert stored(cast).status is IssueStatus.DRAFT
    mara.post(at(issue), data=typed(stored(cast), act="schedule", when="now") | other)
    assert stored(cast).status is IssueStatus.SCHEDULED


def test_several_groups_and_tags_are_chosen_and_stay_chosen_when_nobody_has_them_any_more(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    for name, tag in (("Nora Example", "blog"), ("Gina Example", "video"), ("Kurt Example", "shop")):
        _, partner = make_reader(cast.session, program=cast.program, name=name)
        cast.session.add(PartnerTag(program_id=cast.program.id, partner_id=partner.id, tag=tag))
    cast.session.commit()
    wanted = MultiDict([*typed(issue).items(), ("tags", "video"), ("tags", "blog"), ("tags", "gone")])
    mara.post(at(issue), data=wanted)
    assert stored(cast).segment["tags"] == ["blog", "gone", "video"]
    page = mara.get(at(issue)).text
    assert re.findall(r'name="tags" value="(\w+)" checked', page) == ["blog", "gone", "video"]
    assert 'name="tags" value="shop">' in page
    assert "2 readers" in page


def test_a_saved_choice_narrows_the_readers_and_a_deleted_one_is_told_until_another_is_chosen(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, count_queries: Any
) -> None:
    for name, tag in (("Nora Example", "blog"), ("Gina Example", "video")):
        _, partner = make_reader(cast.session, program=cast.program, name=name)
        cast.session.add(PartnerTag(program_id=cast.program.id, partner_id=partner.id, tag=tag))
    choice = make_choice(cast.session, program=cast.program, now=clock.now(), tag="blog")
    cast.session.commit()
    ready = {"it-subject": "Ciao", "choice": choice}
    mara.post(at(issue), data=typed(issue) | ready)
    page = mara.get(at(issue)).text
    assert f'<option value="{choice}" selected>Kept</option>' in page
    assert "1 reader<" in page
    mara.post(at(issue), data=typed(stored(cast), act="schedule", when="now") | ready)
    assert stored(cast).status is IssueStatus.SCHEDULED
    mara.post(f"/console/casa/partners/segments/{choice}/delete")
    told = "The saved choice of its readers was deleted, so nobody gets it."
    waiting = text_of(mara.get(at(issue)))
    assert told in waiting
    assert "0 readers" in waiting
    mara.post(at(issue, "/undo"))
    with count_queries() as asked:
        page = mara.get(at(issue)).text
    assert len(asked) <= 20
    assert told in page
    assert "0 readers" in page
    assert f'<option value="{choice}" selected>A choice that was deleted</option>' in page
    answer = mara.post(at(issue), data=typed(stored(cast), act="schedule", when="now") | ready)
    assert told in answer.text
    assert stored(cast).status is IssueStatus.DRAFT
    mara.post(at(issue), data=typed(stored(cast)) | {"choice": ""})
    page = mara.get(at(issue)).text
    assert told not in page
    assert "3 readers" in page


def test_the_preview_says_who_is_none_of_its_readers_as_the_editor_counts_them(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    for name, tag in (("Nora Example", "blog"), ("Gina Example", "video")):
        _, partner = make_reader(cast.session, program=cast.program, name=name)
        cast.session.add(PartnerTag(program_id=cast.program.id, partner_id=partner.id, tag=tag))
    choice = make_choice(cast.session, program=cast.program, now=clock.now(), tag="blog")
    cast.session.commit()
    mara.post(at(issue), data=typed(issue) | {"choice": choice})
    told = "Nobody of this partner is among its readers now."
    nora, gina = (at(issue, f"/preview?reader={name}") for name in ("Nora's+kitchen", "Gina's+kitchen"))
    assert told not in mara.get(nora).text
    assert told in mara.get(gina).text
    assert told not in mara.get(f"{gina}&prospect=1").text
    mara.post(f"/console/casa/partners/segments/{choice}/delete")
    assert told in mara.get(nora).text
    now = stored(cast)
    now.status = IssueStatus.SENT
    cast.session.merge(now)
    cast.session.commit()
    assert told not in mara.get(gina).text


def test_what_keeps_an_issue_back_is_told_on_its_pages_until_it_is_saved(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    issue.trouble = service.CHOICE_DELETED
    cast.session.commit()
    for page in ("/console/casa/newsletters", at(issue)):
        assert "was deleted, so nobody gets it." in text_of(mara.get(page))
    assert "It was not sent." in mara.get(at(issue)).text
    mara.post(at(issue), data=typed(issue))
    assert "was deleted, so nobody gets it." not in text_of(mara.get(at(issue)))


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


def test_the_preview_is_in_each_language_with_our_own_words_in_it(cast: Cast, mara: FlaskClient) -> None:
    envelopes = {"en": {"subject": "The pan"}, "it": {"subject": "La padella"}, "pl": {"subject": "Patelnia"}}
    bodies = {"en": {"body": "Cast iron."}, "it": {"body": "Ghisa."}}
    draft = Draft("en", envelopes, [Block("first", BlockKind.TEXT, bodies)])
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=draft)
    cast.session.commit()
    expected = {
        "en": ("The pan", "Cast iron.", "You get this mail because you are a partner of"),
        "it": ("La padella", "Ghisa.", "Ricevi questa mail perché sei partner di"),
        "pl": ("Patelnia", "", "Dostajesz tę wiadomość, bo jesteś partnerem programu"),
    }
    for language, (subject, body, why) in expected.items():
        page = text_of(mara.get(at(issue, f"/preview?language={language}&view=text")))
        mail = text_of(mara.get(at(issue, f"/mail?language={language}")))
        assert f'<b class="b">{subject}</b>' in page, language
        for text in (page, mail):
            assert why in text, language
            assert body in text, language
            assert [other for _, other, _ in expected.values() if other and other != body and other in text] == []
        assert f'lang="{language}"' in mail
        assert ("Not complete in this language" in page) is (language == "pl")
    assert '<b class="b">The pan</b>' in mara.get(at(issue, "/preview?language=de")).text


def test_a_test_goes_to_oneself_alone(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    mara.post(at(issue), data=typed(issue, act="test") | {"en-subject": "News for {first_name}"})
    (mail,) = read(cast.session, select(OutboxMail))
    assert mail.recipient == cast.mara.email
    assert mail.subject.startswith("Test: News for ")
    assert "/mail/" in mail.body_text  # by which it is found when a story in it must be forgotten


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
    kept = {"en-first-body": "B", "en-story-title": "Twice the basket", "en-story-body": "They link one pan."}
    kept |= {"story-partner": "Slow Kitchen"}
    answer = mara.post(at(issue), data=typed(issue, act="schedule") | kept)
    assert "A story waits for its partner&#39;s consent" in answer.text
    mara.post(at(issue), data=typed(stored(cast), act="ask:story") | kept)
    (consent,) = read(cast.session, select(StoryConsent))
    mails = read(cast.session, select(OutboxMail))
    assert [mail.recipient for mail in mails] == ["marta@example.test"]
    here = {"program_id": cast.program.id, "partner_id": cast.partner.id, "actor": SYSTEM, "now": clock.now()}
    service.answer_consent(cast.session, consent_id=consent.id, is_given=True, **here)
    cast.session.commit()
    changed = kept | {"en-story-body": "They link two pans."}
    refused = mara.post(at(issue), data=typed(stored(cast), act="schedule") | changed)
    assert "A story waits for its partner&#39;s consent" in refused.text
    assert stored(cast).status is IssueStatus.DRAFT
    mara.post(at(issue), data=typed(stored(cast), language="it") | {"it-story-title": "", "it-story-body": ""})
    assert mara.post(at(issue), data=typed(stored(cast), act="schedule") | kept).status_code == 303
    assert stored(cast).status is IssueStatus.SCHEDULED


def test_the_partner_of_a_story_stays_in_its_field_among_more_partners_than_are_offered(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_reader(cast.session, program=cast.program, name="Aaron Example")
    words = {"en": {"title": "Twice the basket", "body": "They link one pan."}}
    story = Block("story", BlockKind.STORY, words, "", str(cast.partner.id))
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=a_draft("S", "B", story))
    cast.session.commit()
    monkeypatch.setattr(queries, "partners_by_name", partial(queries.partners_by_name, limit=1))
    page = mara.get(at(issue)).text
    assert '<option value="Slow Kitchen">' not in page
    [shown] = re.findall(r'name="story-partner" value="([^"]*)"', page)
    assert shown == "Slow Kitchen"
    kept = {"en-first-body": "B", "en-story-title": "Once", "en-story-body": "One.", "story-partner": shown}
    mara.post(at(issue), data=typed(issue) | kept)
    assert stored(cast).blocks[1]["partner_id"] == str(cast.partner.id)


def test_mails_to_look_at_are_paged_and_uncertain_ones_come_first(
    cast: Cast, issue: NewsletterIssue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(paging.page_of.__kwdefaults__, "size", 1)
    for status in (DeliveryStatus.UNCERTAIN, DeliveryStatus.FAILED, DeliveryStatus.REFUSED, DeliveryStatus.UNCERTAIN):
        person, partner = make_reader(cast.session, program=cast.program, name=f"U{ids.new().hex} Example")
        mail = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=person.id, partner_id=partner.id)
        mail.due_at, mail.status = clock.now(), status
        cast.session.add(mail)
    cast.session.flush()
    pages = paging.every_page(lambda at: lists.undelivered(cast.session, issue_id=issue.id, cursor=at))
    found = [row.NewsletterDelivery for page in pages for row in page.rows]
    assert [mail.status is DeliveryStatus.UNCERTAIN for mail in found] == [True, True, False, False]
    assert len({mail.id for mail in found}) == 4
    cast.session.commit()


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
    other_click = make_click(cast.session, link=link, occurred_at=now - timedelta(hours=2))
    here: dict[str, Any] = {"program": cast.program, "partner": partner, "link": link}
    earned_at = now - timedelta(hours=1)
    sales = [
        make_commission(cast.session, **here, amount_minor=12_50, reversed_minor=2_00, earned_at=earned_at),
        make_commission(cast.session, **here, amount_minor=7_00, earned_at=earned_at),
        make_commission(cast.session, **here, earned_at=earned_at, status=CommissionStatus.TEST),
        make_commission(cast.session, **here, earned_at=now - timedelta(days=2)),  # before the issue
    ]
    for sale in sales:
        give_click(cast.session, credit=cast.session.get_one(Credit, sale.credit_id), click_id=click.id)
    elsewhere = make_commission(cast.session, **here, earned_at=earned_at)
    give_click(cast.session, credit=cast.session.get_one(Credit, elsewhere.credit_id), click_id=other_click.id)
    cast.session.commit()
    page = text_of(mara.get(at(issue)))
    assert "ugo@example.test" in page
    assert "connection lost" in page
    sold = page[page.index('id="sold"') :]
    tiles = re.findall(r'<dt>([^<]*)</dt><dd><div class="val n">(.*?)</div>', sold[: sold.index("</section>")])
    told = {label: re.sub("<[^>]*>", "", value).strip() for label, value in tiles}
    assert told == {"Sales": "2", "Revenue": "€200.00", "Partners earn": "€17.50"}
    mara.post(f"/console/casa/newsletters/deliveries/{mail.id}/resend")
    (again,) = read(cast.session, select(NewsletterDelivery))
    assert again.status is DeliveryStatus.WAITING
    assert stored(cast).status is IssueStatus.SENDING
    assert "Stop…" in mara.get(at(issue)).text


def sent_to(cast: Cast, issue: NewsletterIssue, *names: str) -> list[NewsletterDelivery]:
    """The issue was sent to these people."""
    now = clock.now()
    order(cast.session, issue, now=now - timedelta(days=1))
    issue.status, issue.released_at = IssueStatus.SENT, now
    mails = []
    for name in names:
        person, partner = make_reader(cast.session, program=cast.program, name=name)
        whose = {"user_id": person.id, "partner_id": partner.id}
        mails.append(NewsletterDelivery(id=ids.new(), issue_id=issue.id, **whose, due_at=now))
        mails[-1].status = DeliveryStatus.SENT
    cast.session.add_all(mails)
    cast.session.commit()
    return mails


def test_openings_are_of_readers_who_agreed_and_name_nobody(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    mails = sent_to(cast, issue, "Ugo Example", "Vera Example", "Wanda Example", "Zoe Example")
    page = text_of(mara.get(at(issue)))
    assert "Nobody who got it had agreed to tell" in page
    assert "readers who agreed opened it" not in page
    for place, mail in enumerate(mails[:3]):
        assert "agreed opened it" not in text_of(mara.get(at(issue))), place  # of one or two it would tell who
        agreed = {"consent_text": "Tell", "source": "page", "now": clock.now()}
        openings.agree(cast.session, user_id=mail.user_id, program_id=cast.program.id, **agreed)
        here = OpeningConsent.user_id == mail.user_id
        consent_id = cast.session.scalars(select(OpeningConsent.id).where(here)).one()
        openings.expect(cast.session, delivery_id=mail.id, consent_id=consent_id)
    openings.record(cast.session, delivery_id=mails[0].id)
    openings.record(cast.session, delivery_id=mails[3].id)  # who has not agreed
    cast.session.commit()
    page = text_of(mara.get(at(issue)))
    assert "1 of 3 readers who agreed opened it" in page
    assert "33\N{NO-BREAK SPACE}%" in page
    assert "Mail programs may load pictures by themselves" in page
    assert "Ugo" not in page
    assert "is not recorded" not in page


def test_what_is_looked_at_or_sent_as_a_test_holds_no_picture(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    agreed = {"consent_text": "Tell", "source": "page", "now": clock.now()}
    openings.agree(cast.session, user_id=cast.mara.id, program_id=cast.program.id, **agreed)
    cast.session.commit()
    assert "<img" not in mara.get(at(issue, "/mail")).text
    mara.post(at(issue), data=typed(issue, act="test"))
    (mail,) = read(cast.session, select(OutboxMail))
    assert "<img" not in mail.body_html


@pytest.mark.parametrize("hands_out", ["an offer", "an offer of the shop", "a text", "nothing"])
def test_clicks_on_links_of_readers_are_told_by_their_label(
    cast: Cast, mara: FlaskClient, hands_out: str, count_queries: Any
) -> None:
    now = clock.now()
    words = {"en": {"title": "Pans", "body": "Now."}}
    address = "" if hands_out == "an offer of the shop" else "https://casa.example/pans"
    offer = Block("offer", BlockKind.OFFER, words, address)
    text = Block("text", BlockKind.TEXT, {"en": {"body": "[Yours]({my_link})" if hands_out == "a text" else "Hello."}})
    draft = Draft("en", {"en": {"subject": "S", "preheader": ""}}, [offer if "offer" in hands_out else text])
    issue, another = (make_issue(cast.session, program=cast.program, now=now, draft=draft) for _ in range(2))
    for one in (issue, another):
        one.status, one.release_at = IssueStatus.SENT, now - timedelta(days=100)
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    far = make_link(cast.session, program=make_program(cast.session), partner=cast.partner)
    label, counted = {"sub10": public("nws", issue)}, now - timedelta(days=99)
    for _ in range(2):
        make_click(cast.session, link=link, subs=label, occurred_at=counted)
    make_click(cast.session, link=link, subs=label, occurred_at=counted, verdict=ClickVerdict.BOT)
    make_click(cast.session, link=link, subs={"sub10": public("nws", another)}, occurred_at=counted)
    make_click(cast.session, link=link, subs={"sub1": public("nws", issue)}, occurred_at=counted)
    make_click(cast.session, link=far, subs=label, occurred_at=counted)
    for days in (101, 9):  # before it, and after its 90 days
        make_click(cast.session, link=link, subs=label, occurred_at=now - timedelta(days=days))
    cast.session.commit()
    with count_queries() as asked:
        page = mara.get(at(issue)).text
    assert len(asked) <= 20
    told = re.findall(r'<td>Readers&#39; own links<span.*?</span></td><td class="num">(\d+)</td>', page)
    assert told == ([] if hands_out == "nothing" else ["2"])


def test_a_duplicate_is_a_draft_of_its_own_with_what_is_typed(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue
) -> None:
    words = {"en-subject": "Every month", "kind": "offers", "statuses": "paused"}
    there = mara.post(at(issue), data=typed(issue, act="duplicate") | words).headers["Location"]
    assert there != at(issue)
    first, copy = read(cast.session, select(NewsletterIssue).order_by(NewsletterIssue.id))
    assert "Every month" in mara.get(there).text
    for name in ("texts", "blocks", "segment", "kind", "language", "in_archive"):
        assert getattr(copy, name) == getattr(first, name), name
    assert copy.segment["statuses"] == ["paused"]
    assert (copy.version, copy.created_by_id) == (1, cast.mara.id)


def test_an_issue_that_was_sent_is_duplicated_as_a_draft(cast: Cast, mara: FlaskClient, issue: NewsletterIssue) -> None:
    now = clock.now()
    issue.status, issue.release_at, issue.released_at = IssueStatus.SENT, now, now
    issue.finished_at, issue.trouble, issue.send_wall = now, "421", "2026-11-24T09:00"
    cast.session.commit()
    assert f'action="{at(issue, "/duplicate")}"' in mara.get(at(issue)).text
    there = mara.post(at(issue, "/duplicate")).headers["Location"]
    copy = read(cast.session, select(NewsletterIssue).order_by(NewsletterIssue.id))[-1]
    assert there == at(copy)
    assert (copy.status, copy.release_at, copy.released_at) == (IssueStatus.DRAFT, None, None)
    assert (copy.finished_at, copy.trouble, copy.send_wall) == (None, None, None)
    assert 'name="en-subject"' in mara.get(there).text


@pytest.mark.parametrize("keeps_quiet_hours", [True, False])
def test_an_ordered_issue_says_whether_it_keeps_quiet_hours(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, *, keeps_quiet_hours: bool
) -> None:
    issue.status, issue.release_at, issue.keeps_quiet_hours = IssueStatus.SCHEDULED, clock.now(), keeps_quiet_hours
    issue.send_wall = "2026-11-24T22:30"
    cast.session.commit()
    page = mara.get(at(issue)).text
    assert "Each reader gets it at 2026-11-24 22:30 of their own clock." in page
    assert ("gets it at 8:00 instead" in page) is keeps_quiet_hours


@pytest.mark.parametrize("status", [IssueStatus.DRAFT, IssueStatus.STOPPED])
def test_why_an_issue_with_nothing_left_to_say_did_not_leave_is_told(
    cast: Cast, mara: FlaskClient, issue: NewsletterIssue, status: IssueStatus
) -> None:
    issue.status, issue.trouble = status, service.NOTHING_TO_SAY
    cast.session.commit()
    for page in ("/console/casa/newsletters", at(issue)):
        text = text_of(mara.get(page))
        assert "nothing but stories without their partners" in text
        assert "The mail server" not in text


@pytest.mark.parametrize("is_written", [True, False])
def test_why_it_did_not_leave_is_told_no_more_once_something_is_in_it(
    cast: Cast, mara: FlaskClient, is_written: bool
) -> None:
    words = {"en": {"title": "One pan", "body": "Sold twice."}}
    story = Block("story", BlockKind.STORY, words, "", str(cast.partner.id))
    draft = Draft("en", {"en": {"subject": "Hello"}}, [story])
    issue = make_issue(cast.session, program=cast.program, now=clock.now(), draft=draft)
    issue.trouble = service.NOTHING_TO_SAY
    consent = StoryConsent(id=ids.new(), program_id=cast.program.id, issue_id=issue.id, partner_id=cast.partner.id)
    consent.fingerprint, consent.story, consent.asked_at = fingerprint(story), {}, clock.now()
    consent.status = ConsentStatus.DECLINED
    cast.session.add(consent)
    cast.session.commit()
    here: dict[str, Any] = {"consent_id": consent.id, "program_id": cast.program.id, "partner_id": cast.partner.id}
    here |= {"actor": SYSTEM, "now": clock.now()}
    assert "nothing but stories" in text_of(mara.get(at(issue)))
    if is_written:
        kept = {"en-story-title": "One pan", "en-story-body": "Sold twice.", "story-partner": "Slow Kitchen"}
        mara.post(at(issue), data=typed(issue, act="add", block_kind="text") | kept)
    else:
        cast.session.expire_all()
        service.answer_consent(cast.session, is_given=False, **here)
        cast.session.commit()
        assert "nothing but stories" in text_of(mara.get(at(issue)))
        cast.session.expire_all()
        service.answer_consent(cast.session, is_given=True, **here)
        cast.session.commit()
    for page in ("/console/casa/newsletters", at(issue)):
        assert "nothing but stories" not in text_of(mara.get(page))


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
    acting = ["", "/undo", "/stop", "/resume", "/duplicate"]
    for browser, of in ((finn, issue), (mara, foreign)):
        assert {browser.get(at(of, rest)).status_code for rest in reading} == {404}
        assert {browser.post(at(of, rest), data=typed(of)).status_code for rest in acting} <= {404, 303}
        for act in ("test", "preview", "schedule", "add", "duplicate"):
            assert browser.post(at(of), data=typed(of, act=act)).status_code == 404
        assert browser.post(f"/console/casa/newsletters/deliveries/{mail.id}/resend").status_code == 404
    for page in ("/console/casa/newsletters", "/console/casa/newsletters/suppressed"):
        assert finn.get(page).status_code == 404
        assert client.get(page).status_code == 302
    assert {row.status for row in read(cast.session, select(NewsletterIssue))} == {IssueStatus.DRAFT}
    assert {row.version for row in read(cast.session, select(NewsletterIssue))} == {2}
    assert read(cast.session, select(OutboxMail)) == []


def test_who_reads_an_issue_sees_no_address_of_its_readers(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient], issue: NewsletterIssue
) -> None:
    (mail,) = sent_to(cast, issue, "Ugo Example")
    mail.status, mail.error = DeliveryStatus.REFUSED, "550 unknown"
    reader = make_person(cast.session, "Rea")
    give(cast.session, reader, GrantRole.READER, cast.program)
    cast.session.commit()
    assert "Ugo Example" in text_of(mara.get(at(issue)))
    page = text_of(browser_of(reader).get(at(issue)))
    assert [one in page for one in ("Ugo Example", "550 unknown", "Look at these")] == [False] * 3
