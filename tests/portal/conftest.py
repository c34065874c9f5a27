"""Marta, a partner of one program; Ewa, another partner of it; and Marta's browser."""

import pytest
from accounts_cast import make_person, sign_in
from factories import make_link, make_partner, make_plan, make_program
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session


@pytest.fixture
def cast(app_session: Session) -> Cast:
    """Marta with a link, and Ewa without one."""
    program = make_program(
        app_session, slug="casa", name="Casa Ondera", time_zone="Europe/Rome", payout_min_minor=25_00
    )
    make_plan(app_session, program=program, rate_bps=800)
    person = make_person(app_session, "Marta")
    partner = make_partner(app_session, program=program, user=person, name="Slow Kitchen")
    link = make_link(app_session, program=program, partner=partner, code="ragu", name="Sunday ragù")
    other = make_partner(app_session, program=program, name="Ewa's Pans")
    app_session.commit()
    return Cast(program, person, partner, link, other)


@pytest.fixture
def marta(app: Flask, cast: Cast) -> FlaskClient:
    """Marta's browser, signed in."""
    browser = app.test_client()
    sign_in(browser, cast.person)
    return browser
