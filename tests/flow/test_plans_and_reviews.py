"""A plan from draft to published, and a month validated by file, in three languages."""

import csv
import io
from collections.abc import Callable

import pytest
from installation import Installation
from pages import Visitor, has, is_sound
from playwright.sync_api import Page, expect
from processes import eventually

MakeVisitor = Callable[..., Visitor]
POLISH = {"locale": "pl-PL"}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def pending(page: Page) -> list[dict[str, str]]:
    """Commissions that wait for their validation, as a file of the console has them."""
    address = f"{page.url.rpartition('/')[0]}/commissions.csv?status=pending"
    told: str = page.evaluate("(address) => fetch(address).then((answer) => answer.text())", address)
    return list(csv.DictReader(io.StringIO(told.removeprefix("\ufeff"))))


def pin_an_example(page: Page, console: str, *, expected: str) -> None:
    page.goto(f"{console}/plans")
    form = page.locator('form[action$="/plans/examples"]')
    for name, value in (("name", "A hundred"), ("amount", "100.00"), ("expected", expected)):
        form.locator(f'[name="{name}"]').fill(value)
    form.locator("button").click()
    page.get_by_text("Example saved").wait_for()


def test_a_plan_is_drafted_simulated_held_by_its_examples_and_published(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"{installation.base_url}/console/{installation.demo['program']}"
    manager = visitor("manager")
    page = manager.open(f"/console/{installation.demo['program']}/plans/new")
    page.locator('[name="name"]').fill("Winter")
    page.locator('[name="rate"]').fill("11")
    page.get_by_role("button", name="Keep the draft").click()
    page.get_by_role("button", name="Publish the plan").wait_for()
    draft = page.url
    page.get_by_role("button", name="Try it").click()
    again = page.url
    eventually(lambda: has(page, again, "[data-chart]"), "the simulation")
    assert page.get_by_text("Partners who win").count() == 1
    assert is_sound(page)

    pin_an_example(page, console, expected="12.00")
    page.goto(draft)
    assert page.get_by_text("Pays €11.00, must pay €12.00.").count() == 1
    page.get_by_role("button", name="Publish the plan").click()
    page.locator(".errors[role=alert]").wait_for()
    manager.troubles.clear()  # the refusal is a 422, which the browser notes
    page.goto(f"{console}/plans")
    page.locator('form[action$="/remove"] button').click()
    pin_an_example(page, console, expected="11.00")
    page.goto(draft)
    page.get_by_role("button", name="Publish the plan").click()
    page.get_by_text("counts for orders from").wait_for()
    assert is_sound(page)


def test_a_month_is_validated_by_file(installation: Installation, visitor: MakeVisitor) -> None:
    manager = visitor("manager", **POLISH)
    page = manager.open(f"/console/{installation.demo['program']}/validation")
    upload = page.url
    kept, refused = (row["order"] for row in pending(page)[-2:])
    table = (
        f"order_id,status,amount,reason\n{kept},approved,,\n{refused},declined,,not paid\nno-such-order,approved,,\n"
    )
    page.locator('input[type="file"]').set_input_files(
        {"name": "listopad.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    page.locator("form[enctype] button").click()
    page.locator('form[action$="/confirm"] button').click()
    page.locator('form[action$="/confirm"]').wait_for(state="detached")
    expect(page.locator("tbody tr")).to_have_count(3)  # the next page may have begun and have no word of itself yet
    assert is_sound(page)
    page.goto(upload)
    left = {row["order"] for row in pending(page)}
    assert not {kept, refused} & left
