"""Tax papers as a partner's people see them: the profile, the notice, the invoice that is wrong and then right."""

import io
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from factories import make_partner
from flask import Flask
from flask.testing import FlaskClient
from money_cast import Books, open_books
from sqlalchemy.orm import Session
from tax_cast import PDF, make_buyer, make_profile, make_rule

from affiliate import clock, ids
from affiliate.papers.models import FiledInvoice
from affiliate.partners.models import Member
from affiliate.payouts import service
from affiliate.payouts.models import Payout
from affiliate.taxes.models import TaxProfile

PAPERS = "/portal/casa/papers"
PROFILE = {
    "who": "person", "legal_name": "Marta Sala", "address": "Via Larga 1\nBologna", "country": "IT",
    "vat_id": "IT12345670017", "rule_code": "agent", "paper": "own_invoice",
}  # fmt: skip


@pytest.fixture
def books(app_session: Session) -> Books:
    """A program with a buyer, whose partner is Marta."""
    books = open_books(app_session, slug="casa", name="Casa Ondera")
    make_buyer(app_session, books.program)
    make_rule(app_session, books.program)
    app_session.commit()
    return books


@pytest.fixture
def marta(app: Flask, books: Books) -> FlaskClient:
    """The browser of the partner's owner."""
    user = make_person(books.session, "Marta")
    books.session.execute(sa.update(Member).where(Member.partner_id == books.partner.id).values(user_id=user.id))
    books.session.commit()
    browser = app.test_client()
    sign_in(browser, user)
    return browser


@pytest.fixture
def payout(books: Books) -> Payout:
    """A proposed payout of 10.00 that waits for Marta's invoice over 12.20."""
    make_profile(books.session, books.program, books.partner.id)
    then = clock.now() - timedelta(days=60)
    books.order(occurred_at=then, received_at=then)
    books.work(now=then)
    books.work(now=clock.now())
    service.propose(books.session, program_id=books.program.id, actor=books.alice, now=clock.now())
    books.session.commit()
    found = books.session.scalars(sa.select(Payout)).one()
    books.session.commit()
    return found


def notice_of(payout: Payout) -> str:
    return f"{PAPERS}/notices/{ids.public('pay', payout.id)}"


def send(browser: FlaskClient, payout: Payout, *, pdf: bytes = PDF, **form: Any) -> Any:
    usual = {
        "number": "12/2026",
        "invoiced_on": clock.now().date().isoformat(),
        "total": "12,20",
        "vat_id": "IT12345670017",
    }
    files = {"file": (io.BytesIO(pdf), "invoice.pdf")}
    return browser.post(notice_of(payout), data=usual | form | files, headers={"Accept-Language": "it"})


def test_the_profile_is_entered_and_shown(marta: FlaskClient, books: Books) -> None:
    assert "You have no tax profile yet" in marta.get(PAPERS).text
    assert "Choose…" in marta.get(f"{PAPERS}/profile").text
    page = marta.post(f"{PAPERS}/profile", data=PROFILE, follow_redirects=True).text
    assert "Marta Sala" in page
    assert "IT12345670017" in page
    (profile,) = books.session.scalars(sa.select(TaxProfile))
    assert (profile.partner_id, profile.rule_code, profile.locale) == (books.partner.id, "agent", "en")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"vat_id": "IT12345670018"}, "This is not a VAT number of that country"),
        ({"paper": "self_billing"}, "Agree first"),
        ({"paper": "receipt"}, "A receipt is for persons without VAT number"),
        ({"country": ""}, "Choose a country"),
        ({"rule_code": "x"}, "Not a valid choice"),
    ],
)
def test_a_wrong_profile_keeps_what_was_typed(
    marta: FlaskClient, books: Books, wrong: dict[str, str], sentence: str
) -> None:
    answer = marta.post(f"{PAPERS}/profile", data=PROFILE | wrong)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Marta Sala" in answer.text
    assert books.session.scalars(sa.select(TaxProfile)).all() == []


