"""The pages of chats: kept, tested, tried again, removed; and what did not arrive on the first page, tried again in place."""

from collections.abc import Callable

import pytest
from accounts_cast import read
from console_cast import Cast, public
from factories import make_user
from flask.testing import FlaskClient
from newsletter_cast import make_issue
from postback_cast import make_address
from sqlalchemy import select, update

from affiliate import clock, formats, ids, mailer
from affiliate.accounts.models import AuditEvent, User
from affiliate.mailer import MailStatus, OutboxMail
from affiliate.newsletters.models import DeliveryStatus as Mailed
from affiliate.newsletters.models import IssueStatus, NewsletterDelivery, NewsletterIssue
from affiliate.notifications import chat_service
from affiliate.notifications.chats import ChatEvent, Message
from affiliate.notifications.models import (
    ChatDelivery,
    ChatHook,
    DeliveryStatus,
    PostbackDelivery,
    PostbackEvent,
)

CHATS = "/console/casa/settings/chats"
FORM = {
    "name": "#partners <b>",
    "kind": "slack",
    "url": "https://hooks.chat.example/secret",
    "events": ["alarm", "late"],
}
Browser = Callable[[User], FlaskClient]


def hook_of(cast: Cast) -> ChatHook:
    (found,) = read(cast.session, select(ChatHook))
    return found


def give_up(cast: Cast) -> None:
    ended = {"status": DeliveryStatus.GIVEN_UP, "finished_at": clock.now(), "attempts": 7, "error": "it took too long"}
    cast.session.execute(update(ChatDelivery).values(ended))
    cast.session.commit()


