"""A run with an invoice in it, from the bonus to what the bank says became of it; then a new account, statement and papers.

After the files that other tests of the flow pay by: the partner's account rests for three days at the end.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from installation import Installation
from pages import NARROW, Visitor, has, is_sound
from playwright.sync_api import Locator, Page, expect
from processes import eventually
from tax_cast import PDF
from walks import downloaded, just_signed_in

from affiliate.payouts.pain import SCHEMA

MakeVisitor = Callable[..., Visitor]
MARTA, LUCA = "Marta’s Slow Kitchen", "Piatto Lento"
VAT_ID = "IT03918270012"
CLOSED = "The account is closed."
PAUSED = "Changed. Nothing is paid until"
SAME_PERSON = "You proposed this run. Ask a second person to approve it."

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def amount_in(words: Locator) -> str:
    """The amount on a button or a slip, as a person types it."""
    return re.sub(r"[^0-9.]", "", words.inner_text())


def propose_two_bonuses(page: Page, console: str) -> tuple[str, str]:
    """A run with money for two partners at least: its address and its total."""
    page.goto(f"{console}/payouts/policy")
    page.get_by_label("Bonuses and corrections that need no second person, up to").fill("500")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(f"{console}/partners")
    links = {name: page.get_by_role("link", name=name).first.get_attribute("href") for name in (MARTA, LUCA)}
    for name, amount in ((MARTA, "60.00"), (LUCA, "40.00")):
        page.goto(f"{console}/payouts/partners/{str(links[name]).rpartition('/')[2]}/entries")
        form = page.locator("form.slip").first
        form.get_by_label("Amount").fill(amount)
        form.get_by_label("Reason").fill("A good autumn.")
        form.get_by_role("button", name="Enter").click()
        expect(page.get_by_text("A good autumn.").first).to_be_visible()
    page.goto(f"{console}/payouts")
    propose = page.get_by_role("button", name=re.compile("^Propose €"))
    total = amount_in(propose)
    propose.click()
    run = page.locator('.note a[href*="/payouts/run_"]').last.get_attribute("href")
    return f"{console.partition('/console/')[0]}{run}", total


def answer_without_a_button(page: Page, run: str, total: str, *, notes: list[str]) -> str:
    """Who proposed it sees no button; what it is told when it approves without one, whatever it ticks."""
    page.goto(run)
    expect(page.get_by_text("You proposed this run, so another person must approve it.")).to_be_visible()
    assert page.get_by_role("button", name=re.compile("^Approve")).count() == 0
    sent = {"csrf_token": page.locator('[name="csrf_token"]').first.input_value(), "total": total}
    sent |= dict.fromkeys(notes, "1")
    answer: str = page.evaluate(
        "async ([to, sent]) => (await fetch(to, {method: 'POST', body: new URLSearchParams(sent)})).text()",
        [f"{run}/approve", sent],
    )
    return answer


def say_who_invoices(page: Page, portal: str) -> None:
    """From now on this partner writes its own invoices."""
    page.goto(f"{portal}/papers/profile")
    page.get_by_label("VAT number").fill(VAT_ID)
    page.locator('[name="rule_code"]').select_option("it_agent")
    page.locator('[name="paper"]').select_option("own_invoice")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("complementary", name="Tax profile").get_by_text(VAT_ID).wait_for()


def send_invoice(page: Page, *, total: str) -> None:
    page.get_by_label("Number of the invoice").fill("7/2026")
    page.get_by_label("Date of the invoice").fill(datetime.now(UTC).date().isoformat())
    page.get_by_label("Total of the invoice").fill(total)
    page.get_by_label("Your VAT number on the invoice").fill(VAT_ID)
    page.get_by_label("The invoice as PDF").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="Send the invoice").click()


def invoice_wrongly_then_rightly(partner: Visitor, portal: str) -> None:
    page = partner.page
    page.goto(f"{portal}/papers")
    page.get_by_role("link", name=re.compile("^Payment notice of")).click()
    owed = amount_in(page.locator(".slip .big"))
    send_invoice(page, total="1.00")
    expect(page.locator("#total-error")).to_contain_text("you typed €1.00")
    partner.troubles.clear()  # the refusal is a 422, which the browser notes
    assert is_sound(page)
    send_invoice(page, total=owed)
    expect(page.get_by_text("Your invoice is being checked.")).to_be_visible()


def approve(page: Page, console: str, run: str, total: str) -> None:
    """The second person: the invoice is right, and so is the run."""
    page.goto(f"{console}/papers")
    page.get_by_role("button", name="Accept").click()
    page.get_by_text("Invoice 7/2026 accepted.").wait_for()
    page.goto(run)
    for note in page.get_by_role("checkbox", name=re.compile("^Seen")).all():
        note.check()
    page.get_by_label("Type the total to approve").fill(total)
    page.get_by_role("button", name=re.compile("^Approve €")).click()


def settle_by_files(page: Page, *, failed: str) -> str:
    """Export, and take in what the bank says: all arrived but one. Gives the file for the bank."""
    sepa = downloaded(page, page.get_by_role("button", name="SEPA file (pain.001)").click).decode()
    table = downloaded(page, page.get_by_role("button", name="Table of all payouts").click)
    content = told_by_the_bank(table, failed=failed)
    page.locator('form[action$="/results"] input[type="file"]').set_input_files(
        {"name": "bank.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Take results in").click()
    expect(page.get_by_text("Did not arrive: 1.")).to_be_visible()
    expect(page.get_by_text(CLOSED).first).to_be_visible()
    assert is_sound(page)
    return sepa


def told_by_the_bank(table: bytes, *, failed: str) -> bytes:
    """The table of all payouts as it comes back: paid, but for one partner's."""
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    for row in rows:
        did_fail = row["partner"] == failed
        row |= {"status": "failed" if did_fail else "paid", "reason": CLOSED if did_fail else ""}
    assert sum(row["status"] == "failed" for row in rows) == 1
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def papers_and_statement(page: Page, portal: str) -> tuple[bytes, bytes, str]:
    """The invoice as it was sent, a receipt, and the statement of all time."""
    papers = f"{portal}/papers"
    eventually(lambda: has(page, papers, 'a:has-text("PDF R-")'), "the PDF of a receipt")
    invoice = downloaded(page, page.get_by_role("link", name="PDF 7/2026").click)
    receipt = downloaded(page, page.get_by_role("link", name=re.compile(r"^PDF R-")).first.click)
    page.goto(f"{portal}/payouts/statement")
    statement = downloaded(page, page.get_by_role("link", name="Download CSV").click).decode("utf-8-sig")
    return invoice, receipt, statement


