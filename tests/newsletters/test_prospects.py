"""Prospects get newsletters once they have confirmed, each once, and none after they have stopped or become partners."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from factories import make_program
from mail_server import MailServer
from newsletter_cast import make_choice, make_issue, order, work

from affiliate import db, ids
from affiliate.mailer import OutboxMail
from affiliate.newsletters import audiences, jobs, prospects, segments
from affiliate.newsletters.audiences import Audience
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


@pytest.mark.parametrize("whose", ["deleted", "another program's", "no id"])
def test_a_saved_choice_that_is_not_here_means_nobody_at_all(program: Program, now: datetime, whose: str) -> None:
    confirm(ask(program, "paula@example.test", now=now), now=now)
    with db.transaction() as session:
        theirs = make_choice(session, program=make_program(session), now=now, status="approved")
        ours = make_choice(session, program=program, now=now, status="paused")
    choice = {"deleted": str(ids.new()), "another program's": theirs, "no id": "nonsense"}[whose]
    with db.transaction() as session:
        here: dict[str, Any] = {"program_id": program.id, "language": "en", "kind": IssueKind.NEWS, "now": now}
        counted = audiences.audience(session, segment=replace(EVERYBODY, choice=choice), **here)
        assert counted == Audience(0, 0, 0, lacks_choice=True)
        issue = make_issue(session, program=program, now=now, segment=replace(EVERYBODY, choice=choice))
        next_ones: dict[str, Any] = {"issue": issue, "segment": segments.read(issue.segment), "after": None, "limit": 9}
        assert not audiences.readers_after(session, **next_ones, now=now)
        assert not audiences.prospects_after(session, **next_ones)
        held = audiences.audience(session, segment=replace(EVERYBODY, choice=ours), **here)
        assert (held.readers, held.lacks_choice) == (1, False)  # a choice of partners says nothing about prospects


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
