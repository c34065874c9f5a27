"""Payouts and their tax papers by key: every amount, the papers with their PDFs, one program's only."""

from collections.abc import Callable
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from money_cast import MATURE, Books, open_books
from sqlalchemy.orm import Session
from tax_cast import PDF, make_buyer, make_profile, make_rule

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.money import Money
from affiliate.papers import issuing
from affiliate.papers import service as papers
from affiliate.papers.models import Paper
from affiliate.papers.service import Typed
from affiliate.payouts import service
from affiliate.payouts.models import Payout
from affiliate.programs.models import Program
from affiliate.taxes.figures import PaperKind

Call = Callable[[str], Any]


@pytest.fixture
def books(app_session: Session) -> Books:
    books = open_books(app_session)
    make_buyer(app_session, books.program)
    make_rule(app_session, books.program)
    return books


def caller(books: Books, client: FlaskClient, program: Program, *scopes: str) -> Call:
    """Calls with a new key of the program."""
    _key, secret = accounts.create_api_key(
        books.session, program_id=program.id, name="Test", scopes=list(scopes), actor=books.alice, now=factories.NOW
    )
    books.session.commit()
    return lambda path: client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})


def proposed(books: Books, paper: PaperKind) -> Payout:
    """A payout of 10.00 of commissions, with its paper."""
    make_profile(books.session, books.program, books.partner.id, paper=paper)
    books.order()
    books.work(now=MATURE)
    run = service.propose(books.session, program_id=books.program.id, actor=books.alice, now=MATURE)
    return books.session.scalars(sa.select(Payout).where(Payout.run_id == run.id)).one()


def approve(books: Books, payout: Payout) -> Paper:
    """The second person's yes, and the paper that follows from it."""
    run: dict[str, Any] = {"run_id": payout.run_id, "program_id": books.program.id}
    service.approve_run(books.session, **run, actor=books.bob, now=MATURE)
    issuing.issue_due(books.session, limit=10, now=MATURE)
    books.session.commit()
    return books.session.scalars(sa.select(Paper)).one()


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_a_payout_tells_every_amount_and_its_paper_comes_as_pdf(client: FlaskClient, books: Books) -> None:
    payout = proposed(books, PaperKind.SELF_BILLING)
    paper = approve(books, payout)
    get = caller(books, client, books.program, "payouts:read")
    path = f"/payouts/{ids.public('pay', payout.id)}"
    told = get(path).json
    assert [told[name]["amount"] for name in ("earned", "vat", "stamp_duty", "amount", "withheld", "to_pay")] == [
        "10.00", "2.20", "0.00", "12.20", "1.15", "11.05",
    ]  # fmt: skip
    assert (told["run_id"], told["paper"]) == (ids.public("run", payout.run_id), "issued")
    assert get("/payouts").json == [told]
    assert get(f"/payouts?partner={ids.public('ptn', books.partner.id)}").json == [told]
    assert get(f"/payouts?partner={ids.public('ptn', ids.new())}").json == []

    (listed,) = get(f"{path}/papers").json["papers"]
    assert (listed["kind"], listed["number"], listed["corrects"]) == ("invoice", "SB-2026-00001", None)
    assert (listed["taxable"], listed["withheld"], listed["to_pay"]) == (euros("10.00"), euros("1.15"), euros("11.05"))
    address = f"/papers/{ids.public('ppr', paper.id)}.pdf"
    assert (listed["pdf_url"], get(address).status_code) == (None, 404)
    papers.join_pdf(books.session, paper_id=paper.id, name="SB-2026-00001.pdf", content=PDF, now=MATURE)
    books.session.commit()
    (listed,) = get(f"{path}/papers").json["papers"]
    assert listed["pdf_url"].endswith(f"/api/v1{address}")
    file = get(address)
    assert (file.data, file.mimetype) == (PDF, "application/pdf")
    assert file.headers["Content-Disposition"] == 'attachment; filename="SB-2026-00001.pdf"'


def test_an_invoice_that_a_partner_sent_is_listed_and_comes_as_it_was_sent(client: FlaskClient, books: Books) -> None:
    payout = proposed(books, PaperKind.OWN_INVOICE)
    typed = Typed("12/2026", MATURE.date(), Money(12_20, "EUR"), "IT12345670017")
    papers.file_invoice(
        books.session, program=books.program, payout_id=payout.id, partner_id=books.partner.id, typed=typed,
        content=PDF, actor=books.alice, now=MATURE,
    )  # fmt: skip
    get = caller(books, client, books.program, "payouts:read")
    told = get(f"/payouts/{ids.public('pay', payout.id)}/papers").json
    (filed,) = told["filed_invoices"]
    assert told["papers"] == []
    assert (filed["number"], filed["status"], filed["total"]) == ("12/2026", "filed", euros("12.20"))
    assert get(filed["pdf_url"].partition("/api/v1")[2]).data == PDF


def test_papers_are_for_keys_of_their_program_that_may_read_payouts(client: FlaskClient, books: Books) -> None:
    payout = proposed(books, PaperKind.SELF_BILLING)
    paper = approve(books, payout)
    papers.join_pdf(books.session, paper_id=paper.id, name="x.pdf", content=PDF, now=MATURE)
    pay = f"/payouts/{ids.public('pay', payout.id)}"
    paths = [pay, f"{pay}/papers", f"/papers/{ids.public('ppr', paper.id)}.pdf"]
    elsewhere = caller(books, client, factories.make_program(books.session), "payouts:read")
    without = caller(books, client, books.program, "reports:read")
    own = caller(books, client, books.program, "payouts:read")
    assert [own(path).status_code for path in paths] == [200, 200, 200]
    assert [elsewhere(path).status_code for path in paths] == [404, 404, 404]
    assert [without(path).status_code for path in paths] == [403, 403, 403]