def said_of_the_new_account(page: Page, portal: str) -> str:
    """What the page says when the account has changed."""
    page.goto(f"{portal}/payouts/details/change")
    page.get_by_label("Name of the holder").fill("Marta Sala")
    page.get_by_label("IBAN or account number").fill("IT60 X054 2811 1010 0000 0123 456")
    page.get_by_role("button", name="Save").click()
    said = page.get_by_text(PAUSED)
    said.wait_for()
    assert is_sound(page)
    return said.inner_text()


def test_a_run_waits_for_an_invoice_is_approved_by_another_and_settled_by_a_file(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console, portal = (
        f"{installation.base_url}/{side}/{installation.demo['program']}" for side in ("console", "portal")
    )
    manager, finance = (just_signed_in(installation, visitor, role) for role in ("manager", "finance"))
    partner = just_signed_in(installation, visitor, "partner", viewport=NARROW)
    say_who_invoices(partner.page, portal)
    run, total = propose_two_bonuses(manager.page, console)
    finance.page.goto(run)
    notes = [str(box.get_attribute("name")) for box in finance.page.get_by_role("checkbox").all()]
    assert SAME_PERSON in answer_without_a_button(manager.page, run, total, notes=notes)
    invoice_wrongly_then_rightly(partner, portal)
    approve(finance.page, console, run, total)
    assert SCHEMA in settle_by_files(finance.page, failed=LUCA)
    assert finance.page.locator(".slip .sum").get_by_text("Did not arrive").count() == 1
    installation.require_balance()
    invoice, receipt, statement = papers_and_statement(partner.page, portal)
    assert (invoice, receipt[:5]) == (PDF, b"%PDF-")
    assert "A good autumn." in statement
    assert PAUSED in said_of_the_new_account(partner.page, portal)
