"""Every page of the console and the portal of a program without anything in it, and of one with as much as pages hold: each answers, fits, is accessible, and says when there is nothing."""

from collections.abc import Callable

import factories
import pytest
import sqlalchemy as sa
from crawling import page_endpoints
from flask import Flask
from installation import Installation
from pages import Visitor, axe_findings, sideways
from playwright.sync_api import Page
from sqlalchemy.orm import Session
from walks import archive_of_the_test
from wide_cast import make_wide

from affiliate import clock, db
from affiliate.accounts import passwords
from affiliate.accounts.models import GrantRole, User
from affiliate.programs.models import Program

MakeVisitor = Callable[..., Visitor]
PASSWORD = "seven grey herons by the mill"
NOT_OURS = {"console.clone_program"}
"""For who manages all programs."""
LEADS_ON = {"console.setup", "console.service_table"}
"""No page: they lead to the first open step, and away from an upload that is over."""
LANGUAGES = ("en", "it", "pl")
WIDTHS, HEIGHT = (360, 1440), 900
HOLLOW = """() => {
    const tables = [...document.querySelectorAll('main table')].filter((table) => !table.querySelector('tbody tr'))
    const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT), words = []
    while (walk.nextNode()) words.push(walk.currentNode.data.trim())
    return [...tables.map((table) => `an empty table: ${table.outerHTML.slice(0, 160)}`),
        ...words.filter((word) => /^(None|null|undefined|NaN|nan|inf)$/.test(word)).map((word) => `says ${word}`),
        ...[...document.querySelectorAll('main ul:empty, main ol:empty, main dl:empty, main p:empty, main h2:empty')].map((one) => `empty: ${one.outerHTML}`)]
}"""
"""What looks broken where there is nothing."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def _paths(app: Flask, base: str) -> list[str]:
    """Every page of the console or the portal that asks for nothing but its program, below it."""
    theirs = page_endpoints(app) - NOT_OURS - LEADS_ON
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in theirs and rule.rule.startswith(base)]
    return sorted({rule.rule.removeprefix(base) for rule in rules if rule.arguments == {"slug"}})


def _manager(session: Session, slugs: tuple[str, str]) -> str:
    """Somebody who manages these programs alone, and does their money; gives the address."""
    mona = _person(session, f"mona-{slugs[0]}@casa-ondera.example")
    for program in session.scalars(sa.select(Program).where(Program.slug.in_(slugs))).all():
        for role in (GrantRole.MANAGER, GrantRole.FINANCE):
            factories.make_grant(session, user=mona, role=role, program=program)
    return mona.email


def _person(session: Session, email: str) -> User:
    return factories.make_user(session, email=email, name="Mona", password=passwords.hash_of(PASSWORD))


def _wrong(page: Page) -> list[str]:
    """What is wrong with a page as it stands, at each width."""
    found: list[str] = page.evaluate(HOLLOW)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        pixels = sideways(page)
        found += [f"{pixels} pixels too wide for a window of {width}"] if pixels else []
    return found + axe_findings(page)


@pytest.mark.faults
def test_every_page_holds_without_anything_and_with_very_much(
    installation: Installation, visitor: MakeVisitor, app: Flask, *, inside: None
) -> None:
    """Each page of both in each language."""
    now = clock.now()
    slugs = ("bare", "wide")
    owners = tuple(f"owner-{slug}@mill.example" for slug in slugs)
    with archive_of_the_test(slugs, now=now):
        with db.transaction() as session:
            newcomer, _owner = (_person(session, email) for email in owners)
            bare = factories.make_program(session, slug=slugs[0], name="Bare", created_at=now)
            factories.make_partner(session, program=bare, user=newcomer, name="New", can_be_paid=False)
        make_wide(slugs[1], owner=owners[1], now=now)
        with db.transaction() as session:
            manager = _manager(session, slugs)
        console, portal = (_paths(app, f"/{part}/<slug>/") for part in ("console", "portal"))
        one = _readers(visitor, manager)
        wrong = _crawled(installation, "console", console, dict.fromkeys(slugs, one))
        owned = {slug: _readers(visitor, owner) for slug, owner in zip(slugs, owners, strict=True)}
        assert wrong | _crawled(installation, "portal", portal, owned) == {}


def _readers(visitor: MakeVisitor, email: str) -> list[Visitor]:
    """Somebody who is signed in, in each language."""
    first = visitor()
    first.sign_in(email, PASSWORD)
    return [visitor(locale=language, storage_state=first.context.storage_state()) for language in LANGUAGES]


def _crawled(
    installation: Installation, part: str, paths: list[str], people: dict[str, list[Visitor]]
) -> dict[str, list[str]]:
    """What is wrong with pages, by their address and language; `people` are those who look, for each program."""
    wrong: dict[str, list[str]] = {}
    for path in paths:
        for slug, readers in people.items():
            for language, one in zip(LANGUAGES, readers, strict=True):
                answer = one.page.goto(f"{installation.base_url}/{part}/{slug}/{path}")
                assert answer is not None
                found = _wrong(one.page) if answer.ok else [f"answers {answer.status}"]
                if found:
                    wrong[f"{part}/{slug}/{path} in {language}"] = found
    return wrong
