"""What is told about the figures: a report that comes by mail and that others read, notes on days, service by hand, the shop's totals.

After the file that opens an address of a report itself: here reports are kept, too.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from installation import Installation
from pages import Visitor, is_sound
from playwright.sync_api import Page, expect
from walks import allow, downloaded, look, spoken

MakeVisitor = Callable[..., Visitor]
MARTA = "Marta’s Slow Kitchen"
REPORT = "Per la banca di Trieste"
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test
PERIOD = "by=partner&span=30d"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_report_is_kept_sent_by_mail_taken_as_a_file_and_read_by_a_stranger(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console, say = f"/console/{installation.demo['program']}", spoken("it")
    manager, stranger = visitor("manager", **look("it", 1440)), visitor(**look("pl", 768))
    page = manager.open(f"{console}/performance?{PERIOD}")
    _compare_with_the_file(page, say)
    keeping = page.get_by_role("region", name=say("Keep this report"))
    keeping.get_by_label(say("Name"), exact=True).fill(REPORT)
    keeping.get_by_role("button", name=say("Keep"), exact=True).click()
    page = manager.open(f"{console}/performance/kept")
    report = page.get_by_role("region", name=REPORT)
    report.get_by_label(say("By mail")).select_option("week")
    report.get_by_label(say("At"), exact=True).select_option("07:00")
    report.get_by_role("button", name=say("Save"), exact=True).click()
    expect(report.get_by_text(say("Next mail: %(at)s", at="").strip())).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)

    page = manager.open(f"{console}/performance/shared")
    page.get_by_label(say("Report"), exact=True).select_option(REPORT)
    page.get_by_label(say("Show the names of partners, their coupons and their pages")).check()
    page.get_by_role("button", name=say("Make an address")).click()
    shared = page.get_by_role("region", name=REPORT)
    address = shared.get_by_label(say("Address"), exact=True).input_value()
    assert is_sound(page)
    _read_without_signing_in(stranger, address)

    page.reload()
    expect(shared.get_by_text(say("Names partners."))).to_be_visible()
    shared.get_by_role("button", name=say("Take back…")).click()
    page.get_by_role("dialog", name=say("Take this address back?")).get_by_role(
        "button", name=say("Take back")
    ).last.click()
    expect(shared.get_by_label(say("Address"), exact=True)).to_have_count(0, timeout=SEEN_MS_MAX)
    answer = stranger.page.goto(address)
    assert answer is not None
    assert not answer.ok
    assert MARTA not in stranger.page.content()
    allow(stranger, answer.status)


def _compare_with_the_file(page: Page, say: Callable[..., str]) -> None:
    """The file has the rows of the page, with the same clicks and sales."""
    lines = page.get_by_role("region", name=say("By partner"), exact=True).get_by_role("row").all()[1:-1]
    shown = [[re.sub(r"\D", "", cell) for cell in line.get_by_role("cell").all_inner_texts()[:2]] for line in lines]
    file = downloaded(page, page.get_by_role("link", name=say("Export as CSV")).click)
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    assert [[row["clicks_valid"], row["conversions"]] for row in rows][: len(shown)] == shown
    assert len(shown) > 3


def _read_without_signing_in(stranger: Visitor, address: str) -> None:
    page = stranger.page
    page.goto(address)
    expect(page.get_by_role("heading", name=REPORT)).to_be_visible()
    expect(page.get_by_role("rowheader", name=MARTA)).to_be_visible()
    assert stranger.context.cookies() == []
    assert is_sound(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name=spoken("pl")("Print"))).to_have_count(0)
    expect(page.get_by_role("rowheader", name=MARTA)).to_be_visible()
    page.emulate_media(media="screen")


def test_a_day_gets_a_note_service_a_number_and_the_shop_its_totals(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console, say = f"/console/{installation.demo['program']}", spoken("pl")
    manager = visitor("manager", **look("pl", 360))
    page = manager.open(f"{console}/performance/notes")
    _note_a_day(page, say)
    manager.open(f"{console}/performance?{PERIOD}")
    expect(page.get_by_role("list", name=say("Notes on days"))).to_contain_text("Burza, kurier nie jeździł")
    assert is_sound(page)
    manager.open(f"{console}/performance/service")
    _enter_a_number(page, say)
    allow(manager, 422)
    page.get_by_role("link", name=MARTA).first.click()
    expect(page.get_by_role("region", name=say("Service"), exact=True)).to_contain_text("4,5")
    manager.open(f"{console}/performance/shop")
    _tell_totals(page, say)


def _note_a_day(page: Page, say: Callable[..., str]) -> None:
    page.get_by_label(say("What happened"), exact=True).fill("Burza, kurier nie jeździł")
    page.get_by_role("button", name=say("Note it")).click()
    expect(page.get_by_role("row").filter(has_text="Burza")).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)


def _enter_a_number(page: Page, say: Callable[..., str]) -> None:
    form = page.get_by_role("form", name=say("New entry"))
    form.get_by_label(say("Partner"), exact=True).fill(MARTA)
    form.get_by_label(say("What is measured")).select_option("answer_time")
    form.get_by_label(say("Number"), exact=True).fill("dużo")
    form.get_by_role("button", name=say("Enter"), exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)
    form.get_by_label(say("Number"), exact=True).fill("4,5")
    form.get_by_role("button", name=say("Enter"), exact=True).click()
    row = page.get_by_role("row").filter(has_text=MARTA)
    expect(row).to_contain_text(say("%(hours)s h", hours="4,5"), timeout=SEEN_MS_MAX)


def _tell_totals(page: Page, say: Callable[..., str]) -> None:
    """Two days and one that cannot be: partners stand beside the rest of the shop."""
    days = [(datetime.now(UTC) - timedelta(days=ago)).date().isoformat() for ago in (2, 3)]
    rows = ["day,orders,revenue,visitors", *(f"{day},400,36000.00,9000" for day in days), "30 lutego,1,1,1"]
    page.get_by_label(say("CSV file")).set_input_files(
        {"name": "sklep.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    page.get_by_role("button", name=say("Take the totals")).click()
    counted = {"new": 2, "replaced": 0, "known": 0, "refused": 1}
    told = say("%(new)s new, %(replaced)s replaced, %(known)s known already, %(refused)s refused", **counted)
    expect(page.get_by_role("heading", name=told)).to_be_visible(timeout=SEEN_MS_MAX)
    sides = page.get_by_role("region", name=say("With and without partners"))
    expect(sides.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("region", name=say("Revenue per day"))).to_be_visible()
    assert is_sound(page)
