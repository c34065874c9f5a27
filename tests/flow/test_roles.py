"""The console by role: a manager shares a report, finance sees the books, a reader reads, an outsider has one page, the others do what is theirs.

Every job of the console is tried by the first four: it opens, or it is not there.
"""

import re
from collections.abc import Callable

import pytest
from factories import make_grant, make_partner, make_user
from flask import Flask
from installation import Installation
from pages import CHANGES, NARROW, WIDE, Visitor, has, is_sound
from playwright.sync_api import Page, expect
from processes import eventually
from sqlalchemy.orm import Session
from walks import allow, at_work, just_signed_in

from affiliate import clock, db, ids
from affiliate.accounts import passwords
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole
from affiliate.ingest.models import DeadLetter
from affiliate.programs.models import Program
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind

MakeVisitor = Callable[..., Visitor]
ALL = BOOKS = "manager finance reader"
PAYERS, READ, MANAGERS, NOBODY = "manager finance", "manager reader", "manager", ""
JOBS = {
    "": PAYERS, "goals": ALL, "kpis": ALL, "views/finance": BOOKS, "views/marketing": ALL, "views/logistics": ALL, "views/tech": MANAGERS,
    "performance": ALL, "performance/channels": ALL, "performance/customers": ALL, "performance/customers-by-first-order": ALL,
    "performance/funnel": ALL, "performance/kept": ALL, "performance/margin": ALL, "performance/notes": ALL,
    "performance/partners-by-month": ALL, "performance/products": ALL, "performance/service": ALL, "performance/shared": MANAGERS,
    "performance/shop": ALL, "performance/strengths": ALL, "performance/what-if": MANAGERS, "campaigns": ALL, "campaigns/new": MANAGERS,
    "applications": ALL, "invitations": MANAGERS, "rubric": READ, "partners": ALL, "partners/import": MANAGERS, "erasures": MANAGERS,
    "cases": READ, "creatives": READ, "creatives/new": MANAGERS, "newsletters": READ, "newsletters/prospects": MANAGERS,
    "newsletters/prospects.csv": MANAGERS, "newsletters/suppressed": MANAGERS, "articles": MANAGERS, "articles/write": MANAGERS,
    "conversions": ALL, "conversions.csv": ALL, "conversions/import": MANAGERS, "commissions": ALL, "commissions.csv": ALL,
    "validation": MANAGERS, "fraud": ALL, "fraud/rules": READ,
    "payouts": BOOKS, "payouts/entries": PAYERS, "payouts/limits": PAYERS, "payouts/policy": READ, "papers": PAYERS,
    "papers/buyer": PAYERS, "papers/rules": PAYERS, "ledger": BOOKS, "ledger.csv": BOOKS, "history": BOOKS,
    "settings": READ, "settings/overview": READ, "settings/brand": MANAGERS, "settings/chats": MANAGERS,
    "settings/brand/colour.css": MANAGERS, "settings/application-form": MANAGERS, "settings/application-form/look": MANAGERS, "settings/page/en": MANAGERS, "people": MANAGERS, "attribution": READ, "plans": READ,
    "plans/new": MANAGERS, "setup/shop": MANAGERS, "tracking": READ, "tracking/more": MANAGERS, "tracking/secret": MANAGERS,
    "tracking/token": MANAGERS, "requests": READ, "rejected": MANAGERS,
    "dead-letters": MANAGERS,
    "clone": NOBODY,  # for who manages all programs, and that is none of the four
}  # fmt: skip
"""Where each job is done, and who finds the door."""
LEADS_ON = {"setup", "setup/visit", "performance/service/table", "fraud/rules/try"}
"""Addresses that are no page: they lead to the first open step, to the shop, and away from an upload or a trial that is over."""
STATUSES = """async ([base, paths]) => Promise.all(paths.map(async (path) =>
    (await fetch(`${base}/${path}`, {method: 'HEAD', redirect: 'manual'})).status))"""
PASSWORD = "seven grey herons by the lock"
READER = "reader@casa-ondera.example"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_no_page_of_the_console_is_left_out(app: Flask) -> None:
    base = "/console/<slug>/"
    rules = [rule for rule in app.url_map.iter_rules() if rule.methods and "GET" in rule.methods]
    pages = {
        rule.rule.removeprefix(base) for rule in rules if rule.rule.startswith(base) and rule.arguments == {"slug"}
    }
    assert pages - JOBS.keys() == LEADS_ON


