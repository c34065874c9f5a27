"""A program with its people, a partner with sales, an applicant; and a signed-in browser for each person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person, sign_in
from console_cast import Cast
from factories import make_application, make_link, make_partner, make_plan, make_program
from flask import Flask
from flask.testing import FlaskClient
from money_cast import Books, person
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.accounts.models import GrantRole, User
from affiliate.partners.models import EnrollmentStatus


@pytest.fixture
def cast(app_session: Session) -> Cast:
    """The people and the program, on the app's database."""
    program = make_program(app_session, slug="casa", name="Casa Ondera")
    other = make_program(app_session, slug="altra", name="Altra")
    make_plan(app_session, program=program, effective_from=clock.now() - timedelta(days=400))
    people = {name: make_person(app_session, name) for name in ("Mara", "Max", "Finn", "Ada")}
    give(app_session, people["Mara"], GrantRole.MANAGER, program)
    give(app_session, people["Max"], GrantRole.MANAGER, program)
    give(app_session, people["Finn"], GrantRole.FINANCE, program)
    give(app_session, people["Ada"], GrantRole.ADMIN)
    marta = make_person(app_session, "Marta")
    partner = make_partner(app_session, program=program, user=marta, name="Slow Kitchen")
    make_link(app_session, program=program, partner=partner, code="ragu", name="Sunday ragù")
    applicant = make_partner(app_session, program=program, status=EnrollmentStatus.PENDING, name="Ferro e Fuoco")
    make_application(app_session, program=program, partner=applicant, user=make_person(app_session, "Enzo"))
    app_session.commit()
    alice, bob = person(people["Mara"]), person(people["Finn"])
    books = Books(session=app_session, program=program, partner=partner, alice=alice, bob=bob)
    return Cast(
        app_session,
        books,
        program,
        other,
        people["Mara"],
        people["Max"],
        people["Finn"],
        people["Ada"],
        partner,
        applicant,
    )


@pytest.fixture
def browser_of(app: Flask) -> Callable[[User], FlaskClient]:
    """A signed-in browser of a person."""

    def signed_in(user: User) -> FlaskClient:
        browser = app.test_client()
        sign_in(browser, user)
        return browser

    return signed_in


@pytest.fixture
def mara(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> FlaskClient:
    """The manager's browser."""
    return browser_of(cast.mara)


@pytest.fixture
def finn(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> FlaskClient:
    """The browser of finance."""
    return browser_of(cast.finn)


@pytest.fixture
def marta(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> FlaskClient:
    """The browser of the partner's owner."""
    owner = cast.session.scalars(sa.select(User).where(User.name == "Marta Example")).one()
    cast.session.commit()
    return browser_of(owner)
