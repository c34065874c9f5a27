"""Stretches of the way that several tests of the flow go: each as a person would go it, with what they see."""

import contextlib
import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from babel.support import Translations
from installation import Installation
from pages import Visitor
from playwright.sync_api import Locator, Page, expect
from processes import eventually
from sqlalchemy.orm import Session

import affiliate
from affiliate import db
from affiliate.accounts import queries as accounts
from affiliate.accounts.actors import Actor
from affiliate.programs import queries as programs
from affiliate.programs.models import Program

MakeVisitor = Callable[..., Visitor]
Say = Callable[..., str]
HEIGHT = 900
SEEN_SECONDS_MAX = 60  # the promise is five; a busy machine shall not fail the test
TRANSLATIONS = Path(affiliate.__file__).parent / "translations"


def spoken(language: str) -> Say:
    """What a page in this language says for a sentence of ours: things are found by their words, whatever the language.

    `say("Until %(day)s", day=…)` puts values in, as pages do.
    """
    catalogue = Translations.load(str(TRANSLATIONS), [language])

    def say(text: str, **values: object) -> str:
        said = str(catalogue.gettext(text))
        return said % values if values else said

    return say


ENGLISH = spoken("en")


def look(locale: str, width: int) -> dict[str, Any]:
    """The options of a visitor who reads this language in a window so many pixels wide."""
    return {"locale": locale, "viewport": {"width": width, "height": HEIGHT}}


def allow(visitor: Visitor, status: int) -> None:
    """A page was refused on purpose; the browser notes that as an error."""
    visitor.troubles[:] = [trouble for trouble in visitor.troubles if str(status) not in trouble]


def reload_until(page: Page, shown: Locator, what: str) -> None:
    """Look again until something stands there, as a partner who waits would."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while not shown.count():
        assert time.monotonic() < deadline, f"never shown: {what}"
        page.reload()


def mails_to(installation: Installation, recipient: str) -> list[EmailMessage]:
    """A person's mails, in the order in which the mail server took them."""
    found = sorted((installation.data_dir / "mail").glob("*.eml"))
    mails = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found)
    return [mail for mail in mails if mail["To"] == recipient]


def text_of(mail: EmailMessage) -> str:
    """What it says as plain text."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def texts_of(installation: Installation, recipient: str) -> list[str]:
    """The plain texts of a person's mails."""
    return [text_of(mail) for mail in mails_to(installation, recipient)]


def address_in_mail(installation: Installation, part: str, *, to: str) -> str:
    """The address with this part that the newest mail with one to a person holds, once the mail is there."""
    held = re.compile(rf"http://\S+{part}\S*")

    def found() -> list[str]:
        texts = texts_of(installation, to)
        return [match.group() for text in texts if (match := held.search(text))]

    eventually(lambda: bool(found()), f"a mail with {part}")
    return found()[-1]


def choose_password(someone: Visitor, address: str, password: str) -> None:
    """By the page for who forgot it and its mail, then sign in: so a person comes in who never had one."""
    page = someone.open("/reset")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Send the link").click()
    page.goto(address_in_mail(someone.installation, "/reset/", to=address))
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password)
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url("**/login**")
    someone.sign_in(address, password)


def just_signed_in(installation: Installation, visitor: MakeVisitor, role: str, **options: Any) -> Visitor:
    """Somebody whose password is fresh, as money wants it. The page to sign in at is read in English, whatever the options say."""
    person = next(one for one in installation.demo["people"] if one["role"] == role)
    first = visitor()
    first.sign_in(person["email"], person["password"])
    return visitor(storage_state=first.context.storage_state(), **options)


def at_work(session: Session, installation: Installation, role: str) -> tuple[Program, Actor]:
    """The demo's program and somebody of its people, for a test that prepares something straight in the tables."""
    program = programs.program_by_slug(session, slug=installation.demo["program"])
    email = next(one["email"] for one in installation.demo["people"] if one["role"] == role)
    user = accounts.user_by_email(session, email=email)
    assert program is not None
    assert user is not None
    return program, Actor(kind="user", id=user.id)


@contextlib.contextmanager
def archive_of_the_test(slugs: Sequence[str], *, now: datetime) -> Iterator[None]:
    """Programs that a test has beside the demo's go with it, or other walks find them where they count programs."""
    try:
        yield
    finally:
        with db.transaction() as session:
            gone = sa.update(Program).where(Program.slug.in_(slugs))
            session.execute(gone.values(archived_at=now), execution_options={"synchronize_session": False})


