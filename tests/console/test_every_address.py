"""Each address of the console that names a thing: who finds it, and that nobody finds another program's.

The addresses are the URL map's, so that a new one is walked without anybody thinking of it; what it names must be in `thing_cast`.
"""

import itertools
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import PASSWORD, sign_in
from conftest import Furnish
from factories import make_grant, make_plan, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from thing_cast import PHOTO, Things

from affiliate import clock, db, ids
from affiliate.accounts import access, passwords
from affiliate.accounts.models import GrantRole, User

BASE = "/console/<slug>/"
STAFF = ("manager", "finance", "reader", "logistics", "tech", "marketing")
OTHERS = ("partner", "outsider")


def seldom(often: set[str], every: Sequence[str]) -> list[Any]:
    """All of these people, but who are not among the first only with the long faults: each of them walks every address there is."""
    return [pytest.param(one, marks=[] if one in often else [pytest.mark.faults]) for one in every]


PLACE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
HASH = passwords.hash_of(PASSWORD)
ID = re.compile(r"[a-z]{3,4}_[0-9a-z]{26}|[0-9a-f]{8}-[0-9a-f-]{27}")
WORDS = {
    "kind": "csv", "year": "2026", "role": "logistics", "key": PHOTO, "act_on_partners kind": "tag",
}  # fmt: skip
"""What stands in a place that names no thing."""
SWITCHED_OFF = {"ask_vies"}
"""What an installation without its address has not."""
FORM = {
    "amount": "1.00", "cadence": "once", "currency": "EUR", "first_on": "2027-01-01", "owner": str(ids.new()), "reason": "So.",
    "side": "program", "task": "A post",
}  # fmt: skip
"""What lets some acts get as far as to look for their thing."""
HERE: dict[str, str] = {}
ELSEWHERE: dict[str, str] = {}
KEPT: dict[str, str] = {}
"""The things of the two programs, and the report that each of the staff keeps: the database is written once, and copied."""


@dataclass(frozen=True)
class Way:
    """One method of one address, with whatever its words may be."""

    rule: str
    endpoint: str
    method: str
    words: dict[str, str]
    roles: frozenset[GrantRole]

    @property
    def things(self) -> dict[str, str]:
        """The keys of `Things.ids` by place."""
        return {
            name: next(
                each
                for each in (f"{self.endpoint} {self.words.get('act')} {key}", f"{self.endpoint} {key}", key)
                if each in HERE or each == key
            )
            for kind, said, name in PLACE.findall(self.rule)
            if (key := _thing(kind, said, name))
        }

    def address(self, things: dict[str, str]) -> str:
        """It, naming these things: by place, as they stand in addresses."""
        return PLACE.sub(lambda place: (things | self.words)[place[3]], self.rule)


def _thing(kind: str, said: str, name: str) -> str:
    return said.strip('"') if kind == "public" else name if kind == "uuid" else ""


def ways(app: Flask) -> list[Way]:
    """All of them, in the order of their addresses."""
    rules = sorted((rule for rule in app.url_map.iter_rules() if rule.rule.startswith(BASE)), key=lambda one: one.rule)
    return [
        Way(rule.rule, endpoint, method, {"slug": "casa"} | words, declared.roles)
        for rule in rules
        if rule.arguments - {"slug"}
        for endpoint in [rule.endpoint.removeprefix("console.")]
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"})
        if (declared := access.declaration_of(app, rule.endpoint, method)) is not None
        for words in _words(rule.rule, endpoint)
    ]


def once(those: list[Way]) -> list[Way]:
    """Each act of them with one choice of its words: who may call it is the same for all."""
    return list({(way.method, way.endpoint): way for way in those}.values())


def _words(rule: str, endpoint: str) -> Iterator[dict[str, str]]:
    """Each choice of words for the places of a rule that name no thing."""
    choices = {
        name: re.findall(r"[\w-]+", said) if kind == "any" else [WORDS.get(f"{endpoint} {name}") or WORDS[name]]
        for kind, said, name in PLACE.findall(rule)
        if not _thing(kind, said, name) and name != "slug"
    }
    for chosen in itertools.product(*choices.values()):
        yield dict(zip(choices, chosen, strict=True))


def _furnish(session: Session) -> None:
    for slug, found in (("casa", HERE), ("altra", ELSEWHERE)):
        program = make_program(session, slug=slug)
        make_plan(session, program=program)
        clerk, owner = (_person(session, f"{role}-{slug}") for role in ("clerk", "partner"))
        for role in (GrantRole.LOGISTICS, GrantRole.FINANCE):
            make_grant(session, user=clerk, role=role, program=program)
        things = Things(session, program=program, clerk=clerk, owner=owner, now=clock.now())
        found.update(things.ids | {"rep": things.kept_by(clerk)})
        for role in STAFF if slug == "casa" else ():
            person = _person(session, f"{role}-{slug}")
            make_grant(session, user=person, role=GrantRole(role), program=program)
            KEPT[role] = things.kept_by(person)
    _person(session, "outsider-casa")


def _person(session: Session, name: str) -> User:
    return make_user(session, email=f"{name}@example.test", password=HASH)


@pytest.fixture
def furnish() -> Furnish:
    """Two programs with one of each thing, and their people."""
    return _furnish


