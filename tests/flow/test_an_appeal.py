"""An order explained to its partner, and a manager's word appealed: on a phone in Italian, at a desk in Polish.

Early in the flow: pages that others look at approve what waits here.
"""

from collections.abc import Callable

import pytest
from installation import Installation
from pages import NARROW, Visitor, has, is_sound
from processes import eventually

MakeVisitor = Callable[..., Visitor]
ITALIAN = {"locale": "it-IT", "viewport": NARROW}
POLISH = {"locale": "pl-PL"}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_an_order_is_explained_to_its_partner_who_appeals_a_managers_word(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    partner, manager = visitor("partner", **ITALIAN), visitor("manager", **POLISH)
    mine = partner.open(f"/portal/{slug}/commissions?status=pending")
    mine.locator('table a[href*="/commissions/com_"]').first.click()
    mine.locator("#proof").wait_for()
    assert mine.locator("#proof h2").count() == 7
    assert is_sound(mine)
    sale = mine.url.rpartition("/")[2]

    page = manager.open(f"/console/{slug}/commissions/{sale}")
    page.locator('a[href*="/fraud/cnv_"]').click()
    case = page.url
    page.locator('[popovertarget="reject"]').first.click()
    page.locator("#reject textarea").fill("Brak oznaczenia reklamy.")
    page.locator("#reject button[type=submit]").click()
    page.get_by_text("Brak oznaczenia reklamy.").wait_for()

    mine.reload()
    assert mine.get_by_text("Brak oznaczenia reklamy.").count() >= 1
    sale_page = mine.url
    mine.locator('a[href*="/cases/new"]').click()
    assert is_sound(mine)
    mine.locator('textarea[name="text"]').fill("Il post era segnalato come pubblicità.")
    mine.locator('form[action$="/cases"] button[type=submit]').click()
    mine.get_by_text("segnalato come pubblicità").wait_for()
    assert is_sound(mine)

    queue = f"{installation.base_url}/console/{slug}/fraud?state=appealed"
    appeal = "text=segnalato come pubblicità"
    eventually(lambda: has(page, queue, appeal), "the appeal in the queue")
    assert is_sound(page)
    page.goto(case)
    page.locator('[popovertarget="pass"]').first.click()
    page.locator("#pass textarea").fill("Zgadza się, przepraszamy.")
    page.locator("#pass button[type=submit]").click()
    page.get_by_text("Zgadza się, przepraszamy.").wait_for()
    mine.reload()
    assert mine.get_by_text("Zgadza się, przepraszamy.").count() == 1  # the case says it
    mine.goto(sale_page)
    assert mine.get_by_text("Zgadza się, przepraszamy.").count() >= 1
