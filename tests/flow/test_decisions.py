"""What a manager decides and sets: an application refused, a goal, a watched figure, a partner's cases answered and settled; others see it and have no act."""

import re
from collections.abc import Callable

import pytest
from installation import Installation
from pages import CHANGES, NARROW, Visitor, has, is_sound
from playwright.sync_api import Page, expect
from processes import eventually
from walks import just_signed_in

MakeVisitor = Callable[..., Visitor]
TAKEN_IN = "CO-LOST-2"
READ_BY_ALL = ("goals", "kpis", "applications")
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_manager_refuses_sets_a_goal_watches_a_figure_and_answers_a_case(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    console = f"/console/{slug}"
    manager, partner = visitor("manager"), visitor("partner")
    _refuse(manager, console)
    _set_a_goal(manager, console)
    _watch_a_figure(manager, console)
    _answer_a_case(manager, partner, slug)
    finance = visitor("finance")
    for path in READ_BY_ALL:
        page = finance.open(f"{console}/{path}")
        assert page.locator(CHANGES).count() == 0, path


def _refuse(manager: Visitor, console: str) -> None:
    """The applicant reads the reason; who waits is one less."""
    page = manager.open(f"{console}/applications")
    waiting = page.locator("tbody tr")
    count = waiting.count()
    waiting.first.get_by_role("button", name="Refuse…").click()
    dialog = page.get_by_role("dialog", name="Refuse")
    assert is_sound(page)
    dialog.get_by_label("Reason").fill("We look for cooks who write.")
    dialog.get_by_role("button", name="Refuse", exact=True).click()
    expect(waiting).to_have_count(count - 1, timeout=SEEN_MS_MAX)
    page.goto(f"{page.url.partition('?')[0]}?status=rejected")
    expect(page.get_by_text("We look for cooks who write.").first).to_be_visible(timeout=SEEN_MS_MAX)


def _set_a_goal(manager: Visitor, console: str) -> None:
    page = manager.open(f"{console}/goals")
    goal = page.get_by_role("region", name=re.compile("^Subscribers "))  # and its days
    page.get_by_role("button", name="Subscribers: ").click()
    expect(goal.get_by_text("The straight line asks for")).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)
    goal.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(goal).to_have_count(0, timeout=SEEN_MS_MAX)


def _watch_a_figure(manager: Visitor, console: str) -> None:
    page = manager.open(f"{console}/kpis")
    page.get_by_label("Figure", exact=True).select_option("Basket (AOV)")
    page.get_by_role("textbox", name="Limit").fill("much")
    page.get_by_role("button", name="Watch it").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=SEEN_MS_MAX)
    manager.troubles[:] = [trouble for trouble in manager.troubles if "422" not in trouble]  # refused on purpose
    page.get_by_role("textbox", name="Limit").fill("12.50")
    page.get_by_role("button", name="Watch it").click()
    row = page.get_by_role("row").filter(has_text="€12.50")
    expect(row).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0, timeout=SEEN_MS_MAX)


def _answer_a_case(manager: Visitor, partner: Visitor, slug: str) -> None:
    """The partner claims, the manager asks back and accepts nothing, the partner reads both."""
    mine = partner.open(f"/portal/{slug}/cases/new")
    mine.get_by_label("Order number").fill("CO-LOST-1")
    mine.get_by_label("What happened").fill("My sister ordered by my link.")
    mine.get_by_role("button", name="Open the case").click()
    mine.wait_for_url("**/cases/cas_*")
    desk = manager.open(f"/console/{slug}/cases")
    desk.get_by_role("row").filter(has_text="CO-LOST-1").get_by_role("link").first.click()
    _say(desk, "When did she order?", "Send as a question")
    mine.reload()
    expect(mine.get_by_text("When did she order?")).to_be_visible(timeout=SEEN_MS_MAX)
    _mistype_an_amount(manager, desk)
    desk.get_by_role("button", name="Decline", exact=True).first.click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("No order of this number reached the shop.")
    dialog.get_by_role("button", name="Decline", exact=True).click()
    expect(desk.get_by_text("No order of this number reached the shop.").first).to_be_visible(timeout=SEEN_MS_MAX)
    mine.reload()
    expect(mine.get_by_text("No order of this number reached the shop.").first).to_be_visible(timeout=SEEN_MS_MAX)
    for page in (desk, mine):
        assert is_sound(page)
        page.set_viewport_size(NARROW)
        assert is_sound(page)


