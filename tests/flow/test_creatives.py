"""The library of creatives from both sides: the manager at a wide desk in Polish, the partner on a phone in Italian."""

import re
import secrets
from collections.abc import Callable

import pytest
from creative_cast import png
from installation import Installation
from pages import NARROW, Visitor, is_sound
from playwright.sync_api import FilePayload, Page, expect
from walks import allow, downloaded, spoken

DESK, PHONE = {"locale": "pl-PL", "viewport": {"width": 1440, "height": 900}}, {"locale": "it-IT", "viewport": NARROW}
WHY_IT_ENDS = "Jesień się skończyła."
polish, italian = spoken("pl"), spoken("it")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_banner_goes_to_partners_and_a_proposal_of_one_is_approved_and_ends(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    slug, mark = installation.demo["program"], secrets.token_hex(3)
    manager, partner = visitor("manager", **DESK), visitor("partner", **PHONE)
    manager.open(f"/console/{slug}/creatives")
    offer_a_banner(manager, f"Garnek {mark}")
    find_and_copy(partner.open(f"/portal/{slug}/creatives"), f"Garnek {mark}", installation)
    propose_a_post(partner.open(f"/portal/{slug}/creatives"), f"Ragù {mark}")
    approve(manager.open(f"/console/{slug}/creatives"), f"Ragù {mark}")
    copy_the_post(partner.open(f"/portal/{slug}/creatives"), f"Ragù {mark}")
    let_end(manager.page)
    see_it_end(partner.page)


def offer_a_banner(manager: Visitor, title: str) -> None:
    """A file that only says to be a picture is refused, and nothing that was typed is lost."""
    page = manager.page
    page.get_by_role("complementary").get_by_role("link", name=polish("Banner"), exact=True).click()
    page.get_by_label(polish("Title")).fill(title)
    page.get_by_label(polish("What the picture shows")).fill("Garnek na stole")
    for content in (b"<svg onload=alert(1)>", png(300, 250)):
        picture: FilePayload = {"name": "garnek.png", "mimeType": "image/png", "buffer": content}
        page.get_by_label(polish("File")).set_input_files(picture)
        page.get_by_role("button", name=polish("Offer it to partners")).click()
        expect(page.get_by_role("alert").or_(page.get_by_role("img", name="Garnek na stole"))).to_be_visible()
        assert is_sound(page)
    allow(manager, 422)
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def find_and_copy(page: Page, title: str, installation: Installation) -> None:
    """By a word, in the library; its code leads by the partner's own link, and says that it is advertising beside it."""
    page.get_by_label(italian("Search"), exact=True).fill(title)
    page.get_by_role("button", name=italian("Search"), exact=True).click()
    expect(page.locator("ul.cards-x").first.get_by_role("listitem")).to_have_count(1)
    assert is_sound(page)
    page.get_by_role("link", name=title).click()
    page.get_by_label(italian("Which link")).select_option("Sunday ragù")
    page.get_by_role("button", name=italian("Use it")).click()
    page.wait_for_url("**?link=lnk_*")
    code = page.get_by_label(italian("Code to paste")).input_value()
    assert f"{installation.tracking_url}/r/marta-ragu?creative=crv_" in code
    assert 'alt="Garnek na stole"' in code
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator('section[aria-labelledby="code-h"]').get_by_role("button", name=italian("Copy")).click()
    expect(page.get_by_role("button", name=italian("Copied"))).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code
    assert downloaded(page, page.get_by_role("link", name=italian("Download the file")).click).startswith(b"\x89PNG")
    expect(page.get_by_role("region", name=italian("Say that it is advertising"))).to_be_visible()
    assert is_sound(page)


def propose_a_post(page: Page, title: str) -> None:
    """It waits among the partner's own, and is in nobody's library."""
    page.get_by_role("link", name=italian("Propose your own")).click()
    page.get_by_role("link", name=italian("Ready post"), exact=True).click()
    page.get_by_label(italian("Title")).fill(title)
    page.get_by_label(italian("Text")).fill('La domenica è ragù: {link} <script>alert("x")</script>')
    assert is_sound(page)
    page.get_by_role("button", name=italian("Hand it in")).click()
    mine = page.get_by_role("region", name=italian("Proposed by you"))
    expect(mine.get_by_role("listitem").filter(has_text=title)).to_be_visible()
    assert is_sound(page)


def approve(page: Page, title: str) -> None:
    """From the list of what waits; hostile words are words."""
    page.locator('main a[href*="status=proposed"]').click()
    page.get_by_role("link", name=title).click()
    shown = page.get_by_role("region", name=polish("What it looks like"))
    expect(shown.get_by_text('<script>alert("x")</script>')).to_be_visible()
    page.get_by_role("button", name=polish("Approve")).first.click()
    assert is_sound(page)
    page.get_by_role("dialog").get_by_role("button", name=polish("Approve")).click()
    expect(page.get_by_role("button", name=polish("Let it end"))).to_be_visible()


def copy_the_post(page: Page, title: str) -> None:
    """Approved, it has its text with the partner's link."""
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_label(italian("Text to paste"))).to_have_value(re.compile(r"La domenica è ragù: http\S+/r/"))
    assert is_sound(page)


def let_end(page: Page) -> None:
    """In fourteen days, with a word on why."""
    page.get_by_role("button", name=polish("Let it end")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(polish("What to use instead, or why")).fill(WHY_IT_ENDS)
    assert is_sound(page)
    dialog.get_by_role("button", name=polish("Let it end")).click()
    expect(page.get_by_text(WHY_IT_ENDS)).to_be_visible()


def see_it_end(page: Page) -> None:
    """The partner reads when and why, and what becomes of its links."""
    page.reload()
    expect(page.get_by_text(WHY_IT_ENDS)).to_be_visible()
    expect(page.get_by_text(italian("Links keep working; a banner becomes an empty picture."))).to_be_visible()
    assert is_sound(page)
