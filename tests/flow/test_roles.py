"""The console by role: a manager acts on many and shares a report, finance sees the books, a reader reads, an outsider has one page."""

from collections.abc import Callable

import pytest
from installation import Installation
from pages import NARROW, Visitor, is_sound

MakeVisitor = Callable[..., Visitor]
PASSWORD = "seven grey herons by the lock"
READER = "reader@casa-ondera.example"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_each_role_does_its_job_and_finds_nothing_that_is_not_for_it(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    manager = visitor("manager")
    address = _manager_shares_and_tags(manager, console)
    _finance_sees_the_books(visitor("finance"), console)
    _reader_reads(installation, visitor(), console)
    _outsider_has_one_page(visitor(viewport=NARROW), address, console)


def _manager_shares_and_tags(manager: Visitor, console: str) -> str:
    page = manager.open(f"{console}/partners")
    page.get_by_label("Select all on this page").check()
    page.locator("[data-dialog=bulk-tag]").click()
    page.locator("#bulk-tag input[name=tag]").fill("autumn")
    page.locator("#bulk-tag").get_by_role("button", name="Tag", exact=True).click()
    page.get_by_text("Changed:").wait_for()
    page.goto(f"{page.url.partition('?')[0]}?tag=autumn")
    assert page.locator("tbody tr").count() >= 1
    assert is_sound(page)

    page = manager.open(f"{console}/performance?by=partner&span=90d")
    page.locator("#name").fill("For the bank")
    page.get_by_role("button", name="Keep", exact=True).click()
    page = manager.open(f"{console}/performance/shared")
    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("Address", exact=True).first.input_value()
    assert is_sound(page)
    for view in ("logistics", "marketing", "finance", "tech"):
        assert is_sound(manager.open(f"{console}/views/{view}"))
    return address


def _finance_sees_the_books(finance: Visitor, console: str) -> None:
    page = finance.open(f"{console}/views/finance")
    page.get_by_role("heading", name="Costs beside commissions").wait_for()
    page.get_by_role("link", name="Ledger").first.click()
    page.get_by_role("heading", name="Ledger", level=1).wait_for()
    assert page.get_by_role("link", name="Settings").count() == 0


def _reader_reads(installation: Installation, reader: Visitor, console: str) -> None:
    slug = installation.demo["program"]
    made = installation.run(
        "user", "create", "--email", READER, "--name", "Rita", "--role", "reader", "--program", slug, "--password", PASSWORD,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    reader.sign_in(READER, PASSWORD)
    page = reader.open("/console/")
    assert page.url.endswith(f"{console}/performance")
    page = reader.open(f"{console}/payouts")
    assert page.get_by_role("button", name="Propose").count() == 0
    assert is_sound(page)
    refused = reader.page.evaluate(
        "async (address) => (await fetch(address, {method: 'HEAD'})).status", f"{console}/settings"
    )
    assert refused == 404
    reader.troubles[:] = [trouble for trouble in reader.troubles if "404" not in trouble]  # on purpose
    page = reader.open(f"{console}/performance?by=partner")
    page.emulate_media(media="print")
    assert not page.locator(".rail").is_visible()
    assert not page.get_by_label("Days", exact=True).is_visible()
    assert page.locator('section[aria-labelledby="rows-h"] tbody tr').first.is_visible()


def _outsider_has_one_page(outsider: Visitor, address: str, console: str) -> None:
    outsider.page.goto(address)
    page = outsider.page
    page.get_by_role("heading", name="For the bank").wait_for()
    assert page.get_by_text("Partner 1", exact=True).count() == 1
    assert page.locator("a[href]:not(.skip)").count() == 0
    assert is_sound(page)
    assert outsider.context.cookies() == []
    outsider.open(f"{console}/performance")
    assert "/login" in page.url
