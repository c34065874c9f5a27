"""A newsletter from its first word to what came of it: written on a phone, sent by SMTP, read in Polish, stopped by a mail provider's button."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import requests
from installation import ANSWER_SECONDS_MAX, Installation
from pages import NARROW, WIDE, Visitor, is_sound
from playwright.sync_api import Locator, Page, expect
from processes import eventually
from walks import mails_to, reload_until, spoken

from affiliate import db, ids
from affiliate.newsletters.models import NewsletterIssue

ON_A_TABLET = {"locale": "pl-PL", "viewport": {"width": 768, "height": 1024}}
SUBJECT = f"textiles pay 12 % ({secrets.token_hex(3)})"
QUIET = "Nobody gets it between 21:00 and 8:00"
say = spoken("pl")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.usefixtures("inside")
def test_a_newsletter_is_written_taken_back_sent_read_and_stopped_with_one_click(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    slug = installation.demo["program"]
    manager, partner = visitor("manager", viewport=NARROW), visitor("partner", **ON_A_TABLET)
    page = manager.open(f"/console/{slug}/newsletters")
    assert is_sound(page)
    write(page, f"{installation.base_url}/demo/shop/p/apron")
    look_at_it(page)
    have_a_test_sent(page, installation)
    order(page)
    page.get_by_role("button", name="Take it back").click()
    order(page)
    let_ten_minutes_pass(page.url.rpartition("/")[2])
    mail = the_mail(installation, "marta@slow-kitchen.example")
    follow(partner, mail)
    stop_by_the_provider(partner, mail, installation)
    read_again(partner, slug)
    read_what_came_of_it(page)


def write(page: Page, shop: str) -> None:
    """Two blocks, on a phone; hostile words are words."""
    page.get_by_role("button", name="Begin a newsletter").click()
    page.get_by_label("Subject").fill(f"{{first_name}}, {SUBJECT}")
    page.get_by_label("Text").fill(
        f'Dear {{first_name}}, <script>alert("x")</script> **twelve** for [the apron]({shop})'
    )
    page.get_by_label("Kind of the new block").select_option("offer")
    page.get_by_role("button", name="Add a block").click()
    page.get_by_label("Title").fill("Textiles")
    page.get_by_label("Text").last.fill("Until 30 November.")
    page.get_by_role("button", name="Save").last.click()
    assert page.get_by_label("Subject").input_value() == f"{{first_name}}, {SUBJECT}"
    assert is_sound(page)


def look_at_it(page: Page) -> None:
    """As a partner gets it, in a frame of its own."""
    editor = page.url
    page.get_by_label("Title").fill("Textiles, and more")  # not saved by hand: every button does
    act(page, "Preview").click()
    mail = page.frame_locator("iframe")
    mail.get_by_text("twelve").wait_for()
    assert mail.get_by_text("Textiles, and more").count() == 1
    assert '<script>alert("x")</script>' in mail.locator("body").inner_text()
    assert mail.get_by_text("Your link, ready to copy:").count() == 1
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type] # a width and a height
        assert is_sound(page)
    page.goto(editor)
    assert page.get_by_label("Title").input_value() == "Textiles, and more"


def act(page: Page, name: str) -> Locator:
    """What does this in the editor: a button or a link, wherever it stands."""
    return page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first


def have_a_test_sent(page: Page, installation: Installation) -> None:
    """To the manager alone."""
    act(page, "Send me a test").click()
    the_mail(installation, "manager@casa-ondera.example")


def order(page: Page) -> None:
    """At once, whatever the hour is where its readers are."""
    page.get_by_label(QUIET).uncheck()
    page.get_by_role("button", name="Send to").click()
    page.get_by_role("button", name="Take it back").wait_for()
    assert is_sound(page)


def let_ten_minutes_pass(issue: str) -> None:
    """In which it can be taken back."""
    with db.transaction() as session:
        ordered = session.get_one(NewsletterIssue, ids.parse("nws", issue))
        assert ordered.release_at is not None
        ordered.release_at -= timedelta(minutes=10)


def the_mail(installation: Installation, address: str) -> EmailMessage:
    """The newsletter, once the mail server has it for this reader: once."""
    found: list[EmailMessage] = []

    def arrived() -> bool:
        found[:] = [mail for mail in mails_to(installation, address) if SUBJECT in mail["Subject"]]
        return bool(found)

    eventually(arrived, f"the newsletter for {address}")
    assert len(found) == 1
    return found[0]


def follow(reader: Visitor, mail: EmailMessage) -> None:
    """The reader's name stands in it; what it links to is the shop's page."""
    assert str(mail["Subject"]).startswith("Marta, ")
    html = mail.get_body(("html",))
    assert html is not None
    reader.page.set_content(html.get_content())
    reader.page.get_by_role("link", name="the apron").click()
    reader.page.wait_for_url("**/demo/shop/**")
    assert urlsplit(reader.page.url).path == "/demo/shop/p/apron"


def stop_by_the_provider(reader: Visitor, mail: EmailMessage, installation: Installation) -> None:
    """Opening the address changes nothing; posting to it, as RFC 8058 has it, stops every kind without a page."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(mail["List-Unsubscribe"]).strip("<>")
    page = reader.page
    page.goto(address)
    kinds, openings = page.locator("[name=kind]"), page.locator("[name=openings]")
    assert [box.is_checked() for box in kinds.all()] == [True] * 3
    assert is_sound(page)
    told = requests.post(
        f"http://127.0.0.1:{installation.port}{urlsplit(address).path}",
        data={"List-Unsubscribe": "One-Click"},
        headers={"Host": urlsplit(address).netloc},
        allow_redirects=False,
        timeout=ANSWER_SECONDS_MAX,
    )
    assert (told.status_code, told.text) == (200, "")
    page.reload()
    assert [box.is_checked() for box in kinds.all()] == [False] * 3
    expect(openings).not_to_be_checked()
    kinds.first.check()  # one may come back
    page.get_by_role("button", name=say("Save")).click()
    expect(
        page.get_by_text(say("Saved. From now on you get: %(kinds)s.") % {"kinds": say("Program news")})
    ).to_be_visible()
    assert is_sound(page)


def read_again(reader: Visitor, slug: str) -> None:
    """In the archive, whatever comes by mail."""
    page = reader.open(f"/portal/{slug}/newsletters")
    assert is_sound(page)
    page.get_by_role("link", name=SUBJECT).click()
    expect(page.frame_locator("iframe").get_by_text("Until 30 November.")).to_be_visible()
    assert is_sound(page)


def read_what_came_of_it(page: Page) -> None:
    """All are sent, one address was opened once, one reader stopped."""
    sent = page.get_by_role("region", name="Delivery").get_by_text(re.compile(r"^(\d+) of \1 are settled\.$"))
    reload_until(page, sent, "the end of the sending")
    assert tile(page, "Not delivered") == tile(page, "Uncertain") == tile(page, "Waiting") == "0"
    assert tile(page, "Unsubscribed") == "1"
    expect(page.get_by_role("row").filter(has_text="/demo/shop/p/apron").get_by_role("cell").last).to_have_text("1")
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type] # as above
        assert is_sound(page)


def tile(page: Page, name: str) -> str:
    """The number of this name."""
    return page.locator(".stat").filter(has=page.get_by_text(name, exact=True)).locator(".val").inner_text()
