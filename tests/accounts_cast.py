"""The cast of the tests of accounts: a password, rights, and routes of every kind."""

from collections.abc import Callable
from typing import Any

import factories
from flask import Blueprint, g, jsonify
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.accounts import access, passwords
from affiliate.accounts.models import GrantRole, User
from affiliate.programs.models import Program

PASSWORD = "four pale otters in the rain"
_HASH = passwords.hash_of(PASSWORD)


def make_person(session: Session, name: str) -> User:
    """A person with the password above and no rights."""
    person = factories.make_user(session, email=f"{name.lower()}@example.test", name=f"{name} Example", password=_HASH)
    session.commit()
    return person


def read(session: Session, statement: Any) -> list[Any]:
    """What the statement finds now. The transaction ends, so that the app can write again on SQLite."""
    found = list(session.scalars(statement.execution_options(populate_existing=True)))
    session.commit()
    return found


def give(session: Session, person: User, role: GrantRole, program: Program | None = None) -> None:
    """Give a role straight in the tables, as it stands before the person signs in."""
    factories.make_grant(session, user=person, role=role, program=program)
    session.commit()


def sign_in(browser: FlaskClient, person: User, *, password: str = PASSWORD, **rest: str) -> Any:
    """Send the form of the sign-in page."""
    return browser.post("/login", data={"email": person.email, "password": password, **rest})


def is_signed_in(browser: FlaskClient) -> bool:
    """Whether the account page opens."""
    return browser.get("/account/").status_code == 200


def probes() -> Blueprint:
    """A route of every kind; each tells who it thinks is acting."""
    blueprint = Blueprint("probes", __name__)
    for kind, rule, declaration in (
        ("partner", "/portal/<slug>/probe", access.partner),
        ("console", "/console/<slug>/probe", access.console("manager", "finance")),
        ("everywhere", "/console/probe", access.console()),
        ("money", "/console/<slug>/money", access.fresh(access.console("finance"))),
        ("write", "/api/v1/probe", access.key("conversions:write")),
    ):
        blueprint.add_url_rule(rule, kind, declaration(_probe()), methods=["GET", "POST"])
    return blueprint


def _probe() -> Callable[..., Any]:
    def probe(slug: str = "") -> Any:
        actor, partner, key = access.actor(), g.get("partner"), g.get("api_key")
        return jsonify(
            {
                "actor": [actor.kind, str(actor.id)],
                "partner": partner.name if partner else None,
                "roles": sorted(g.get("roles", ())),
                "is_test": key.is_test if key else None,
            }
        )

    return probe


def forget_password(browser: FlaskClient) -> None:
    """The sign-in is an old one by now: the password is asked for before what opens doors."""
    with browser.session_transaction() as cookie:
        cookie["fs_paa"] = 0
        cookie.pop("fs_gexp", None)
