"""A mail asks to be told of its opening only where its reader agreed, once, and what was told is forgotten on a word."""

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from factories import make_program
from mail_server import MailServer
from newsletter_cast import deliveries, make_issue, order, work
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate import settings as settings_module
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.newsletters import (
    carrier,
    delivering,
    fetchers,
    openings,
    preferences,
    prospects,
    queries,
    results,
    tokens,
)
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import (
    NewsletterIssue,
    NewsletterOpening,
    OpeningConsent,
    Prospect,
    ProspectStatus,
)
from affiliate.newsletters.results import Openings
from affiliate.newsletters.segments import Segment
from affiliate.programs.models import Program

ALICE, BOB, PAULA = "alice@example.test", "bob@example.test", "paula@example.test"
_PICTURE = re.compile(r'<img src="http://localhost/n/opened/([^"]+)" width="1" height="1" alt="">')


def person(email: str) -> UUID:
    with db.reading() as session:
        return session.scalars(sa.select(User.id).where(User.email == email)).one()


def agree(program: Program, *emails: str, now: datetime) -> None:
    for email in emails:
        with db.transaction() as session:
            openings.agree(
                session, user_id=person(email), program_id=program.id, consent_text="Tell", source="page", now=now
            )


def withdraw(program: Program, email: str) -> bool:
    with db.transaction() as session:
        return openings.withdraw(session, user_id=person(email), program_id=program.id)


def parts(server: MailServer, email: str) -> tuple[str, str]:
    """The text and the HTML of the last mail to somebody."""
    mail = next(message for message in reversed(server.messages) if message["To"] == email)
    text, html = (part.get_content() for part in mail.iter_parts())
    return text, html


def opened(server: MailServer, email: str) -> UUID:
    """Which delivery the only picture in somebody's mail names."""
    (token,) = _PICTURE.findall(parts(server, email)[1])
    return tokens.read_opening(settings_module.current().secret_key, token)


def record(delivery_id: UUID) -> None:
    with db.transaction() as session:
        openings.record(session, delivery_id=delivery_id)


def told(issue: NewsletterIssue) -> Openings:
    with db.reading() as session:
        return results.openings(session, issue_id=issue.id)


def left() -> int:
    """How much stands in both tables."""
    with db.reading() as session:
        return sum(
            session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (OpeningConsent, NewsletterOpening)
        )


def test_a_mail_to_who_has_not_agreed_holds_no_picture(server: MailServer, issue: NewsletterIssue) -> None:
    work()
    for email in (ALICE, BOB):
        assert all("<img" not in part and "/opened/" not in part for part in parts(server, email))
    assert told(issue) == Openings(0, 0)
    assert left() == 0