def test_self_billing_needs_the_agreement_of_the_partner(marta: FlaskClient, books: Books) -> None:
    marta.post(f"{PAPERS}/profile", data=PROFILE | {"paper": "self_billing", "agrees": "y"})
    (profile,) = books.session.scalars(sa.select(TaxProfile))
    assert profile.agreed_at is not None
    assert "Agreed to invoices by the program" in marta.get(PAPERS).text


def test_somebody_who_only_works_there_cannot_change_the_profile(marta: FlaskClient, books: Books) -> None:
    books.session.execute(sa.text("UPDATE members SET role = 'finance'"))
    books.session.commit()
    assert marta.post(f"{PAPERS}/profile", data=PROFILE).status_code == 403


def test_the_notice_says_what_the_invoice_must_say_and_everybody_gets_a_mail(
    marta: FlaskClient, payout: Payout, books: Books
) -> None:
    page = marta.get(notice_of(payout)).text
    for said in ("Casa Ondera S.r.l.", "IT00743110157", "€10.00", "€2.20", "€12.20", "€1.15", "€11.05"):
        assert said in page
    assert "Send your invoice" in marta.get(f"/portal/casa/payouts/{ids.public('pay', payout.id)}").text
    assert [mail.subject for mail in books.mails()] == ["Send your invoice over €12.20"]


def test_a_wrong_total_names_the_field_and_keeps_what_was_typed_then_the_right_one_is_taken(
    marta: FlaskClient, payout: Payout, books: Books
) -> None:
    answer = send(marta, payout, total="10.00")
    assert answer.status_code == 422
    assert 'value="12/2026"' in answer.text
    assert 'value="10.00"' in answer.text
    assert "12,20" in answer.text  # in the sentence at the field
    assert 'id="total-error"' in answer.text
    books.session.rollback()
    assert books.session.scalars(sa.select(FiledInvoice)).all() == []
    books.session.commit()
    assert send(marta, payout).status_code == 303
    (filed,) = books.session.scalars(sa.select(FiledInvoice))
    books.session.commit()
    assert (filed.number, filed.total_minor, filed.status) == ("12/2026", 12_20, "filed")
    page = marta.get(PAPERS).text
    assert "Being checked" in page
    file = marta.get(f"{PAPERS}/filed/{ids.public('inv', filed.id)}.pdf")
    assert (file.data, file.mimetype) == (PDF, "application/pdf")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert send(marta, payout, number="13/2026").status_code == 409


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": " "}, "number"),
        ({"invoiced_on": ""}, "invoiced_on"),
        ({"invoiced_on": "2999-01-01"}, "invoiced_on"),
        ({"invoiced_on": "1999-01-01"}, "invoiced_on"),
        ({"total": "twelve"}, "total"),
        ({"vat_id": "IT00743110157"}, "vat_id"),
        ({"vat_id": ""}, "vat_id"),
        ({"pdf": b"<html>"}, "file"),
        ({"pdf": b""}, "file"),
    ],
)
def test_what_is_wrong_with_an_invoice_is_said_at_its_field(
    marta: FlaskClient, payout: Payout, wrong: dict[str, Any], field: str
) -> None:
    answer = send(marta, payout, **wrong)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_papers_of_another_partner_are_not_there(app: Flask, marta: FlaskClient, payout: Payout, books: Books) -> None:
    send(marta, payout)
    (filed,) = books.session.scalars(sa.select(FiledInvoice))
    ewa = make_person(books.session, "Ewa")
    make_partner(books.session, program=books.program, user=ewa, name="Ewa's Pans")
    books.session.commit()
    browser = app.test_client()
    sign_in(browser, ewa)
    assert browser.get(notice_of(payout)).status_code == 404
    assert send(browser, payout).status_code == 404
    assert browser.get(f"{PAPERS}/filed/{ids.public('inv', filed.id)}.pdf").status_code == 404
    assert browser.get(f"{PAPERS}/{ids.public('ppr', filed.id)}.pdf").status_code == 404
    assert "12/2026" not in browser.get(PAPERS).text
