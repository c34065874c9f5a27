"""A newsletter from its first word to what came of it: written on a phone, sent by SMTP, read in Polish, stopped by a mail provider's button."""

import re
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import requests
from installation import ANSWER_SECONDS_MAX, Installation
from pages import NARROW, WIDE, Visitor, is_sound
from playwright.sync_api import Locator, Page, expect
from processes import eventually
from walks import address_in_mail, look, mails_to, reload_until, spoken

from affiliate import clock, db, ids
from affiliate.newsletters.models import NewsletterIssue

ON_A_TABLET = {"locale": "pl-PL", "viewport": {"width": 768, "height": 1024}}
SUBJECT = f"textiles pay 12 % ({secrets.token_hex(3)})"
QUIET = "Nobody gets it between 21:00 and 8:00"
PROSPECT, NEWS = "Zuzanna Test", f"le pentole d’inverno ({secrets.token_hex(3)})"
MAILBOX = f"zuzanna-{secrets.token_hex(3)}@jeszcze-nie.example"
NIGHT, MORNING = "22:30", "08:00"
say, italian = spoken("pl"), spoken("it")
SEND = re.compile(f"^{italian('Send to %(readers)s', readers='')}")

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
    page.goto(f"{page.url}&reader=Marta")  # who has a link, whoever else joined meanwhile
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


def let_ten_minutes_pass(issue: str, passed: timedelta = timedelta(minutes=10)) -> None:
    """In which it can be taken back; it is longer where an hour of the readers was ordered."""
    with db.transaction() as session:
        ordered = session.get_one(NewsletterIssue, ids.parse("nws", issue))
        assert ordered.release_at is not None
        ordered.release_at -= passed


def the_mail(installation: Installation, address: str, subject: str = SUBJECT) -> EmailMessage:
    """The newsletter, once the mail server has it for this reader: once."""
    found: list[EmailMessage] = []

    def arrived() -> bool:
        found[:] = [mail for mail in mails_to(installation, address) if subject in mail["Subject"]]
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
    press_the_button(installation, address)
    page.reload()
    assert [box.is_checked() for box in kinds.all()] == [False] * 3
    expect(openings).not_to_be_checked()
    kinds.first.check()  # one may come back
    page.get_by_role("button", name=say("Save")).click()
    expect(
        page.get_by_text(say("Saved. From now on you get: %(kinds)s.") % {"kinds": say("Program news")})
    ).to_be_visible()
    assert is_sound(page)


def press_the_button(installation: Installation, address: str) -> None:
    """What a mail provider posts when its reader wants no more."""
    told = requests.post(
        f"http://127.0.0.1:{installation.port}{urlsplit(address).path}",
        data={"List-Unsubscribe": "One-Click"},
        headers={"Host": urlsplit(address).netloc},
        allow_redirects=False,
        timeout=ANSWER_SECONDS_MAX,
    )
    assert (told.status_code, told.text) == (200, "")


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


