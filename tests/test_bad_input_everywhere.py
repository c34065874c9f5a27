"""Whatever stands in an address, a form or a body, and whoever sends it: an answer, never a failure of ours.

The tests walk all routes of the application with all names that it reads anywhere, so that a new page is tried without
anybody thinking of it. On PostgreSQL only, which refuses more than SQLite does. The quick walk gives each name every fifth
of the hostile values, another fifth than its neighbour, and each place of an address a third of them, another third than
the route before; the long one gives each name and each place all of them.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from accounts_cast import give, make_person, sign_in
from factories import (
    make_application,
    make_commission,
    make_link,
    make_partner,
    make_payout,
    make_plan,
    make_program,
)
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import FlaskForm
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug import test as werkzeug_test
from werkzeug.routing import Rule
from werkzeug.wsgi import get_current_url
from wtforms.fields.core import UnboundField

from affiliate import ids
from affiliate.accounts import access
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.keys import SCOPES
from affiliate.accounts.models import GrantRole, User
from affiliate.app import create_app
from affiliate.settings import Settings

# Who walks, and the kinds of routes that let them in: the others refuse before they read anything.
ROLES = {"visitor": {"public"}, "partner": {"partner", "signed_in"}, "admin": {"console"}, "key": {"key"}}
# As they stand in an address and in the body of a form.
HOSTILE = (
    "",
    "%00",
    "%ff%fe",
    "%ed%a0%80",  # half a character
    "-1",
    "%C2%B2",  # a digit to `isdigit`, and not a number to `int`
    "9" * 19,
    "9" * 5_000,  # longer than Python reads
    "1e400",
    "0001-01-01",
    "9999-12-31",
    "n-62135596800000000." + "0" * 32,
    "o253402300799999999." + "f" * 32,
    "com_" + "z" * 26,
    "cur_7" + "z" * 25,
    "..%2F..%2Fetc%2Fpasswd",
    "%0D%0AX-Injected:%20yes",
    "%F0%9F%8D%9D",
    "javascript:alert(1)",
    "http://[",
)
IN_PATHS = ("%00", "%ff%fe", "9" * 5_000, "com_" + "z" * 26, "..%2F..%2Fetc%2Fpasswd", "%0D%0AX-Injected:%20yes")
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{",
    b'"\\ud800"',
    b"1e999",
    b"\xff\xfe",
    b"[" * 5_000,
    b"9" * 5_000,
    b'{"program": "casa", "program": "casa"}',
    b'{"program": ["casa"], "ref": 1, "nonce": {}}',
    b'[null, 1, "x", {}, []]',
    b'{"partner_id": "PARTNER", "landing_url": "https://www.shop.example/", "name": "a\\u0000b"}',
    b'{"partner_id": "PARTNER", "landing_url": "https://www.shop.example/", "name": "\\ud800"}',
    b'{"partner_id": "PARTNER", "landing_url": "https://www.shop.example/\\u0000"}',
    b'{"partner_id": "PARTNER", "landing_url": "http://[", "subs": {"sub1": "\\u0000", "\\ud800": "x"}}',
)
_READ = re.compile(r"""(?:args|form|values)(?:\.get(?:list)?\(|\[)"(\w+)\"""")
_PLACE = re.compile(r"<(?:([^:<>]+):)?([^<>]+)>")
_SOURCE = Path(__file__).parent.parent / "affiliate"
_OF_URL_FOR = {"slug", "_external", "_scheme", "_anchor", "_method", "next"}


def names() -> list[str]:
    """Everything that a page reads from an address or a form, wherever it does."""
    read = {name for path in _SOURCE.rglob("*.py") for name in _READ.findall(path.read_text())}
    return sorted(read | _OF_URL_FOR | {name for form in _forms(FlaskForm) for name in _fields(form)})


def _forms(kind: type) -> Iterator[type]:
    found: list[type] = kind.__subclasses__()
    for form in found:
        yield form
        yield from _forms(form)


def _fields(form: type) -> Iterator[str]:
    for name in dir(form):
        if isinstance(getattr(form, name, None), UnboundField):
            yield name


@dataclass
class Stage:
    """A program with one row of everything, and somebody who looks at it."""

    app: Flask
    role: str
    user: User | None
    key: str | None
    values: dict[str, str]
    failures: list[str] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=itertools.count)

    def browser(self) -> FlaskClient:
        """The person's browser."""
        browser = self.app.test_client()
        if self.user is not None:
            assert sign_in(browser, self.user).location == "/welcome"
        return browser

    def is_signed_out(self, browser: FlaskClient) -> bool:
        """Whether something that was sent has ended the session: signing in each time would reach its limit."""
        return self.user is not None and browser.get("/account/").status_code != 200

    def send(self, browser: FlaskClient, method: str, address: str, **body: Any) -> None:
        """Send a request from an address of its own, so that no limit answers first, and note a failure of ours."""
        number = next(self.number)
        elsewhere = {"REMOTE_ADDR": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            answer = browser.open(address, method=method, headers=headers, environ_base=elsewhere, **body)
        except Exception as error:  # noqa: BLE001 - the walk goes on; under test the application lets errors through
            self.failures.append(
                f"{method} {address[:160]} {str(body)[:80]}: {type(error).__name__} {str(error)[:160]}"
            )
            return
        if answer.status_code >= 500 or "X-Injected" in answer.headers:
            self.failures.append(f"{method} {address[:160]} {str(body)[:80]}: {answer.status}")
        # Our own links lead where they led before, whatever the address says.
        if answer.mimetype == "text/html" and re.search(r'(?:href|action)="(?:javascript:|https?://\[)', answer.text):
            self.failures.append(f"{method} {address[:160]}: a link of ours leads elsewhere")

    def rules(self, method: str) -> list[Rule]:
        """The routes that are open to the role."""
        return [
            rule
            for rule in self.app.url_map.iter_rules()
            if method in (rule.methods or ())
            and (found := access.declaration_of(self.app, rule.endpoint, method))
            and found.kind in ROLES[self.role]
        ]

    def addresses(self, rule: Rule, number: int, step: int) -> Iterator[str]:
        """The address with real values, and with one hostile value for each place in turn; `number` is the route's."""
        yield self._address(rule, {})
        every = min(step, 3)
        for name in sorted(rule.arguments):
            for hostile in IN_PATHS[number % every :: every]:
                yield self._address(rule, {name: hostile})

    def _address(self, rule: Rule, chosen: dict[str, str]) -> str:
        def value(place: re.Match[str]) -> str:
            kind, name = place.group(1) or "", place.group(2)
            if name in chosen:
                return chosen[name]
            if kind.startswith("any"):
                return kind[4:-1].split(",")[0].strip()
            prefix = kind.removeprefix('public("')[:3] if kind else f"{name[:-3]}"
            return self.values.get(prefix) or self.values.get(name) or "x"

        return _PLACE.sub(value, rule.rule)


WALKS = [12, pytest.param(1, marks=[pytest.mark.faults, pytest.mark.timeout(1_800)])]
pytestmark = [
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
    pytest.mark.parametrize("stage", ROLES, indirect=True),
    pytest.mark.parametrize("step", WALKS),
]


def hostile_pairs(step: int) -> Iterator[str]:
    """Queries and forms in which each name gets one value; over all of them, each name gets one in `step` values."""
    read = names()
    for turn in range(0, len(HOSTILE), step):
        yield "&".join(f"{name}={HOSTILE[(place + turn) % len(HOSTILE)]}" for place, name in enumerate(read))


@pytest.fixture
def stage(settings: Settings, engine: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage for the role that the test names."""
    # Werkzeug's browser writes the whole address twice to find its cookies: a third of the time, for queries as long as ours.
    monkeypatch.setattr(werkzeug_test, "get_current_url", lambda sent: get_current_url(sent | {"QUERY_STRING": ""}))
    app = create_app(settings)
    app.config.update(WTF_CSRF_ENABLED=False)
    with Session(engine, expire_on_commit=False) as session:
        user, key, values = _set_up(session, request.param)
    return Stage(app, request.param, user, key, values)


def _set_up(session: Session, role: str) -> tuple[User | None, str | None, dict[str, str]]:
    program = make_program(session, slug="casa")
    make_plan(session, program=program)
    person = make_person(session, "Mara")
    partner = make_partner(session, program=program, user=person if role == "partner" else None)
    application = make_application(session, program=program, partner=partner, user=make_person(session, "Enzo"))
    link = make_link(session, program=program, partner=partner)
    commission = make_commission(session, program=program, partner=partner, link=link)
    payout = make_payout(session, program=program, partner=partner, proposer=make_person(session, "Finn"))
    if role == "admin":
        give(session, person, GrantRole.ADMIN)
    actor = Actor(kind="user", id=person.id)
    scopes = [scope for scope in SCOPES if scope != "admin"]
    key, secret = accounts.create_api_key(
        session, program_id=program.id, name="Dev", scopes=scopes, actor=actor, now=application.submitted_at
    )
    session.commit()
    rows = {"ptn": partner.id, "lnk": link.id, "com": commission.id, "cnv": commission.conversion_id}
    rows |= {"pay": payout.id, "run": payout.run_id, "key": key.id}
    values = {prefix: ids.public(prefix, row) for prefix, row in rows.items()}
    of_api = {"partner": values["ptn"], "link": values["lnk"], "conversion": values["cnv"]}
    signed_in = None if role in {"visitor", "key"} else person
    return signed_in, secret if role == "key" else None, values | of_api | {"slug": "casa"}


def test_nothing_in_an_address_makes_us_fail(stage: Stage, step: int) -> None:
    browser, queries = stage.browser(), list(hostile_pairs(step))
    for number, rule in enumerate(stage.rules("GET")):
        real, *hostile = stage.addresses(rule, number, step)
        for address in (real, *hostile):
            stage.send(browser, "GET", address)
        for query in queries:
            stage.send(browser, "GET", f"{real}?{query}")
        if real.startswith("/api/"):  # one wrong argument would keep the others from being read
            for name, value in itertools.product(("cursor", "order_id", "partner", "limit"), HOSTILE[::step]):
                stage.send(browser, "GET", f"{real}?{name}={value}")
    assert stage.failures == []


def test_nothing_in_a_form_or_a_body_makes_us_fail(stage: Stage, step: int) -> None:
    forms, encoded = list(hostile_pairs(step)), "application/x-www-form-urlencoded"
    browser = stage.browser()
    for number, rule in enumerate(stage.rules("POST")):
        if stage.is_signed_out(browser):
            browser = stage.browser()
        real, *hostile = stage.addresses(rule, number, step)
        for address in (real, *hostile):
            stage.send(browser, "POST", address)
        if real.startswith(("/api/", "/t/")):
            for body in BODIES:
                sent = body.replace(b"PARTNER", stage.values["ptn"].encode())
                stage.send(browser, "POST", real, data=sent, content_type="application/json")
        for fields in forms:
            stage.send(browser, "POST", real, data=fields, content_type=encoded)
    assert stage.failures == []
