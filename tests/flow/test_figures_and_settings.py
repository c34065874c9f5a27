"""What a manager reads and sets beside the daily decisions, in three languages and widths; then who else sees it, and whom it refuses.

The first walk is about figures: the funnel, products, margin, customers, strengths, momentum, a campaign. The second about
what is set: a preview of settings, the weights of applications, orders from a table, a limit, a person forgotten.
axe looks where an act has led; each page as it is opened is looked at by the walk over all pages.
"""

import csv
import io
import re
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_application, make_grant, make_partner, make_user
from installation import Installation
from pages import Visitor, is_sound, sideways
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session
from walks import Say, allow, at_work, downloaded, just_signed_in, look, reload_until, spoken

from affiliate import clock, db, ids
from affiliate.accounts import passwords
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import GrantRole, User
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.privacy import erasing
from affiliate.programs.models import Program
from affiliate.steering import service as steering

MakeVisitor = Callable[..., Visitor]
MARTA, DEPUTY = "Marta’s Slow Kitchen", "Greta Lind"
QUIET, LEAVER, WRITER, LEAVERS_NAME = "Cold Stove", "Copper Ladle", "Stone Oven Diary", "Lena Kupfer"
CAMPAIGN, REASON = "Week of the pots", "The pan was sold out for two days"
ORDER = "CO-TABLE-1"
PASSWORD = "nine tall cranes by the weir"
SEEN_MS_MAX = 30_000  # it takes less than a second; a busy machine shall not fail the test
WEEK = timedelta(days=7)
STAGES = 6
REFUSED, NOT_HERE = 404, 404
"""Whoever may not do a thing is not told that there is one."""
SEND = """async ([base, wishes]) => {
    const token = document.querySelector('[name="csrf_token"]').value
    return Promise.all(wishes.map(async ([path, sent]) => (await fetch(`${base}/${path}`, sent === null
        ? {method: 'HEAD', redirect: 'manual'}
        : {method: 'POST', redirect: 'manual', body: new URLSearchParams({csrf_token: token, ...sent})})).status))
}"""
LEAD_ON = """async () => {
    const chips = (page) => [...page.querySelectorAll('[aria-label="Pages about performance"] a')]
    const read = async (to) => new DOMParser().parseFromString(await (await fetch(to)).text(), 'text/html')
    const all = chips(document).map((chip) => chip.href)
    const told = await Promise.all(all.map(async (to) => chips(await read(to)).filter((chip) => chip.ariaCurrent)))
    return all.filter((to, place) => told[place].length !== 1 || told[place][0].href !== to)
}"""
"""The pages about performance that do not lead to the others, or do not say which they are."""
READ = ("funnel", "products", "margin", "customers", "customers-by-first-order", "strengths")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.usefixtures("inside")]


def test_figures_are_read_narrowed_and_explained_and_others_change_nothing_there(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    with db.transaction() as session:
        program, _manager = at_work(session, installation, "manager")
        quiet = _quiet_partner(session, program)
    at_a_table = visitor("manager", **look("it", 768))
    _funnel_of_a_week(at_a_table.open(f"{console}/performance/funnel"), spoken("it"))
    _products_by_group(at_a_table.open(f"{console}/performance/products"), spoken("it"))
    on_a_phone = visitor("manager", **look("pl", 360))
    _margin_of_a_month(on_a_phone.open(f"{console}/performance/margin"), spoken("pl"))
    _customers(on_a_phone.open(f"{console}/performance/customers"), spoken("pl"))
    at_a_desk = visitor("manager", **look("en", 1440))
    page = at_a_desk.open(f"{console}/performance/strengths?days=30")
    assert page.evaluate(LEAD_ON) == []
    _a_weakness_gets_its_reason(page)
    _a_quiet_partner_is_looked_after(at_a_desk.open(f"{console}/"), console)
    campaign = _campaign(at_a_desk.open(f"{console}/campaigns/new"), installation.demo["coupon"])

    acts = [
        (f"partners/{quiet}/look-after", {}), (f"campaigns/{campaign}/remove", {}),
        ("campaigns/new", {"name": "Not mine"}), ("performance/margin", {"margins": "*: 50"}),
    ]  # fmt: skip
    finance = visitor("finance", **look("it", 360))
    _reads_figures(finance, console, campaign, spoken("it"), writes_margins=True)
    assert _statuses(finance, console, acts[:-1]) == [REFUSED] * 3
    reader = _reader(installation, visitor, **look("pl", 768))
    _reads_figures(reader, console, campaign, spoken("pl"), writes_margins=False)
    assert _statuses(reader, console, acts) == [REFUSED] * 4
    outsider = visitor("partner", **look("en", 1440))
    outsider.open("/account/")
    pages = [(f"performance/{path}", None) for path in READ] + [(f"campaigns/{campaign}", None), ("", None)]
    assert set(_statuses(outsider, console, [*pages, *acts])) == {NOT_HERE}
    expect(at_a_desk.open(f"{console}/campaigns/{campaign}").get_by_role("heading", level=1)).to_have_text(CAMPAIGN)


def _quiet_partner(session: Session, program: Program) -> str:
    """A partner that was taken in long ago and has never begun; gives its public id. Momentum is judged once an hour, and now."""
    now = clock.now()
    partner = make_partner(session, program=program, name=QUIET, can_be_paid=False)
    enrolled = session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == partner.id)).one()
    enrolled.created_at = enrolled.updated_at = now - timedelta(days=60)
    session.flush()
    steering.compute_momentum(session, program=program, now=now)
    return ids.public("ptn", partner.id)


