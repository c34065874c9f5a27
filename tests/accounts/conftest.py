"""Alice, Bob, and two programs."""

import factories
import pytest
from accounts_cast import make_person, probes
from flask import Flask
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.programs.models import Program


@pytest.fixture
def alice(app_session: Session) -> User:
    """A person with a password and no rights."""
    return make_person(app_session, "Alice")


@pytest.fixture
def bob(app_session: Session) -> User:
    """Somebody else."""
    return make_person(app_session, "Bob")


@pytest.fixture
def one(app: Flask, app_session: Session) -> Program:
    """A program; the app has routes of every kind."""
    app.register_blueprint(probes())
    program = factories.make_program(app_session, slug="one")
    app_session.commit()
    return program


@pytest.fixture
def other(app_session: Session) -> Program:
    """Another program."""
    program = factories.make_program(app_session, slug="other")
    app_session.commit()
    return program
