"""Every page in a real browser: nothing for axe to find, no error in the console, nothing to scroll sideways at 360 pixels."""

import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import pytest
from crawling import NO_PAGES, page_endpoints
from door_cast import Doors
from flask import Flask
from installation import Installation
from pages import NARROW, WIDE, Visitor, axe_findings
from playwright.sync_api import Page, expect
from spoken_pages import HEIGHT, LANGUAGES, WIDTHS, in_language, too_wide

from affiliate import db

MakeVisitor = Callable[..., Visitor]
Kinds = set[tuple[str, ...]]
PAGES_MAX = 120
ROLES = {
    None: [
        "/", "/p/{slug}", "/apply/{slug}", "/join/no-such-code", "/login", "/reset", "/demo/shop/", "/demo/shop/basket", "/demo/shop/checkout",
        "/demo/shop/thanks", "/api/docs", "/no-such-page", "/r/no-such-link",
    ],
    "partner": ["/portal/", "/account/", "/tf-setup", "/change"],
    "manager": [
        "/console/", "/account/", "/console/{slug}/tracking/secret", "/console/{slug}/performance/kept", "/console/{slug}/performance/shared",
        "/console/{slug}/performance?by=partner&compare=before",
    ],
    "finance": ["/console/"],
    "reader": ["/console/"],
    "admin": ["/console/", "/console/new-program"],
}  # fmt: skip
OUTSIDE, STAFF = (None, "partner"), ("manager", "finance", "admin")
DOORS = {
    "security.mf_recovery", "security.mf_recovery_codes", "security.reset_password", "security.tf_select",
    "security.two_factor_rescue", "security.two_factor_token_validation", "security.verify", "site.banner", "mail.follow", "openings.picture",
    "shared.report", "portal.choose", "console.choose",
}  # fmt: skip
"""Pages in the middle of a sign-in, behind a link of a partner's website, shared, or of who has two programs: they have tests of their own."""
AFTER_AN_ACT = {
    "console.replay", "console.replay_change", "console.simulation", "console.validation_file", "console.bulk_act",
    "console.service_table", "console.fraud_trial",
}  # fmt: skip
"""Pages that a job or an upload makes first: no link leads there in a fresh demo."""
LEADS_ON = {"console.begin_setup"}
"""No page: it leads to the first open step."""
NOT_SPOKEN = re.compile(
    r"no-such|^/api/docs$|^/(mail|mails|news|sender|portal/join|apply/[^/]+/(draft|status|confirm))/"
)
"""Not looked at in other languages: there is nothing, it is in English alone, or it was written for somebody who reads English."""
LOOKS = (("en", "dark"), ("it", "light"), ("pl", "light"))
"""Languages and grounds. The walk above is in English, by light: in the dark axe looks at other colours, in other languages words are longer."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1_200)]


def kind_of(path: str) -> str:
    """Pages of one kind differ in their ids only."""
    return re.sub(r"(?<=/demo/shop/p/)[^/]+|[a-z]{3}_[0-9a-z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "*", path)


class Reading(HTMLParser):
    """A page as the server wrote it: which kinds of elements it is made of, whatever they say, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.kinds: Kinds = set()
        self.links: list[str] = []
        self._open: tuple[str, ...] = ()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element is of a kind by its name, its class and the names of its attributes, and by whether it says anything."""
        values = dict(attrs)
        self._open = (tag, values.get("class") or "", *values)
        self.kinds.add(self._open)
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))

    def handle_data(self, data: str) -> None:
        """Text of the element that was opened last."""
        if data.strip():
            self.kinds.add(("text", *self._open))


# Asked of the page itself: a locator would put its library into each page first.
LINKS = "() => [...document.querySelectorAll('a[href]')].map((link) => link.href)"
FETCH = "async (address) => { const told = await fetch(address); return [told.status, told.url, await told.text()] }"


def paths_of(addresses: Iterable[str], installation: Installation) -> Iterator[str]:
    """The paths of this installation among the addresses."""
    for address in addresses:
        if address.startswith(f"{installation.base_url}/"):
            path = urlsplit(address).path
            if not NO_PAGES.search(path):
                yield path


def findings(page: Page, *, axe: bool = True) -> list[str]:
    """What is wrong with the page as it stands, wide and narrow. The window is wide again afterwards."""
    found = axe_findings(page) if axe else []
    page.set_viewport_size(NARROW)
    found += too_wide(page)
    page.set_viewport_size(WIDE)
    return found


def findings_in_turn(page: Page) -> list[str]:
    """The same at each width, beginning at the end where the window is: pages are loaded wide and narrow in turn."""
    found, is_narrow = [], page.viewport_size == {"width": WIDTHS[0], "height": HEIGHT}
    for width in WIDTHS if is_narrow else reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found += too_wide(page, width)
        found += axe_findings(page) if width == WIDTHS[-1] else []
    return found


def crawl(visitor: Visitor, starts: list[str], known: dict[str, list[Kinds]]) -> Iterator[tuple[str, str, list[str]]]:
    """Every kind of page that can be reached from these, with where one arrived and what is wrong there.

    `known` are the pages that another person has seen, by their kind: one of the same shape is read and not looked at,
    because what is wrong there has been found.
    """
    seen, ahead = set(), deque(starts)
    while ahead:
        path = ahead.popleft()
        kind, address = kind_of(path), f"{visitor.installation.base_url}{path}"
        if kind in seen:
            continue
        seen.add(kind)
        assert len(seen) <= PAGES_MAX, "the crawl does not end"
        if kind in known and visitor.page.url.startswith(visitor.installation.base_url):
            status, landed, text = visitor.page.evaluate(FETCH, address)
            assert status == HTTPStatus.OK, f"{path} answers {status}"
            read = Reading(text)
            if read.kinds in known[kind]:
                ahead.extend(paths_of((urljoin(landed, link) for link in read.links), visitor.installation))
                yield path, urlsplit(landed).path, []
                continue
        answer = visitor.page.goto(address)
        assert answer is not None
        assert answer.ok or "no-such" in path, f"{path} answers {answer.status}"
        known.setdefault(kind, []).append(Reading(answer.text()).kinds)
        links: list[str] = visitor.page.evaluate(LINKS)
        ahead.extend(paths_of(links, visitor.installation))
        yield path, urlsplit(visitor.page.url).path, findings_in_turn(visitor.page)


def buy_something(customer: Visitor) -> None:
    """So that the shop's basket, checkout and thanks have something to show."""
    page = customer.open("/demo/shop/p/moka")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_text("Answered 202: accepted.")).to_be_visible()
    page = customer.open("/demo/shop/p/apron")
    page.get_by_role("button", name="Add to basket").click()


