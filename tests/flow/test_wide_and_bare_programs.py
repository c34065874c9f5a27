"""Every page of the console of a program without anything in it, and of one with as much as pages hold: each answers, fits, is accessible, and says when there is nothing."""

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
from wide_cast import make_wide

from affiliate import clock, db
from affiliate.accounts import passwords
from affiliate.accounts.models import GrantRole
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


def _paths(app: Flask) -> list[str]:
    """Every page of the console that asks for nothing but its program, below it."""
    base, theirs = "/console/<slug>/", page_endpoints(app) - NOT_OURS - LEADS_ON
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in theirs and rule.rule.startswith(base)]
    return sorted({rule.rule.removeprefix(base) for rule in rules if rule.arguments == {"slug"}})


def _person(session: Session, slugs: tuple[str, str]) -> str:
    """Somebody who manages these programs alone, and does their money; gives the address."""
    email = f"mona-{slugs[0]}@casa-ondera.example"
    mona = factories.make_user(session, email=email, name="Mona", password=passwords.hash_of(PASSWORD))
    for program in session.scalars(sa.select(Program).where(Program.slug.in_(slugs))).all():
        for role in (GrantRole.MANAGER, GrantRole.FINANCE):
            factories.make_grant(session, user=mona, role=role, program=program)
    return email


def _wrong(page: Page, *, with_axe: bool) -> list[str]:
    """What is wrong with a page as it stands, at each width."""
    found: list[str] = page.evaluate(HOLLOW)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        pixels = sideways(page)
        found += [f"{pixels} pixels too wide for a window of {width}"] if pixels else []
    return found + (axe_findings(page) if with_axe else [])


@pytest.mark.parametrize(
    "every",
    [6, pytest.param(1, marks=pytest.mark.faults)],
    ids=["by turns", "each page in each language"],
)
def test_every_page_holds_without_anything_and_with_very_much(
    installation: Installation, visitor: MakeVisitor, app: Flask, *, inside: None, every: int
) -> None:
    """`every`: each page of both in each language and always with axe, or of one of them and in one language by turns."""
    now = clock.now()
    slugs = (f"bare-{every}", f"wide-{every}")
    make_wide(slugs[1], now=now)
    with db.transaction() as session:
        factories.make_program(session, slug=slugs[0], name="Bare", created_at=now)
        email = _person(session, slugs)
    try:
        assert _crawled(installation, visitor, app, email=email, slugs=slugs, every=every) == {}
    finally:  # or other walks find them where they count programs
        with db.transaction() as session:
            gone = sa.update(Program).where(Program.slug.in_(slugs))
            session.execute(gone.values(archived_at=now), execution_options={"synchronize_session": False})


def _crawled(
    installation: Installation, visitor: MakeVisitor, app: Flask, *, email: str, slugs: tuple[str, str], every: int
) -> dict[str, list[str]]:
    """What is wrong with pages, by their address and language."""
    wrong: dict[str, list[str]] = {}
    first = visitor()
    first.sign_in(email, PASSWORD)
    signed = first.context.storage_state()
    people = [visitor(locale=language, storage_state=signed) for language in LANGUAGES]
    for number, path in enumerate(_paths(app)):
        for place, slug in enumerate(slugs):
            for turn, one in enumerate(people):
                if every == 1 or (place == number % len(slugs) and turn == number // len(slugs) % len(people)):
                    answer = one.page.goto(f"{installation.base_url}/console/{slug}/{path}")
                    assert answer is not None
                    found = _wrong(one.page, with_axe=(number + place) % every == 0) if answer.ok else [f"answers {answer.status}"]  # fmt: skip
                    if found:
                        wrong[f"{slug}/{path} in {LANGUAGES[turn]}"] = found
    return wrong
