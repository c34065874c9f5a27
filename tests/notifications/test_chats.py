"""Chats: told once of each occasion, in the form that each reads, tried again, and never at an address inside our network."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_program
from postback_cast import Tracker, tracker
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.notifications import chat_queries, chat_service, chats, delivering
from affiliate.notifications.chats import ChatEvent, ChatKind, Message
from affiliate.notifications.models import ChatDelivery, ChatHook, DeliveryStatus
from affiliate.programs.models import Program
from affiliate.settings import Settings

HOSTILE = Message(
    "Rate <!channel> & *bold*", ["[x](https://e.example) _y_"], "https://shop.example/console/casa/kpis", "Look"
)


@pytest.fixture
def session(sqlite_settings: Settings, sqlite_url: str) -> Iterator[Session]:
    """SQLite alone: nothing here differs by database."""
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session, slug="casa")


@pytest.fixture
def heard() -> Iterator[Tracker]:
    with tracker() as found:
        yield found


def make_hook(session: Session, program: Program, url: str, **fields: Any) -> ChatHook:
    usual = {"kind": ChatKind.SLACK, "name": "#partners", "events": chat_service.CHOICES, "locale": "en", "plain": True}
    return chat_service.add(session, program=program, url=url, actor=SYSTEM, now=NOW, **usual | fields)


def tell(session: Session, program: Program, occasion: str = "alarm:1", event: ChatEvent = ChatEvent.ALARM) -> int:
    return chat_service.tell(
        session, program=program, event=event, occasion=occasion, messages={"en": HOSTILE, "it": HOSTILE}, now=NOW
    )


def run(session: Session, *, now: Any = NOW) -> int:
    calls = chat_service.claim(session, limit=24, now=now)
    for call, outcome in zip(calls, delivering.make(calls, loopback=True), strict=True):
        chat_service.note(session, call=call, outcome=outcome, now=now)
    session.expire_all()
    return len(calls)


def one(session: Session) -> ChatDelivery:
    return session.scalars(sa.select(ChatDelivery)).one()


def said(kind: ChatKind) -> Any:
    return json.loads(
        chats.body(kind, event=ChatEvent.ALARM, program="casa", at="2026-11-22T10:00:00+00:00", message=HOSTILE)
    )


def test_each_chat_reads_its_own_form_and_no_word_becomes_markup() -> None:
    slack = said(ChatKind.SLACK)
    assert slack["text"] == "Rate &lt;!channel&gt; &amp; *bold*"
    assert slack["blocks"][0]["text"]["text"].endswith("<https://shop.example/console/casa/kpis|Look>")
    (card,) = (each["content"] for each in said(ChatKind.TEAMS)["attachments"])
    assert [each["text"] for each in card["body"]] == [r"Rate <!channel> & \*bold\*", r"\[x\](https://e.example) \_y\_"]
    assert card["actions"][0]["url"] == HOSTILE.url
    assert said(ChatKind.JSON)["title"] == HOSTILE.title
    assert said(ChatKind.JSON)["event"] == "alarm"


def test_an_occasion_is_told_once_and_only_to_who_wants_it(session: Session, program: Program, heard: Tracker) -> None:
    make_hook(session, program, heard.url + "/a")
    make_hook(session, program, heard.url + "/late", events=[ChatEvent.LATE])
    off = make_hook(session, program, heard.url + "/off")
    chat_service.move(session, hook=off, is_live=False, actor=SYSTEM, now=NOW)
    session.expire_all()
    assert [tell(session, program), tell(session, program), tell(session, program, "alarm:2")] == [1, 0, 1]
    assert run(session) == 2
    assert heard.paths == ["/a", "/a"]
    assert json.loads(heard.posted[0])["text"].startswith("Rate")
    assert heard.heard[0][1]["Content-Type"] == "application/json"


def test_what_fails_is_tried_again_given_up_and_tried_by_hand(
    session: Session, program: Program, heard: Tracker
) -> None:
    hook = make_hook(session, program, heard.url + "/a")
    tell(session, program)
    heard.status, now = 500, NOW
    while run(session, now=now):
        now = one(session).send_after
    assert len(heard.heard) == delivering.ATTEMPTS_MAX
    assert (one(session).status, one(session).answer_code) == (DeliveryStatus.GIVEN_UP, 500)
    heard.status = 200
    assert chat_service.retry(session, hook=hook, actor=SYSTEM, now=now) == 1
    run(session, now=now)
    assert one(session).status is DeliveryStatus.DELIVERED
    assert chat_service.retry(session, hook=hook, actor=SYSTEM, now=now) == 0
    assert chat_service.sweep(session, limit=9, now=now) == 0
    assert chat_service.sweep(session, limit=9, now=now + chat_service.KEPT_FOR + timedelta(seconds=1)) == 1


def test_a_claimed_message_is_left_alone_until_its_lease_ends(
    session: Session, program: Program, heard: Tracker
) -> None:
    make_hook(session, program, heard.url + "/a")
    tell(session, program)
    (call,) = chat_service.claim(session, limit=9, now=NOW)
    assert run(session) == 0  # the first job was killed here
    assert run(session, now=NOW + timedelta(minutes=6)) == 1
    chat_service.note(session, call=call, outcome=delivering.Outcome(None, "late"), now=NOW)
    session.expire_all()
    assert one(session).status is DeliveryStatus.DELIVERED


def test_our_own_form_is_signed_over_its_body(session: Session, program: Program, heard: Tracker) -> None:
    hook = make_hook(session, program, heard.url + "/a", kind=ChatKind.JSON)
    tell(session, program)
    run(session)
    headers = heard.heard[0][1]
    secret = base64.b64decode(chat_service.shown_secret(hook.id).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + heard.posted[0]
    digest = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


def test_a_test_is_sent_also_to_one_that_is_off_and_no_second_one_while_it_waits(
    session: Session, program: Program, heard: Tracker
) -> None:
    hook = make_hook(session, program, heard.url + "/a")
    chat_service.move(session, hook=hook, is_live=False, actor=SYSTEM, now=NOW)
    for _ in range(3):
        chat_service.test(session, hook=hook, program=program, message=HOSTILE, now=NOW)
    heard.status = 404
    assert run(session) == 1
    assert one(session).status is DeliveryStatus.GIVEN_UP  # a test is sent once
    assert chat_queries.languages(session, program_id=program.id, event=ChatEvent.ALARM) == set()


def test_the_address_is_stored_encrypted(session: Session, program: Program) -> None:
    hook = make_hook(session, program, "https://hooks.chat.example/services/T0/secret")
    session.flush()
    row = session.execute(sa.text("SELECT * FROM chat_hooks")).one()
    assert "secret" not in repr(row)
    assert (hook.host, chat_service.opened_url(hook)) == (
        "hooks.chat.example",
        "https://hooks.chat.example/services/T0/secret",
    )
    assert "secret" not in repr(session.execute(sa.text("SELECT details FROM audit_events")).all())


@pytest.mark.parametrize(
    "url",
    ["", "http://chat.example/x", "https://", "https://10.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https://a b.example/",
     "https://user:pw@chat.example/", "https://chat.example/#x", "ftp://chat.example/", "https://chat.example:99999/", "https://x.internal/",
     "https://chat.example/" + "x" * 1000],
)  # fmt: skip
def test_an_address_that_leads_inside_or_nowhere_is_refused(session: Session, program: Program, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_hook(session, program, url, plain=False, name=" ", events=[])
    assert set(refused.value.errors) == {"url", "name", "events"}


def test_ten_chats_are_enough(session: Session, program: Program) -> None:
    for _ in range(chat_service.HOOKS_MAX):
        make_hook(session, program, "https://chat.example/x")
    with pytest.raises(chat_service.TooManyHooks):
        make_hook(session, program, "https://chat.example/x")