def name_a_campaign(manager: Visitor, slug: str) -> None:
    """So that there is one to look at."""
    page = manager.open(f"/console/{slug}/campaigns/new")
    page.get_by_label("Name", exact=True).fill("Autumn table")
    page.get_by_label("First day").fill("2026-10-05")
    page.get_by_label("Last day").fill("2026-10-11")
    page.get_by_label("Coupons").fill(manager.installation.demo["coupon"])
    page.get_by_role("button", name="Keep the campaign").click()
    page.get_by_role("heading", name="Autumn table").wait_for()


def doors(installation: Installation, which: Callable[[Doors], Iterator[str]]) -> list[str]:
    """Makes what stands behind doors to which no link leads; gives their addresses."""
    person = next(one for one in installation.demo["people"] if one["role"] == "partner")
    with db.transaction() as session:
        return list(which(Doors(session, slug=installation.demo["program"], email=person["email"])))


def as_reader(installation: Installation, visitor: MakeVisitor) -> Visitor:
    """Somebody who reads in the console, and does nothing: the demo has nobody of this role."""
    email, password = f"reader-{secrets.token_hex(4)}@casa-ondera.example", "seven grey herons by the pond"
    facts = ("--email", email, "--name", "Rita", "--role", "reader", "--program", installation.demo["program"])
    made = installation.run("user", "create", *facts, "--password", password)
    assert made.returncode == 0, made.stderr
    reader = visitor()
    reader.sign_in(email, password)
    return reader


def behind_mails(installation: Installation, language: str) -> list[str]:
    """The addresses that mails hold. Whoever asked for something in a language is answered in it, whatever the browser speaks."""
    return doors(installation, lambda ways: ways.of_mails(language))


def prepared(role: str | None, one: Visitor) -> list[str]:
    """What a person does before looking around, so that there is something to see; gives the addresses to begin at."""
    slug = one.installation.demo["program"]
    starts = [start.format(slug=slug) for start in ROLES[role]]
    if role is None:
        buy_something(one)
        starts += behind_mails(one.installation, "en")
    elif role == "partner":
        starts += doors(one.installation, Doors.of_partner)
    elif role == "manager":
        name_a_campaign(one, slug)
        starts += doors(one.installation, Doors.of_manager)
    return starts


