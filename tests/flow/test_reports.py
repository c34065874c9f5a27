"""A partner's reports, on a tablet in Italian: days, comparison, columns, a combination, a view that is kept and mailed, files."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from installation import Installation
from pages import Visitor, has, is_sound
from playwright.sync_api import Locator, Page, expect
from processes import eventually
from walks import downloaded, spoken

ON_A_TABLET = {"locale": "it-IT", "viewport": {"width": 768, "height": 1024}}
NAME = "Settimana dei link"
say = spoken("it")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_partner_reads_a_report_combines_it_keeps_it_and_takes_it_home(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    page = visitor("partner", **ON_A_TABLET).open(f"/portal/{installation.demo['program']}/statistics")
    choose_a_week(page)
    compare_and_choose_columns(page)
    clicks = by_link_and_as_files(page)
    keep_and_have_it_mailed(page)
    combine(page, clicks)


def the_table(page: Page) -> Locator:
    """The rows of the report."""
    return page.get_by_role("region", name=say("Table")).get_by_role("table").first


def choose_a_week(page: Page) -> None:
    """Seven whole days, each a row; the last day of the page is today, which goes on."""
    last = date.fromisoformat(page.get_by_label(say("Last day"), exact=True).input_value()) - timedelta(days=1)
    days = page.get_by_role("region", name=say("Days"), exact=True)
    days.get_by_label(say("First day")).fill((last - timedelta(days=6)).isoformat())
    days.get_by_label(say("Last day")).fill(last.isoformat())
    days.get_by_role("button", name=say("Show")).click()
    expect(the_table(page).locator("tbody tr")).to_have_count(7)
    assert is_sound(page)


def compare_and_choose_columns(page: Page) -> None:
    """A column more says what changed; of the columns two are left."""
    page.get_by_role("link", name=say("Against the days before")).click()
    expect(the_table(page).get_by_role("columnheader").last).to_contain_text(
        say("Change: %(metric)s").partition(":")[0]
    )
    page.locator("summary").filter(has_text=say("Columns")).click()
    boxes = page.locator("details[open]").get_by_role("checkbox")
    for box in boxes.all():
        box.set_checked(box.get_attribute("value") in {"clicks_valid", "earnings"})
    assert is_sound(page)
    page.locator("details[open]").get_by_role("button", name=say("Show")).click()
    expect(the_table(page).get_by_role("columnheader")).to_have_count(4)  # the day, both, and the change


def by_link_and_as_files(page: Page) -> int:
    """Both files hold the rows of the page; gives the valid clicks of all links together."""
    page.get_by_role("link", name=say("By link"), exact=True).click()
    table = the_table(page)
    expect(table.get_by_role("rowheader", name="Sunday ragù")).to_be_visible()
    rows = as_file(page)
    found = [int(row["clicks_valid"]) for row in rows]
    assert found == [whole(cell) for cell in table.locator("tbody tr td:nth-of-type(1)").all()]
    assert whole(table.locator("tfoot td").first) == sum(found) > 0
    book = downloaded(page, page.get_by_role("link", name=say("Export as XLSX")).click)
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        words = "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
    assert all(row["link"] in words for row in rows)
    return sum(found)


def as_file(page: Page) -> list[dict[str, str]]:
    """The rows of the CSV that the page offers."""
    told = downloaded(page, page.get_by_role("link", name=say("Export as CSV")).click).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(told)))


def whole(shown: Locator) -> int:
    """A number of the page; in Italian a dot stands between thousands."""
    return int(shown.inner_text().replace(".", ""))


def keep_and_have_it_mailed(page: Page) -> None:
    """Kept with its days and columns, it opens as it was, and comes each week from now on."""
    asked = page.url
    page.get_by_role("region", name=say("Keep this report")).get_by_label(say("Name")).fill(NAME)
    page.get_by_role("button", name=say("Keep"), exact=True).click()
    page.wait_for_url("**/statistics/kept")
    kept = page.get_by_role("region", name=NAME)
    kept.get_by_label(say("By mail")).select_option("week")
    kept.get_by_label(say("At"), exact=True).select_option("7")
    kept.get_by_role("button", name=say("Save")).click()
    expect(kept.get_by_text(say("Next mail: %(at)s").partition("%")[0])).to_be_visible()
    assert is_sound(page)
    kept.get_by_role("link", name=NAME).click()
    expect(the_table(page).get_by_role("columnheader")).to_have_count(4)
    assert sorted(page.url.partition("?")[2].split("&")) == sorted(asked.partition("?")[2].split("&"))


def combine(page: Page, clicks: int) -> None:
    """Link by device is counted by a job, from the clicks themselves: to the same sum."""
    panel = page.get_by_role("region", name=say("Combine"))
    panel.get_by_label(say("Link"), exact=True).check()
    panel.get_by_label(say("Device"), exact=True).check()
    panel.get_by_role("button", name=say("Count")).click()
    page.wait_for_url("**/statistics/combined/cmb_*")
    address = page.url
    eventually(lambda: has(page, address, "tfoot") and not page.get_by_role("progressbar").count(), "the end of it")
    assert is_sound(page)
    rows = as_file(page)
    assert len(rows) == page.locator("tbody tr").count()
    assert sum(int(row["clicks_valid"]) for row in rows) == clicks
