"""What a partner's people are told in the portal and in their chats, and what each of them chose to be told."""

import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from factories import make_member
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.mail_kinds import IN_CHATS, MailKind
from affiliate.accounts.roles import MemberRole
from affiliate.mailer import Letter, OutboxMail
from affiliate.notifications import chat_service
from affiliate.notifications.models import ChatDelivery, ChatHook
from affiliate.partners import notices, noticing, posting
from affiliate.partners.models import Member, PartnerNotice
from affiliate.speech import say

PAGE, CHOICE, CHATS = "/portal/casa/notices", "/portal/casa/settings/notices", "/portal/casa/settings/chats"
HOSTILE = "<script>alert(1)</script>{{7*7}}"


def tell(session: Session, cast: Cast, *, kind: MailKind = MailKind.CASES, title: str = "An answer") -> PartnerNotice:
    """What a stage tells of something that happened."""
    letter = Letter(title, ["What it is about."], ("Open the case", "http://localhost/portal/casa/cases"))
    posting.tell(
        session, program=cast.program, partner_ids=[cast.partner.id], kind=kind, letter=lambda _who: letter,
        now=clock.now(),
    )  # fmt: skip
    notice = session.scalars(sa.select(PartnerNotice).order_by(PartnerNotice.id.desc()).limit(1)).one()
    session.commit()
    return notice


def colleague(app: Flask, session: Session, cast: Cast, role: MemberRole) -> FlaskClient:
    """Somebody of the partner in this role, signed in."""
    person = make_person(session, f"Rita {role}")
    member = make_member(session, user=person, partner=cast.partner)
    member.role = role
    session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    return browser


def new_in(browser: FlaskClient) -> int:
    """How many are new, as the bell of any page says."""
    page = browser.get("/portal/casa/settings").text
    bell = page.partition('href="/portal/casa/notices" aria-label="Notices')[2].partition('"')[0]
    return int(bell.strip(": ").partition(" ")[0] or 0)


def test_a_notice_rings_for_each_person_until_it_is_read(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    rita = colleague(app, app_session, cast, MemberRole.READER)
    notice = tell(app_session, cast)
    tell(app_session, cast, title="Another")
    assert (new_in(marta), new_in(rita)) == (2, 2)
    page = marta.get(PAGE).text
    assert page.index("Another") < page.index("An answer")
    answer = marta.post(f"{PAGE}/{ids.public('not', notice.id)}")
    assert (answer.status_code, answer.location) == (303, "/portal/casa/cases")
    assert (new_in(marta), new_in(rita)) == (1, 2)
    assert "All are read." in rita.post(f"{PAGE}/read", follow_redirects=True).text
    assert (new_in(marta), new_in(rita)) == (1, 0)


def test_a_notice_is_told_in_the_readers_language_and_stays_text(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    def letter(person: Any) -> Letter:
        hello = say("Hello %(name)s,", person.locale, name=person.name)
        return Letter(f"{HOSTILE} {person.locale}", [hello, HOSTILE], None)

    noticing.note(
        app_session, program_id=cast.program.id, partner_ids=[cast.partner.id], kind=MailKind.CREATIVES, letter=letter,
        now=clock.now(),
    )  # fmt: skip
    cast.person.locale = "it"
    app_session.commit()
    page = marta.get(PAGE).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}} it" in page
    assert "<script>alert" not in page
    assert "Ciao" not in page  # nobody is greeted: the heading says it all