def _funnel_of_a_week(page: Page, say: Say) -> None:
    """The steps of seven days, by all devices and by phones; each time the file holds the numbers of the page."""
    days = page.get_by_role("region", name=say("Days"), exact=True)
    last = date.fromisoformat(days.get_by_label(say("Last day")).input_value()) - timedelta(days=1)
    days.get_by_label(say("First day")).fill((last - WEEK + timedelta(days=1)).isoformat())
    days.get_by_label(say("Last day")).fill(last.isoformat())
    days.get_by_role("button", name=say("Show")).click()
    page.wait_for_url("**last=*")
    of_all = _stages(page, say)
    assert sideways(page) == 0
    page.get_by_role("link", name=say("Phone"), exact=True).click()
    page.wait_for_url("**device=*")
    expect(days.get_by_label(say("Last day"))).to_have_value(last.isoformat())
    of_phones = _stages(page, say)
    assert 0 < of_phones[0] < of_all[0]


def _stages(page: Page, say: Say) -> list[int]:
    """How many visits came as far as each step: never more than as far as the one before."""
    stages = page.get_by_role("region", name=say("From visit to kept order"))
    shown = [_whole(row.get_by_role("cell").first) for row in stages.locator(".table tbody tr").all()[-STAGES:]]
    assert shown == sorted(shown, reverse=True)
    assert [int(row["visits"]) for row in _file(page, say("Export as CSV"))] == shown
    return shown


def _products_by_group(page: Page, say: Say) -> None:
    """Groups of products with most returns first; together they brought what the products brought."""
    goods = page.get_by_role("region", name=say("What earns, and what comes back"))
    singles = _file(page, say("Export as CSV"), within=goods)
    goods.get_by_role("link", name=say("By category")).click()
    page.wait_for_url("**by=category*")
    goods.get_by_role("link", name=say("Most returns")).click()
    page.wait_for_url("**sort=back*")
    groups = _file(page, say("Export as CSV"), within=goods)
    assert goods.get_by_role("rowheader").filter(visible=True).count() == len(groups) < len(singles)
    assert sum(_cents(row["revenue"]) for row in groups) == sum(_cents(row["revenue"]) for row in singles) > 0
    back = [_cents(row["came_back"]) for row in groups]
    assert back == sorted(back, reverse=True)
    assert sideways(page) == 0


def _margin_of_a_month(page: Page, say: Say) -> None:
    """The month before this one."""
    month = page.get_by_role("group", name=say("Month"), exact=True).get_by_role("link").nth(1)
    month.click()
    page.wait_for_url("**month=*")
    partners = page.get_by_role("region", name=say("By partner"), exact=True).get_by_role("rowheader")
    rows = _file(page, say("Export as CSV"))
    assert [row["name"] for row in rows] == [each.inner_text() for each in partners.all()]
    assert {row["month"] for row in rows} == {page.url.partition("month=")[2]}
    assert sideways(page) == 0


