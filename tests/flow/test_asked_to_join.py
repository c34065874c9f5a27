"""What a program says to bring people in, and what they do with it: its page, articles and application form are written in the console, and two come by invitation."""

import secrets
from collections.abc import Callable

import pytest
from creative_cast import png
from installation import Installation
from pages import Visitor, is_sound
from playwright.sync_api import Locator, Page, expect
from walks import (
    Say,
    address_in_mail,
    allow,
    confirm_application,
    downloaded,
    fill_application,
    look,
    send_application,
    spoken,
)

MakeVisitor = Callable[..., Visitor]
MARK = secrets.token_hex(3)
FAIR, GUEST, REFUSED = f"Targi w maju {MARK}", f"guest-{MARK}@spoon.example", f"refused-{MARK}@widelec.example"
QUESTION = f"Una pagina che racconta il tuo pubblico ({MARK})"
WHY_NOT = "Na razie nie po polsku, <b>wkrótce</b> tak."
RENAMED = f"Widelec i Nóż {MARK}"
HEADLINE, ASKED, ANSWERED = f"Garnki na lata {MARK}", "Czy dostanę próbkę?", "Tak, jeden garnek na kwartał."
STORY = {
    "Title": f"La cucina di Rosa {MARK}",
    "Name in the address": f"rosa-{MARK}",
    "In short": "Un anno di ragù.",
    "Text": "Cucino **piano**, e lo racconto.\n\n<script>alert('x')</script>",
    "Whose story it is": "Rosa, Pane Duro",
}
ARTICLE = {
    "Title": f"How returns are counted {MARK}",
    "Name in the address": f"returns-{MARK}",
    "In short": "Never more than their part.",
    "Text": "What goes back takes its own part along.",
}
italian, polish = spoken("it"), spoken("pl")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_two_come_by_invitation_and_answer_what_the_program_has_begun_to_ask(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    manager = visitor("manager", **look("it", 1440))
    ask_for_a_file(manager.open(f"{console}/settings/application-form"))
    address = make_an_address(manager.open(f"{console}/invitations"))
    invite_by_mail(manager.page)
    stranger, guest = visitor(**look("pl", 360)), visitor(**look("en", 768))
    status = apply_and_go_on_after_a_break(stranger, address)
    come_in_at_once(guest)
    refuse(manager, f"{console}/applications")
    stranger.page.goto(status)
    expect(stranger.page.get_by_text(polish("Reason: %(reason)s", reason=WHY_NOT))).to_be_visible()
    assert is_sound(stranger.page)
    withdraw(manager.open(f"{console}/invitations"))
    stranger.page.goto(address)
    expect(stranger.page.get_by_role("heading", name=polish("This invitation is over"))).to_be_visible()
    assert is_sound(stranger.page)
    allow(stranger, 404)
    take_the_question_away(manager.open(f"{console}/settings/application-form"))


def ask_for_a_file(page: Page) -> None:
    """A question of the program's own, after a look at it; without words in a language it would be none."""
    blank = page.get_by_role("region", name=italian("A question of your own"))
    blank.get_by_label(italian("What the answer looks like")).select_option("file")
    blank.get_by_role("group", name="Italiano").get_by_label(italian("Question"), exact=True).fill(QUESTION)
    blank.get_by_label(italian("Ask it")).check()
    assert is_sound(page)
    with page.expect_popup() as opened:
        page.get_by_role("button", name=italian("See how it looks")).click()
    expect(opened.value.get_by_label(QUESTION)).to_be_visible()
    assert is_sound(opened.value)
    opened.value.close()
    page.get_by_role("button", name=italian("Save the form")).click()
    expect(page.get_by_text(italian("Kept. Who applies from now on answers these questions."))).to_be_visible()
    expect(page.get_by_role("region", name=QUESTION)).to_be_visible()


def make_an_address(page: Page) -> str:
    """For whoever comes by the fair, two at most; gives the address."""
    form = page.get_by_role("complementary", name=italian("New invitation"))
    form.get_by_label(italian("Where it stands, or whom it is for")).fill(FAIR)
    form.get_by_label(italian("How many may come by it")).fill("2")
    form.get_by_role("button", name=italian("Make the invitation")).click()
    expect(page.get_by_text(italian("Made. Copy the address below."))).to_be_visible()
    assert is_sound(page)
    return row_of(page, FAIR).locator(".mono").inner_text()


def row_of(page: Page, name: str) -> Locator:
    """What the table says of an invitation, or an applicant."""
    return page.get_by_role("row").filter(has_text=name)


def invite_by_mail(page: Page) -> None:
    """Who is let in at once still fills in the form."""
    form = page.get_by_role("complementary", name=italian("New invitation"))
    form.get_by_label(italian("Where it stands, or whom it is for")).fill("Spoon")
    form.get_by_label(italian("Send it to")).fill(GUEST)
    form.get_by_label(italian("Language of the mail")).select_option("en")
    form.get_by_label(italian("What the mail says")).fill("We met in May.")
    form.get_by_label(italian("Let them in at once")).check()
    form.get_by_role("button", name=italian("Make the invitation")).click()
    expect(page.get_by_text(italian("Invited. The mail is on its way."))).to_be_visible()


def apply_and_go_on_after_a_break(stranger: Visitor, address: str) -> str:
    """The form saves itself, and a file with it; after a break all of it is there. Gives the page that says how it stands."""
    page = stranger.page
    page.goto(address)
    page.get_by_role("link", name=polish("Apply, it takes 5 minutes")).first.click()
    fill_application(page, address=REFUSED, country="PL", name="Widelec", say=polish)
    page.get_by_label(polish("Why does this program suit you?")).fill("Widelec lubi garnki.")
    page.get_by_label(QUESTION).set_input_files(
        {"name": "czytelnicy.png", "mimeType": "image/png", "buffer": png(300, 250)}
    )
    saved = page.locator("[data-saved]")
    expect(saved).to_contain_text("(czytelnicy.png)")
    page.get_by_label(polish("Name under which you promote")).fill(RENAMED)
    page.get_by_label(polish("Website or main profile")).press("Tab")  # left behind, so that it is a change
    expect(saved).not_to_contain_text("(czytelnicy.png)")  # saved once more, by itself
    assert "/draft/" in page.url
    page.reload()
    expect(page.get_by_label(polish("Name under which you promote"))).to_have_value(RENAMED)
    expect(page.get_by_label(polish("Why does this program suit you?"))).to_have_value("Widelec lubi garnki.")
    expect(page.get_by_label(polish("People a month at place %(number)s", number=1))).to_have_value("2400")
    expect(page.locator("[data-file]")).to_have_text("czytelnicy.png")
    terms = page.get_by_label(polish("I accept the terms of the program"))
    expect(terms).not_to_be_checked()  # who comes back accepts them as they stand by then
    terms.check()
    assert is_sound(page)
    send_application(page, say=polish)
    confirm_application(page, stranger.installation, address=REFUSED, say=polish)
    page.locator("summary").filter(has_text=polish("What you sent")).click()
    expect(page.get_by_text("czytelnicy.png")).to_be_visible()
    assert is_sound(page)
    return page.url


def come_in_at_once(guest: Visitor) -> None:
    """By the mail's address; nobody has to decide. The page says so."""
    page = guest.page
    page.goto(address_in_mail(guest.installation, "/join/", to=GUEST))
    page.get_by_role("link", name="Apply, it takes 5 minutes").first.click()
    fill_application(page, address=GUEST, country="DE", name=f"Spoon {MARK}")
    page.get_by_label("Why does this program suit you?").fill("We met in May.")
    send_application(page)
    page.goto(address_in_mail(guest.installation, "/confirm/", to=GUEST))
    page.get_by_role("button", name="Confirm my address").click()
    expect(page.get_by_role("heading", name="You are in", exact=True)).to_be_visible()
    assert is_sound(page)


def refuse(manager: Visitor, applications: str) -> None:
    """After a look at the file, and at how they came; with a reason, and when to try again."""
    page = manager.open(applications)
    page.get_by_role("link", name=RENAMED, exact=True).click()
    said = page.get_by_role("region", name=italian("Application"), exact=True)
    invited = italian("Invitation: %(name)s", name=FAIR)
    expect(said.get_by_text(italian("Came by: %(source)s", source=invited))).to_be_visible()
    assert downloaded(page, said.get_by_role("link", name="czytelnicy.png").click).startswith(b"\x89PNG")
    page.get_by_role("button", name=italian("Refuse…")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(italian("Reason")).fill(WHY_NOT)
    dialog.get_by_label(italian("They may apply again")).select_option("30")
    dialog.get_by_role("button", name=italian("Refuse"), exact=True).click()
    expect(page.get_by_text(WHY_NOT).first).to_be_visible()


def withdraw(page: Page) -> None:
    """The address says how many came by it, and nobody comes by it any more."""
    row = row_of(page, FAIR)
    expect(row.get_by_role("cell").nth(1)).to_contain_text("1")
    row.get_by_role("button", name=italian("Withdraw")).click()
    expect(page.get_by_text(italian("Withdrawn. Nobody can come by it any more."))).to_be_visible()


def take_the_question_away(page: Page) -> None:
    """Others apply in the tests that follow."""
    page.get_by_role("region", name=QUESTION).get_by_label(italian("Take it away")).check()
    page.get_by_role("button", name=italian("Save the form")).click()
    expect(page.get_by_text(italian("Kept. Who applies from now on answers these questions."))).to_be_visible()
    expect(page.get_by_role("region", name=QUESTION)).to_have_count(0)


def test_the_programs_page_an_article_and_a_story_are_written_and_read_by_anybody(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    manager, reader = visitor("manager", **look("pl", 768)), visitor(**look("pl", 1440))
    page = manager.open(f"/console/{slug}/settings/page/pl")
    write_the_page(page)
    read_the_page(reader.open(f"/p/{slug}"))
    for kind, typed in (("article", ARTICLE), ("story", STORY)):
        write(manager.open(f"/console/{slug}/articles/write"), kind, typed)
        publish(manager.open(f"/console/{slug}/articles"), typed["Title"])
    allow(manager, 422)
    strangers = visitor(**look("it", 360))
    read(strangers.open(f"/p/{slug}"), STORY, italian)
    read(reader.open(f"/p/{slug}"), ARTICLE, polish)
    for typed in (ARTICLE, STORY):
        take_off(manager.open(f"/console/{slug}/articles"), typed["Title"])
    strangers.open(f"/p/{slug}")
    expect(strangers.page.get_by_role("link", name=STORY["Title"])).to_have_count(0)


def write_the_page(page: Page) -> None:
    """In one language: a headline, and a question more."""
    page.get_by_label(polish("Headline")).fill(HEADLINE)
    asked = page.get_by_label(polish("Questions and answers"))
    asked.fill(f"{asked.input_value()}\n\n{ASKED}\n{ANSWERED}")
    assert is_sound(page)
    page.get_by_role("button", name=polish("Save the page")).click()
    expect(page.get_by_text(polish("Kept. Everybody reads it now."))).to_be_visible()


def read_the_page(page: Page) -> None:
    """As somebody finds it who reads that language."""
    expect(page.get_by_role("heading", name=HEADLINE, level=1)).to_be_visible()
    page.locator("summary").filter(has_text=ASKED).click()
    expect(page.get_by_text(ANSWERED)).to_be_visible()
    assert is_sound(page)


def write(page: Page, kind: str, typed: dict[str, str]) -> None:
    """A story is told by somebody who agreed to it; without that it is refused, and nothing that was typed is lost."""
    form = page.get_by_role("main")
    form.get_by_label(polish("What it is"), exact=True).select_option(kind)
    form.get_by_label(polish("Language"), exact=True).select_option("it" if kind == "story" else "en")
    for label, text in typed.items():
        form.get_by_label(polish(label)).last.fill(text)
    keep = page.get_by_role("button", name=polish("Save the text"))
    if kind == "story":
        keep.click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert is_sound(page)
        form.get_by_label(polish("The partner has read these words and agreed to them")).check()
    keep.click()
    expect(page.get_by_role("heading", name=typed["Title"], level=1)).to_be_visible()


def publish(page: Page, title: str) -> None:
    """Nobody reads it before."""
    row_of(page, title).get_by_role("button", name=polish("Publish")).click()
    expect(row_of(page, title).get_by_text(polish("Public"), exact=True)).to_be_visible()
    assert is_sound(page)


def read(page: Page, typed: dict[str, str], say: Say) -> None:
    """By the program's page, and from there to the application; hostile words are words."""
    page.get_by_role("link", name=typed["Title"]).click()
    expect(page.get_by_role("heading", name=typed["Title"], level=1)).to_be_visible()
    assert typed["Text"].partition("**")[0].strip() in page.locator("article").inner_text()
    assert page.locator("article script").count() == 0
    assert is_sound(page)
    page.get_by_role("link", name=say("Become a partner")).last.click()
    expect(page.get_by_role("button", name=say("Send the application"))).to_be_visible()


def take_off(page: Page, title: str) -> None:
    """And nobody reads it any more."""
    row_of(page, title).get_by_role("button", name=polish("Take it off")).click()
    expect(row_of(page, title).get_by_text(polish("Draft"), exact=True)).to_be_visible()
