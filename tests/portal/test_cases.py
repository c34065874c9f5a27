"""A partner's cases in the portal, and the same cases in the console: opened, answered, settled, never seen by others."""

import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person, sign_in
from creative_cast import png
from factories import make_commission, make_payout
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole
from affiliate.accounts.roles import MemberRole
from affiliate.console.queries import contacts as lists
from affiliate.partners.models import Member
from affiliate.payouts.models import PayoutStatus
from affiliate.relations import queries, service
from affiliate.relations.claims import Claim
from affiliate.relations.models import Case, CaseKind, CaseStatus

LIST = "/portal/casa/cases"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def mara(app: Flask, cast: Cast, app_session: Session) -> FlaskClient:
    """The manager's browser."""
    person = make_person(app_session, "Mara")
    give(app_session, person, GrantRole.MANAGER, cast.program)
    app_session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    return browser


def _name(case: Case) -> str:
    return ids.public("cas", case.id)


def _only(session: Session, cast: Cast) -> Case:
    session.expire_all()
    [line] = queries.cases(session, program_id=cast.program.id, limit=9)
    session.commit()
    return line.case


def test_a_confirmation_as_pdf_is_proof_and_leaves_as_an_attachment(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    form = {"kind": "missing_sale", "order_id": "A-1", "text": "Here it is."}
    hidden = b"%PDF-1.7\n<< /S /JavaScript >>\n%%EOF\n"
    refused = marta.post(LIST, data=form | {"proof": (io.BytesIO(hidden), "order.pdf")})
    assert (refused.status_code, "This PDF carries scripts or other files." in refused.text) == (422, True)
    assert "Here it is." in refused.text
    paper = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
    answer = marta.post(LIST, data=form | {"proof": (io.BytesIO(paper), "<script>.PDF")})
    assert answer.status_code == 303, answer.text
    case = _only(app_session, cast)
    [message] = queries.messages_of(app_session, case_id=case.id)
    app_session.commit()
    console = f"/console/casa/cases/{_name(case)}"
    for browser, address in ((marta, answer.location), (mara, console)):
        page = browser.get(address).text
        assert "Document as proof (PDF)" in page
        assert f'<img src="{address}/proof' not in page
        file = browser.get(f"{address}/proof/{message.id}")
        assert (file.data, file.mimetype) == (paper, "application/pdf")
        assert file.headers["Content-Disposition"] == 'attachment; filename="proof.pdf"'
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    more = marta.post(answer.location, data={"text": "And again.", "proof": (io.BytesIO(paper), "b.pdf")})
    assert more.status_code == 303
    assert marta.get(answer.location).text.count("Document as proof (PDF)") == 2


def test_several_files_come_with_one_message(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    form = {"kind": "missing_sale", "order_id": "A-1", "text": "Three of them."}
    paper = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
    files = [(io.BytesIO(content), name) for content, name in ((png(), "a.png"), (paper, "b.pdf"), (png(), "c.png"))]
    address = marta.post(LIST, data=form | {"proof": files}).location
    case = _only(app_session, cast)
    rows = queries.messages_of(app_session, case_id=case.id)
    app_session.commit()
    assert [one.text for one in rows] == ["Three of them.", "", ""]
    console = f"/console/casa/cases/{_name(case)}"
    for browser, at in ((marta, address), (mara, console)):
        page = browser.get(at).text
        found = re.findall(rf'href="({at}/proof/[^"]+)"', page)
        assert [browser.get(one).mimetype for one in found] == ["image/png", "application/pdf", "image/png"]
        assert page.count('<p class="talk-t">') == 1
    who = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    contacts = lists.of_partner(app_session, **who, kinds=[lists.Contact.CASE], cursor=None)
    assert [one.text for one in contacts.rows] == ["Three of them."]
    app_session.commit()
    two = [(io.BytesIO(png()), "d.png"), (io.BytesIO(png()), "e.png")]
    assert marta.post(address, data={"text": "Two more.", "proof": two}).status_code == 303
    assert marta.get(address).text.count('<p class="talk-t">') == 2


def test_files_that_are_refused_are_named_beside_the_field_and_words_stay(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    form = {"kind": "missing_sale", "order_id": "A-1", "text": "Kept words"}

    def wrong() -> list[tuple[io.BytesIO, str]]:
        return [(io.BytesIO(png()), "good.png"), (io.BytesIO(b"x"), "bad.png"), (io.BytesIO(b"y"), "<b>.pdf")]

    def large() -> list[tuple[io.BytesIO, str]]:
        return [(io.BytesIO(b"x" * 2_300_000), f"{number}.pdf") for number in range(2)]

    cases = (
        (wrong, ("bad.png: ", "&lt;b&gt;.pdf: This is no PDF")),
        (lambda: [(io.BytesIO(png()), f"{number}.png") for number in range(6)], ("up to five files",)),
        (large, ("larger than 4.5 MB together",)),
    )
    marta.post(LIST, data={"kind": "wrong_amount", "order_id": "B-1", "text": "An open one"})
    opened = f"{LIST}/{_name(_only(app_session, cast))}"
    for files, sentences in cases:
        for address in (LIST, opened):
            answer = marta.post(address, data=form | {"proof": files()})
            told = re.search(r'id="proof-error">(.*?)</p>', answer.text, re.DOTALL)
            assert told is not None, (address, sentences)
            assert answer.status_code == 422
            assert all(sentence in told[1] for sentence in sentences), told[1]
            assert "good.png" not in told[1]
            assert "Kept words" in answer.text
    assert len(queries.messages_of(app_session, case_id=_only(app_session, cast).id)) == 1


def test_the_list_says_by_when_an_answer_comes_on_a_phone_too(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    marta.post(LIST, data={"kind": "missing_sale", "order_id": "A-1", "text": "Where is it?"})
    assert re.search(r'<span class="sub only-narrow">Answer by <time', marta.get(LIST).text)
    marta.post(f"{LIST}/{_name(_only(app_session, cast))}/withdraw")
    assert '<span class="sub only-narrow">' not in marta.get(LIST).text


def test_a_case_goes_from_the_partner_to_the_manager_and_back(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    form = {"kind": "missing_sale", "order_id": HOSTILE, "text": HOSTILE, "amount": "12.50"}
    answer = marta.post(LIST, data=form | {"proof": (io.BytesIO(png()), "shot.png")})
    assert answer.status_code == 303, answer.text
    case = _only(app_session, cast)
    assert (answer.location, case.claimed_minor) == (f"{LIST}/{_name(case)}", 12_50)
    page = marta.get(answer.location).text
    assert "&lt;script&gt;alert(1)" in page
    assert HOSTILE not in page
    [message] = queries.messages_of(app_session, case_id=case.id)
    app_session.commit()
    assert marta.get(f"{LIST}/{_name(case)}/proof/{message.id}").mimetype == "image/png"
    console = f"/console/casa/cases/{_name(case)}"
    shown = mara.get(console).text
    assert "No such order had arrived." in shown
    assert HOSTILE not in shown
    assert mara.get(f"{console}/proof/{message.id}").mimetype == "image/png"
    assert "Ewa" not in mara.get("/console/casa/cases").text
    mara.post(f"{console}/ask", data={"text": "Which shop?"})
    assert "Which shop?" in marta.get(answer.location).text
    assert marta.post(answer.location, data={"text": ""}).status_code == 422
    assert marta.post(answer.location, data={"text": "Rome"}).status_code == 303
    read = {"seen": "3"}
    refused = mara.post(f"{console}/accept", data=read | {"settlement": "credit", "text": "Yes"}, follow_redirects=True)
    assert "This order is not known." in refused.text
    assert _only(app_session, cast).status is CaseStatus.OPEN
    refused = mara.post(
        f"{console}/accept",
        data=read | {"settlement": "entry", "text": "Yes", "amount": "x", "act": "accept"},
        follow_redirects=True,
    )
    assert refused.status_code == 422
    assert "Write an amount" in refused.text
    assert '<option value="entry" selected>' in refused.text
    assert re.search(r'name="amount"[^>]*value="x"', refused.text)
    assert re.search(r'id="accept-text"[^>]*>Yes<', refused.text)
    mara.post(f"{console}/accept", data=read | {"settlement": "entry", "text": "Yes", "amount": "12.50"})
    assert _only(app_session, cast).status is CaseStatus.ACCEPTED
    assert "€12.50" in marta.get(answer.location).text
    for browser, address in ((mara, f"{console}/decline"), (mara, f"{console}/answer"), (marta, answer.location)):
        late = browser.post(address, data={"text": "Long thought about"}).text
        assert "somebody was faster" in late
        assert "What you wrote was not sent" in late
        assert "Long thought about" in late


def test_a_late_payment_is_opened_from_its_payout_and_both_sides_see_how_it_stood(
    app: Flask, marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    common: dict[str, Any] = {"program": cast.program, "proposer": cast.person, "status": PayoutStatus.APPROVED}
    one = make_payout(app_session, partner=cast.partner, amount_minor=41_00, **common)
    theirs = make_payout(app_session, partner=cast.other, **common)
    app_session.commit()
    page = f"/portal/casa/payouts/{ids.public('pay', one.id)}"
    [way] = _ways_in(marta, page)
    form = marta.get(way).text
    assert re.search(rf'<option selected value="{ids.public("pay", one.id)}">€41.00 · ', form)
    assert 'name="order_id"' not in form
    assert ids.public("pay", theirs.id) not in form
    for foreign in (ids.public("pay", theirs.id), "pay_x"):
        assert marta.get(f"{LIST}/new?kind=late_payment&payout={foreign}").status_code == 404
        named = {"kind": "late_payment", "payout": foreign, "text": "Where is it?"}
        assert marta.post(LIST, data=named).status_code == 404
    sent = {"kind": "late_payment", "payout": ids.public("pay", one.id), "text": "Where is it?"}
    address = marta.post(LIST, data=sent).location
    assert marta.post(LIST, data=sent).status_code == 409
    case = _only(app_session, cast)
    assert (case.payout_id, _ways_in(marta, page)) == (one.id, [address])
    console = f"/console/casa/cases/{_name(case)}"
    run = f"/console/casa/payouts/{ids.public('run', one.run_id)}"
    for browser, at, ways in ((marta, address, [page]), (mara, console, [run, f"{run}/{ids.public('pay', one.id)}"])):
        shown = browser.get(at).text
        assert re.search(r"<dt>Payout</dt><dd[^>]*>€41.00</dd><dt>State</dt><dd[^>]*>Approved</dd>", shown)
        assert re.search(r"<dt>Approved on</dt><dd[^>]*>16 Nov 2026</dd>", shown)
        assert all(f'href="{way}"' in shown for way in ways), at
        assert "No such order had arrived." not in shown
        assert "after the case was opened" not in shown
    one = app_session.merge(one)
    one.status, one.paid_at = PayoutStatus.PAID, clock.now() + timedelta(minutes=1)
    app_session.commit()
    for browser, at in ((marta, address), (mara, console)):
        assert re.search(r"€41.00 was paid on [^<]*, after the case was opened\.", browser.get(at).text)
    member = app_session.scalars(sa.select(Member).where(Member.partner_id == cast.partner.id)).one()
    member.role = MemberRole.MARKETER
    app_session.commit()
    assert "€41.00" not in marta.get(address).text  # payouts are not for who makes links
    assert marta.get(way).status_code == 404
    assert 'name="payout"' not in marta.get(f"{LIST}/new?kind=late_payment").text


def _ways_in(browser: FlaskClient, address: str) -> list[str]:
    """Where a page's links into cases lead."""
    found = re.findall(r'href="(/portal/casa/cases/[^"]+)"', browser.get(address).text)
    return [html.unescape(one) for one in found]


def test_pages_lead_into_a_case_with_what_they_know(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    commission = make_commission(app_session, program=cast.program, partner=cast.partner, order_id="10 & 482")
    app_session.commit()
    pages = {
        f"/portal/casa/commissions/{ids.public('com', commission.id)}": "?kind=wrong_amount&order=10+%26+482",
        "/portal/casa/commissions": "?kind=missing_sale",
        "/portal/casa/commissions?status=paid": "?kind=missing_sale",
        "/portal/casa/payouts": "?kind=late_payment",
    }
    for page, known in pages.items():
        assert _ways_in(marta, page) == [f"{LIST}/new{known}"], page
    doubt = marta.get(f"{LIST}/new?kind=wrong_amount&order=10+%26+482").text
    assert '<option selected value="wrong_amount">' in doubt
    assert re.search(r'name="order_id"[^>]*value="10 &amp; 482"', doubt)
    member = app_session.scalars(sa.select(Member).where(Member.partner_id == cast.partner.id)).one()
    member.role = MemberRole.READER
    app_session.commit()
    assert [_ways_in(marta, page) for page in pages] == [[]] * len(pages)


def test_a_late_payment_about_no_payout_tells_what_it_waits_for(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    address = marta.post(LIST, data={"kind": "late_payment", "text": "I wait since May."}).location
    console = f"/console/casa/cases/{_name(_only(app_session, cast))}"
    for browser, at in ((marta, address), (mara, console)):
        shown = browser.get(at).text
        for name, value in (
            ("Approved, in no payout", "€0.00"), ("Minimum payout", "€25.00"), ("Payment details", "entered"),
            ("Next payouts on", "a day that the program chooses"),
        ):  # fmt: skip
            assert re.search(rf"<dt>{name}</dt><dd[^>]*>{value}</dd>", shown), (at, name)
        assert "Payment block" not in shown
    assert 'href="/console/casa/payouts/partners/' in shown


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"text": "Kept words"}, "Name the order, or the day"),
        ({"order_id": "1", "text": ""}, "Write something"),
        ({"order_id": "1", "text": "Kept words", "amount": "4O"}, "Write an amount"),
        ({"order_id": "1", "text": "Kept words", "happened_on": "2099-01-01"}, "last two years"),
    ],
)
def test_a_refused_case_says_why_and_keeps_what_was_typed(
    marta: FlaskClient, cast: Cast, form: dict[str, str], sentence: str
) -> None:
    answer = marta.post(LIST, data={"kind": "wrong_amount"} | form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert form["text"] in answer.text


def test_a_case_is_withdrawn_and_a_late_one_says_so(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    long_ago = clock.now().replace(year=clock.now().year - 1)
    claim = Claim(CaseKind.LATE_PAYMENT, "Where is it?", "P1")
    made = service.open_case(
        app_session, program=cast.program, partner_id=cast.partner.id, claim=claim, actor=SYSTEM, now=long_ago
    )
    app_session.commit()
    assert "The promised time is over" in marta.get(LIST).text
    assert "Late" in mara.get("/console/casa/cases").text
    marta.post(f"{LIST}/{_name(made)}/withdraw")
    assert _only(app_session, cast).status is CaseStatus.WITHDRAWN
    assert "No case waits" in mara.get("/console/casa/cases").text
    assert "Where is it?" in mara.get(f"/console/casa/cases/{_name(made)}").text


def test_another_partners_case_is_not_there(
    marta: FlaskClient, mara: FlaskClient, app_session: Session, cast: Cast
) -> None:
    claim = Claim(CaseKind.MISSING_SALE, "Mine", "77")
    made = service.open_case(
        app_session, program=cast.program, partner_id=cast.other.id, claim=claim, actor=SYSTEM, now=clock.now()
    )
    app_session.commit()
    address = f"{LIST}/{_name(made)}"
    assert marta.get(address).status_code == 404
    assert marta.get(f"{address}/proof/{made.id}").status_code == 404
    assert marta.post(address, data={"text": "x"}).status_code == 404
    assert marta.post(f"{address}/withdraw").status_code == 404
    assert marta.get(f"/console/casa/cases/{_name(made)}").status_code == 404
    assert "77" not in marta.get(LIST).text
    assert _only(app_session, cast).status is CaseStatus.OPEN