def _customers(page: Page, say: Say) -> None:
    """New and returning ones by month, as the file has them; then by the month of their first order, told as revenue."""
    months = page.get_by_role("region", name=say("By month"), exact=True).locator("tbody tr")
    shown = [_whole(month.get_by_role("cell").first) for month in months.all()]
    new = [int(row["conversions"]) for row in _file(page, "CSV") if row["customers"] == "new"]
    assert sum(shown) == sum(new) > 0
    assert sideways(page) == 0
    page.get_by_role("link", name=say("Customers by first order"), exact=True).click()
    page.get_by_role("link", name=say("Revenue"), exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("€")
    assert sideways(page) == 0


def _a_weakness_gets_its_reason(page: Page) -> None:
    """It stands below what it explains from then on."""
    page.get_by_role("link", name="7 days", exact=True).click()
    expect(page.get_by_text("The last 7 whole days, beside as many before.")).to_be_visible()
    page.get_by_role("link", name="30 days", exact=True).click()
    weak = page.get_by_role("region", name="Weak at", exact=True)
    topic = weak.get_by_role("heading", level=3).first.inner_text()
    assert sideways(page) == 0
    weak.get_by_role("link", name=f"Note the reason: {topic}", exact=True).click()
    day = page.get_by_label("Day", exact=True)
    day.fill((date.fromisoformat(day.input_value()) - timedelta(days=2)).isoformat())
    page.get_by_label("What happened").fill(REASON)
    page.get_by_role("button", name="Note it").click()
    expect(page.get_by_role("row").filter(has_text=REASON)).to_contain_text(f"The reason for: {topic}")
    page.get_by_role("link", name="Strengths and weaknesses", exact=True).click()
    explained = page.locator(".panel-b").filter(has=page.get_by_role("heading", level=3, name=topic, exact=True))
    expect(explained).to_contain_text(REASON)


def _a_quiet_partner_is_looked_after(page: Page, console: str) -> None:
    """Its line says why and what to do, and leaves the list; its momentum stays told."""
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text=f"{QUIET}: Needs support")
    expect(line).to_contain_text("No click and no sale since it was let in.")
    line.get_by_role("button", name="I look after it").click()
    expect(page.get_by_text("It leaves the list until something changes.")).to_be_visible(timeout=SEEN_MS_MAX)
    expect(line).to_have_count(0)
    page.get_by_role("main").get_by_role("heading", level=1).wait_for()
    page.goto(page.url.partition("/console/")[0] + f"{console}/partners?momentum=needs_support")
    page.get_by_role("link", name=QUIET, exact=True).click()
    page.get_by_role("link", name="What is agreed", exact=True).click()
    expect(page.get_by_role("complementary", name="Who looks after it")).to_contain_text("Needs support")
    assert sideways(page) == 0


def _campaign(page: Page, coupon: str) -> str:
    """Of a week that has as many whole days before and after it; gives its public id."""
    first = date.fromisoformat(page.get_by_label("First day").input_value()) - 3 * WEEK
    page.get_by_label("Name", exact=True).fill(CAMPAIGN)
    page.get_by_label("First day").fill(first.isoformat())
    page.get_by_label("Last day").fill((first + WEEK - timedelta(days=1)).isoformat())
    page.get_by_label("What it costs").fill("40")
    page.get_by_role("textbox", name="Partners").fill(MARTA)
    page.get_by_role("textbox", name="Coupons").fill(coupon)
    assert sideways(page) == 0
    page.get_by_role("button", name="Keep the campaign").click()
    spans = page.get_by_role("region", name="Before, during, after")
    expect(spans.get_by_role("definition").filter(has_text="7 days")).to_have_count(3, timeout=SEEN_MS_MAX)
    expect(page.get_by_role("complementary", name="The campaign")).to_contain_text(MARTA)
    rows = _file(page, "Export as CSV")
    sales = spans.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Sales", exact=True))
    before, during, _change, after = (cell.inner_text() for cell in sales.get_by_role("cell").all())
    assert [row["conversions"] for row in rows] == [before, during, after]
    assert any(int(number) for number in (before, during, after))
    assert is_sound(page)
    return page.url.rpartition("/")[2]


