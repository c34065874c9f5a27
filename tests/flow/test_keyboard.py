"""A partner's day without a mouse: each act by keys alone, the focus always to be seen, and nowhere a place that holds it."""

import re
from collections.abc import Callable

import pytest
from installation import Installation
from pages import Visitor
from playwright.sync_api import Locator, Page, expect

MakeVisitor = Callable[..., Visitor]
STOPS_MAX = 150
STOP = """(wanted) => {
    const here = document.activeElement, style = getComputedStyle(here), box = here.getBoundingClientRect()
    const drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
    const inside = box.width * box.height > 0 && box.bottom > 0 && box.top < innerHeight
    const seen = here === document.body || ((drawn || style.boxShadow !== 'none') && inside)
    return [here === wanted, seen ? '' : here.outerHTML.slice(0, 160)]
}"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the focus is there; it is seen wherever it stops."""
    element = wanted.element_handle()
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        arrived, unseen = page.evaluate(STOP, element)
        assert unseen == "", f"the focus is not to be seen on {page.url}"
        if arrived:
            return
    pytest.fail(f"no key leads to {wanted} on {page.url}")


def enter(page: Page, wanted: Locator, *, key: str = "Enter") -> None:
    """Tab to something and press it."""
    tab_to(page, wanted)
    page.keyboard.press(key)


def type_into(page: Page, label: str, text: str) -> None:
    """Tab to a field and fill it."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def go(page: Page, name: str) -> None:
    """By the rail to another page, then past it to the content."""
    enter(page, page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name=name, exact=True))
    page.get_by_role("heading", level=1, name=name).wait_for()
    enter(page, page.get_by_role("link", name="Skip to content"))


def sign_in(page: Page, installation: Installation) -> None:
    person = next(one for one in installation.demo["people"] if one["role"] == "partner")
    type_into(page, "E-mail address", person["email"])
    type_into(page, "Password", person["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal/**")


def test_a_partner_needs_no_mouse(installation: Installation, visitor: MakeVisitor) -> None:
    person = visitor(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    page = person.open("/login")
    sign_in(page, installation)

    # A link from an address, and copied.
    enter(page, page.get_by_role("link", name="Skip to content"))
    type_into(page, "Paste an address of the shop", f"{installation.base_url}/demo/shop/p/moka")
    page.keyboard.press("Enter")
    page.wait_for_url("**/links/lnk_*")
    enter(page, page.get_by_role("button", name=re.compile("^Copy")).first)
    expect(page.get_by_role("button", name="Copied").first).to_be_visible()
    assert "/r/" in page.evaluate("navigator.clipboard.readText()")

    # A creative, found by a word.
    go(page, "Creatives")
    type_into(page, "Search", "pots")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=pots**")
    enter(page, page.locator("main .card-x a").first)
    page.wait_for_url("**/creatives/crv_*")

    # Why a commission is what it is.
    go(page, "Earnings")
    enter(page, page.locator("td a.why").first)
    expect(page.get_by_role("heading", name="Who brought the customer?")).to_be_visible()

    # A case, first with something missing: one stands in that field then. Sent off, added to, taken back.
    go(page, "Cases")
    enter(page, page.locator("main").get_by_role("link", name="Open a case").first)
    page.wait_for_url("**/cases/new")
    type_into(page, "What happened", "I sold it at the fair.")
    enter(page, page.locator("main").get_by_role("button", name="Open the case"))
    expect(page.get_by_role("alert")).to_be_visible()
    person.troubles[:] = [trouble for trouble in person.troubles if "422" not in trouble]  # refused on purpose
    expect(page.get_by_label("Order number")).to_be_focused()
    page.keyboard.type("CO-FAIR-7")
    enter(page, page.locator("main").get_by_role("button", name="Open the case"))
    page.wait_for_url("**/cases/cas_*")
    type_into(page, "Your words", "It was stand 14.")
    enter(page, page.get_by_role("button", name="Send"))
    expect(page.get_by_role("listitem").filter(has_text="It was stand 14.")).to_be_visible()
    enter(page, page.get_by_role("button", name="Withdraw it").first)
    enter(page, page.get_by_role("dialog").get_by_role("button", name="Withdraw it"))
    expect(page.get_by_role("button", name="Send")).to_have_count(0)

    # What one is told of.
    go(page, "Settings")
    enter(page, page.get_by_role("link", name="What you are told of"))
    page.wait_for_url("**/settings/notices")
    box = page.locator("main input[name=portal]").last
    was = box.is_checked()
    enter(page, box, key="Space")
    enter(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert box.is_checked() is not was