def test_a_mail_to_who_agreed_holds_one_in_its_html_and_nobody_elses_does(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    agree(program, ALICE, ALICE, now=now)
    work()
    assert opened(server, ALICE) == deliveries(issue)[ALICE].id
    text, html = parts(server, ALICE)
    assert "/opened/" not in text
    assert (html.count("<img"), html.rstrip().endswith("</html>")) == (1, True)
    assert all("<img" not in part and "/opened/" not in part for part in parts(server, BOB))
    assert told(issue) == Openings(agreed=1, opened=0)


def test_agreeing_is_with_one_program(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    with db.transaction() as session:
        other = make_program(session, slug="altra")
    agree(other, ALICE, now=now)
    work()
    assert "<img" not in parts(server, ALICE)[1]


def test_an_opening_counts_once(server: MailServer, issue: NewsletterIssue, program: Program, now: datetime) -> None:
    agree(program, ALICE, BOB, now=now)
    work()
    for _twice in range(2):
        record(opened(server, ALICE))
    assert told(issue) == Openings(agreed=2, opened=1)
    with db.reading() as session:
        assert not queries.awaits_opening(session, delivery_id=opened(server, ALICE))
        assert queries.awaits_opening(session, delivery_id=opened(server, BOB))


def test_an_opening_of_a_mail_that_did_not_ask_is_none(server: MailServer, issue: NewsletterIssue) -> None:
    work()
    record(deliveries(issue)[ALICE].id)
    record(ids.new())
    assert left() == 0


def test_taken_back_it_forgets_what_was_and_what_comes_even_if_given_again(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    agree(program, ALICE, BOB, now=now)
    work()
    for email in (ALICE, BOB):
        record(opened(server, email))
    assert withdraw(program, ALICE) is True
    assert told(issue) == Openings(agreed=1, opened=1)
    record(opened(server, ALICE))
    agree(program, ALICE, now=now)
    record(opened(server, ALICE))
    assert told(issue) == Openings(agreed=1, opened=1)
    assert (withdraw(program, ALICE), withdraw(program, ALICE)) == (True, False)


def test_who_stops_all_newsletters_has_taken_it_back(program: Program, now: datetime) -> None:
    agree(program, ALICE, now=now)
    here: dict[str, Any] = {"user_id": person(ALICE), "program_id": program.id, "source": "page", "now": now}
    with db.transaction() as session:
        preferences.choose(session, **here, wanted=[IssueKind.NEWS])
    assert left() == 1
    with db.transaction() as session:
        preferences.choose(session, **here, wanted=())
    assert left() == 0


def test_who_takes_it_back_while_mails_leave_gets_one_without_a_picture(
    server: MailServer,
    issue: NewsletterIssue,
    program: Program,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = carrier.connection

    @contextlib.contextmanager
    def taken_back_meanwhile(*of: Any) -> Iterator[Any]:
        withdraw(program, ALICE)  # the rows of the batch were read before
        with connection(*of) as carry:
            yield carry

    agree(program, ALICE, BOB, now=now)
    monkeypatch.setattr(carrier, "connection", taken_back_meanwhile)
    work()
    assert server.received() == {ALICE: 1, BOB: 1}
    assert "<img" not in parts(server, ALICE)[1]
    assert "<img" in parts(server, BOB)[1]
    assert told(issue) == Openings(agreed=1, opened=0)


def test_a_mail_that_did_not_arrive_is_not_among_those_that_could_be_opened(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    agree(program, ALICE, BOB, now=now)
    server.answers[ALICE] = "550 5.1.1 no such person"
    server.closes_at = BOB
    work()
    assert told(issue) == Openings(0, 0)
    server.closes_at = ""
    record(deliveries(issue)[BOB].id)
    assert told(issue) == Openings(1, 1)  # uncertain, and yet it was opened
    with db.transaction() as session:
        again = {"program_id": program.id, "actor": SYSTEM, "now": now}
        delivering.resend(session, delivery_id=deliveries(issue)[BOB].id, **again)
    work()
    assert told(issue) == Openings(1, 1)
    assert opened(server, BOB) == deliveries(issue)[BOB].id


def test_a_prospect_agrees_and_stopping_or_being_erased_forgets_it(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    paula = Prospect(id=ids.new(), program_id=program.id, email=PAULA, name="Paula", locale="en", source="")
    paula.status, paula.consent_text, paula.asked_at = ProspectStatus.CONFIRMED, "Yes", now
    whose: dict[str, Any] = {"prospect_id": paula.id, "program_id": program.id}
    with db.transaction() as session:
        session.add(paula)
        session.flush()
        openings.agree(session, **whose, consent_text="Tell", source="page", now=now)
        only = Segment(statuses=(), prospects=True)
        issue = order(session, make_issue(session, program=program, now=now, segment=only), now=now)
    time.shift(timedelta(minutes=10))
    work()
    record(opened(server, PAULA))
    assert told(issue) == Openings(1, 1)
    with db.transaction() as session:
        prospects.stop(session, prospect_id=paula.id, now=now)
    assert (told(issue), left()) == (Openings(0, 0), 0)
    with db.transaction() as session:
        openings.agree(session, **whose, consent_text="Tell", source="page", now=now)
        prospects.erase(session, prospect=session.get_one(Prospect, paula.id), now=now)
    assert left() == 0


def test_what_is_written_while_it_is_taken_back_is_forgotten_with_it(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    agree(program, ALICE, BOB, now=now)
    work()
    delivery_id, late = opened(server, ALICE), deliveries(issue)[BOB].id
    with db.reading() as session:
        consent_id = session.scalars(sa.select(OpeningConsent.id).where(OpeningConsent.user_id == person(ALICE))).one()
    withdraw(program, BOB)  # whose mail stands here for another of Alice's, which is about to leave
    with db.transaction() as session:
        openings.record(session, delivery_id=delivery_id)
        assert openings.expect(session, delivery_id=late, consent_id=consent_id)
        other = Thread(target=withdraw, args=(program, ALICE))
        other.start()
    other.join()
    assert left() == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_mail_that_leaves_never_waits_for_who_takes_it_back(program: Program, now: datetime) -> None:
    """SQLite has one writer at a time."""
    agree(program, ALICE, now=now)
    with db.reading() as session:
        consent_id = session.scalars(sa.select(OpeningConsent.id)).one()
    engine = db.make_engine(settings_module.current().database_url)
    with Session(engine) as taking, taking.begin():
        openings.withdraw(taking, user_id=person(ALICE), program_id=program.id)
        with db.transaction() as session:
            session.execute(sa.text("SET LOCAL lock_timeout = '1ms'"))
            assert openings.expect(session, delivery_id=ids.new(), consent_id=consent_id) is False
    engine.dispose()


@pytest.mark.parametrize(
    ("agent", "purpose", "counts"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0", "", True),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "", True),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "", True),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0", "", False),
        ("Mozilla/5.0", "", False),
        ("Googlebot/2.1 (+http://www.google.com/bot.html)", "", False),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "prefetch", False),
    ],
)
def test_a_picture_that_nobody_looks_at_tells_of_no_opening(agent: str, purpose: str, *, counts: bool) -> None:
    assert fetchers.is_reader(user_agent=agent, purpose=purpose) is counts
