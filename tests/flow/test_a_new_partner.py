"""From application to first payout: what a stranger goes through who knows nothing, with every mail that it takes.

Before the files whose runs pay whatever is approved. Of what the demo has left to decide it decides nothing: others need it.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from installation import Installation
from pages import Visitor
from playwright.sync_api import Page, expect
from processes import eventually
from walks import (
    SEEN_SECONDS_MAX,
    address_in_mail,
    approve_commission,
    approve_run,
    choose_password,
    confirm_application,
    downloaded,
    explained,
    fill_application,
    mark_paid,
    place_order,
    propose_run,
    reload_until,
    send_application,
    texts_of,
)

MakeVisitor = Callable[..., Visitor]
MAILBOX = "rosa@rosa.example"
PASSWORD = "nine slow snails on the wall"
WHY = "My readers cook at home, on Sundays."
IBAN, MASKED = "DE89 3704 0044 0532 0130 00", "DE89 •••• 3000"
EARNED = "€29.02"
"""Ten percent of three pots: 354.00 with tax, less 63.84 of tax."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_stranger_applies_is_taken_in_sells_and_is_paid(installation: Installation, visitor: MakeVisitor) -> None:
    slug = installation.demo["program"]
    rosa = visitor()
    status = apply_from_the_list_of_programs(rosa)
    manager, finance = visitor("manager"), visitor("finance")  # they sign in while the mail is under way
    prove_the_mailbox(rosa)
    take_in(manager)
    rosa.page.goto(status)
    expect(rosa.page.get_by_role("heading", name="You are in")).to_be_visible()
    come_in_by_a_password(rosa)
    link = make_the_first_link(rosa)
    say_where_the_money_goes(rosa)
    order = buy_three_pots(visitor(), link)
    read_why(rosa, slug, order)
    approve_commission(manager, slug, order, EARNED)
    pay(manager, finance, slug)
    installation.require_balance()
    find_the_money(rosa, order)


def apply_from_the_list_of_programs(stranger: Visitor) -> str:
    """Through the program's page and its form; gives the page that says how the application stands."""
    page = stranger.open("/")
    page.get_by_role("link", name="Casa Ondera", exact=True).click()
    expect(page.get_by_text("A person reads every application and answers by mail.")).to_be_visible()
    page.get_by_role("link", name="Apply, it takes 5 minutes").click()
    fill_application(page, address=MAILBOX, country="DE")
    page.get_by_label("Why does this program suit you?").fill(WHY)
    send_application(page)
    expect(page.get_by_role("heading", name="One step is left")).to_be_visible()
    expect(page.get_by_text(f"We sent a mail to {MAILBOX}.")).to_be_visible()
    return page.url


def prove_the_mailbox(stranger: Visitor) -> None:
    """Then there is nothing to do but wait."""
    page = stranger.page
    confirm_application(page, stranger.installation, address=MAILBOX)
    expect(page.get_by_text("The answer comes by mail, with its reason")).to_be_visible()


def take_in(manager: Visitor) -> None:
    """Find the application by the rail, read what was answered, say yes."""
    page = manager.open("/console/")
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Rosa’s Table", exact=True).click()
    said = page.get_by_role("region", name="Application")
    expect(said).to_contain_text("Rosa’s Letter")
    expect(said).to_contain_text(WHY)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("complementary", name="Standing in the program")).to_contain_text("Decided by Ines Keller.")


def come_in_by_a_password(rosa: Visitor) -> None:
    """By the welcome, and a second mail that it leads to."""
    assert urlsplit(address_in_mail(rosa.installation, "/reset", to=MAILBOX)).path == "/reset"
    choose_password(rosa, MAILBOX, PASSWORD)
    expect(rosa.page.get_by_role("region", name="First steps")).to_contain_text("1 of 6 done")


def make_the_first_link(rosa: Visitor) -> str:
    """By the first step that is open; gives the link."""
    page, shop = rosa.page, f"{rosa.installation.base_url}/demo/shop/p/pot-26"
    page.get_by_role("region", name="First steps").get_by_role("link", name="Make your first link").click()
    page.get_by_label("Paste an address of the shop").fill(shop)
    page.get_by_role("button", name="Create the link").click()
    expect(page.get_by_text(f"Leads to {shop}")).to_be_visible()
    return page.get_by_label("Your link").input_value()


