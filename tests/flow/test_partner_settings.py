"""A partner's settings at a wide desk in Italian: the team, a postback address, an API key, a copy of the data, sessions."""

import io
import re
import secrets
import zipfile
from collections.abc import Callable

import pytest
import requests
from installation import ANSWER_SECONDS_MAX, Installation
from pages import Visitor, is_sound
from playwright.sync_api import expect
from walks import address_in_mail, allow, downloaded, reload_until, spoken

DESK = {"locale": "it-IT", "viewport": {"width": 1440, "height": 900}}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
PASSWORD = "otto lumache lente sul muro"
NOWHERE_PUBLIC = "https://127.0.0.1/conversione?cid={sub1}&payout={payout}"
say = spoken("it")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_an_owner_invites_connects_a_tracker_makes_a_key_and_takes_a_copy_of_the_data(
    installation: Installation, visitor: Callable[..., Visitor]
) -> None:
    person = next(one for one in installation.demo["people"] if one["role"] == "partner")
    first = visitor()
    first.sign_in(person["email"], person["password"])  # a key wants a password of the last minutes
    owner = visitor(**DESK, storage_state=first.context.storage_state())
    owner.open(f"/portal/{installation.demo['program']}/settings")
    assert is_sound(owner.page)
    ask_for_the_data(owner)
    invite(owner, visitor)
    connect_a_tracker(owner)
    make_a_key(owner)
    end_a_session(owner, visitor(user_agent=FIREFOX), person)
    take_the_data(owner)


def enter(owner: Visitor, name: str) -> None:
    """A page of the settings, by their list."""
    owner.open(f"/portal/{owner.installation.demo['program']}/settings")
    owner.page.get_by_role("main").get_by_role("link", name=say(name), exact=True).click()


def ask_for_the_data(owner: Visitor) -> None:
    """A job makes it, while the others are done."""
    enter(owner, "Your data")
    owner.page.get_by_role("button", name=say("Ask for a copy")).click()
    expect(owner.page.get_by_text(say("The copy is being made. You get a mail when it is ready."))).to_be_visible()
    assert is_sound(owner.page)


def take_the_data(owner: Visitor) -> None:
    """Tables in a file, that of the links with the partner's own."""
    enter(owner, "Your data")
    page = owner.page
    ready = page.get_by_role("region", name=say("A copy of everything")).get_by_role("link", name=say("Download"))
    reload_until(page, ready, "the copy")
    with zipfile.ZipFile(io.BytesIO(downloaded(page, ready.click))) as copy:
        assert "marta-ragu" in copy.read("links.csv").decode()


def invite(owner: Visitor, visitor: Callable[..., Visitor]) -> None:
    """By mail, into a role; whoever joins has an account of the team, and sees what the role shows."""
    enter(owner, "Team")
    page, mailbox = owner.page, f"sara-{secrets.token_hex(3)}@slow-kitchen.example"
    page.get_by_role("link", name=say("Invite somebody")).click()
    page.get_by_label(say("E-mail address")).fill(mailbox)
    page.get_by_role("radio", name=re.compile(f"^{say('Read only')}")).check()
    assert is_sound(page)
    page.get_by_role("button", name=say("Send the invitation")).click()
    expect(page.get_by_role("region", name=say("Invited"))).to_contain_text(mailbox)
    sara = visitor(**DESK)
    sara.page.goto(address_in_mail(owner.installation, "/portal/join/", to=mailbox))
    sara.page.get_by_label(say("Name"), exact=True).fill("Sara Verdi")
    sara.page.get_by_label(say("Password"), exact=True).fill(PASSWORD)
    assert is_sound(sara.page)
    sara.page.get_by_role("button", name=say("Join the team")).click()
    sara.page.get_by_label(say("E-mail address")).fill(mailbox)
    sara.page.get_by_label(say("Password"), exact=True).fill(PASSWORD)
    sara.page.get_by_role("button", name=say("Sign in"), exact=True).click()
    sara.page.wait_for_url("**/portal/**")
    sara.page.get_by_role("link", name=say("Links"), exact=True).first.click()
    expect(sara.page.get_by_role("link", name="Sunday ragù")).to_be_visible()
    assert sara.page.get_by_role("link", name=say("New link")).count() == 0
    page.reload()
    expect(page.get_by_role("region", name=say("Team"), exact=True)).to_contain_text("Sara Verdi")
    assert is_sound(page)


def connect_a_tracker(owner: Visitor) -> None:
    """A macro that is none is refused by its name. A test that does not arrive says why, in the log."""
    enter(owner, "Postbacks")
    page = owner.page
    page.get_by_role("main").locator('a[href$="/postbacks/new"]').click()
    page.get_by_label(say("Address"), exact=True).fill(NOWHERE_PUBLIC.replace("{payout}", "{wallet}"))
    page.get_by_role("button", name=say("Save")).click()
    expect(page.get_by_label(say("Address"), exact=True)).to_have_value(re.compile("wallet"))
    expect(page.get_by_text("{wallet}").first).to_be_visible()
    assert is_sound(page)
    allow(owner, 422)
    page.get_by_label(say("Address"), exact=True).fill(NOWHERE_PUBLIC)
    page.get_by_role("button", name=say("Save")).click()
    page.get_by_role("button", name=say("Send a test")).click()
    log = page.get_by_role("region", name=say("Last calls"))
    reload_until(
        page, log.get_by_text(say("%(host)s leads nowhere public", host="127.0.0.1")), "the answer to the test"
    )
    expect(log.get_by_text(re.compile(r"127\.0\.0\.1/conversione\?cid=[^{}]*&payout=[^{}]*$"))).to_be_visible()
    assert is_sound(page)


def make_a_key(owner: Visitor) -> None:
    """Shown once; it reads, until it is revoked."""
    enter(owner, "API keys")
    page, name = owner.page, f"cruscotto {secrets.token_hex(3)}"
    page.get_by_label(say("What it is for")).fill(name)
    page.get_by_label(say("Links and coupons")).check()
    page.get_by_role("button", name=say("Make the key")).click()
    key = page.get_by_label(say("API key"), exact=True).input_value()
    assert is_sound(page)
    assert answer_to(key, owner.installation) == 200
    page.get_by_role("link", name=say("I have it")).click()
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name=say("Revoke the key")).click()
    expect(row.get_by_role("button")).to_have_count(0)
    assert key not in page.content()
    assert answer_to(key, owner.installation) == 401
    assert is_sound(page)


def answer_to(key: str, installation: Installation) -> int:
    """What the API answers to who reads links with the key."""
    return requests.get(
        f"http://127.0.0.1:{installation.port}/api/v1/links",
        headers={"Host": f"www.shop.localhost:{installation.port}", "Authorization": f"Bearer {key}"},
        timeout=ANSWER_SECONDS_MAX,
    ).status_code


def end_a_session(owner: Visitor, elsewhere: Visitor, person: dict[str, str]) -> None:
    """Another browser is signed out from here."""
    elsewhere.sign_in(person["email"], person["password"])
    page = owner.open("/account/")
    sessions = page.get_by_role("region", name=say("Where you are signed in"))
    assert is_sound(page)
    sessions.get_by_role("row").filter(has_text="Firefox").get_by_role("button").first.click()
    elsewhere.open("/portal/")
    assert "/login" in elsewhere.page.url
