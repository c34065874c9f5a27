"""The main job, from the click on a partner's link to the money, in a real browser on two sites, with the books proved at every step."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from installation import Installation
from pages import Visitor
from playwright.sync_api import expect
from walks import approve_commission, approve_run, explained, mark_paid, place_order, propose_run, reload_until

MakeVisitor = Callable[..., Visitor]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def buy_two_things(customer: Visitor, code: str) -> str:
    """From the partner's link through the shop to the page that thanks; gives the order's number."""
    page = customer.page
    page.goto(f"{customer.installation.tracking_url}/r/{code}")
    expect(page.get_by_role("heading", name="Cast-iron pot, 26 cm")).to_be_visible()
    assert "aff_click=clk_" in page.url
    page.wait_for_function("() => document.cookie.includes('aff_track=')")
    page.get_by_label("Pieces").fill("3")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="Casa Ondera").click()
    page.get_by_role("link", name="Linen apron").click()
    page.get_by_role("button", name="Add to basket").click()
    return place_order(page, address="anna@example.com")


def test_a_sale_of_a_partner_is_explained_shrunk_approved_and_paid(
    installation: Installation, visitor: MakeVisitor
) -> None:
    demo = installation.demo
    slug, code = demo["program"], demo["links"][0]["code"]
    installation.require_balance()

    # The customer: a partner's link, two things, an order.
    order = buy_two_things(visitor(), code)

    # The partner: the commission, and why it is what it is. 386.50 with tax, less 69.70 of tax, times ten percent.
    partner = visitor("partner")
    page = explained(partner, slug, order)
    summary = page.get_by_role("complementary", name="Summary")
    expect(summary.get_by_text("€31.68").first).to_be_visible()
    expect(summary.get_by_text("Pending").first).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("€316.80")
    installation.require_balance()

    # The shop's developer: one thing comes back. What is left is in proportion to what the customer keeps.
    refund = {
        "program": slug,
        "order_id": order,
        "refund_id": f"{order}-1",
        "items": [{"sku": "apron", "amount": "32.50"}],
    }
    assert installation.call("POST", "/refunds", refund).status_code == 202
    reload_until(page, summary.get_by_text("€29.02"), "the smaller commission")
    installation.require_balance()

    # The manager: approves it before the validation period is over.
    manager = visitor("manager")
    approve_commission(manager, slug, order, "€29.02")
    page.reload()
    expect(summary.get_by_text("Approved").first).to_be_visible()
    installation.require_balance()

    # The manager proposes, and cannot approve: that takes a second person.
    total = propose_run(manager, slug)
    installation.require_balance()

    # Finance: looks, ticks every note, types the total, approves; later marks it paid.
    finance = visitor("finance")
    run = finance.open(manager.page.url.removeprefix(installation.base_url))
    approve_run(run, total)
    installation.require_balance()
    mark_paid(run, total)
    installation.require_balance()

    # The partner sees it paid, inside a payout that lists it.
    page.reload()
    expect(summary.get_by_text("Paid").first).to_be_visible()
    page.get_by_role("link", name="The payout it is part of").click()
    expect(page.get_by_role("row").filter(has_text=order)).to_contain_text("€29.02")
    assert Decimal(total.replace(",", "")) >= Decimal("29.02")