def test_cases_opened_from_a_sale_a_list_and_a_payout_end_in_the_books_and_in_words(
    installation: Installation, visitor: MakeVisitor
) -> None:
    """A doubtful amount is paid by an entry, a missing sale credited by hand: a second person approves both."""
    slug = installation.demo["program"]
    console = f"/console/{slug}"
    manager, partner = visitor("manager"), visitor("partner", viewport=NARROW)
    mine = partner.open(f"/portal/{slug}/commissions?status=paid")
    mine.locator('table a[href*="/commissions/com_"]').first.click()
    doubt = _open_a_case(mine, "It was a large order.", shows=_order_of(mine))
    partner.open(f"/portal/{slug}/commissions")
    missing = _open_a_case(mine, "My aunt ordered by my link.", order=TAKEN_IN)
    partner.open(f"/portal/{slug}/payouts").locator('table a[href*="/payouts/pay_"]').first.click()
    late = _open_a_case(mine, "The bank knows nothing of it.")
    expect(mine.get_by_role("region", name="What was known")).to_contain_text("Paid on")

    desk = manager.open(f"{console}/cases/{late}")
    desk.get_by_role("link", name="Its run").click()
    desk.wait_for_url("**/payouts/run_*")
    desk.go_back()
    _accept(desk, "It left on Friday.", "words")
    manager.open(f"{console}/cases/{doubt}")
    _accept(desk, "You are right.", "entry", amount="7.50")
    manager.open(f"{console}/cases/{missing}")
    _take_in(desk, console)
    _accept(desk, "We have found it.", "credit")
    expect(desk.get_by_text("waits for a second person")).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(desk)

    page = just_signed_in(installation, visitor, "finance").open(f"{console}/payouts/entries")
    for reason in ("You are right.", "We have found it."):
        row = page.get_by_role("region", name="Waiting for a second person").get_by_role("row").filter(has_text=reason)
        row.get_by_role("button", name="Approve").click()
        expect(row).to_have_count(0, timeout=SEEN_MS_MAX)
    for case, sentence in (
        (late, "It left on Friday."),
        (doubt, "€7.50 was entered"),
        (missing, "The order was credited by hand."),
    ):
        partner.open(f"/portal/{slug}/cases/{case}")
        expect(mine.get_by_text(sentence)).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(mine)
    installation.require_balance()


def _order_of(page: Page) -> str:
    """The order that an explanation is of."""
    return page.locator('.crumb [aria-current="page"]').inner_text().split()[-1]


def _open_a_case(page: Page, text: str, *, order: str = "", shows: str = "") -> str:
    """By the link of the page that is open, which knows what it is about; gives the case's public id."""
    page.locator('main a[href*="/cases/new"]').click()
    assert is_sound(page)
    if order:
        page.get_by_label("Order number").fill(order)
    page.get_by_label("What happened").fill(text)
    page.get_by_role("button", name="Open the case").click()
    page.wait_for_url("**/cases/cas_*")
    expect(page.locator("aside .kv").first).to_contain_text(order or shows)
    assert is_sound(page)
    return page.url.rpartition("/")[2]


def _take_in(desk: Page, console: str) -> None:
    """The order that never arrived, and the case once it is there."""
    desk.get_by_role("link", name="Take the order in").click()
    desk.get_by_label("Amount").fill("40.00")
    desk.get_by_role("button", name="Take the order in").click()
    desk.wait_for_url("**/cases/cas_*?order=*")
    case, orders = desk.url, f"{desk.url.partition('/console/')[0]}{console}/conversions?order={TAKEN_IN}"
    eventually(lambda: has(desk, orders, f'td:has-text("{TAKEN_IN}")'), "the order that was taken in")
    desk.goto(case)


def _accept(desk: Page, text: str, settlement: str, *, amount: str = "") -> None:
    desk.get_by_role("button", name="Accept", exact=True).first.click()
    dialog = desk.get_by_role("dialog", name="Accept the case?")
    dialog.get_by_label("What follows").select_option(settlement)
    if amount:
        dialog.get_by_label("Amount, for a manual entry").fill(amount)
    dialog.get_by_label("What the partner reads").fill(text)
    dialog.get_by_role("button", name="Accept", exact=True).click()
    expect(desk.get_by_text(text).first).to_be_visible(timeout=SEEN_MS_MAX)


def _mistype_an_amount(manager: Visitor, desk: Page) -> None:
    """The dialog stands open again with what was typed, and the wrong field has the focus."""
    desk.get_by_role("button", name="Accept", exact=True).first.click()
    dialog = desk.get_by_role("dialog", name="Accept the case?")
    dialog.get_by_label("What follows").select_option("entry")
    dialog.get_by_label("Amount, for a manual entry").fill("4O")
    dialog.get_by_label("What the partner reads").fill("You are right.")
    dialog.get_by_role("button", name="Accept", exact=True).click()
    amount = dialog.get_by_label("Amount, for a manual entry")
    expect(dialog.get_by_text("Write an amount")).to_be_visible(timeout=SEEN_MS_MAX)
    manager.troubles[:] = [trouble for trouble in manager.troubles if "422" not in trouble]  # refused on purpose
    expect(amount).to_be_focused()
    expect(amount).to_have_value("4O")
    assert dialog.evaluate("dialog => dialog.matches(':modal')")
    expect(dialog.get_by_label("What the partner reads")).to_have_value("You are right.")
    assert is_sound(desk)
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()


def _say(desk: Page, text: str, how: str) -> None:
    desk.get_by_label("What the partner reads").first.fill(text)
    desk.get_by_role("button", name=how).click()
    expect(desk.get_by_text(text).first).to_be_visible(timeout=SEEN_MS_MAX)