def test_notices_are_of_one_partner_by_role_and_since_one_belongs_to_it(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    notice = tell(app_session, cast, kind=MailKind.PAID)
    early = colleague(app, app_session, cast, MemberRole.FINANCE)
    marketer = colleague(app, app_session, cast, MemberRole.MARKETER)
    late = make_person(app_session, "Late")
    make_member(app_session, user=late, partner=cast.partner).created_at = clock.now() + timedelta(hours=1)
    stranger = make_person(app_session, "Stranger")
    make_member(app_session, user=stranger, partner=cast.other)
    app_session.commit()
    outside = [app.test_client(), app.test_client()]
    for browser, person in zip(outside, (late, stranger), strict=True):
        sign_in(browser, person)
    assert [new_in(each) for each in (marta, early, marketer, *outside)] == [1, 1, 0, 0, 0]
    address = f"{PAGE}/{ids.public('not', notice.id)}"
    assert [each.post(address).status_code for each in (early, marketer, *outside)] == [303, 404, 404, 404]


def test_each_kind_is_told_where_one_wants_it(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    page = marta.get(CHOICE).text
    assert page.count('type="checkbox"') == 13  # seven kinds by mail and six of them in the portal; two are always told
    marta.post(CHOICE, data={"mail": ["paid"], "portal": ["cases", "paid"]})
    for kind in (MailKind.CASES, MailKind.PAID, MailKind.CREATIVES, MailKind.INVOICES):
        tell(app_session, cast, kind=kind, title=f"about {kind}")
    mailed = set(app_session.scalars(sa.select(OutboxMail.subject)))
    app_session.commit()
    assert mailed == {"about paid", "about invoices"}
    shown = marta.get(PAGE).text
    assert [kind for kind in ("cases", "paid", "creatives", "invoices") if f"about {kind}" in shown] == [
        "cases", "paid", "invoices",
    ]  # fmt: skip
    marta.post(CHOICE, data={"mail": ["paid", "creatives"], "portal": ["creatives"]})
    assert "about creatives" in marta.get(PAGE).text  # it was kept: the choice is about what is shown


def test_a_partners_chat_hears_what_is_ticked_for_it_and_no_other_chat_does(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    form = {"name": HOSTILE, "kind": "json", "url": "http://chat.example/hook"}
    made = marta.post(CHATS, data=form)
    assert made.status_code == 303
    assert HOSTILE not in marta.get(made.location).text
    (hook,) = app_session.scalars(sa.select(ChatHook)).all()
    assert hook.events == [kind.value for kind in IN_CHATS]
    app_session.commit()
    everything = {"mail": [], "portal": []}
    assert f'name="chat" value="{hook.id.hex}"' in marta.get(CHOICE).text
    marta.post(CHOICE, data=everything)  # by a page from before the chat was added
    marta.post(CHOICE, data=everything | {"chat": hook.id.hex, hook.id.hex: ["cases", "paid"]})
    app_session.expire_all()
    for kind in (MailKind.CASES, MailKind.CREATIVES):
        tell(app_session, cast, kind=kind, title=f"about {kind}")
    fresh = notices.fresh(app_session, limit=10)
    assert chat_service.pass_on(app_session, notices=fresh, now=clock.now()) == 1
    app_session.commit()
    assert notices.fresh(app_session, limit=10) == []
    app_session.commit()
    (delivery,) = app_session.scalars(sa.select(ChatDelivery)).all()
    app_session.commit()
    told = json.loads(delivery.body)
    assert (told["title"], told["lines"]) == ("about cases", ["What it is about."])
    assert told["url"] == "http://localhost/portal/casa/cases"

    other = make_person(app_session, "Ewa")
    make_member(app_session, user=other, partner=cast.other)
    app_session.commit()
    ewa, marketer = app.test_client(), colleague(app, app_session, cast, MemberRole.MARKETER)
    sign_in(ewa, other)
    assert [each.get(made.location).status_code for each in (ewa, marketer)] == [404, 403]
    marketer.post(CHOICE, data={"chat": hook.id.hex, hook.id.hex: ["day"]})
    app_session.expire_all()
    assert app_session.scalars(sa.select(ChatHook.events)).one() == ["paid", "cases"]


def test_a_chat_is_tested_switched_and_removed_and_a_wrong_one_keeps_what_was_typed(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    wrong = marta.post(CHATS, data={"name": "Team", "kind": "slack", "url": "http://user:secret@inside"})
    assert wrong.status_code == 422
    assert "This is no address." in wrong.text
    assert 'value="Team"' in wrong.text
    form = {"name": "Team", "kind": "slack", "url": "http://chat.example/hook"}
    pages = [marta.post(CHATS, data=form).location for _ in range(chat_service.PARTNERS_HOOKS_MAX)]
    assert marta.post(CHATS, data=form).status_code == 409
    marta.post(f"{pages[0]}/test")
    assert "Test" in marta.get(pages[0]).text
    marta.post(f"{pages[0]}/off")
    tell(app_session, cast)
    fresh = notices.fresh(app_session, limit=10)
    assert chat_service.pass_on(app_session, notices=fresh, now=clock.now()) == chat_service.PARTNERS_HOOKS_MAX - 1
    app_session.commit()
    marta.post(f"{pages[0]}/remove")
    assert marta.get(pages[0]).status_code == 404


def test_a_notice_leads_to_nobody_elses_site(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    notice = tell(app_session, cast)
    notice.path = "//evil.example/portal"
    app_session.commit()
    assert marta.post(f"{PAGE}/{ids.public('not', notice.id)}").location == PAGE


def test_notices_are_forgotten_after_their_term(app_session: Session, cast: Cast, marta: FlaskClient) -> None:
    notice = tell(app_session, cast)
    marta.post(f"{PAGE}/{ids.public('not', notice.id)}")
    later = clock.now() + noticing.KEPT_FOR
    reader = notices.Reader(cast.person.id, cast.program.id, cast.partner.id, MemberRole.OWNER)
    assert len(notices.of_reader(app_session, reader=reader, now=clock.now())) == 1
    assert notices.of_reader(app_session, reader=reader, now=later) == []
    assert noticing.sweep(app_session, limit=10, now=later) == 1
    assert app_session.scalar(sa.select(sa.func.count()).select_from(PartnerNotice)) == 0
    assert app_session.scalar(sa.select(sa.func.count()).select_from(Member)) > 0
