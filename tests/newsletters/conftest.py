"""A mail server, a clock that stands, and a program with two readers, on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import mail_server
import pytest
import time_machine
from factories import make_link, make_program
from mail_server import MailServer
from newsletter_cast import make_issue, make_reader, order

from affiliate import db
from affiliate import settings as settings_module
from affiliate.newsletters.models import NewsletterIssue
from affiliate.programs.models import Program
from affiliate.settings import Settings


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server, named in the settings of this process."""
    with mail_server.running() as server:
        monkeypatch.setenv("AFFILIATE_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        settings_module.current.cache_clear()
        yield server


@pytest.fixture
def time(now: datetime) -> Iterator[time_machine.Traveller]:
    """The clock stands at `now` until a test moves it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def program(settings: Settings) -> Program:
    """A program; Alice has a link there, Bob has none."""
    with db.transaction() as session:
        program = make_program(session, slug="casa", name="Casa Ondera", time_zone="Europe/Rome")
        _, partner = make_reader(session, program=program)
        make_link(session, program=program, partner=partner, code="ragu")
        make_reader(session, program=program, name="Bob Example", locale="it")
        return program


@pytest.fixture
def issue(program: Program, time: time_machine.Traveller, now: datetime) -> NewsletterIssue:
    """An issue whose time has just come."""
    with db.transaction() as session:
        issue = order(session, make_issue(session, program=program, now=now), now=now)
    time.shift(timedelta(minutes=10))
    return issue
