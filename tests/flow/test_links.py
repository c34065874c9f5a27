"""A partner's links, on a phone in Polish: one with a code of its own and a coupon, tested, drawn, paused; many from a table."""

import secrets
from collections.abc import Callable

import pytest
from installation import Installation
from pages import NARROW, Visitor, is_sound
from playwright.sync_api import Page, expect
from processes import eventually
from walks import SEEN_SECONDS_MAX, allow, downloaded, spoken

ON_A_PHONE = {"locale": "pl-PL", "viewport": NARROW}
NO_SUB_YET = "Add ?sub1=newsletter to the link where you post it, with a word of yours: each word gets a line here."
say = spoken("pl")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_partner_makes_tests_draws_and_pauses_a_link_and_many_from_a_table(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    partner, code = visitor("partner", **ON_A_PHONE), f"niedziela-{secrets.token_hex(3)}"
    page = partner.open(f"/portal/{installation.demo['program']}/links")
    make(partner, code, installation)
    link = page.url
    draw(page)
    pause_and_count_again(page, visitor(), f"{installation.tracking_url}/r/{code}")
    try_out(page, link)
    make_many(page, installation)


def make(partner: Visitor, code: str, installation: Installation) -> None:
    """Another site's address is refused with its reason, and nothing that was typed is lost."""
    page = partner.page
    page.get_by_role("link", name=say("With a name, a code of your own or sub ids")).click()
    page.get_by_label(say("Paste an address of the shop")).fill("https://elsewhere.example/pot")
    page.get_by_label(say("Name")).fill("Niedzielny wpis")
    page.get_by_label(say("Short code")).fill(code)
    page.get_by_label(say("Coupon")).select_option(installation.demo["coupon"])
    page.get_by_role("button", name=say("Create the link")).click()
    expect(page.get_by_role("alert")).to_contain_text("elsewhere.example")
    assert is_sound(page)
    allow(partner, 422)
    page.get_by_label(say("Paste an address of the shop")).fill(f"{installation.base_url}/demo/shop/p/moka")
    expect(page.get_by_label(say("Short code"))).to_have_value(code)
    page.get_by_role("button", name=say("Create the link")).click()
    expect(page.get_by_label(say("Your link"), exact=True)).to_have_value(f"{installation.tracking_url}/r/{code}")
    expect(page.get_by_label(say("Coupon to post with it"))).to_have_value(installation.demo["coupon"])
    assert is_sound(page)


def draw(page: Page) -> None:
    """For print and for posts."""
    assert b"<svg" in downloaded(page, page.get_by_role("link", name="SVG").click)
    assert downloaded(page, page.get_by_role("link", name="PNG").click).startswith(b"\x89PNG")


def pause_and_count_again(page: Page, reader: Visitor, address: str) -> None:
    """Whoever follows a paused link arrives in the shop all the same."""
    page.get_by_role("button", name=say("Pause the link")).click()
    paused = page.get_by_text(say("This link is paused: visitors are led on, their clicks do not count."))
    expect(paused).to_be_visible()
    assert is_sound(page)

    def led() -> bool:
        reader.page.goto(address)
        return "/demo/shop/p/moka" in reader.page.url

    eventually(led, "the shop behind the paused link", seconds=SEEN_SECONDS_MAX)
    allow(reader, 404)  # until the tracker knew the link
    page.get_by_role("button", name=say("Count again")).click()
    expect(paused).to_have_count(0)


def try_out(page: Page, link: str) -> None:
    """Says what a click would be, with the sub id that was added, and counts nothing."""
    page.get_by_role("link", name=say("Test the link")).click()
    page.get_by_label(say("Added to the address")).fill("sub1=rolka")
    page.get_by_role("button", name=say("Test the link")).click()
    told = page.get_by_role("region", name=say("What would be recorded"))
    expect(told).to_contain_text(say("The click counts"))
    expect(told).to_contain_text("rolka")
    expect(page.get_by_role("region", name=say("Where it leads"))).to_contain_text("/demo/shop/p/moka")
    assert is_sound(page)
    page.goto(link)
    expect(page.get_by_text(say(NO_SUB_YET))).to_be_visible()


def make_many(page: Page, installation: Installation) -> None:
    """A row that is refused keeps no other from being made."""
    shop, name = f"{installation.base_url}/demo/shop/p", secrets.token_hex(3)
    table = f"landing_url,name,code\n{shop}/apron,Fartuch {name},\nhttps://elsewhere.example/,Obcy,\n{shop}/board,Deska {name},deska-{name}\n"
    page.get_by_role("link", name=say("Links")).last.click()
    page.get_by_role("link", name=say("Many at once")).click()
    page.get_by_label(say("CSV file")).set_input_files(
        {"name": "linki.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    page.get_by_role("button", name=say("Make the links")).click()
    rows = page.get_by_role("region", name=say("Result")).locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text(say("Refused"))
    expect(rows.nth(2)).to_contain_text(f"/r/deska-{name}")
    assert is_sound(page)
    page.get_by_role("link", name=say("Your links")).first.click()
    for each in (f"Fartuch {name}", f"Deska {name}"):
        expect(page.get_by_role("link", name=each)).to_be_visible()
    assert is_sound(page)