@pytest.mark.usefixtures("inside")
def test_who_is_no_partner_yet_gets_news_after_confirming_by_day_and_none_after_one_click(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    slug = installation.demo["program"]
    stranger, manager = visitor(**look("pl", 360)), visitor("manager", **look("it", 1440))
    ask_for_news(stranger, slug)
    known(manager, slug, "Not confirmed yet")
    page = stranger.page
    page.goto(address_in_mail(installation, "/news/", to=MAILBOX))
    expect(
        page.get_by_role("heading", name=say("Do you want news of %(program)s?", program="Casa Ondera"))
    ).to_be_visible()
    known(manager, slug, "Not confirmed yet")  # scanners of mail open every link
    page.get_by_role("button", name=say("Yes, send me news")).click()
    expect(page.get_by_text(say("Done. The next news come to your mailbox."))).to_be_visible()
    assert is_sound(page)
    known(manager, slug, "Gets news")

    desk = manager.page
    write_to_prospects(manager, slug)
    order_for_the_night(desk)
    desk.get_by_role("button", name=italian("Take it back")).click()
    expect(desk.get_by_text(italian("Taken back. It is a draft again, and nobody got it."))).to_be_visible()
    day = order_for_the_night(desk)
    let_ten_minutes_pass(desk.url.rpartition("/")[2], timedelta(days=30))
    wait_for_the_morning(desk, day + timedelta(days=1))
    send_another_at_once(desk)
    let_ten_minutes_pass(desk.url.rpartition("/")[2])
    mail = the_mail(installation, MAILBOX, NEWS)
    assert str(mail["Subject"]) == f"Zuzanna, {NEWS}"

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(mail["List-Unsubscribe"]).strip("<>")
    page.goto(address)
    expect(page.get_by_text(say("You get them because you asked for them."))).to_be_visible()
    assert is_sound(page)
    press_the_button(installation, address)
    page.reload()
    expect(page.get_by_text(say("You get none."))).to_be_visible()
    known(manager, slug, "Stopped")


def ask_for_news(stranger: Visitor, slug: str) -> None:
    """On the program's page; nothing is agreed to beforehand."""
    page = stranger.open(f"/p/{slug}?from=winter-fair")
    form = page.locator("#news")
    form.get_by_label(say("Your name")).fill(PROSPECT)
    form.get_by_label(say("E-mail")).fill(MAILBOX)
    consent = form.locator("[name=consent]")
    expect(consent).not_to_be_checked()
    consent.check()
    form.get_by_role("button", name=say("Send me news")).click()
    told = say("One step is left: open the mail that we have sent you, and confirm.")
    expect(page.get_by_text(told)).to_be_visible()


def known(manager: Visitor, slug: str, state: str) -> None:
    """How the stranger stands in the list of those who asked, with the place it came from."""
    row = manager.open(f"/console/{slug}/newsletters/prospects").get_by_role("row").filter(has_text=MAILBOX)
    expect(row).to_contain_text(italian(state))
    expect(row).to_contain_text(italian("came from %(source)s", source="winter-fair"))


def write_to_prospects(manager: Visitor, slug: str) -> None:
    """A text, for nobody who is a partner."""
    page = manager.open(f"/console/{slug}/newsletters")
    page.get_by_role("button", name=italian("Begin a newsletter")).click()
    page.get_by_label(italian("Subject")).fill(f"{{first_name}}, {NEWS}")
    page.get_by_label(italian("Text")).fill("Sono arrivate.")
    for status in page.locator("[name=statuses]").all():
        status.uncheck()
    page.locator("[name=prospects]").check()
    readers = page.get_by_role("button", name=SEND)
    before = readers.inner_text()
    page.get_by_role("button", name=italian("Save"), exact=True).last.click()
    expect(readers).not_to_have_text(before)
    expect(page.locator("[name=prospects]")).to_be_checked()


def order_for_the_night(page: Page) -> date:
    """At an hour of each reader's own zone that is a quiet one; the page says when they get it instead. Gives the day."""
    day = clock.now().date() + timedelta(days=3)
    page.get_by_label(italian("At this hour of each reader's own zone")).check()
    page.get_by_label(italian("Day"), exact=True).fill(day.isoformat())
    page.get_by_label(italian("Hour"), exact=True).fill(NIGHT)
    expect(page.locator("[name=quiet]")).to_be_checked()
    page.get_by_role("button", name=SEND).click()
    told = page.locator(".note").filter(has_text=italian("Until then you can take it back."))
    expect(told).to_contain_text(italian("Each reader gets it at %(wall)s of their own clock.", wall=f"{day} {NIGHT}"))
    quiet = "Who would get it between 21:00 and 8:00 of their own day gets it at 8:00 instead."
    expect(told).to_contain_text(italian(quiet))
    assert is_sound(page)
    return day


def wait_for_the_morning(page: Page, day: date) -> None:
    """The readers are fixed, and nothing has left."""
    due = re.escape(italian("The next mail is due %(at)s.", at="@")).replace("@", rf"\D*{day.day}\D.*{MORNING}")
    reload_until(page, page.get_by_text(re.compile(due)), "the next morning")
    assert tile(page, italian("Sent")) == "0"
    page.get_by_role("button", name=italian("Stop…")).click()
    page.get_by_role("dialog").get_by_role("button", name=italian("Stop it")).click()
    expect(page.get_by_role("button", name=italian("Let it go on…"))).to_be_visible()


def send_another_at_once(page: Page) -> None:
    """The same words, whatever the hour is."""
    page.get_by_role("button", name=italian("Duplicate")).click()
    expect(page.locator("[name=prospects]")).to_be_checked()
    page.locator("[name=quiet]").uncheck()
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_role("button", name=italian("Take it back"))).to_be_visible()
