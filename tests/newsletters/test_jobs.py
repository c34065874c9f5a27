"""A newsletter reaches each reader at most once, whoever dies or goes away meanwhile, and one refused address delays nobody."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from creative_cast import make_creative
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from factories import make_link, make_program
from mail_server import MailServer
from newsletter_cast import (
    Block,
    BlockKind,
    Draft,
    a_draft,
    deliveries,
    issue_now,
    make_choice,
    make_issue,
    make_reader,
    order,
    statuses,
    work,
)
from processes import eventually
from sqlalchemy.orm import Session

from affiliate import clock, db, ids
from affiliate import settings as settings_module
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.creatives.kinds import CreativeKind
from affiliate.links.models import Link
from affiliate.newsletters import carrier, delivering, jobs, queries, service
from affiliate.newsletters.content import fingerprint
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterLink,
    StoryConsent,
    SuppressedAddress,
)
from affiliate.newsletters.segments import Segment
from affiliate.partners import service as partners
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, MemberRole, Partner, PartnerTerms
from affiliate.programs import archive
from affiliate.programs.models import Program, ProgramSender
from affiliate.relations import caring
from affiliate.relations.care_models import PartnerTag
from affiliate.settings import Settings

ALICE, BOB = "alice@example.test", "bob@example.test"


def test_every_reader_gets_one_mail_over_one_connection(server: MailServer, issue: NewsletterIssue) -> None:
    work()
    work()
    assert server.received() == {ALICE: 1, BOB: 1}
    assert len(server.sessions) == 1
    assert set(statuses(issue).values()) == {DeliveryStatus.SENT}
    jobs.send()
    assert issue_now(issue).status is IssueStatus.SENT


def test_a_mail_names_its_reader_and_how_to_stop(server: MailServer, issue: NewsletterIssue) -> None:
    work()
    mail = next(message for message in server.messages if message["To"] == ALICE)
    assert mail["From"] == "Casa Ondera <partners@localhost>"
    assert mail["Subject"] == "News for Alice"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http://localhost/hooks/unsubscribe/")
    assert mail["List-Id"] == "<news.casa.localhost>"
    assert str(deliveries(issue)[ALICE].id) in mail["Message-ID"]
    text, html = (part.get_content() for part in mail.iter_parts())
    assert "Dear Alice of Alice's kitchen" in text
    assert "/r/ragu?sub10=nws_" in text
    assert "Dear Alice of Alice&#x27;s kitchen" in html
    assert 'style="' in html


def test_a_partner_without_a_link_is_led_to_make_one(server: MailServer, issue: NewsletterIssue) -> None:
    work()
    mail = next(message for message in server.messages if message["To"] == BOB)
    assert "http://localhost/portal/casa/links/new" in next(mail.iter_parts()).get_content()


def test_a_reader_gets_a_link_that_counts_or_is_told_that_there_is_none(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    offer = Block("offer", BlockKind.OFFER, {"en": {"title": "Pans", "body": "Until Sunday."}})
    with db.transaction() as session:
        alice, bob = session.scalars(sa.select(Partner).order_by(Partner.name)).all()
        for partner, code, ends in ((alice, "over", now), (alice, "ends", now + timedelta(days=1)), (bob, "gone", now)):
            facts = {"program": program, "partner": partner, "created_at": now - timedelta(days=9)}
            make_link(session, **facts, code=code, expires_at=ends)
        order(session, make_issue(session, program=program, draft=a_draft("News", "Hello.", offer), now=now), now=now)
    time.shift(timedelta(minutes=10))
    work()
    said = {mail["To"]: next(mail.iter_parts()).get_content() for mail in server.messages}
    assert "Your link, ready to copy:\nhttp://localhost/r/ragu?" in said[ALICE]
    assert "You have no link that counts. Make one here:\nhttp://localhost/portal/casa/links/new" in said[BOB]
    assert "ready to copy" not in said[BOB]
    with db.transaction() as session:
        session.execute(sa.delete(Link).where(Link.code == "ragu"))
        here = {"program_id": program.id, "partner_ids": [alice.id, bob.id]}
        assert queries.link_codes(session, **here, now=now) == {alice.id: "ends"}


def test_a_program_with_a_sender_of_its_own_signs_for_its_domain_too(
    server: MailServer, program: Program, issue: NewsletterIssue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*form))
    monkeypatch.setenv("AFFILIATE_DKIM_KEY_FILE", str(tmp_path / "key.pem"))
    monkeypatch.setenv("AFFILIATE_DKIM_SELECTOR", "autumn")
    settings_module.current.cache_clear()
    with db.transaction() as session:
        session.add(ProgramSender(program_id=program.id, address="hi@casa.example", updated_at=clock.now()))
    work()
    mail = server.messages[0]
    assert mail["From"] == "Casa Ondera <hi@casa.example>"
    signed_for = [re.search(r"d=([^;]*);", signature)[1] for signature in mail.get_all("DKIM-Signature")]
    assert signed_for == ["localhost", "casa.example"]


def test_nothing_leaves_before_its_time_and_until_then_it_can_be_taken_back(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = order(session, make_issue(session, program=program, now=now), now=now)
    time.shift(timedelta(minutes=9, seconds=59))
    work()
    assert server.messages == []
    with db.transaction() as session:
        service.undo(session, issue_id=issue.id, program_id=program.id, actor=SYSTEM, now=now)
    time.shift(timedelta(days=1))
    work()
    assert server.messages == []
    assert issue_now(issue).status is IssueStatus.DRAFT


def test_nothing_leaves_from_a_program_that_was_archived_nor_when_it_is_opened_again(
    server: MailServer, program: Program, issue: NewsletterIssue, now: datetime
) -> None:
    facts: dict[str, Any] = {"program_id": program.id, "actor": SYSTEM, "now": now}
    with db.transaction() as session:
        archive.archive(session, reason="The shop is sold", **facts)
    work()
    with db.transaction() as session:
        archive.reopen(session, **facts)
    work()
    assert server.messages == []
    assert issue_now(issue).status is IssueStatus.DRAFT


def test_what_is_under_way_cannot_be_taken_back_but_stopped(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    jobs.release()
    here = {"issue_id": issue.id, "program_id": program.id, "actor": SYSTEM, "now": now}
    with pytest.raises(service.IssueMoved), db.transaction() as session:
        service.undo(session, **here)
    with db.transaction() as session:
        service.stop(session, **here)
    work()
    assert server.messages == []
    with db.transaction() as session:
        service.resume(session, **here)
    work()
    assert server.received() == {ALICE: 1, BOB: 1}


def test_one_person_of_two_partners_gets_one_mail(
    server: MailServer, program: Program, issue: NewsletterIssue, now: datetime
) -> None:
    with db.transaction() as session:
        alice, _ = make_reader(session, program=program, name="Carla Example")
        _, other = make_reader(session, program=program, name="Dora Example")
        partners.add_member(session, user_id=alice.id, partner_id=other.id, role=MemberRole.MARKETER, now=now)
    work()
    assert server.received()["carla@example.test"] == 1


def test_a_refused_address_delays_nobody_and_is_not_asked_again(server: MailServer, issue: NewsletterIssue) -> None:
    server.answers[ALICE] = "550 5.1.1 no such person"
    work()
    assert server.received() == {BOB: 1}
    assert statuses(issue) == {ALICE: DeliveryStatus.REFUSED, BOB: DeliveryStatus.SENT}
    assert deliveries(issue)[ALICE].error == "550 5.1.1 no such person"
    with db.reading() as session:
        assert session.get(SuppressedAddress, ALICE) is not None


def test_an_address_that_is_busy_is_tried_again_later(
    server: MailServer, issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.answers[ALICE] = "451 4.2.1 busy"
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.WAITING, BOB: DeliveryStatus.SENT}
    server.answers.clear()
    time.shift(timedelta(minutes=5))
    work()
    assert server.received() == {ALICE: 1, BOB: 1}


def test_a_busy_address_is_given_up_after_some_tries(
    server: MailServer, issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.answers[ALICE] = "451 4.2.1 busy"
    for _ in range(delivering.ATTEMPTS_MAX):
        work()
        time.shift(timedelta(days=1))
    assert statuses(issue)[ALICE] is DeliveryStatus.FAILED


def test_a_server_that_is_away_costs_no_mail_a_try(
    server: MailServer, issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.stop()
    work()
    assert {delivery.attempts for delivery in deliveries(issue).values()} == {0}
    held = issue_now(issue)
    assert held.trouble
    server.start()
    assert jobs.send() == 0  # not before its time: a server that comes back is not stormed
    time.shift(timedelta(minutes=1))
    work()
    assert server.received() == {ALICE: 1, BOB: 1}
    assert issue_now(issue).trouble is None


def test_a_server_that_wants_no_mail_of_ours_refuses_no_reader(server: MailServer, issue: NewsletterIssue) -> None:
    server.answers = {ALICE: "421 4.7.0 not now", BOB: "421 4.7.0 not now"}
    work()
    assert set(statuses(issue).values()) == {DeliveryStatus.WAITING}
    assert issue_now(issue).holds == 1


def test_a_server_that_is_away_whenever_one_reader_is_named_holds_up_nobody_else(
    server: MailServer, issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.answers = {ALICE: "421 4.7.0 not now"}
    work()
    time.shift(timedelta(minutes=1))
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.WAITING, BOB: DeliveryStatus.SENT}
    server.answers = {}
    time.shift(timedelta(hours=1))
    work()
    assert server.received() == {ALICE: 1, BOB: 1}


def test_a_connection_that_breaks_after_the_text_leaves_one_mail_uncertain_and_never_sends_it_again(
    server: MailServer, issue: NewsletterIssue, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    server.closes_at = ALICE
    work()
    server.closes_at = ""
    time.shift(timedelta(days=1))
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.UNCERTAIN, BOB: DeliveryStatus.SENT}
    assert server.received() == {ALICE: 1, BOB: 1}
    uncertain = deliveries(issue)[ALICE]
    with db.transaction() as session:  # only a manager decides that it goes again
        delivering.resend(session, delivery_id=uncertain.id, program_id=program.id, actor=SYSTEM, now=now)
    work()
    assert server.received() == {ALICE: 2, BOB: 1}
    with pytest.raises(service.IssueMoved), db.transaction() as session:
        delivering.resend(session, delivery_id=uncertain.id, program_id=program.id, actor=SYSTEM, now=now)


def test_a_job_killed_in_the_middle_leaves_one_mail_uncertain_and_the_others_are_sent_once(
    server: MailServer, program: Program, settings: Settings
) -> None:
    with db.transaction() as session:
        for number in range(8):
            make_reader(session, program=program, name=f"Reader{number} Example")
        long_ago = datetime.now().astimezone() - timedelta(hours=1)
        issue = order(session, make_issue(session, program=program, now=long_ago), now=long_ago)
    jobs.release()
    server.waits_at = "reader3@example.test"
    command = [sys.executable, "-c", "from affiliate.newsletters import jobs; jobs.send()"]
    job = subprocess.Popen(command, env=dict(os.environ), cwd=Path(__file__).parents[2])
    eventually(lambda: server.is_waiting, "the job sends the mail that is held up")
    job.send_signal(signal.SIGKILL)
    job.wait()
    server.waits_at = ""
    claimed = [email for email, status in statuses(issue).items() if status is DeliveryStatus.CLAIMED]
    assert claimed == ["reader3@example.test"]
    work()
    assert statuses(issue)["reader3@example.test"] is DeliveryStatus.CLAIMED  # its job may still live
    with time_machine.travel(datetime.now().astimezone() + delivering.CLAIM_MAX + timedelta(seconds=1)):
        work()
        jobs.send()
        assert statuses(issue)["reader3@example.test"] is DeliveryStatus.UNCERTAIN
    assert set(server.received().values()) == {1}
    assert len(server.received()) == 10


def test_what_a_dead_sender_left_is_listed_also_when_the_issue_was_stopped(
    server: MailServer, program: Program, issue: NewsletterIssue, time: time_machine.Traveller, now: datetime
) -> None:
    jobs.release()
    alice = deliveries(issue)[ALICE]
    with db.transaction() as session:
        assert delivering.claim(session, delivery=alice, now=clock.now())
    with db.transaction() as session:
        service.stop(session, issue_id=issue.id, program_id=program.id, actor=SYSTEM, now=now)
    assert jobs.send() == 0
    assert statuses(issue)[ALICE] is DeliveryStatus.CLAIMED  # it may still be under way
    time.shift(delivering.CLAIM_MAX + timedelta(seconds=1))
    assert jobs.send() == 0
    assert statuses(issue) == {ALICE: DeliveryStatus.UNCERTAIN, BOB: DeliveryStatus.WAITING}
    with db.reading() as session:
        assert [row.email for row in session.execute(queries.undelivered(issue.id))] == [ALICE]
    assert server.messages == []


def test_a_reader_who_stops_after_the_release_gets_nothing(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    from affiliate.newsletters import preferences

    jobs.release()
    user_id = deliveries(issue)[ALICE].user_id
    with db.transaction() as session:
        preferences.choose(session, user_id=user_id, program_id=program.id, wanted=(), source="page", now=now)
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.SKIPPED, BOB: DeliveryStatus.SENT}


def _ban(session: Session, delivery: NewsletterDelivery) -> None:
    session.execute(sa.update(Enrollment).where(_of(delivery)).values(status=EnrollmentStatus.BANNED))


def _pause(session: Session, delivery: NewsletterDelivery) -> None:
    session.execute(sa.update(Enrollment).where(_of(delivery)).values(status=EnrollmentStatus.PAUSED))


def _leave(session: Session, delivery: NewsletterDelivery) -> None:
    """The person works for another partner of the program now, who is none yet, and a colleague from there for theirs."""
    issue = session.get_one(NewsletterIssue, delivery.issue_id)
    program = session.get_one(Program, issue.program_id)
    colleague, other = make_reader(session, program=program, name="Carla Example")
    for user_id, partner_id in ((delivery.user_id, other.id), (colleague.id, delivery.partner_id)):
        session.execute(sa.update(Member).where(Member.user_id == user_id).values(partner_id=partner_id))
    waits = sa.update(Enrollment).where(Enrollment.partner_id == other.id)
    session.execute(waits.values(status=EnrollmentStatus.PENDING))


def _deactivate(session: Session, delivery: NewsletterDelivery) -> None:
    session.execute(sa.update(User).where(User.id == delivery.user_id).values(active=False))


def _of(delivery: NewsletterDelivery) -> sa.ColumnElement[bool]:
    return Enrollment.partner_id == delivery.partner_id


@pytest.mark.parametrize("becomes_none", [_ban, _pause, _leave, _deactivate])
def test_who_is_no_reader_any_more_after_the_release_gets_nothing(
    server: MailServer, issue: NewsletterIssue, becomes_none: Callable[[Session, NewsletterDelivery], None]
) -> None:
    jobs.release()
    with db.transaction() as session:
        becomes_none(session, deliveries(issue)[ALICE])
    work()
    assert server.received() == {BOB: 1}
    assert statuses(issue) == {ALICE: DeliveryStatus.SKIPPED, BOB: DeliveryStatus.SENT}


def to_a_choice(session: Session, program: Program, *, now: datetime) -> NewsletterIssue:
    """An issue that was ordered, to approved and paused partners of a saved choice: those approved with Alice's tag."""
    alice = sa.select(Member.partner_id).join(User, User.id == Member.user_id).where(User.email == ALICE)
    session.add(PartnerTag(program_id=program.id, partner_id=session.scalars(alice).one(), tag="video"))
    choice = make_choice(session, program=program, now=now, tag="video", status="approved")
    segment = Segment(statuses=("approved", "paused"), choice=choice)
    return order(session, make_issue(session, program=program, now=now, segment=segment), now=now)