def test_each_role_does_its_job_and_finds_nothing_that_is_not_for_it(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console = f"/console/{installation.demo['program']}"
    manager = visitor("manager")
    address = _manager_shares_and_tags(manager, console)
    _manager_approves_all_that_a_list_finds(manager, console)
    finance, reader = visitor("finance"), visitor()
    _finance_sees_the_books(finance, console)
    _reader_reads(installation, reader, console)
    # Some doors ask for a password of the last minutes before they look at who it is.
    signed = [just_signed_in(installation, visitor, role) for role in ("manager", "finance", "partner")]
    for role, one in zip(("reader", "manager", "finance", "outsider"), (reader, *signed), strict=True):
        opens = _doors(one, console)
        assert opens == {path for path, roles in JOBS.items() if role in roles.split()}, role
    _outsider_has_one_page(visitor(viewport=NARROW), address, console)


@pytest.mark.usefixtures("inside")
def test_the_narrow_roles_begin_on_their_page_and_do_what_is_theirs(
    installation: Installation, visitor: MakeVisitor
) -> None:
    console, people = f"/console/{installation.demo['program']}", {}
    with db.transaction() as session:
        program, _manager = at_work(session, installation, "manager")
        for role in (GrantRole.LOGISTICS, GrantRole.TECH, GrantRole.MARKETING):
            people[role] = _person(session, program, role)
        case = _case(session, program)
        letter = DeadLetter(
            id=ids.new(), stream="clicks", entry_id="0-1", payload="{}", error="It is no click.", failed_at=clock.now()
        )
        session.add(letter)

    page = _begins(visitor(), people[GrantRole.LOGISTICS], f"{console}/views/logistics")
    page.goto(f"{installation.base_url}{console}/cases/{case}")
    page.get_by_label("What the partner reads").first.fill("The parcel came back on Monday.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="What was said")).to_contain_text("The parcel came back on Monday.")

    page = _begins(visitor(), people[GrantRole.TECH], f"{console}/views/tech", chosen=program.name)
    page.locator('main a[href$="/dead-letters"]').first.click()
    waiting = page.get_by_role("row").filter(has_text="It is no click.")
    waiting.get_by_label("Reason").fill("A test of the tag.")
    waiting.get_by_role("button", name="Throw away").click()
    expect(waiting).to_have_count(0)

    page = _begins(visitor(), people[GrantRole.MARKETING], f"{console}/views/marketing")
    page.goto(f"{installation.base_url}{console}/performance/notes")
    page.get_by_label("What happened").fill("A fair in Turin")
    page.get_by_role("button", name="Note it").click()
    expect(page.get_by_role("row").filter(has_text="A fair in Turin")).to_have_count(1)


def _begins(one: Visitor, email: str, start: str, *, chosen: str = "") -> Page:
    """Somebody signs in and stands on the own page, which is sound at either width. `chosen`: the program, for who works in all."""
    one.sign_in(email, PASSWORD)
    page = one.open("/console/?all=1" if chosen else "/console/")
    if chosen:
        page.get_by_role("link", name=chosen).click()
        page.wait_for_url(f"**{start}")
    assert page.url.endswith(start)
    assert is_sound(page)
    page.set_viewport_size(NARROW)
    assert is_sound(page)
    page.set_viewport_size(WIDE)
    return page


def _person(session: Session, program: Program, role: GrantRole) -> str:
    """Somebody with this role alone; who looks after what arrives does it for all programs. Gives the address."""
    email = f"{role.value}@casa-ondera.example"
    user = make_user(session, email=email, name=f"Robin {role.value}", password=passwords.hash_of(PASSWORD))
    make_grant(session, user=user, role=role, program=None if role is GrantRole.TECH else program)
    return email


def _case(session: Session, program: Program) -> str:
    """A case that waits for an answer; gives its public id."""
    partner = make_partner(session, program=program, can_be_paid=False)
    claim = Claim(CaseKind.WRONG_AMOUNT, "The order was larger.", "CO-TWICE-1")
    made = cases.open_case(session, program=program, partner_id=partner.id, claim=claim, actor=SYSTEM, now=clock.now())
    return ids.public("cas", made.id)


def _manager_shares_and_tags(manager: Visitor, console: str) -> str:
    page = manager.open(f"{console}/partners")
    page.get_by_label("Select all on this page").check()
    page.locator("[data-dialog=bulk-tag]").click()
    page.locator("#bulk-tag input[name=tag]").fill("autumn")
    page.locator("#bulk-tag").get_by_role("button", name="Tag", exact=True).click()
    page.get_by_text("Changed:").wait_for()
    page.goto(f"{page.url.partition('?')[0]}?tag=autumn")
    assert page.locator("tbody tr").count() >= 1
    assert is_sound(page)

    page = manager.open(f"{console}/performance?by=partner&span=90d")
    page.locator("#name").fill("For the bank")
    page.get_by_role("button", name="Keep", exact=True).click()
    page = manager.open(f"{console}/performance/shared")
    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("Address", exact=True).first.input_value()
    assert is_sound(page)
    for view in ("logistics", "marketing", "finance", "tech"):
        assert is_sound(manager.open(f"{console}/views/{view}"))
    return address


def _doors(one: Visitor, console: str) -> set[str]:
    """The pages of jobs that open for somebody; the others are not there."""
    one.open("/account/")
    statuses = one.page.evaluate(STATUSES, [console, list(JOBS)])
    allow(one, 404)
    assert set(statuses) <= {200, 404}, dict(zip(JOBS, statuses, strict=True))
    return {path for path, status in zip(JOBS, statuses, strict=True) if status == 200}


def _manager_approves_all_that_a_list_finds(manager: Visitor, console: str) -> None:
    page = manager.open(f"{console}/commissions?status=pending")
    if not page.locator("#picked").count():
        return  # tests before have approved what there was
    page.get_by_label("All that this list finds").check()
    page.get_by_role("button", name="Approve the selected").click()
    page.get_by_text(re.compile("commissions? approved, |were chosen")).first.wait_for()
    if "/acts/" in page.url:
        act = page.url
        eventually(lambda: has(page, act, 'section[aria-label="Progress"] .st-good'), "the end of the act")
        assert is_sound(page)
    assert manager.open(f"{console}/commissions?status=pending").locator("tbody tr").count() == 0


def _finance_sees_the_books(finance: Visitor, console: str) -> None:
    page = finance.open(f"{console}/views/finance")
    page.get_by_role("heading", name="Costs beside commissions").wait_for()
    page.get_by_role("link", name="Ledger").first.click()
    page.get_by_role("heading", name="Ledger", level=1).wait_for()
    assert page.get_by_role("link", name="Settings").count() == 0


def _reader_reads(installation: Installation, reader: Visitor, console: str) -> None:
    slug = installation.demo["program"]
    made = installation.run(
        "user", "create", "--email", READER, "--name", "Rita", "--role", "reader", "--program", slug, "--password", PASSWORD,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    reader.sign_in(READER, PASSWORD)
    page = reader.open("/console/")
    assert page.url.endswith(f"{console}/performance")
    for path in ("goals", "kpis", "applications", "cases", "settings", "attribution", "fraud/rules"):
        page = reader.open(f"{console}/{path}")
        assert page.locator(CHANGES).count() == 0, path
    assert is_sound(page)  # a form that is closed to its reader
    page = reader.open(f"{console}/partners")
    page.locator("tbody").get_by_role("link").first.click()
    page.get_by_role("link", name="What is agreed").click()
    expect(page.get_by_role("heading", name="Looked after by")).to_be_visible()
    assert is_sound(page)
    page = reader.open(f"{console}/payouts")
    assert page.get_by_role("button", name="Propose").count() == 0
    assert is_sound(page)
    refused = reader.page.evaluate(
        "async (address) => (await fetch(address, {method: 'HEAD'})).status", f"{console}/rejected"
    )
    assert refused == 404
    allow(reader, 404)
    page = reader.open(f"{console}/performance?by=partner")
    page.emulate_media(media="print")
    assert not page.locator(".rail").is_visible()
    assert not page.get_by_label("Days", exact=True).is_visible()
    assert page.locator('section[aria-labelledby="rows-h"] tbody tr').first.is_visible()


def _outsider_has_one_page(outsider: Visitor, address: str, console: str) -> None:
    outsider.page.goto(address)
    page = outsider.page
    page.get_by_role("heading", name="For the bank").wait_for()
    assert page.get_by_text("Partner 1", exact=True).count() == 1
    assert page.locator("a[href]:not(.skip):not([href*='/days.'])").count() == 0  # but for the files of its chart
    assert is_sound(page)
    assert outsider.context.cookies() == []
    outsider.open(f"{console}/performance")
    assert "/login" in page.url
