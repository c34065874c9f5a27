"""Prospects get newsletters once they have confirmed, each once, and none after they have stopped or become partners."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from mail_server import MailServer
from newsletter_cast import make_issue, order, work

from affiliate import db
from affiliate.mailer import OutboxMail
from affiliate.newsletters import audiences, jobs, prospects
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import NewsletterDelivery, Prospect, ProspectStatus
from affiliate.newsletters.prospects import ConfirmationOver, SignUp
from affiliate.newsletters.segments import Segment
from affiliate.programs.models import Program

EVERYBODY = Segment(prospects=True)


def ask(program: Program, email: str, *, now: datetime, locale: str = "en") -> Prospect:
    typed = SignUp(email, email.partition("@")[0].title(), locale, "Yes, send me news.", "blog")
    with db.transaction() as session:
        prospects.sign_up(session, program=program, typed=typed, now=now)
    return known(program, email)


def known(program: Program, email: str) -> Prospect:
    with db.reading() as session:
        found = audiences.prospect_by_email(session, program_id=program.id, email=email)
    assert found is not None
    return found


def confirm(prospect: Prospect, *, now: datetime) -> None:
    with db.transaction() as session:
        prospects.confirm(session, prospect_id=prospect.id, now=now)


def asked_mails() -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxMail)) or 0


def test_prospects_who_confirmed_get_it_beside_partners_and_nobody_twice(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    for email in ("paula@example.test", "otto@example.test", "alice@example.test"):
        asked = ask(program, email, now=now)
        if email != "otto@example.test":
            confirm(asked, now=now)
    assert known(program, "paula@example.test").consent_text == "Yes, send me news."
    with db.transaction() as session:
        issue = order(session, make_issue(session, program=program, now=now, segment=EVERYBODY), now=now)
        counted = audiences.audience(
            session, program_id=program.id, segment=EVERYBODY, language="en", kind=IssueKind.NEWS, now=now
        )
    assert (counted.matching, counted.readers) == (3, 3)
    time.shift(timedelta(minutes=10))
    work()
    assert server.received() == {"alice@example.test": 1, "bob@example.test": 1, "paula@example.test": 1}
    mail = next(message for message in server.messages if message["To"] == "paula@example.test")
    text = next(mail.iter_parts()).get_content()
    assert "Dear Paula of Paula" in text
    assert "http://localhost/apply/casa" in text
    assert "because you asked for news" in text
    with db.reading() as session:
        released = session.scalar(sa.select(sa.func.count()).where(NewsletterDelivery.issue_id == issue.id))
    assert released == 3


def test_a_segment_of_prospects_alone_goes_to_no_partner_and_asks_for_their_language(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    confirm(ask(program, "paula@example.test", now=now), now=now)
    confirm(ask(program, "piotr@example.test", now=now, locale="pl"), now=now)
    with db.transaction() as session:
        only = Segment(statuses=(), languages=("pl",), prospects=True)
        order(session, make_issue(session, program=program, now=now, segment=only), now=now)
    time.shift(timedelta(minutes=10))
    work()
    assert server.received() == {"piotr@example.test": 1}


def test_a_kind_that_a_prospect_does_not_want_is_not_sent_also_if_it_says_so_after_the_release(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    others = [kind for kind in IssueKind if kind is not IssueKind.NEWS]
    paula, otto, rosa = (ask(program, f"{name}@example.test", now=now) for name in ("paula", "otto", "rosa"))
    for prospect in (paula, otto, rosa):
        confirm(prospect, now=now)
    only = Segment(statuses=(), prospects=True)
    with db.transaction() as session:
        prospects.choose(session, prospect_id=paula.id, wanted=others)
        order(session, make_issue(session, program=program, now=now, segment=only), now=now)
        counted = audiences.audience(
            session, program_id=program.id, segment=only, language="en", kind=IssueKind.NEWS, now=now
        )
    assert (counted.matching, counted.refusing, counted.readers) == (3, 1, 2)
    time.shift(timedelta(minutes=10))
    jobs.release()
    with db.transaction() as session:
        prospects.choose(session, prospect_id=otto.id, wanted=others)
    work()
    assert server.received() == {"rosa@example.test": 1}


def test_who_stops_after_the_release_gets_nothing(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    paula = ask(program, "paula@example.test", now=now)
    confirm(paula, now=now)
    with db.transaction() as session:
        order(session, make_issue(session, program=program, now=now, segment=EVERYBODY), now=now)
    time.shift(timedelta(minutes=10))
    jobs.release()
    with db.transaction() as session:
        prospects.stop(session, prospect_id=paula.id, now=now)
    work()
    assert "paula@example.test" not in server.received()


def test_a_form_floods_nobody_and_who_gets_news_is_asked_no_more(program: Program, now: datetime) -> None:
    for _ in range(5):
        paula = ask(program, "paula@example.test", now=now)
    assert asked_mails() == 3
    ask(program, "paula@example.test", now=now + timedelta(hours=2))
    assert asked_mails() == 4
    confirm(paula, now=now + timedelta(hours=2))
    confirm(paula, now=now + timedelta(hours=2))
    ask(program, "paula@example.test", now=now + timedelta(days=1))
    assert asked_mails() == 4
    assert known(program, "paula@example.test").status is ProspectStatus.CONFIRMED


def test_an_address_that_nobody_confirms_is_forgotten_and_one_that_stopped_stays_so(
    program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    paula, otto = (ask(program, f"{name}@example.test", now=now) for name in ("paula", "otto"))
    confirm(otto, now=now)
    time.shift(prospects.CONFIRM_WITHIN)
    with pytest.raises(ConfirmationOver):
        confirm(paula, now=now + prospects.CONFIRM_WITHIN)
    assert jobs.forget_unconfirmed() == 1
    with db.reading() as session:
        assert audiences.prospect_by_email(session, program_id=program.id, email="paula@example.test") is None
    with db.transaction() as session:
        prospects.stop(session, prospect_id=otto.id, now=now)
    with pytest.raises(ConfirmationOver):
        confirm(otto, now=now)


def test_an_erased_prospect_has_no_name_anywhere(program: Program, now: datetime) -> None:
    paula = ask(program, "paula@example.test", now=now)
    with db.transaction() as session:
        prospects.erase(session, prospect=paula, now=now)
    with db.reading() as session:
        (left,) = session.scalars(sa.select(Prospect)).all()
    assert (left.name, left.source, left.status) == ("", "", ProspectStatus.STOPPED)
    assert "paula" not in left.email
    assert asked_mails() == 0
