"""Pages to which no link leads, or which look otherwise by who comes: in the middle of a sign-in, of people who have applied, and reports by each thing."""

import re
import secrets
from collections.abc import Callable, Sequence

import applicant_cast
import pyotp
import pytest
from installation import Installation
from pages import Visitor
from playwright.sync_api import Page, expect
from spoken_pages import LANGUAGES, in_language, wrong_in
from walks import Say, address_in_mail, archive_of_the_test, spoken

from affiliate import clock, db
from affiliate.programs import queries as programs
from affiliate.reports.asked import PARTNERS_OWN, PROGRAMS

MakeVisitor = Callable[..., Visitor]
SIGNS_IN = {"pl": "luca@piatto-lento.example", "en": "bianca@tavola-tela.example", "it": "paolo@cucchiaio.example"}
"""Each language has somebody of its own: whoever has a second factor is asked for it from then on."""
PASSWORD = "seven grey herons by the weir"
BY_TURNS = pytest.mark.parametrize(
    "every",
    [len(LANGUAGES), pytest.param(1, marks=pytest.mark.faults)],
    ids=["by turns", "each page in each language"],
)
"""Each page in one of the languages, or in all, always at each width."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def wrong_by_turns(people: Sequence[Visitor], paths: Sequence[Sequence[str]], every: int) -> dict[str, list[str]]:
    """What is wrong with pages, of which `paths` has the addresses for each language; `people` read one language each."""
    wrong = {}
    for turn, (language, axe_at) in enumerate(LANGUAGES):
        for path, found in in_language(people[turn], paths[turn][turn % every :: every], language, axe_at):
            if found:
                wrong[f"{path} in {language}"] = found
    return wrong


@pytest.mark.parametrize(
    "language", ["pl", pytest.param("en", marks=pytest.mark.faults), pytest.param("it", marks=pytest.mark.faults)]
)
def test_pages_in_the_middle_of_a_sign_in_hold_at_each_width(
    installation: Installation, visitor: MakeVisitor, language: str
) -> None:
    say, wrong = spoken(language), {}
    axe_at = dict(LANGUAGES)[language]
    someone, password = visitor(locale=language), installation.demo["people"][0]["password"]
    page = give_the_password(someone, SIGNS_IN[language], password, say)
    page.wait_for_url(lambda address: "/login" not in address)
    someone.open("/verify")
    wrong["verify"] = wrong_in(page, language, axe_at)

    someone.open("/tf-setup")
    page.get_by_role("button", name=say("Start")).click()
    wrong["key"] = wrong_in(page, language, axe_at)
    key = page.get_by_label(say("Key for typing")).input_value()
    page.get_by_label(say("Code"), exact=True).fill(pyotp.TOTP(key.replace("-", "")).now())
    page.get_by_role("button", name=say("Switch it on")).click()
    expect(page.get_by_role("heading", name=say("Your account"))).to_be_visible()
    someone.open("/mf-recovery-codes")
    wrong["codes to come"] = wrong_in(page, language, axe_at)
    page.get_by_role("button", name=say("Make new codes")).click()
    expect(page.locator("#codes")).to_be_visible()
    wrong["codes"] = wrong_in(page, language, axe_at)
    code = page.locator("#codes li").first.inner_text()

    page = give_the_password(visitor(locale=language), SIGNS_IN[language], password, say)
    page.wait_for_url(re.compile("/tf-validate"))
    wrong["code"] = wrong_in(page, language, axe_at)
    page.get_by_role("link", name=say("No phone at hand? Use a recovery code")).click()
    wrong["recovery"] = wrong_in(page, language, axe_at)
    page.get_by_label(say("Recovery code")).fill(code)
    page.get_by_role("button", name=say("Sign in")).click()
    page.wait_for_url("**/portal/**")
    assert {name: found for name, found in wrong.items() if found} == {}


def give_the_password(someone: Visitor, email: str, password: str, say: Say) -> Page:
    """At the page to sign in at, in the language of whoever comes."""
    page = someone.open("/login")
    page.get_by_label(say("E-mail address")).fill(email)
    page.get_by_label(say("Password")).fill(password)
    page.get_by_role("button", name=say("Sign in")).click()
    return page


def test_a_forgotten_password_is_set_by_a_mail_on_pages_in_each_language(
    installation: Installation, visitor: MakeVisitor
) -> None:
    page = visitor().open("/reset")
    page.get_by_label("E-mail address").fill("jana@kochfreunde.example")
    page.get_by_role("button").filter(has_text="Send").click()
    path = address_in_mail(installation, "/reset/", to="jana@kochfreunde.example").removeprefix(installation.base_url)
    people = [visitor(locale=language) for language, _width in LANGUAGES]
    assert wrong_by_turns(people, [[path]] * len(LANGUAGES), every=1) == {}


def in_each_language(visitor: MakeVisitor, email: str) -> tuple[Visitor, list[Visitor]]:
    """Somebody who signs in, and the same person in each language."""
    first = visitor()
    first.sign_in(email, PASSWORD)
    signed = first.context.storage_state()
    return first, [visitor(locale=language, storage_state=signed) for language, _width in LANGUAGES]


@BY_TURNS
def test_pages_of_who_applied_and_of_who_has_two_programs_hold(
    installation: Installation, visitor: MakeVisitor, *, inside: None, every: int
) -> None:
    mark, now = secrets.token_hex(4), clock.now()
    slugs = (f"waits-{mark}", f"refused-{mark}")
    email, manager = f"rosa-{mark}@rosa.example", f"mona-{mark}@rosa.example"
    with archive_of_the_test(slugs, now=now):
        with db.transaction() as session:
            who = {"email": email, "manager": manager, "password": PASSWORD}
            applicant_cast.applied_twice(session, slugs=slugs, **who, now=now)
        with db.transaction() as session:
            program = programs.program_by_slug(session, slug=slugs[0])
            assert program is not None
            told = [
                list(applicant_cast.standings(session, program=program, language=language, now=now))
                for language, _width in LANGUAGES
            ]
        first, rosa = in_each_language(visitor, email)
        own = ["/portal/", f"/portal/{slugs[0]}/", f"/apply/{slugs[1]}"]
        wrong = wrong_by_turns(rosa, [own] * len(LANGUAGES), every)
        strangers = [visitor(locale=language) for language, _width in LANGUAGES]
        mona, managers = in_each_language(visitor, manager)
        wrong |= wrong_by_turns(managers, [["/console/"]] * len(LANGUAGES), every)
        assert wrong | wrong_by_turns(strangers, told, every) == {}
        expect(mona.open("/console/").get_by_role("main").get_by_text(slugs[0]).first).to_be_visible()
        page = first.open("/portal/")
        assert [page.get_by_text(name, exact=True).count() for name in map("Program {}".format, slugs)] == [1, 1]
        assert applicant_cast.QUESTION in first.open(own[1]).content()
        expect(first.open(own[2]).get_by_text(applicant_cast.REASON)).to_be_visible()


@pytest.mark.faults
def test_reports_by_each_thing_hold(installation: Installation, visitor: MakeVisitor) -> None:
    slug, wrong = installation.demo["program"], {}
    for role, report, things in (
        ("partner", f"/portal/{slug}/statistics", PARTNERS_OWN),
        ("manager", f"/console/{slug}/performance", PROGRAMS),
    ):
        people = [visitor(role, locale=language) for language, _width in LANGUAGES]
        paths = [f"{report}?by={thing.value}" for thing in things]
        wrong |= wrong_by_turns(people, [paths] * len(LANGUAGES), every=1)
    assert wrong == {}
