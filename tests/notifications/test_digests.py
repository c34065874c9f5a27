"""One mail each morning about yesterday, to those who want it, once."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from factories import NOW, make_member, make_refund, make_user
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate import clock, db
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import MailRefusal
from affiliate.mailer import OutboxMail
from affiliate.notifications import chat_service, digests, jobs
from affiliate.notifications.chats import ChatKind
from affiliate.notifications.models import DayMail
from affiliate.partners.models import PartnerNotice

MORNING = NOW + timedelta(hours=20)


def mails(session: Session) -> list[OutboxMail]:
    mine = OutboxMail.subject.startswith("Your Monday")
    return list(session.scalars(sa.select(OutboxMail).where(mine).order_by(OutboxMail.recipient)))


def tell(books: Books, now: datetime) -> int:
    """Write to everybody about the day before, as the job does it."""
    session, program = books.session, books.program
    day = digests.due(session, program=program, now=now)
    assert day is not None
    sums = digests.waiting(session, program=program, day=day, limit=10)
    letters = digests.written(session, program=program, day=day, sums=sums, now=now)
    return digests.hand_over(session, program_id=program.id, day=day, letters=letters)


def test_the_day_is_told_once_to_who_wants_it(session: Session) -> None:
    books = open_books(session)
    for email in ("marta@example.test", "silent@example.test"):
        person = make_user(session, email=email)
        make_member(session, user=person, partner=books.partner)
    session.add(MailRefusal(user_id=person.id, kind=MailKind.DAY, created_at=NOW))
    books.order()
    conversion = books.order()
    books.work()
    make_refund(session, conversion=conversion, amount_minor=50_00)
    books.work()
    assert tell(books, NOW + timedelta(minutes=1)) == 0  # the day is not over
    assert tell(books, MORNING) == 1
    assert tell(books, MORNING) == 0
    told = [mail for mail in mails(session) if mail.recipient.startswith(("marta", "silent"))]
    assert [mail.recipient for mail in told] == ["marta@example.test"]
    assert "New commissions: 2, together €20.00." in told[0].body_text
    assert "Taken back in whole or in part: 1, together €5.00." in told[0].body_text
    assert "Approved" not in told[0].body_text
    assert told[0].stop_url in told[0].body_text
    assert session.scalars(sa.select(DayMail.day)).one() == date(2026, 11, 16)


def test_the_day_is_cut_by_the_programs_clock() -> None:
    at = datetime(2026, 3, 30, 4, 30, tzinfo=UTC)  # the day after the clocks went forward
    found = digests.day_before(at, zone="Europe/Rome")
    assert found is not None
    assert (found.day, found.end - found.start) == (date(2026, 3, 29), timedelta(days=1))
    assert found.end.astimezone(UTC) - found.start.astimezone(UTC) == timedelta(hours=23)
    assert digests.day_before(at, zone="Europe/London") is None  # half past five: not yet


def test_letters_that_another_job_handed_over_meanwhile_are_not_sent_twice(session: Session) -> None:
    books = open_books(session)
    make_member(session, user=make_user(session, email="marta@example.test"), partner=books.partner)
    books.order()
    books.work()
    day = digests.due(session, program=books.program, now=MORNING)
    assert day is not None
    sums = digests.waiting(session, program=books.program, day=day, limit=10)
    written = [digests.written(session, program=books.program, day=day, sums=sums, now=MORNING) for _ in range(2)]
    assert [digests.hand_over(session, program_id=books.program.id, day=day, letters=each) for each in written] == [
        1,
        0,
    ]
    assert len([mail for mail in mails(session) if mail.recipient == "marta@example.test"]) == 1


@pytest.mark.usefixtures("sqlite_settings")
def test_a_day_of_which_all_were_told_is_closed_and_holds_nobody_up() -> None:
    now = clock.now()
    with db.transaction() as session:
        books = open_books(session, time_zone=f"Etc/GMT{now.hour - 12:+d}")  # where it is about noon
        books.order()
        books.work(now=now - timedelta(days=1))
    assert jobs.write_days() == 1
    with db.transaction() as session:
        session.execute(sa.select(1))  # SQLite has one writer at a time, and this is it
        assert jobs.write_days() == 0


def test_a_partners_chat_hears_of_the_day_though_nobody_wants_it_by_mail(session: Session) -> None:
    books = open_books(session)
    books.order()
    books.work()
    chat_service.add(
        session, program=books.program, partner_id=books.partner.id, kind=ChatKind.JSON, name="Team",
        url="https://chat.example/hook", events=[MailKind.DAY], locale="en", actor=SYSTEM, now=NOW,
    )  # fmt: skip
    assert tell(books, MORNING) == 1
    (notice,) = session.scalars(sa.select(PartnerNotice)).all()
    assert notice.kind is MailKind.DAY
    assert notice.texts["en"]["lines"][0] == "New commissions: 1, together €10.00."
    assert chat_service.pass_on(session, notices=[notice], now=MORNING) == 1
