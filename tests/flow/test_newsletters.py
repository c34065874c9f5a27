"""A manager writes a newsletter on a phone, sees it in its frame as a partner gets it, orders it and takes it back."""

from collections.abc import Callable

import pytest
from installation import Installation
from pages import NARROW, WIDE, Visitor, axe_findings, sideways


@pytest.mark.browser
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_a_newsletter_is_written_seen_ordered_and_taken_back(
    installation: Installation, visitor: Callable[..., Visitor], size: dict[str, int]
) -> None:
    slug = installation.demo["program"]
    manager = visitor("manager", viewport=size)
    page = manager.open(f"/console/{slug}/newsletters")
    assert (sideways(page), axe_findings(page)) == (0, [])
    page.get_by_role("button", name="Begin a newsletter").click()
    page.get_by_label("Subject").fill("{first_name}, textiles pay 12 %")
    page.get_by_label("Text").fill('Dear {first_name}, <script>alert("x")</script> **twelve**')
    page.get_by_label("Kind of the new block").select_option("offer")
    page.get_by_role("button", name="Add a block").click()
    page.get_by_label("Title").fill("Textiles")
    page.get_by_label("Text").last.fill("Until 30 November.")
    page.get_by_role("button", name="Save").last.click()
    assert page.get_by_label("Subject").input_value() == "{first_name}, textiles pay 12 %"
    assert (sideways(page), axe_findings(page)) == (0, [])
    page.get_by_label("Title").fill("Textiles, and more")
    page.get_by_role("button", name="Preview").first.click()
    mail = page.frame_locator("iframe")
    mail.get_by_text("twelve").wait_for()
    assert mail.get_by_text("Textiles, and more").count() == 1
    assert '<script>alert("x")</script>' in mail.locator("body").inner_text()
    assert mail.get_by_text("Your link, ready to copy:").count() == 1
    assert (sideways(page), axe_findings(page)) == (0, [])
    page.go_back()
    assert page.get_by_label("Title").input_value() == "Textiles, and more"
    page.get_by_role("button", name="Send to").click()
    page.get_by_role("button", name="Take it back").wait_for()
    assert (sideways(page), axe_findings(page)) == (0, [])
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Send to").wait_for()