@pytest.fixture
def browser_as(app: Flask, app_session: Session) -> Callable[[str], FlaskClient]:
    """A browser of somebody with this role alone."""

    def signed_in(role: str) -> FlaskClient:
        browser = app.test_client()
        if role != "visitor":
            person = app_session.scalars(sa.select(User).where(User.email == f"{role}-casa@example.test")).one()
            app_session.commit()
            assert sign_in(browser, person).status_code == 302
        return browser

    return signed_in


def rows(session: Session) -> dict[str, list[Any]]:
    """Everything that stands in the database."""
    found = {table.name: list(session.execute(sa.select(table))) for table in db.Base.metadata.sorted_tables}
    session.commit()
    return found


def ask(browser: FlaskClient, way: Way, things: dict[str, str], **form: str) -> int:
    """What is answered, to a form without content unless it is given where the way is an act; 401 where one is to sign in."""
    data = form if way.method == "POST" else None
    answer = browser.open(way.address(things), method=way.method, data=data)
    return 401 if "/login" in (answer.location or "") else answer.status_code


def named(way: Way, role: str) -> dict[str, str]:
    """The things of the program that the way names."""
    things = HERE | ({"rep": KEPT[role]} if role in KEPT else {})
    return {place: things[key] for place, key in way.things.items()}


def test_each_place_of_an_address_has_a_thing(app: Flask, app_session: Session) -> None:
    missing = {f"{way.endpoint}: {key}" for way in ways(app) for key in way.things.values() if key not in ELSEWHERE}
    assert missing == set(), "Give `thing_cast.Things` one of these."
    assert len(ways(app)) > 150


@pytest.mark.parametrize(
    ("role", "words"),
    [
        *(
            pytest.param(*role.values, once, id=str(role.values[0]), marks=role.marks)
            for role in seldom({"manager", "finance"}, STAFF)
        ),
        pytest.param("manager", list, id="manager, with every word", marks=pytest.mark.faults),
    ],
)
def test_who_has_the_role_finds_what_the_address_names(
    app: Flask,
    browser_as: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    words: Callable[[list[Way]], list[Way]],
) -> None:
    """What an act has changed is taken back after it, so that the next one finds each thing as it was."""
    browser = browser_as(role)
    monkeypatch.setattr(Session, "commit", lambda session: (session.flush(), session.rollback()))
    theirs = words([way for way in ways(app) if role in way.roles and way.endpoint not in SWITCHED_OFF])
    answers = {
        (way.method, way.address(named(way, role))): ask(browser, way, named(way, role), kind="table") for way in theirs
    }
    assert {way: status for way, status in answers.items() if status in {401, 403, 404} or status >= 500} == {}


@pytest.mark.parametrize(
    "role", seldom({"finance", "marketing", "partner", "visitor"}, [*STAFF[1:], *OTHERS, "visitor"])
)
def test_who_has_not_finds_nothing_and_changes_nothing(
    app: Flask, app_session: Session, browser_as: Callable[[str], FlaskClient], role: str
) -> None:
    browser = browser_as(role)
    closed = once([way for way in ways(app) if role not in way.roles])
    assert closed
    before = rows(app_session)
    answers = {(way.method, way.address(named(way, role))): ask(browser, way, named(way, role)) for way in closed}
    expected = 401 if role == "visitor" else 404
    assert {way: status for way, status in answers.items() if status != expected} == {}
    assert rows(app_session) == before


@pytest.mark.parametrize("of", ["another program", "nobody"])
def test_a_manager_finds_only_what_is_of_the_program(
    app: Flask, app_session: Session, browser_as: Callable[[str], FlaskClient], of: str
) -> None:
    browser, answers = browser_as("manager"), {}
    before = rows(app_session)
    for way in ways(app):
        for place, key in way.things.items():
            prefix = HERE[key].partition("_")[0]
            made_up = ids.public(prefix, ids.new()) if "_" in HERE[key] else str(ids.new())
            things = named(way, "manager") | {place: ELSEWHERE[key] if of == "another program" else made_up}
            answers[way.method, way.address(things), place] = ask(browser, way, things, **FORM)
    assert {way: status for way, status in answers.items() if status != 404} == {}
    assert rows(app_session) == before


@pytest.mark.parametrize("role", seldom({"finance", "reader"}, STAFF[1:]))
def test_no_page_leads_to_a_refusal(app: Flask, browser_as: Callable[[str], FlaskClient], role: str) -> None:
    """Every link of every page that one comes to answers, and every form is one that may be sent."""
    browser, refused = browser_as(role), {}
    came_from, ahead = {"/console/casa/performance": "/"}, deque(["/console/casa/performance"])
    while ahead:
        page = ahead.popleft()
        answer = browser.get(page, follow_redirects=True)
        if answer.status_code != 200:
            refused[page] = came_from[page]
        for action in re.findall(r'method="post" action="(/console/[^"?#]+)', answer.text):
            if not may_send(app, role, action):
                refused[action] = page
        for link in re.findall(r' href="(/console/casa/[^"?#]*)', answer.text):
            if (kind := ID.sub("*", link)) not in came_from and not link.endswith((".csv", ".xlsx", ".pdf")):
                came_from[kind] = came_from[link] = page
                ahead.append(link)
    assert refused == {}
    assert len(came_from) > 20


def may_send(app: Flask, role: str, action: str) -> bool:
    """Whether this role may post to an address, as its view declares."""
    endpoint, _arguments = app.url_map.bind("localhost").match(action, method="POST")
    declared = access.declaration_of(app, endpoint, "POST")
    return declared is not None and (declared.kind != "console" or role in declared.roles)