def say_where_the_money_goes(rosa: Visitor) -> None:
    """By another of the first steps. Of the account nothing but its ends is shown from then on."""
    page = rosa.open("/portal/")
    page.get_by_role("region", name="First steps").get_by_role("link", name="Say where your money goes").click()
    page.get_by_role("link", name="Enter payment details").click()
    page.get_by_label("Name of the holder").fill("Rosa Test")
    page.get_by_label("IBAN or account number").fill(IBAN)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(MASKED)).to_be_visible()
    assert IBAN.replace(" ", "") not in page.content()


def buy_three_pots(customer: Visitor, link: str) -> str:
    """From the partner's link to the shop's thanks; gives the order's number."""
    page = follow(customer, link)
    page.get_by_label("Pieces").fill("3")
    page.get_by_role("button", name="Add to basket").click()
    return place_order(page, address="clara@example.com")


def follow(customer: Visitor, link: str) -> Page:
    """The shop behind the link; asked for again while the tracker learns that there is one."""
    page = customer.page

    def led() -> bool:
        page.goto(link)
        return "aff_click=clk_" in page.url

    eventually(led, "the shop behind the new link", seconds=SEEN_SECONDS_MAX)
    customer.troubles[:] = [trouble for trouble in customer.troubles if "404" not in trouble]  # until it knew
    expect(page.get_by_role("heading", name="Cast-iron pot, 26 cm")).to_be_visible()
    page.wait_for_function("() => document.cookie.includes('aff_track=')")
    return page


def read_why(rosa: Visitor, slug: str, order: str) -> None:
    """The order is there with its commission, and says who brought it and what it is a part of."""
    page = explained(rosa, slug, order)
    expect(page.get_by_role("heading", name=f"Why you earn {EARNED} on order {order}")).to_be_visible()
    expect(page.get_by_role("complementary", name="Summary").get_by_text("Pending").first).to_be_visible()
    proof = page.get_by_role("article")
    expect(proof).to_contain_text("You did.")
    expect(proof).to_contain_text("€290.16")


def pay(manager: Visitor, finance: Visitor, slug: str) -> None:
    """Proposed by one, approved by another, who is told of the newcomer; by a file to the bank, and said to be paid."""
    total = propose_run(manager, slug)
    page = finance.open(urlsplit(manager.page.url).path)
    expect(page.get_by_role("row").filter(has_text="Rosa’s Table")).to_contain_text(EARNED)
    expect(page.get_by_text(re.compile("Rosa’s Table.*Make sure that you know where to send it"))).to_be_visible()
    approve_run(page, total)
    sepa = downloaded(page, page.get_by_role("button", name="SEPA file (pain.001)").click).decode()
    assert IBAN.replace(" ", "") in sepa
    assert f">{EARNED.removeprefix('€')}<" in sepa
    mark_paid(page, total)


def find_the_money(rosa: Visitor, order: str) -> None:
    """In the portal, the payout and what it consists of; a first step less; and told by a mail, too."""
    page = rosa.open("/portal/")
    steps = page.get_by_role("region", name="First steps")
    reload_until(page, steps.get_by_text("4 of 6 done"), "the click among the first steps")
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Payouts").click()
    expect(page.get_by_text(f"1 payout so far, {EARNED} in all.")).to_be_visible()
    page.get_by_role("row").filter(has_text="Paid").get_by_role("link", name=EARNED).click()
    expect(page.get_by_role("row", name="Paid to you")).to_contain_text(EARNED)
    page.get_by_role("row").filter(has_text=order).get_by_role("link", name=EARNED).click()
    expect(page.get_by_role("complementary", name="Summary").get_by_text("Paid").first).to_be_visible()
    told = f"Casa Ondera has paid you {EARNED}."
    eventually(lambda: any(told in text for text in texts_of(rosa.installation, MAILBOX)), "the mail of the payout")