def test_a_chat_is_kept_tested_and_removed(cast: Cast, browser_of: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    mara = browser_of(cast.mara)
    refused = mara.post(CHATS, data=FORM | {"url": "https://chat.example/#x"})
    assert refused.status_code == 422
    assert "#partners &lt;b&gt;" in refused.text
    page = mara.post(CHATS, data=FORM, follow_redirects=True)
    assert "Send a test" in page.text
    assert "hooks.chat.example" in page.text
    assert "/secret" not in page.text
    path = f"{CHATS}/{public('cht', hook_of(cast))}"
    mara.post(f"{path}/test")
    (sent,) = read(cast.session, select(ChatDelivery))
    assert sent.event is ChatEvent.TEST
    assert "Casa Ondera" in sent.body
    give_up(cast)
    monkeypatch.setattr(formats, "call_problem", lambda told: f"[{told}]")  # as another language has it
    assert "[it took too long]" in mara.get(path).text
    assert "tried again" in mara.post(f"{path}/retry", follow_redirects=True).text
    for act, live in (("off", False), ("off", False), ("on", True)):
        mara.post(f"{path}/{act}")
        assert hook_of(cast).is_live is live
    assert mara.post(f"{path}/remove").status_code == 303
    assert read(cast.session, select(ChatHook)) == []
    actions = [row.action for row in read(cast.session, select(AuditEvent)) if row.subject_kind == "chat_hook"]
    assert sorted(actions) == ["chat.add", "chat.remove", "chat.retry", "chat.switch_off", "chat.switch_on"]


def test_others_see_no_chats(cast: Cast, browser_of: Browser) -> None:
    browser_of(cast.mara).post(CHATS, data=FORM)
    path = f"{CHATS}/{public('cht', hook_of(cast))}"
    for person in (cast.finn,):
        assert browser_of(person).get(CHATS).status_code == 404
        assert browser_of(person).post(f"{path}/test").status_code == 404
    other = path.replace("/casa/", "/altra/")
    assert browser_of(cast.ada).get(other).status_code == 404
    assert browser_of(cast.ada).post(f"/console/altra/today/chats/{public('cht', hook_of(cast))}").status_code == 404


def test_what_did_not_arrive_stands_on_the_first_page_and_is_tried_again_there(cast: Cast, browser_of: Browser) -> None:
    mara, now = browser_of(cast.mara), clock.now()
    mara.post(CHATS, data=FORM)
    message = Message("A limit", ["It was crossed."], "http://localhost/", "Look")
    chat_service.tell(
        cast.session, program=cast.program, event=ChatEvent.ALARM, occasion="alarm:1", messages={"en": message}, now=now
    )
    give_up(cast)
    address = make_address(cast.session, cast.program, cast.partner, "https://track.example/p")
    call = PostbackDelivery(id=ids.new(), address_id=address.id, event=PostbackEvent.CONVERSION, url=address.url)
    call.status, call.send_after, call.created_at, call.finished_at = DeliveryStatus.GIVEN_UP, now, now, now
    person = make_user(cast.session, email="reader@kitchen.example")
    issue = make_issue(cast.session, program=cast.program, now=now)
    mail = NewsletterDelivery(
        id=ids.new(), issue_id=issue.id, user_id=person.id, partner_id=cast.partner.id, due_at=now
    )
    mail.status, mail.settled_at, mail.attempts = Mailed.FAILED, now, 6
    cast.session.add_all([call, mail])
    cast.session.execute(update(NewsletterIssue).values(status=IssueStatus.SENT))
    cast.session.commit()
    page = mara.get("/console/casa/").text
    assert "cannot be reached" in page
    assert "A postback of Slow Kitchen fails" in page
    assert "did not reach everybody" in page
    for path in (
        f"chats/{public('cht', hook_of(cast))}",
        f"postbacks/{public('pba', address)}",
        f"newsletters/{public('nws', issue)}",
    ):
        assert f"/console/casa/today/{path}" in page
        assert "is tried again now" in mara.post(f"/console/casa/today/{path}", follow_redirects=True).text
    assert {row.status for row in read(cast.session, select(PostbackDelivery))} == {DeliveryStatus.WAITING}
    assert {row.status for row in read(cast.session, select(ChatDelivery))} == {DeliveryStatus.WAITING}
    assert {row.status for row in read(cast.session, select(NewsletterDelivery))} == {Mailed.WAITING}
    assert "did not reach everybody" not in mara.get("/console/casa/").text


def letters_fail(cast: Cast) -> None:
    """One of the program, one of another, one of the installation."""
    for recipient, program in (("of@casa.test", cast.program), ("of@altra.test", cast.other), ("of@nobody.test", None)):
        mailer.enqueue(cast.session, recipient=recipient, subject="s", body_text="t", program=program, now=clock.now())
    cast.session.flush()
    cast.session.execute(update(OutboxMail).values(status=MailStatus.FAILED, error="550 no such person"))
    cast.session.commit()


def still_failed(cast: Cast) -> set[str]:
    return {row.recipient for row in read(cast.session, select(OutboxMail)) if row.status is MailStatus.FAILED}


def test_letters_of_a_program_that_no_server_takes_are_seen_and_tried_again_by_its_managers(
    cast: Cast, browser_of: Browser
) -> None:
    letters_fail(cast)
    mara = browser_of(cast.mara)
    page = mara.get("/console/casa/").text
    assert "1 letter could not be delivered" in page
    assert "of@casa.test: 550 no such person" in page
    assert "of@altra.test" not in page
    assert "of@nobody.test" not in page
    assert browser_of(cast.finn).post("/console/casa/today/letters").status_code == 404
    assert mara.post("/console/altra/today/letters").status_code == 404
    assert "1 is tried again now." in mara.post("/console/casa/today/letters", follow_redirects=True).text
    assert still_failed(cast) == {"of@altra.test", "of@nobody.test"}
    assert "could not be delivered" not in mara.get("/console/casa/").text


def test_letters_of_all_programs_and_of_none_are_for_who_manages_all(cast: Cast, browser_of: Browser) -> None:
    letters_fail(cast)
    ada = browser_of(cast.ada)
    page = ada.get("/console/casa/").text
    assert "3 letters could not be delivered" in page
    for name in ("casa", "altra", "nobody"):
        assert f"of@{name}.test: 550 no such person" in page
    ada.post("/console/casa/today/letters")
    assert still_failed(cast) == set()
