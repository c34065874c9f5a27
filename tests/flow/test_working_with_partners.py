"""What a manager does with partners: weighs one who applies, agrees on things with another, acts for a third, takes many in at once."""

import re
from collections.abc import Callable

import pytest
from installation import Installation
from pages import Visitor, has, is_sound
from playwright.sync_api import Page, expect
from processes import eventually
from walks import allow, confirm_application, fill_application, just_signed_in, look, send_application, spoken, texts_of

MakeVisitor = Callable[..., Visitor]
MARTA, EWA = "Marta’s Slow Kitchen", "Domowe Smaki Ewy"
APPLICANT, APPLICANTS_MAIL = "Pentole Fredde", "sara@pentole-fredde.example"
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test
TARGET_IN_POLISH = re.compile(r"7\s777,00")
OWN_BUSINESS = ("payouts/details", "papers", "settings/profile", "team", "keys")
"""Pages of the portal that are for the partner's own people."""
NEW_PARTNERS = 60
"""More than one page and one batch: the rest is for a job to do."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_an_application_is_weighed_and_refused_with_a_reason(installation: Installation, visitor: MakeVisitor) -> None:
    say, reason = spoken("pl"), "Szukamy osób, które piszą częściej."
    _apply(visitor().open(f"/apply/{installation.demo['program']}"), installation)
    manager = visitor("manager", **look("pl", 1440))
    page = manager.open(f"/console/{installation.demo['program']}/applications")
    page.get_by_role("link", name=APPLICANT, exact=True).click()
    page.get_by_role("link", name=say("Application weighed")).click()
    score = page.get_by_role("region", name=say("Score"), exact=True)
    before = score.inner_text()
    expect(page.get_by_text(say("Nobody has weighed it yet."))).to_be_visible()
    _mark(page, say, "Target group", 1)
    _mark(page, say, "Reputation", 0)
    page.get_by_label(say("Evidence: %(what)s", what=say("Reputation"))).fill("Dwie skargi czytelników.")
    page.get_by_role("button", name=say("Keep the marks")).click()
    expect(page.get_by_text(say("Kept. The score is made anew."))).to_be_visible(timeout=SEEN_MS_MAX)
    expect(score).not_to_have_text(before)
    expect(score.get_by_role("row").filter(has_text=say("Reputation"))).to_contain_text(say("by reviewers"))
    reviewers = page.get_by_role("region", name=say("Reviewers"))
    expect(reviewers).to_contain_text("Ines Keller")
    expect(reviewers).to_contain_text("Dwie skargi czytelników.")
    assert is_sound(page)

    page.get_by_role("button", name=say("Refuse…")).click()
    dialog = page.get_by_role("dialog", name=say("Refuse %(name)s?", name=APPLICANT))
    dialog.get_by_label(say("Reason")).fill(reason)
    dialog.get_by_role("button", name=say("Refuse"), exact=True).click()
    standing = page.get_by_role("complementary", name=say("Standing in the program"))
    expect(standing).to_contain_text(reason, timeout=SEEN_MS_MAX)
    expect(standing).to_contain_text(say("Decided by %(name)s.", name="Ines Keller"))
    assert is_sound(page)
    eventually(
        lambda: any(reason in text for text in texts_of(installation, APPLICANTS_MAIL)), "the answer with its reason"
    )


def _apply(page: Page, installation: Installation) -> None:
    fill_application(page, address=APPLICANTS_MAIL, country="IT", name=APPLICANT)
    send_application(page)
    confirm_application(page, installation, address=APPLICANTS_MAIL)


def _mark(page: Page, say: Callable[..., str], criterion: str, mark: int) -> None:
    page.get_by_role("group", name=say(criterion), exact=True).get_by_label(str(mark), exact=True).check()


def test_duties_a_trial_and_a_goal_are_agreed_with_a_partner(installation: Installation, visitor: MakeVisitor) -> None:
    slug, say = installation.demo["program"], spoken("pl")
    manager, partner = visitor("manager", **look("pl", 768)), visitor("partner", **look("en", 360))
    page = manager.open(f"/console/{slug}/partners")
    page.get_by_role("link", name=MARTA, exact=True).click()
    page.get_by_role("link", name=say("What is agreed"), exact=True).click()
    _add_a_duty(page, say)
    _put_on_trial_and_graduate(page, say)
    _tag(page, say)
    _propose(page, say)
    assert is_sound(page)
    _note(page, say)

    mine = partner.open(f"/portal/{slug}/together")
    expect(mine.get_by_text("Zdjęcia na zimę").first).to_be_visible()
    assert mine.get_by_text("Dzwoniła, chce więcej przepisów.").count() == 0
    assert is_sound(mine)
    mine.get_by_role("button", name="Agree", exact=True).click()
    expect(mine.get_by_role("button", name="Agree", exact=True)).to_have_count(0, timeout=SEEN_MS_MAX)
    expect(mine.get_by_text("of €7,777.00")).to_be_visible()

    page.reload()
    goals = page.get_by_role("region", name=say("Shared goals"))
    expect(goals.get_by_text(TARGET_IN_POLISH).first).to_be_visible()
    goals.get_by_role("button", name=say("Review…")).first.click()
    dialog = page.get_by_role("dialog", name=say("How does it go?"))
    dialog.get_by_label(say("Note")).fill("Dobry początek.")
    dialog.get_by_role("button", name=say("Keep"), exact=True).click()
    expect(goals.get_by_text("Dobry początek.")).to_be_visible(timeout=SEEN_MS_MAX)
    mine.reload()
    expect(mine.get_by_text("Dobry początek.")).to_be_visible()


def _add_a_duty(page: Page, say: Callable[..., str]) -> None:
    duties = page.get_by_role("region", name=say("Responsibilities"))
    duties.get_by_role("button", name=say("Add…")).click()
    dialog = page.get_by_role("dialog", name=say("Who does what, and by when?"))
    dialog.get_by_label(say("Task")).fill("Zdjęcia na zimę")
    dialog.get_by_role("button", name=say("Add"), exact=True).click()
    expect(duties.get_by_role("row").filter(has_text="Zdjęcia na zimę").first).to_be_visible(timeout=SEEN_MS_MAX)


def _put_on_trial_and_graduate(page: Page, say: Callable[..., str]) -> None:
    trial = page.get_by_role("region", name=say("Trial"), exact=True)
    trial.get_by_role("button", name=say("Put on trial…")).click()
    dialog = page.get_by_role("dialog", name=say("Put %(name)s on trial?", name=MARTA))
    dialog.get_by_label(say("What it may do first")).fill("Najpierw tylko newsletter.")
    dialog.get_by_role("button", name=say("Begin"), exact=True).click()
    expect(trial.get_by_text("Najpierw tylko newsletter.")).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)
    trial.get_by_role("button", name=say("Graduate"), exact=True).click()
    expect(trial.get_by_text(say("Graduated on %(day)s.", day="").rstrip(". "))).to_be_visible(timeout=SEEN_MS_MAX)


def _tag(page: Page, say: Callable[..., str]) -> None:
    tags = page.get_by_role("region", name=say("Tags"), exact=True)
    tags.get_by_label(say("New tag")).fill("zima")
    tags.get_by_role("button", name=say("Add"), exact=True).click()
    expect(tags.get_by_role("button", name="zima", exact=True)).to_be_visible(timeout=SEEN_MS_MAX)


def _note(page: Page, say: Callable[..., str]) -> None:
    """On the page of contacts, and back."""
    page.get_by_role("link", name=say("Contacts and creatives"), exact=True).click()
    page.get_by_label(say("A call, a visit, an impression")).fill("Dzwoniła, chce więcej przepisów.")
    page.get_by_role("button", name=say("Keep the note")).click()
    contacts = page.get_by_role("region", name=say("Contacts"), exact=True)
    expect(contacts.get_by_text("Dzwoniła, chce więcej przepisów.").first).to_be_visible(timeout=SEEN_MS_MAX)
    assert is_sound(page)
    page.get_by_role("link", name=say("What is agreed"), exact=True).click()


def _propose(page: Page, say: Callable[..., str]) -> None:
    goals = page.get_by_role("region", name=say("Shared goals"))
    goals.get_by_role("button", name=say("Propose…")).click()
    dialog = page.get_by_role("dialog", name=say("What do you want to reach together?"))
    dialog.get_by_label(say("What counts")).select_option("revenue")
    dialog.get_by_label(say("Target")).fill("7777")
    dialog.get_by_role("button", name=say("Propose"), exact=True).click()
    expect(goals.get_by_text(TARGET_IN_POLISH).first).to_be_visible(timeout=SEEN_MS_MAX)


def test_a_manager_acts_for_a_partner_under_a_banner_and_ends_it(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug, why = installation.demo["program"], "She asked on the phone for a link."
    manager = just_signed_in(installation, visitor, "manager", **look("en", 360))
    page = manager.open(f"/console/{slug}/partners?name=Ewy")
    page.get_by_role("link", name=EWA, exact=True).click()
    page.get_by_role("button", name="Act for this partner…").click()
    dialog = page.get_by_role("dialog", name=f"Act for {EWA}?")
    dialog.get_by_label("Reason").fill(why)
    dialog.get_by_role("button", name="Open its portal").click()
    banner = page.get_by_role("status").filter(has_text=f"Ines Keller acts for {EWA}")
    expect(banner).to_contain_text(why, timeout=SEEN_MS_MAX)
    assert is_sound(page)
    page = manager.open(f"/portal/{slug}/links")
    expect(banner).to_be_visible()
    assert [_status(page, f"/portal/{slug}/{path}") for path in OWN_BUSINESS] == [403] * len(OWN_BUSINESS)
    allow(manager, 403)

    banner.get_by_role("button", name="Stop acting").click()
    expect(page.get_by_text(f"You no longer act for {EWA}, Ines Keller.")).to_be_visible(timeout=SEEN_MS_MAX)
    assert f"/console/{slug}/partners/ptn_" in page.url
    assert _status(page, f"/portal/{slug}/links") == 404
    allow(manager, 404)
    page = manager.open(f"/console/{slug}/history")
    expect(page.get_by_text("began to act for a partner").first).to_be_visible()
    expect(page.get_by_text(why).first).to_be_visible()


def _status(page: Page, path: str) -> int:
    """What the page at the path answers, without leaving this one."""
    status: int = page.evaluate("async (to) => (await fetch(to, {method: 'HEAD', redirect: 'manual'})).status", path)
    return status


def test_many_partners_are_taken_in_from_a_table_and_changed_at_once(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    manager = visitor("manager", **look("en", 768))
    page = manager.open(f"{console}/partners")
    page.get_by_role("link", name="Import", exact=True).click()
    _look_at(page, _table())
    expect(page.get_by_role("heading", name=f"{NEW_PARTNERS} new, 0 known already, 1 refused")).to_be_visible()
    assert is_sound(page)
    page.get_by_role("button", name=f"Take in {NEW_PARTNERS} partners").click()
    taken = page.get_by_role("heading", name=f"{NEW_PARTNERS} taken in, 0 known already, 1 refused")
    expect(taken).to_be_visible(timeout=SEEN_MS_MAX)
    _look_at(page, _table())
    expect(page.get_by_role("heading", name=f"0 new, {NEW_PARTNERS} known already, 1 refused")).to_be_visible()

    page = manager.open(f"{console}/partners?tag=fair")
    page.get_by_role("button", name="Keep this choice…").click()
    dialog = page.get_by_role("dialog", name="Keep this choice")
    dialog.get_by_label("Name").fill("Met at the fair")
    dialog.get_by_role("button", name="Keep", exact=True).click()
    manager.open(f"{console}/partners")
    page.get_by_role("link", name="Met at the fair").click()
    expect(page.get_by_role("link", name="Met at the fair")).to_have_attribute("aria-current", "true")
    _give_all_a_group(page)
    manager.open(f"{console}/partners")
    page.get_by_role("link", name="Met at the fair").click()
    page.get_by_role("button", name="Forget this choice").click()
    expect(page.get_by_role("link", name="Met at the fair")).to_have_count(0, timeout=SEEN_MS_MAX)


def _table() -> bytes:
    """Partners of a fair, and a line that cannot be taken."""
    rows = [f"Stand {number},stand-{number}@fair.example,IT,fair" for number in range(NEW_PARTNERS)]
    return "\n".join(["name,email,country,tags", *rows, "Nobody,no address,IT,fair"]).encode()


def _look_at(page: Page, table: bytes) -> None:
    page.get_by_label("CSV file").set_input_files({"name": "fair.csv", "mimeType": "text/csv", "buffer": table})
    page.get_by_role("button", name="Look at the rows").click()


def _give_all_a_group(page: Page) -> None:
    """An act on more than a request does: its page says how far it is, to the end."""
    page.get_by_label("All that this list finds").check()
    page.get_by_role("button", name="Group…").click()
    dialog = page.get_by_role("dialog", name="Put the selected partners into a group")
    dialog.get_by_label("Group").fill("fair")
    dialog.get_by_role("button", name="Keep", exact=True).click()
    page.wait_for_url("**/acts/blk_*")
    expect(page.get_by_text(f"{NEW_PARTNERS} partners were chosen.")).to_be_visible()
    act = page.url
    eventually(lambda: has(page, act, f"text={NEW_PARTNERS} of {NEW_PARTNERS}."), "the end of the act")
    expect(page.get_by_role("region", name="Progress").get_by_text("Done", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    assert is_sound(page)
