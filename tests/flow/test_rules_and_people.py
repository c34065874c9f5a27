"""What a manager sets: fraud rules and a policy with what they would have done, people, brand, a chat, and a program like this one.

Late in the flow: what is set here counts for orders from then on.
"""

from collections.abc import Callable

import pytest
from creative_cast import png
from installation import Installation
from pages import Visitor, is_sound
from playwright.sync_api import expect
from walks import allow, choose_password, just_signed_in, look, reload_until, spoken

MakeVisitor = Callable[..., Visitor]
READER, READERS_NAME = "nora@casa-ondera.example", "Nora Blum"
READER_TOLD = (
    "sees figures, books, partners, terms and settings, and changes nothing."
    " Keys, payment details, papers and the team stay closed."
)
PASSWORD = "six slow herons in the reeds"
MARTAS_SITE = "slow-kitchen.example"
TOO_LIGHT, DARK = "#ffe45c", "#0a5a6e"
CLONE = "Casa Ondera Lago"
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test
HEAD = "async (to) => (await fetch(to, {method: 'HEAD', redirect: 'manual'})).status"
SEND = """async ([to, sent]) => {
    sent.csrf_token = document.querySelector('[name="csrf_token"]').value
    return (await fetch(to, {method: 'POST', body: new URLSearchParams(sent)})).status
}"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_fraud_rule_shows_its_effect_before_it_counts(installation: Installation, visitor: MakeVisitor) -> None:
    say = spoken("it")
    page = visitor("manager", **look("it", 768)).open(f"/console/{installation.demo['program']}/fraud/rules")
    rules = page.get_by_role("region", name=say("Rules"), exact=True)
    version = rules.get_by_text(say("Version %(version)s", version="").strip()).inner_text()
    rule = rules.get_by_role("row").filter(has_text=say("The click came from a site that the program does not allow."))
    rule.get_by_role("combobox").select_option("reject")
    banned = page.get_by_label(say("Banned sites"), exact=True)
    banned.fill(MARTAS_SITE)
    page.get_by_role("button", name=say("See the effect")).click()
    effect = page.get_by_role("region", name=say("What this would have done in the last 30 days"))
    told = effect.get_by_role("row").filter(has=page.get_by_role("rowheader", name=say("Rejected")))
    now, then = (int(told.get_by_role("cell").nth(place).inner_text()) for place in (0, 2))
    assert then > now
    expect(effect).to_contain_text(say("What managers decided is left out on both sides. Nothing was changed."))
    expect(rules.get_by_text(version, exact=True)).to_be_visible()
    assert is_sound(page)

    banned.fill("coupons.example")
    page.get_by_role("button", name=say("Save the rules")).click()
    expect(rules.get_by_text(version, exact=True)).to_have_count(0, timeout=SEEN_MS_MAX)
    expect(banned).to_have_value("coupons.example")


def test_another_policy_is_tried_on_the_orders_of_a_month(installation: Installation, visitor: MakeVisitor) -> None:
    console = f"/console/{installation.demo['program']}"
    manager = visitor("manager", **look("en", 1440))
    page = manager.open(f"{console}/attribution")
    page.get_by_label("Who gets the sale").and_(page.get_by_role("combobox")).select_option("First click")
    page.get_by_role("button", name="See what would change").click()
    change = page.get_by_role("region", name="What would change")
    expect(change).to_contain_text("From then on")
    assert is_sound(page)
    change.get_by_role("button", name="Try it on these orders").click()
    page.wait_for_url("**/replays/rpl_*")
    question = page.get_by_role("complementary", name="The question")
    reload_until(page, question.get_by_role("button", name="Switch it on…"), "the end of the replay")
    money = page.get_by_role("region", name="Commission by partner, before refunds")
    expect(money.get_by_role("row").filter(has_text="All partners")).to_contain_text("€")
    assert is_sound(page)
    page = manager.open(f"{console}/performance/what-if")
    expect(page.get_by_role("region", name="What was tried").get_by_role("rowheader")).not_to_have_count(0)
    assert is_sound(page)
    page = manager.open(f"{console}/attribution")
    expect(page.get_by_role("complementary", name="The policy in force")).to_contain_text("In force: policy 1")


def test_a_reader_is_invited_reads_changes_nothing_and_is_shown_out(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console, say = f"/console/{installation.demo['program']}", spoken("it")
    manager = just_signed_in(installation, visitor, "manager", **look("it", 360))
    page = manager.open(f"{console}/people")
    page.get_by_label(say("E-mail"), exact=True).fill(READER)
    page.get_by_label(say("Name"), exact=True).fill(READERS_NAME)
    page.get_by_label(say(READER_TOLD)).check()
    page.get_by_role("button", name=say("Add"), exact=True).click()
    added = page.get_by_role("row").filter(has_text=READER)
    expect(added).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)

    reader = visitor(**look("en", 768))
    choose_password(reader, READER, PASSWORD)
    theirs = reader.open("/console/")
    expect(theirs.get_by_role("heading", level=1, name="Performance")).to_be_visible()
    assert is_sound(theirs)
    _changes_nothing(reader, console)

    added.get_by_role("button", name=say("Take…")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("Take the role")).click()
    expect(added).to_have_count(0, timeout=SEEN_MS_MAX)
    theirs.goto(f"{installation.base_url}{console}/performance")
    expect(theirs.get_by_label("Password")).to_be_visible()


def _changes_nothing(reader: Visitor, console: str) -> None:
    """Neither by what the pages offer, nor by sending what they would not."""
    page = reader.open(f"{console}/partners")
    expect(page.get_by_role("row").filter(has_text="Marta’s Slow Kitchen").first).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    for path, sent in (
        ("settings", {"name": "Nora’s"}),
        ("partners/act/tag", {"tag": "nora", "all": "yes"}),
        ("people", {"email": READER, "preset": "manager"}),
        ("performance/notes", {"day": "2026-11-01", "text": "Nora was here"}),
    ):
        assert page.evaluate(SEND, [f"{console}/{path}", sent]) == 404, path
    allow(reader, 404)
    reader.open(f"{console}/performance/notes")
    expect(page.get_by_text("Nora was here")).to_have_count(0)


def test_the_brand_is_shown_and_a_chat_is_told(installation: Installation, visitor: MakeVisitor) -> None:
    slug, say = installation.demo["program"], spoken("pl")
    manager = visitor("manager", **look("pl", 1440))
    page = manager.open(f"/console/{slug}/settings")
    _choose_a_colour(manager, say)
    page = manager.open(f"/console/{slug}/settings/brand")
    expect(page.get_by_role("region", name=say("Colour"))).to_contain_text(DARK)
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": png(200, 200)}
    page.get_by_label(say("Picture"), exact=True).set_input_files(logo)
    page.get_by_role("button", name=say("Show this logo")).click()
    expect(page.get_by_alt_text(say("The present logo"))).to_be_visible(timeout=SEEN_MS_MAX)
    assert page.evaluate("() => [...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert is_sound(page)
    assert is_sound(visitor(**look("en", 360)).open(f"/p/{slug}"))
    manager.open(f"/console/{slug}/settings/chats")
    _tell_a_chat(manager, say)


def _choose_a_colour(manager: Visitor, say: Callable[..., str]) -> None:
    """The first cannot be read, and another shade is offered."""
    page = manager.page
    colour = page.locator("#accent")  # other labels hold the word, too
    colour.fill(TOO_LIGHT)
    page.get_by_role("button", name=say("Save the settings")).click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=SEEN_MS_MAX)
    expect(page.get_by_text(say("The nearest shade that can be read: %(colour)s", colour="#"))).to_be_visible()
    assert is_sound(page)
    allow(manager, 422)
    colour.fill(DARK)
    page.get_by_role("button", name=say("Save the settings")).click()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=SEEN_MS_MAX)
    expect(colour).to_have_value(DARK)


def _tell_a_chat(manager: Visitor, say: Callable[..., str]) -> None:
    """An address inside is refused; of one that nobody answers at, the log says so."""
    page = manager.page
    for address in ("https://127.0.0.1/hook", "https://chat.invalid/hook"):
        page.get_by_label(say("Name"), exact=True).fill("#partnerzy")
        page.get_by_label(say("Address"), exact=True).fill(address)
        page.get_by_role("button", name=say("Save"), exact=True).click()
        if "127" in address:
            expect(page.get_by_role("alert")).to_contain_text(say("This leads into a private network."))
            allow(manager, 422)
    expect(page.get_by_role("heading", level=1, name="#partnerzy")).to_be_visible(timeout=SEEN_MS_MAX)
    page.get_by_role("button", name=say("Send a test")).click()
    log = page.get_by_role("region", name=say("Last messages"))
    reload_until(page, log.get_by_role("row").filter(has_text="chat.invalid"), "what became of the test")
    assert is_sound(page)
    page.get_by_role("button", name=say("Remove"), exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=say("Remove"), exact=True).click()
    expect(page.get_by_text("#partnerzy")).to_have_count(0, timeout=SEEN_MS_MAX)


def test_a_program_is_cloned_and_the_clone_archived(installation: Installation, visitor: MakeVisitor) -> None:
    say = spoken("it")
    admin = just_signed_in(installation, visitor, "admin", **look("it", 360))
    page = admin.open(f"/console/{installation.demo['program']}/settings")
    page.get_by_role("link", name=say("Make one like it…")).click()
    page.get_by_label(say("Name of the program")).fill(CLONE)
    page.get_by_label(say("Partners: all who take part now take part there as well")).check()
    assert is_sound(page)
    page.get_by_role("button", name=say("Make the program")).click()
    expect(page.get_by_text(say("Copied as a draft. Look through the steps, then set it live."))).to_be_visible()
    page = admin.open("/console/casa-ondera-lago/partners")
    expect(page.get_by_role("link", name="Marta’s Slow Kitchen", exact=True)).to_be_visible()

    page = admin.open("/console/casa-ondera-lago/settings")
    page.get_by_role("button", name=say("Archive…")).click()
    dialog = page.get_by_role("dialog", name=say("Archive %(name)s?", name=CLONE))
    dialog.get_by_label(say("Reason")).fill("Era una prova.")
    dialog.get_by_role("button", name=say("Archive the program")).click()
    expect(page.get_by_role("button", name=say("Open it again"))).to_be_visible(timeout=SEEN_MS_MAX)
    expect(page.get_by_text(say("Archived: nothing new is taken."))).to_be_visible()
    assert is_sound(page)
    sent = ["/console/casa-ondera-lago/performance/notes", {"day": "2026-11-01", "text": "Troppo tardi"}]
    assert page.evaluate(SEND, sent) == 409
    allow(admin, 409)