def fill_application(page: Page, *, address: str, country: str, name: str = "Rosa’s Table", say: Say = ENGLISH) -> None:
    """What the form asks of everybody, typed; `address` is of the mailbox."""
    page.get_by_label(say("Your name")).fill("Rosa Test")
    page.get_by_label(say("E-mail")).fill(address)
    page.get_by_label(say("Name under which you promote")).fill(name)
    page.get_by_label(say("Website or main profile")).fill("rosa.example")
    page.get_by_label(say("Country")).select_option(country)
    page.get_by_label(say("Address or name of place %(number)s", number=1)).fill("Rosa’s Letter")
    page.get_by_label(say("People a month at place %(number)s", number=1)).fill("2400")
    page.get_by_label(say("I accept the terms of the program")).check()


def send_application(page: Page, *, say: Say = ENGLISH) -> None:
    """Up to the page that says how it stands."""
    page.get_by_role("button").filter(has_text=say("Send the application")).click()
    page.wait_for_url("**/status/*")


def confirm_application(page: Page, installation: Installation, *, address: str, say: Say = ENGLISH) -> None:
    """By the mail's link and a button: the link alone changes nothing."""
    page.goto(address_in_mail(installation, "/confirm/", to=address))
    expect(page.get_by_role("heading", name=say("Is this application yours?"))).to_be_visible()
    page.get_by_role("button", name=say("Confirm my address")).click()
    expect(page.get_by_role("heading", name=say("Your application is being read"))).to_be_visible()


def place_order(page: Page, *, address: str) -> str:
    """From a page of the demo shop to the one that thanks, for a customer whom a link has brought; gives the order's number."""
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_label("E-mail").fill(address)
    with page.expect_response(lambda answer: "/t/conversion" in answer.url) as by_tag:
        page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", name="Thank you, your order is placed")).to_be_visible()
    expect(page.get_by_text("Answered 202: accepted.")).to_be_visible()
    expect(page.get_by_text("held the click id of a partner’s link")).to_be_visible()
    assert by_tag.value.ok
    number = re.search(r"CO-[0-9A-F]{8}", page.get_by_text("Order CO-").first.inner_text())
    assert number is not None
    return number.group()


def explained(partner: Visitor, slug: str, order: str) -> Page:
    """The explanation of the order's commission in the partner's portal, once it is there."""
    page = partner.open(f"/portal/{slug}/commissions")
    row = page.get_by_role("row").filter(has_text=order)
    reload_until(page, row, f"the commission of {order}")
    row.get_by_role("link").last.click()
    expect(page.get_by_role("heading", name="Who brought the customer?")).to_be_visible()
    return page


def approve_commission(manager: Visitor, slug: str, order: str, amount: str) -> None:
    """Before its validation period is over."""
    desk = manager.open(f"/console/{slug}/commissions?status=pending")
    desk.get_by_role("row").filter(has_text=order).get_by_role("link", name=amount).click()
    desk.get_by_role("button", name=f"Approve {amount}").click()
    expect(desk.get_by_role("complementary", name="Summary").get_by_text("Approved").first).to_be_visible()


def propose_run(manager: Visitor, slug: str) -> str:
    """Up to the page of the run, which its proposer cannot approve; gives its total as a person types it."""
    desk = manager.open(f"/console/{slug}/payouts")
    propose = desk.get_by_role("button", name=re.compile("^Propose €"))
    total = amount_in(propose.inner_text())
    propose.click()
    ours = desk.get_by_role("main").locator(".note").filter(has_text=f"€{total}").filter(has_text="Ines Keller")
    ours.get_by_role("link", name="Check and approve").click()
    expect(desk.get_by_text("You proposed this run, so another person must approve it.")).to_be_visible()
    assert desk.get_by_role("button", name=re.compile("^Approve")).count() == 0
    return total


def approve_run(page: Page, total: str) -> None:
    """The second person looks, ticks every note, types the total and approves."""
    for note in page.get_by_role("checkbox", name=re.compile("^Seen")).all():
        note.check()
    page.get_by_label("Type the total to approve").fill(total.replace(",", ""))
    page.get_by_role("button", name=f"Approve €{total}").click()
    expect(page.get_by_text(f"€{total} approved. It can go to the bank now.")).to_be_visible()


def mark_paid(page: Page, total: str) -> None:
    """The bank has sent it."""
    page.get_by_role("button", name=f"Mark €{total} as paid").click()
    page.get_by_role("dialog").get_by_role("button", name=f"Mark €{total} as paid").click()
    expect(page.get_by_text(f"€{total} marked as paid.")).to_be_visible()


def downloaded(page: Page, act: Callable[[], object]) -> bytes:
    """The file that comes when this is done."""
    with page.expect_download() as coming:
        act()
    return Path(coming.value.path()).read_bytes()


def amount_in(text: str) -> str:
    """The first amount of a text, without its sign: what a person types."""
    found = re.search(r"€([0-9,]+\.[0-9]{2})", text)
    assert found is not None, text
    return found.group(1)