@pytest.mark.parametrize(
    ("roles", "every"),
    [
        (OUTSIDE, 18),
        (STAFF, 18),
        pytest.param(OUTSIDE, 1, marks=pytest.mark.faults),
        pytest.param((*STAFF, "reader"), 1, marks=pytest.mark.faults),
    ],
    ids=["outside", "staff", "outside, each page in each language", "staff, each page in each language"],
)
def test_every_page_for_every_role_is_accessible_quiet_and_fits_each_width(
    installation: Installation,
    visitor: MakeVisitor,
    app: Flask,
    *,
    inside: None,
    roles: tuple[str | None, ...],
    every: int,
) -> None:
    """`every`: in Italian and in Polish each page of so many, by turns."""
    wrong, visited = {}, set()
    known: dict[str, list[Kinds]] = {}
    addresses = app.url_map.bind("localhost")
    for role in roles:
        one, new = as_reader(installation, visitor) if role == "reader" else visitor(role), []
        before, starts = set(known), prepared(role, one)
        for path, arrived, found in crawl(one, starts, known):
            if kind_of(path) not in before and not NOT_SPOKEN.search(path):
                new.append(path)
            if "no-such-page" not in path:
                visited.add(addresses.match(arrived)[0])
            if found:
                wrong[f"{role}: {path}"] = found
        for turn, (language, axe_at) in enumerate(LANGUAGES[1:]):
            again = visitor(locale=language, storage_state=one.context.storage_state())
            paths = new + (behind_mails(installation, language) if role is None else [])
            for path, found in in_language(again, paths[turn % every :: every], language, axe_at):
                if found:
                    wrong[f"{role}: {path} in {language}"] = found
        one.troubles[:] = [trouble for trouble in one.troubles if "no-such" not in trouble]  # they are 404 on purpose
    assert wrong == {}
    theirs = {name for name in page_endpoints(app) if name.startswith("console.") == ("manager" in roles)}
    assert theirs - DOORS - AFTER_AN_ACT - LEADS_ON - visited == set()


def open_run(manager: Visitor) -> Page:
    """A payout run that waits for its second person, proposed now if there is none."""
    slug = manager.installation.demo["program"]
    desk = manager.open(f"/console/{slug}/payouts")
    waiting = desk.get_by_role("link", name="Check and approve")
    if not waiting.count():
        propose = desk.get_by_role("button", name=re.compile("^Propose €"))
        if not propose.count():
            approve_most(manager)
            manager.open(f"/console/{slug}/payouts")
        propose.click()
    waiting.first.click()
    return desk


def approve_most(manager: Visitor) -> None:
    """All that wait for their validation but the last two, which the validation of a month needs."""
    desk = manager.open(f"/console/{manager.installation.demo['program']}/commissions?status=pending")
    desk.get_by_role("checkbox", name="Select all on this page").check()
    for box in desk.locator('tbody input[type="checkbox"]').all()[-2:]:
        box.uncheck()
    desk.get_by_role("button", name="Approve the selected").click()


def take_back(manager: Visitor, run: str) -> None:
    """Leave nothing that waits: other tests pay, too."""
    desk = manager.open(run)
    desk.get_by_role("button", name="Take back with a reason…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Only looked at.")
    dialog.get_by_role("button", name=re.compile("^Take back €")).click()
    expect(desk.get_by_text("taken back.")).to_be_visible()


def look_at_the_job(visitor: MakeVisitor, slug: str, run: str, **how: str) -> Iterator[tuple[str, list[str]]]:
    """The four pages on which the main job happens, with what is wrong with each."""
    partner, manager, finance = (visitor(role, **how) for role in ("partner", "manager", "finance"))
    for name, page in (
        ("home", partner.open(f"/portal/{slug}/")),
        ("today", manager.open(f"/console/{slug}/")),
        ("approval", finance.open(run)),
        ("explanation", partner.open(f"/portal/{slug}/commissions")),
    ):
        assert page.locator("html").get_attribute("lang") == how["locale"]
        if name == "explanation":
            page.locator("td a.why").first.click()
            page.wait_for_url("**/commissions/com_*")
        if name == "approval":
            assert page.locator("form#approve").count() == 1
        yield name, findings(page, axe=how["color_scheme"] == "dark")


def test_the_four_pages_of_the_job_hold_in_every_language_and_light(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug, wrong, manager = installation.demo["program"], {}, visitor("manager")
    run = urlsplit(open_run(manager).url).path
    try:
        for language, scheme in LOOKS:
            for name, found in look_at_the_job(visitor, slug, run, locale=language, color_scheme=scheme):
                wrong[f"{name} in {language}, {scheme}"] = found
    finally:
        take_back(manager, run)
    assert {name: found for name, found in wrong.items() if found} == {}