def _reads_figures(one: Visitor, console: str, campaign: str, say: Say, *, writes_margins: bool) -> None:
    """Who is no manager sees the same figures, and no act of a manager beside them."""
    page = one.open(f"{console}/performance/funnel?span=30d")
    _stages(page, say)
    page = one.open(f"{console}/performance/margin")
    assert page.get_by_role("form", name=say("Margins of products")).count() == writes_margins
    page = one.open(f"{console}/performance/strengths?days=30")
    expect(page.get_by_text(REASON).first).to_be_visible()
    page = one.open(f"{console}/campaigns/{campaign}")
    expect(page.get_by_role("region", name=say("Before, during, after"))).to_be_visible()
    assert page.get_by_role("link", name=say("Change"), exact=True).count() == 0
    assert page.locator("main form[method=post], main [popovertarget]").count() == 0
    assert sideways(page) == 0
    page = one.open(f"{console}/campaigns")
    assert page.get_by_role("link", name=say("New campaign")).count() == 0


def test_settings_are_tried_weights_set_orders_taken_a_limit_given_and_a_person_forgotten(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    with db.transaction() as session:
        program, _manager = at_work(session, installation, "manager")
        _application(session, program)
        request = _wish(session, program)
    leaver = visitor(**look("en", 360))
    leaver.sign_in(_address(LEAVER), PASSWORD)
    at_a_desk = visitor("manager", **look("pl", 1440))
    _try_settings(at_a_desk.open(f"{console}/settings"), spoken("pl"))
    _weigh_otherwise(at_a_desk.open(f"{console}/rubric"), spoken("pl"))
    at_a_table = just_signed_in(installation, visitor, "manager", **look("it", 768))
    _take_orders(at_a_table, console, installation.demo["coupon"], spoken("it"))
    limit = _give_a_limit(at_a_table.open(f"{console}/payouts/limits"), spoken("it"))
    on_a_phone = visitor(storage_state=at_a_table.context.storage_state(), **look("en", 360))
    _forget(on_a_phone.open(f"{console}/"), leaver)

    acts = [
        ("settings/preview", {"name": "Mine"}), ("rubric", {"accept_from": "1"}), ("conversions/import", {}),
        (limit, {"amount": "1"}), (f"erasures/{request}/erase", {}),
    ]  # fmt: skip
    finance = just_signed_in(installation, visitor, "finance", **look("pl", 360))
    page = finance.open(f"{console}/payouts/limits")
    expect(page.get_by_role("row").filter(has_text=DEPUTY)).to_contain_text("500")
    assert page.locator("main form[method=post], main [popovertarget]").count() == 0
    assert sideways(page) == 0
    pages: list[tuple[str, Any]] = [(path, None) for path in ("settings", "rubric", "conversions/import", "erasures")]
    assert set(_statuses(finance, console, [*pages, *acts])) == {REFUSED}
    reader = _reader(installation, visitor, **look("it", 1440))
    for path in ("settings", "rubric"):
        page = reader.open(f"{console}/{path}")
        assert page.locator("main form[method=post], main [popovertarget]").count() == 0
    assert sideways(page) == 0
    expect(page.get_by_label(spoken("it")("Reach"), exact=True)).to_be_disabled()
    assert set(_statuses(reader, console, [*pages[2:], ("payouts/limits", None), *acts])) == {REFUSED}
    outsider = just_signed_in(installation, visitor, "partner", **look("en", 768))
    outsider.open("/account/")
    assert set(_statuses(outsider, console, [*pages, ("payouts/limits", None), *acts])) == {NOT_HERE}
    _take_the_limit_back(at_a_table.open(f"{console}/payouts/limits"), spoken("it"))


def _address(name: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@stoves.example"


def _application(session: Session, program: Program) -> None:
    """One that waits, and that nobody decides."""
    user = make_user(session, email=_address(WRITER), name="Rosa Stein")
    here: dict[str, Any] = {"program": program, "user": user}
    partner = make_partner(session, status=EnrollmentStatus.PENDING, name=WRITER, can_be_paid=False, **here)
    places: Any = [{"kind": "blog", "address": "stones.example", "people": 60_000}]
    make_application(session, partner=partner, channels=places, **here)


def _wish(session: Session, program: Program) -> str:
    """A partner whose owner asked to be forgotten, and who is owed nothing; gives the request's id."""
    user = make_user(
        session, email=_address(LEAVER), name=LEAVERS_NAME, password=passwords.hash_of(PASSWORD), locale="en"
    )
    partner = make_partner(session, program=program, user=user, name=LEAVER, can_be_paid=False)
    make_grant(session, user=user, role=GrantRole.PARTNER, program=program)
    owner = Actor(kind="user", id=user.id)
    erasing.ask(session, program=program, partner_id=partner.id, actor=owner, now=clock.now())
    session.flush()
    asked = sa.select(erasing.ErasureRequest.id).where(erasing.ErasureRequest.partner_id == partner.id)
    return str(session.scalars(asked).one())


def _try_settings(page: Page, say: Say) -> None:
    """What a change would do stands on the page, and the settings are what they were."""
    days = page.locator("#validation_days")
    before = days.input_value()
    days.fill("77")
    page.locator("#case_answer_days").fill("9")
    page.get_by_role("button", name=say("See what it does")).click()
    effect = page.locator('section[aria-labelledby="effect"]')
    expect(effect.get_by_role("row").filter(has_text=f"{before} → 77")).to_contain_text(
        say("Counts for orders reckoned from now on. Dates that partners see already stay.")
    )
    expect(effect.locator("tbody tr")).to_have_count(2)
    expect(effect).to_contain_text(say("Nothing is saved yet."))
    expect(days).to_have_value("77")
    assert is_sound(page)
    page.goto(page.url.partition("/settings")[0] + "/settings")
    expect(days).to_have_value(before)


def _weigh_otherwise(page: Page, say: Say) -> None:
    """What else would be suggested of who waits is seen before the weights are kept; the old ones come back in the end."""
    rows = {name: page.locator(f"#{name}") for name in ("experience", "accept_from", "refuse_below")}
    usual = {name: row.input_value() for name, row in rows.items()}
    for name, typed in {"experience": "0", "accept_from": "99", "refuse_below": "98"}.items():
        rows[name].fill(typed)
    page.get_by_role("button", name=say("See what it does")).click()
    waits = page.locator('section[aria-labelledby="effect"]').get_by_role("row").filter(has_text=WRITER)
    expect(waits.get_by_role("cell").last).to_contain_text(say("Refuse"))
    expect(waits.get_by_role("cell").nth(1)).not_to_contain_text(say("Refuse"))
    expect(page.get_by_text(say("Nothing is saved yet."))).to_be_visible()
    assert is_sound(page)
    page.get_by_role("button", name=say("Keep the weights")).click()
    kept = page.get_by_text(say("Kept. Applications that wait are weighed anew."))
    expect(kept).to_be_visible(timeout=SEEN_MS_MAX)
    expect(rows["experience"]).to_have_value("0")
    page.goto(page.url.rpartition("/")[0] + "/applications")
    expect(page.get_by_role("row").filter(has_text=WRITER)).to_contain_text(say("Refuse"))
    page.goto(page.url.rpartition("/")[0] + "/rubric")
    for name, typed in usual.items():
        rows[name].fill(typed)
    page.get_by_role("button", name=say("Keep the weights")).click()
    expect(kept).to_be_visible(timeout=SEEN_MS_MAX)


def _take_orders(manager: Visitor, console: str, coupon: str, say: Say) -> None:
    """One is taken and one refused, with the reason; the same file again changes nothing. The order is the partner's whose coupon it names."""
    page = manager.open(f"{console}/conversions/import")
    table = f"order_id,amount,coupon\n{ORDER},120.00,{coupon}\nCO-TABLE-2,much,{coupon}\n"
    for taken, known in ((1, 0), (0, 1)):
        upload = {"name": "ordini.csv", "mimeType": "text/csv", "buffer": table.encode()}
        page.get_by_label(say("CSV file")).set_input_files(upload)
        page.get_by_role("button", name=say("Take the orders")).click()
        told = say("%(taken)s taken, %(known)s known already, %(refused)s refused", taken=taken, known=known, refused=1)
        results = page.get_by_role("region", name=told).first
        expect(results.get_by_role("row").filter(has_text="CO-TABLE-2")).to_contain_text(say("Refused"))
    assert is_sound(page)
    page = manager.open(f"{console}/conversions?order={ORDER}")
    reload_until(page, page.get_by_role("row").filter(has_text=ORDER).filter(has_text=MARTA), "the order of the table")


def _give_a_limit(page: Page, say: Say) -> str:
    """Looked at first, then given; the path that it was sent to, below the console."""
    row, dialog = page.get_by_role("row").filter(has_text=DEPUTY), _limit_dialog(page, say)
    row.get_by_role("button", name=say("Change…")).click()
    dialog.get_by_role("textbox").fill("500")
    dialog.get_by_role("button", name=say("See what it does")).click()
    expect(page.get_by_text(say("Nothing is saved yet."))).to_be_visible(timeout=SEEN_MS_MAX)
    expect(row).to_contain_text(say("any amount"))
    row.get_by_role("button", name=say("Change…")).click()
    assert is_sound(page)
    dialog.get_by_role("textbox").fill("500")
    dialog.get_by_role("button", name=say("Save"), exact=True).click()
    expect(row).to_contain_text("500", timeout=SEEN_MS_MAX)
    form = page.locator("dialog").filter(has_text=DEPUTY).locator("form")
    action = form.get_attribute("action") or ""
    return f"payouts/{action.partition('/payouts/')[2]}"


def _limit_dialog(page: Page, say: Say) -> Locator:
    return page.get_by_role("dialog", name=say("Up to which amount may %(name)s approve?", name=DEPUTY))


def _take_the_limit_back(page: Page, say: Say) -> None:
    row, dialog = page.get_by_role("row").filter(has_text=DEPUTY), _limit_dialog(page, say)
    expect(row).to_contain_text("500")
    row.get_by_role("button", name=say("Change…")).click()
    dialog.get_by_role("textbox").fill("")
    dialog.get_by_role("button", name=say("Save"), exact=True).click()
    expect(row).to_contain_text(say("any amount"), timeout=SEEN_MS_MAX)


def _forget(page: Page, leaver: Visitor) -> None:
    """From the work list to the request; who was forgotten is signed out, and no name is left."""
    page.get_by_role("link", name="wants to be erased").or_(
        page.get_by_role("link", name="want to be erased")
    ).first.click()
    asked = page.get_by_role("row").filter(has_text=LEAVER)
    expect(asked).to_contain_text(LEAVERS_NAME)
    asked.get_by_role("button", name="Erase…").click()
    dialog = page.get_by_role("dialog", name=f"Erase {LEAVER} for good?")
    assert is_sound(page)
    dialog.get_by_role("button", name="Erase", exact=True).click()
    done = page.get_by_text("The partner is erased. Its commissions, payouts and papers stay, without a name.")
    expect(done).to_be_visible(timeout=SEEN_MS_MAX)
    expect(page.get_by_role("region", name="Until now").get_by_text("Erased", exact=True).first).to_be_visible()
    for name in (LEAVER, LEAVERS_NAME):
        assert page.get_by_text(name).count() == 0
    assert is_sound(page)
    leaver.open("/account/")
    assert "/login" in leaver.page.url
    with db.reading() as session:
        names = sa.select(Partner.name).where(Partner.name == LEAVER)
        assert session.scalars(names.union(sa.select(User.name).where(User.name == LEAVERS_NAME))).all() == []


def _reader(installation: Installation, visitor: MakeVisitor, **options: Any) -> Visitor:
    """Somebody who reads in the console, and does nothing: the demo has nobody of this role."""
    email = f"reader-{secrets.token_hex(4)}@casa-ondera.example"
    with db.transaction() as session:
        program, _manager = at_work(session, installation, "manager")
        user = make_user(session, email=email, name="Rita", password=passwords.hash_of(PASSWORD))
        make_grant(session, user=user, role=GrantRole.READER, program=program)
    first = visitor()
    first.sign_in(email, PASSWORD)
    return visitor(storage_state=first.context.storage_state(), **options)


def _statuses(one: Visitor, console: str, wishes: Any) -> list[int]:
    """What is answered to each, asked for or sent from the page as it stands; refusals are no trouble."""
    told: list[int] = one.page.evaluate(SEND, [console, [list(wish) for wish in wishes]])
    allow(one, REFUSED)
    return told


def _file(page: Page, label: str, within: Locator | None = None) -> list[dict[str, str]]:
    """The rows of a file that the page offers."""
    link = (within or page.locator("body")).get_by_role("link", name=label, exact=True).first
    told = downloaded(page, link.click).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(told)))


def _cents(amount: str) -> int:
    """An amount of a file, which writes two decimals."""
    return int(amount.replace(".", ""))


def _whole(shown: Locator) -> int:
    """A number of the page, whatever stands between its thousands."""
    return int(re.sub(r"\D", "", shown.inner_text()))