def delete_choice(issue: NewsletterIssue) -> None:
    """Somebody deletes the saved choice that an issue goes to."""
    with db.transaction() as session:
        caring.delete_segment(session, program_id=issue.program_id, segment_id=UUID(issue.segment["choice"]))


def test_an_issue_goes_to_the_partners_of_its_saved_choice(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = to_a_choice(session, program, now=now)
    time.shift(timedelta(minutes=10))
    work()
    assert server.received() == {ALICE: 1}
    assert statuses(issue) == {ALICE: DeliveryStatus.SENT}


def test_an_issue_whose_saved_choice_was_deleted_cannot_be_ordered_and_does_not_begin_to_leave(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = to_a_choice(session, program, now=now)
    delete_choice(issue)
    time.shift(timedelta(minutes=10))
    work()
    assert server.messages == []
    assert deliveries(issue) == {}
    back = issue_now(issue)
    assert (back.status, back.trouble) == (IssueStatus.DRAFT, service.CHOICE_DELETED)
    with pytest.raises(service.NotReady) as refusal, db.transaction() as session:
        order(session, back, now=clock.now())
    assert refusal.value.errors == {"schedule": [service.CHOICE_DELETED]}


@pytest.mark.parametrize("is_deleted", [True, False])
def test_who_leaves_the_saved_choice_after_the_release_is_handled_as_with_any_other_rule(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime, is_deleted: bool
) -> None:
    with db.transaction() as session:
        issue = to_a_choice(session, program, now=now)
    time.shift(timedelta(minutes=10))
    jobs.release()
    if is_deleted:
        delete_choice(issue)
    else:
        with db.transaction() as session:
            session.execute(sa.delete(PartnerTag))
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.SENT}


def test_a_status_that_only_the_issue_allows_and_not_its_saved_choice_is_none_of_a_reader(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = to_a_choice(session, program, now=now)
    time.shift(timedelta(minutes=10))
    jobs.release()
    with db.transaction() as session:
        _pause(session, deliveries(issue)[ALICE])
    work()
    assert statuses(issue) == {ALICE: DeliveryStatus.SKIPPED}


@pytest.mark.parametrize("becomes_none", [_ban, _pause])
def test_who_is_a_reader_through_another_partner_gets_the_mail_as_that_ones(
    server: MailServer,
    issue: NewsletterIssue,
    becomes_none: Callable[[Session, NewsletterDelivery], None],
    now: datetime,
) -> None:
    jobs.release()
    alice = deliveries(issue)[ALICE]
    with db.transaction() as session:
        program = session.get_one(Program, issue.program_id)
        _, other = make_reader(session, program=program, name="Carla Example")
        make_link(session, program=program, partner=other, code="pesto")
        _, paused = make_reader(session, program=program, name="Dora Example")
        for partner in (paused, other):
            role = {"role": MemberRole.MARKETER, "now": now}
            partners.add_member(session, user_id=alice.user_id, partner_id=partner.id, **role)
        gone = sa.update(Enrollment).where(Enrollment.partner_id == paused.id)
        session.execute(gone.values(status=EnrollmentStatus.PAUSED))
        becomes_none(session, alice)
    work()
    assert server.received() == {ALICE: 1, BOB: 1}
    assert deliveries(issue)[ALICE].partner_id == other.id
    mail = next(message for message in server.messages if message["To"] == ALICE)
    text = next(mail.iter_parts()).get_content()
    assert "Dear Alice of Carla's kitchen" in text
    assert "/r/pesto?" in text


def test_who_is_a_reader_still_keeps_the_partner_written_down(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    jobs.release()
    alice = deliveries(issue)[ALICE]
    with db.transaction() as session:
        _, other = make_reader(session, program=program, name="Carla Example")
        earlier = sa.update(Member).where(Member.user_id == alice.user_id)
        partners.add_member(session, user_id=alice.user_id, partner_id=other.id, role=MemberRole.MARKETER, now=now)
        session.execute(earlier.where(Member.partner_id == alice.partner_id).values(id=ids.new()))  # the later one now
    work()
    assert deliveries(issue)[ALICE].partner_id == alice.partner_id


def test_a_status_in_another_program_keeps_nobody_a_reader(
    server: MailServer, issue: NewsletterIssue, now: datetime
) -> None:
    jobs.release()
    alice = deliveries(issue)[ALICE]
    with db.transaction() as session:
        _ban(session, alice)
        other = make_program(session)
        here: dict[str, Any] = {"program_id": other.id, "partner_id": alice.partner_id}
        partners.enroll(session, **here, status=EnrollmentStatus.APPROVED, now=now)
    work()
    assert server.received() == {BOB: 1}


def test_no_more_leave_in_a_minute_than_the_rate_allows(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as session:
        for number in range(5):
            make_reader(session, program=program, name=f"Reader{number} Example")
        order(session, make_issue(session, program=program, now=now), now=now)
    time.shift(timedelta(minutes=10))
    monkeypatch.setenv("AFFILIATE_NEWSLETTER_RATE", "3")
    settings_module.current.cache_clear()
    work()
    assert len(server.messages) == 3
    time.shift(timedelta(seconds=61))
    work()
    assert len(server.messages) == 6


def test_an_issue_that_the_server_refuses_again_and_again_is_stopped_before_all_are_refused(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as session:
        for number in range(jobs.REFUSALS_MAX + 5):
            make_reader(session, program=program, name=f"Reader{number} Example")
        issue = order(session, make_issue(session, program=program, now=now), now=now)
    server.text_answer = "554 5.7.1 this is spam"
    time.shift(timedelta(minutes=10))
    work()
    stopped = issue_now(issue)
    assert (stopped.status, stopped.trouble) == (IssueStatus.STOPPED, "554 5.7.1 this is spam")
    assert list(statuses(issue).values()).count(DeliveryStatus.REFUSED) == jobs.REFUSALS_MAX


def test_a_mail_is_due_at_each_readers_own_hour_and_never_at_night(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        make_reader(session, program=program, name="Yuki Example", time_zone="Asia/Tokyo")
        wall = datetime(2026, 11, 18, 9, 0)  # noqa: DTZ001 - a wall clock, of no zone
        issue = order(
            session, make_issue(session, program=program, now=now), now=now, send_wall=wall, keeps_quiet_hours=True
        )
    time.move_to(datetime(2026, 11, 17, 19, 0).astimezone())
    jobs.release()
    due = {email: delivery.due_at.isoformat() for email, delivery in deliveries(issue).items()}
    assert due["yuki@example.test"] == "2026-11-18T00:00:00+00:00"
    assert due[ALICE] == "2026-11-18T08:00:00+00:00"


_EVENING = datetime(2026, 11, 18, 19, 58, tzinfo=UTC)  # 20:58 in Rome, where both readers are
_NIGHT, _MORNING = _EVENING + timedelta(minutes=4), _EVENING.replace(hour=7, minute=0) + timedelta(days=1)


@pytest.fixture
def evening_issue(program: Program, time: time_machine.Traveller) -> NewsletterIssue:
    """An issue that leaves at two minutes to nine in the evening and keeps quiet hours."""
    ordered = _EVENING - timedelta(minutes=10)
    with db.transaction() as session:
        issue = order(session, make_issue(session, program=program, now=ordered), now=ordered, keeps_quiet_hours=True)
    time.move_to(_EVENING)
    return issue


def _nobody_gets_it_before_the_morning(
    issue: NewsletterIssue, server: MailServer, time: time_machine.Traveller
) -> None:
    """What waits is put off at once, says so, and leaves at eight."""
    before = server.received()
    work()
    assert server.received() == before
    with db.reading() as session:
        assert queries.next_due(session, issue_id=issue.id) == _MORNING
    time.move_to(_MORNING - timedelta(seconds=1))
    work()
    assert server.received() == before
    time.move_to(_MORNING)
    work()
    assert server.received() == {ALICE: 1, BOB: 1}


def test_a_second_try_keeps_the_quiet_hours(
    server: MailServer, evening_issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.answers[ALICE] = "451 4.2.1 busy"
    work()
    assert server.received() == {BOB: 1}
    server.answers.clear()
    time.shift(timedelta(minutes=5))
    _nobody_gets_it_before_the_morning(evening_issue, server, time)


def test_what_is_sent_again_at_night_keeps_the_quiet_hours(
    server: MailServer, program: Program, evening_issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    server.answers[ALICE] = "550 5.7.1 not you"
    work()
    server.answers.clear()
    time.move_to(_NIGHT)
    alice = deliveries(evening_issue)[ALICE]
    with db.transaction() as session:
        session.execute(sa.delete(SuppressedAddress))
        delivering.resend(session, delivery_id=alice.id, program_id=program.id, actor=SYSTEM, now=_NIGHT)
    _nobody_gets_it_before_the_morning(evening_issue, server, time)


def test_an_issue_that_goes_on_at_night_keeps_the_quiet_hours(
    server: MailServer, program: Program, evening_issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    jobs.release()
    here: dict[str, Any] = {"issue_id": evening_issue.id, "program_id": program.id, "actor": SYSTEM}
    with db.transaction() as session:
        service.stop(session, **here, now=_EVENING)
    time.move_to(_NIGHT)
    with db.transaction() as session:
        service.resume(session, **here, now=_NIGHT)
    _nobody_gets_it_before_the_morning(evening_issue, server, time)


def test_a_run_that_lasts_into_the_night_stops_there(
    server: MailServer, evening_issue: NewsletterIssue, time: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = carrier.connection

    @contextlib.contextmanager
    def slow(to: Settings) -> Iterator[carrier.Carrier]:
        """The first mail takes until after nine."""
        with connection(to) as carry:

            def late(*mail: Any) -> carrier.Answer:
                answer = carry(*mail)
                time.move_to(_NIGHT)
                return answer

            yield late

    jobs.release()
    with monkeypatch.context() as patched:
        patched.setattr(carrier, "connection", slow)
        assert jobs.send() == 1  # of two that were due when the batch was read
    _nobody_gets_it_before_the_morning(evening_issue, server, time)


def test_what_waits_by_night_for_one_reader_keeps_no_other(
    server: MailServer, program: Program, evening_issue: NewsletterIssue, time: time_machine.Traveller
) -> None:
    with db.transaction() as session:
        make_reader(session, program=program, name="Lisa Example", time_zone="Atlantic/Azores")  # 18:58 there
    jobs.release()
    time.move_to(_NIGHT)
    work()
    assert server.received() == {"lisa@example.test": 1}


def test_hostile_words_stay_words(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    hostile = '<script>alert(1)</script> [x](https://e.example/"onmouseover="x) ![p](https://e.example/p.png)'
    with db.transaction() as session:
        make_reader(session, program=program, name="Eve\r\nBcc:victim@example.test")
        order(session, make_issue(session, program=program, now=now, draft=a_draft("{name} <b>", hostile)), now=now)
    time.shift(timedelta(minutes=10))
    work()
    mail = next(message for message in server.messages if message["To"] == "eve@example.test")
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Eve Bcc:victim@example.test <b>"
    html = list(mail.iter_parts())[1].get_content()
    assert "<script>" not in html
    assert "<img" not in html
    assert 'onmouseover="' not in html


def a_story_alone(session: Session, program: Program, *, now: datetime) -> NewsletterIssue:
    """An issue of one story, to whose words its partner said yes; ordered."""
    alice = session.scalars(sa.select(User).where(User.email == ALICE)).one()
    partner_id = session.scalars(sa.select(Member.partner_id).where(Member.user_id == alice.id)).one()
    story = Block("story", BlockKind.STORY, {"en": {"title": "One pan", "body": "Sold twice."}}, "", str(partner_id))
    draft = Draft("en", {"en": {"subject": "A story", "preheader": ""}}, [story])
    issue = make_issue(session, program=program, now=now, draft=draft)
    consent = StoryConsent(id=ids.new(), program_id=program.id, issue_id=issue.id, partner_id=partner_id, asked_at=now)
    consent.fingerprint, consent.story, consent.status = fingerprint(story), {}, ConsentStatus.GIVEN
    session.add(consent)
    session.flush()
    return order(session, issue, now=now)


def answer(program: Program, *, is_given: bool, now: datetime) -> None:
    """The partner of the only story changes its mind."""
    with db.transaction() as session:
        answer_in(session, program, is_given=is_given, now=now)


def answer_in(session: Session, program: Program, *, is_given: bool, now: datetime) -> None:
    """The same, in this transaction."""
    consent = session.scalars(sa.select(StoryConsent)).one()
    here: dict[str, Any] = {"consent_id": consent.id, "program_id": program.id, "partner_id": consent.partner_id}
    service.answer_consent(session, **here, is_given=is_given, actor=SYSTEM, now=now)


def test_an_issue_with_nothing_left_to_say_does_not_begin_to_leave(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = a_story_alone(session, program, now=now)
    answer(program, is_given=False, now=now)
    time.shift(timedelta(minutes=10))
    work()
    assert server.messages == []
    assert deliveries(issue) == {}
    assert (issue_now(issue).status, issue_now(issue).trouble) == (IssueStatus.DRAFT, service.NOTHING_TO_SAY)


def test_a_consent_that_comes_again_does_not_hide_that_a_saved_choice_was_deleted(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = a_story_alone(session, program, now=now)
        service.undo(session, issue_id=issue.id, program_id=program.id, actor=SYSTEM, now=now)
        session.execute(sa.update(NewsletterIssue).values(trouble=service.CHOICE_DELETED))
    answer(program, is_given=True, now=now)
    assert issue_now(issue).trouble == service.CHOICE_DELETED


def test_an_issue_under_way_stops_when_nothing_is_left_to_say_and_may_go_on_later(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    with db.transaction() as session:
        issue = a_story_alone(session, program, now=now)
    time.shift(timedelta(minutes=10))
    jobs.release()
    answer(program, is_given=False, now=now)
    for _try in range(2):
        work()
        assert server.messages == []
        assert (issue_now(issue).status, issue_now(issue).trouble) == (IssueStatus.STOPPED, service.NOTHING_TO_SAY)
        with db.transaction() as session:
            service.resume(session, issue_id=issue.id, program_id=program.id, actor=SYSTEM, now=now)
    answer(program, is_given=True, now=now)
    work()
    assert server.received() == {ALICE: 1, BOB: 1}


def test_no_empty_mail_leaves_when_the_last_consent_goes_between_the_look_and_the_writing(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as session:
        issue = a_story_alone(session, program, now=now)
    time.shift(timedelta(minutes=10))
    jobs.release()
    look = delivering.halt_empty

    def look_a_moment_too_early(session: Session, **values: Any) -> None:
        look(session, **values)
        answer_in(session, program, is_given=False, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "halt_empty", look_a_moment_too_early)
        assert jobs.send() == 0
    assert server.messages == []
    assert set(statuses(issue).values()) == {DeliveryStatus.WAITING}
    jobs.send()
    assert (issue_now(issue).status, issue_now(issue).trouble) == (IssueStatus.STOPPED, service.NOTHING_TO_SAY)
    assert server.messages == []


def test_addresses_lead_through_ours_which_counts_and_the_text_keeps_them_as_they_are(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    target = "https://www.shop.example/new?a=1&b=2"
    draft = a_draft("News", f"See [what is new]({target}), or [your link]({{my_link}}).")
    with db.transaction() as session:
        make_reader(session, program=program, name="Carla Example")
        issue = order(session, make_issue(session, program=program, now=now, draft=draft), now=now)
    time.shift(timedelta(minutes=10))
    work()
    mail = next(message for message in server.messages if message["To"] == "carla@example.test")
    text, html = (part.get_content() for part in mail.iter_parts())
    with db.reading() as session:
        [link] = queries.links_of(session, issue_id=issue.id)
    assert link.url == target
    assert f'href="http://localhost/n/{ids.public("nws", issue.id)}/{link.code}"' in html
    assert "www.shop.example/new" not in html
    assert target in text


def test_every_kind_of_link_is_counted_and_those_of_new_creatives_too(
    server: MailServer, program: Program, time: time_machine.Traveller, now: datetime
) -> None:
    body = "<https://www.shop.example/auto>, [words][1]\n\n[1]: https://www.shop.example/reference"
    library = Block("library", BlockKind.CREATIVES, {"en": {"title": "New", "body": "Take them."}})
    with db.transaction() as session:
        issue = order(
            session, make_issue(session, program=program, now=now, draft=a_draft("S", body, library)), now=now
        )
        facts: dict[str, Any] = {"program": program, "kind": CreativeKind.TEXT, "now": now + timedelta(minutes=5)}
        made = [make_creative(session, **facts), make_creative(session, **facts, group_names=["Gold"])]
        alice = session.scalars(sa.select(Partner.id).where(Partner.name == "Alice's kitchen")).one()
        session.add(PartnerTerms(program_id=program.id, partner_id=alice, group_name="Gold", updated_at=now))
    time.shift(timedelta(minutes=10))
    work()
    html, bobs = (
        next(list(mail.iter_parts())[1].get_content() for mail in server.messages if mail["To"] == reader)
        for reader in (ALICE, BOB)
    )
    with db.reading() as session:
        codes = {link.url: link.code for link in queries.links_of(session, issue_id=issue.id)}
    pieces = [f"http://localhost/portal/casa/creatives/{ids.public('crv', each.id)}" for each in made]
    assert codes.keys() == {"https://www.shop.example/auto", "https://www.shop.example/reference", *pieces}
    assert [f"/{codes[piece]}" in bobs for piece in pieces] == [True, False]  # the other one is meant for a group
    for url, code in codes.items():
        assert f'href="http://localhost/n/{ids.public("nws", issue.id)}/{code}"' in html
        assert f'href="{url}"' not in html


def test_a_choice_that_is_deleted_while_its_readers_are_written_down_stops_the_issue_and_says_so(
    server: MailServer, program: Program, now: datetime, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "CHUNK", 1)
    with db.transaction() as session:
        for name in ("Xena Example", "Yan Example"):
            make_reader(session, program=program, name=name)
        choice = make_choice(session, program=program, now=now, status="approved")
        issue = order(session, make_issue(session, program=program, now=now, segment=Segment(choice=choice)), now=now)
    time.shift(timedelta(minutes=11))
    with db.transaction() as session:
        delivering.release(
            session, issue=service.found(session, issue_id=issue.id, program_id=program.id), now=clock.now()
        )
        caring.delete_segment(session, program_id=program.id, segment_id=UUID(choice))
    jobs.release()
    found = issue_now(issue)
    assert (found.status, found.trouble, found.released_at) == (IssueStatus.STOPPED, service.CHOICE_DELETED, None)
    assert len(deliveries(issue)) == 1
    here: dict[str, Any] = {"issue_id": issue.id, "program_id": program.id, "actor": SYSTEM, "now": clock.now()}
    with db.transaction() as session, pytest.raises(service.IssueMoved):
        service.resume(session, **here)


def test_the_release_goes_on_without_forgetting_what_was_opened(
    server: MailServer, issue: NewsletterIssue, program: Program, now: datetime
) -> None:
    with db.transaction() as session:
        session.execute(sa.update(NewsletterIssue).values(status=IssueStatus.SENDING))
        session.add(NewsletterLink(issue_id=issue.id, code="a" * 12, url="https://www.shop.example/", clicks=3))
    jobs.release()
    with db.reading() as session:
        assert [link.clicks for link in queries.links_of(session, issue_id=issue.id)] == [3]
