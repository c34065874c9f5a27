"""By another partner's address: a stranger applies in Italian on a phone, is asked something and answers, is let in, and asks to be forgotten."""

import io
import zipfile
from collections.abc import Callable

import pytest
from installation import Installation
from pages import Visitor, is_sound
from playwright.sync_api import Page, expect
from processes import eventually
from walks import (
    address_in_mail,
    choose_password,
    confirm_application,
    downloaded,
    fill_application,
    just_signed_in,
    look,
    reload_until,
    send_application,
    spoken,
    texts_of,
)

MakeVisitor = Callable[..., Visitor]
MAILBOX, NAME = "nina@pane-duro.example", "Pane Duro"
MANAGER, PASSWORD = "manager@casa-ondera.example", "six blue kettles on the shelf"
RECRUITER = "Marta’s Slow Kitchen"
QUESTION, ANSWER = "Ile osób czyta Panią w Polsce?", "Circa trecento, quasi tutte a Cracovia."
italian, polish = spoken("it"), spoken("pl")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_recruited_stranger_answers_a_question_comes_in_and_is_forgotten(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    stranger = visitor(**look("it", 360))
    status = apply_by(stranger, recruiting_address(visitor("partner", **look("en", 768)), slug))
    manager = just_signed_in(installation, visitor, "manager", **look("pl", 1440))
    application = manager.open(f"/console/{slug}/applications")
    application.get_by_role("link", name=NAME, exact=True).click()
    ask(application)
    answer(stranger, status)
    let_in(application)
    newcomer = visitor()
    choose_password(newcomer, MAILBOX, PASSWORD)
    owner = visitor(**look("it", 768), storage_state=newcomer.context.storage_state())
    ask_for_copy_and_erasure(owner, slug)
    take_the_copy(owner.page)
    erase(manager, slug)
    find_nothing_left(owner, newcomer)


def recruiting_address(partner: Visitor, slug: str) -> str:
    """Made with one button beside the links."""
    page = partner.open(f"/portal/{slug}/links")
    panel = page.get_by_role("region", name="Bring other partners")
    panel.get_by_role("button", name="Make my recruiting address").click()
    expect(panel.get_by_text("0 applications came by it.")).to_be_visible()
    assert is_sound(page)
    return panel.get_by_label("Your recruiting address").input_value()


def apply_by(stranger: Visitor, address: str) -> str:
    """By the program's page to the form, and by the mail to the page that says how it stands, of which this gives the address."""
    page = stranger.page
    page.goto(address)
    page.get_by_role("link", name=italian("Apply, it takes 5 minutes")).first.click()
    fill_application(page, address=MAILBOX, country="IT", name=NAME, say=italian)
    page.get_by_label(italian("Why does this program suit you?")).fill("Il pane duro vuole una pentola buona.")
    send_application(page, say=italian)
    confirm_application(page, stranger.installation, address=MAILBOX, say=italian)
    return page.url


def ask(page: Page) -> None:
    """The application says by whom it came; beneath it is asked what is unclear."""
    said = page.get_by_role("region", name=polish("Application"), exact=True)
    recruited = polish("Recruiting address of %(name)s", name=RECRUITER)
    expect(said.get_by_text(polish("Came by: %(source)s", source=recruited))).to_be_visible()
    said.get_by_label(polish("Ask the applicant")).fill(QUESTION)
    said.get_by_role("button", name=polish("Send the question")).click()
    told = polish("Asked. A mail brings the question, and the answer stands here.")
    expect(page.get_by_text(told)).to_be_visible()
    assert is_sound(page)


def answer(stranger: Visitor, status: str) -> None:
    """The mail brings the question, and leads to the page that the applicant knows."""
    page, installation = stranger.page, stranger.installation
    page.goto(address_in_mail(installation, "/status/", to=MAILBOX))
    assert page.url == status
    assert any(QUESTION in text for text in texts_of(installation, MAILBOX))
    expect(page.get_by_text(italian("Your answer is needed"))).to_be_visible()
    talk = page.get_by_role("region", name=italian("Questions and answers"))
    expect(talk).to_contain_text(QUESTION)
    assert is_sound(page)
    talk.get_by_label(italian("Your answer")).fill(ANSWER)
    talk.get_by_role("button", name=italian("Send the answer")).click()
    expect(page.get_by_text(italian("It is with the program."))).to_be_visible()
    expect(talk).to_contain_text(ANSWER)
    expect(page.get_by_text(italian("Your answer is needed"))).to_have_count(0)
    eventually(lambda: any(ANSWER in text for text in texts_of(installation, MANAGER)), "the mail of the answer")


def let_in(page: Page) -> None:
    """The answer stands beside the application."""
    page.reload()
    said = page.get_by_role("region", name=polish("Application"), exact=True)
    expect(said).to_contain_text(QUESTION)
    expect(said).to_contain_text(ANSWER)
    page.get_by_role("button", name=polish("Approve"), exact=True).click()
    standing = page.get_by_role("complementary", name=polish("Standing in the program"))
    expect(standing).to_contain_text(polish("Decided by %(name)s.", name="Ines Keller"))


def ask_for_copy_and_erasure(owner: Visitor, slug: str) -> None:
    """By the settings; until it is answered the wish can be taken back."""
    page = owner.open(f"/portal/{slug}/settings")
    page.get_by_role("main").get_by_role("link", name=italian("Your data"), exact=True).click()
    page.get_by_role("button", name=italian("Ask for a copy")).click()
    expect(page.get_by_text(italian("The copy is being made. You get a mail when it is ready."))).to_be_visible()
    wish(page)
    told = italian("The program was asked. Until it answers you can take the request back.")
    expect(page.get_by_text(told)).to_be_visible()
    page.get_by_role("button", name=italian("Withdraw the request")).click()
    expect(page.get_by_text(italian("The request is withdrawn. Everything stays."))).to_be_visible()
    wish(page)
    waits = italian("You asked for it. The program decides, and you are signed out when it is done.")
    expect(page.get_by_text(waits)).to_be_visible()
    assert is_sound(page)


def wish(page: Page) -> None:
    """With what it means before the button."""
    page.get_by_role("button", name=italian("Ask to be forgotten")).click()
    dialog = page.get_by_role("dialog", name=italian("Ask the program to erase this account?"))
    everywhere = "It holds for every program that you take part in. Get a copy of your data first."
    expect(dialog).to_contain_text(italian(everywhere))
    dialog.get_by_role("button", name=italian("Ask for it")).click()


def take_the_copy(page: Page) -> None:
    """It says what the applicant said."""
    ready = page.get_by_role("region", name=italian("A copy of everything")).get_by_role(
        "link", name=italian("Download")
    )
    reload_until(page, ready, "the copy")
    with zipfile.ZipFile(io.BytesIO(downloaded(page, ready.click))) as copy:
        assert any(ANSWER in copy.read(name).decode() for name in copy.namelist() if name.endswith(".csv"))


def erase(manager: Visitor, slug: str) -> None:
    """A manager decides, who is told that nobody can undo it; then the name stands nowhere in the list."""
    page = manager.open(f"/console/{slug}/partners")
    page.get_by_role("link", name=polish("Erasure")).click()
    row = page.get_by_role("row").filter(has_text=NAME).filter(has_text=polish("Waits for you"))
    row.get_by_role("button", name=polish("Erase…")).click()
    dialog = page.get_by_role("dialog", name=polish("Erase %(partner)s for good?", partner=NAME))
    dialog.get_by_role("button", name=polish("Erase"), exact=True).click()
    told = polish("The partner is erased. Its commissions, payouts and papers stay, without a name.")
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.get_by_text(NAME)).to_have_count(0)
    assert is_sound(page)


def find_nothing_left(owner: Visitor, newcomer: Visitor) -> None:
    """Signed out everywhere, and no password opens it again."""
    owner.page.reload()
    expect(owner.page.get_by_role("button", name=italian("Sign in"), exact=True)).to_be_visible()
    page = newcomer.open("/login")
    page.get_by_label("E-mail address").fill(MAILBOX)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
