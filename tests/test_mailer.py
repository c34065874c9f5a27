"""Mail leaves at most a few times, at least once, and never inside a transaction; one bad mail does not hold the others."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from aiosmtpd.controller import Controller

from affiliate import db, mailer
from affiliate import settings as settings_module
from affiliate.mailer import Letter, MailStatus, OutboxMail
from affiliate.settings import Settings


@dataclass
class Server:
    """A real mail server that can be told what to answer; `sessions` counts connections."""

    port: int
    answers: dict[str, str] = field(default_factory=dict)
    messages: list[EmailMessage] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        self.sessions.add(id(session))
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mail server, named in the settings of this process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = Server(free.getsockname()[1])
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    monkeypatch.setenv("AFFILIATE_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    settings_module.current.cache_clear()
    yield server
    controller.stop()


@pytest.fixture
def time(now: datetime) -> Iterator[time_machine.Traveller]:
    """The clock stands at `now` until a test moves it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def enqueue(now: datetime, *recipients: str) -> None:
    """Mails of one line."""
    with db.transaction() as session:
        for recipient in recipients:
            mailer.enqueue(
                session, recipient=recipient, subject="Hello\r\nBcc: x@evil.example", body_text="One line.", now=now
            )


def outbox() -> list[OutboxMail]:
    """The rows as they are now, oldest first."""
    with db.reading() as session:
        return list(session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)))


def test_mails_go_out_over_one_connection_and_lose_their_text(
    server: Server, time: time_machine.Traveller, now: datetime
) -> None:
    enqueue(now, "alice@example.test", "bob@example.test")
    assert mailer.send_due() == 2
    assert mailer.send_due() == 0
    assert {message["To"] for message in server.messages} == {"alice@example.test", "bob@example.test"}
    assert len(server.sessions) == 1
    first = server.messages[0]
    assert first["Subject"] == "Hello Bcc: x@evil.example"
    assert first["Bcc"] is None
    assert first["From"] == "Partner program <partners@localhost>"
    assert first.get_content().strip() == "One line."
    for mail in outbox():
        assert (mail.status, mail.sent_at, mail.attempts, mail.body_text) == (MailStatus.SENT, now, 1, "")


def test_a_mail_of_a_transaction_that_failed_never_leaves(server: Server, now: datetime) -> None:
    def fail() -> None:
        with db.transaction() as session:
            mailer.enqueue(session, recipient="alice@example.test", subject="No", body_text="No", now=now)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert mailer.send_due() == 0
    assert server.messages == []


def test_a_refused_recipient_is_given_up_and_the_others_get_their_mail(
    server: Server, time: time_machine.Traveller, now: datetime
) -> None:
    server.answers["gone@example.test"] = "550 5.1.1 no such person"
    enqueue(now, "gone@example.test", "not an address", "alice@example.test")
    assert mailer.send_due() == 3
    assert [message["To"] for message in server.messages] == ["alice@example.test"]
    status = {mail.recipient: (mail.status, mail.error) for mail in outbox()}
    assert status["gone@example.test"] == (MailStatus.FAILED, "550 5.1.1 no such person")
    assert status["not an address"][0] is MailStatus.FAILED
    assert status["alice@example.test"] == (MailStatus.SENT, None)


def test_a_busy_server_is_asked_again_after_growing_waits_and_at_most_six_times(
    server: Server, time: time_machine.Traveller, now: datetime
) -> None:
    server.answers["alice@example.test"] = "451 try later"
    enqueue(now, "alice@example.test")
    waits = [1, 5, 30, 120, 480]
    for number, minutes in enumerate(waits, start=1):
        assert mailer.send_due() == 1
        (mail,) = outbox()
        assert (mail.status, mail.attempts, mail.error) == (MailStatus.WAITING, number, "451 try later")
        time.shift(timedelta(minutes=minutes, seconds=-1))
        assert mailer.send_due() == 0
        time.shift(timedelta(seconds=1))
    assert mailer.send_due() == 1
    (mail,) = outbox()
    assert (mail.status, mail.attempts) == (MailStatus.FAILED, mailer.ATTEMPTS_MAX)
    assert mailer.send_due() == 0


def test_a_server_that_is_away_costs_no_mail_a_try(
    server: Server, monkeypatch: pytest.MonkeyPatch, time: time_machine.Traveller, now: datetime
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    monkeypatch.setenv("AFFILIATE_SMTP_URL", f"smtp://127.0.0.1:{nobody}")
    settings_module.current.cache_clear()
    enqueue(now, "alice@example.test")
    assert mailer.send_due() == 1
    (mail,) = outbox()
    assert (mail.status, mail.attempts) == (MailStatus.WAITING, 0)
    assert "refused" in (mail.error or "")
    assert mailer.send_due() == 0  # it is not asked again at once
    monkeypatch.setenv("AFFILIATE_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    settings_module.current.cache_clear()
    time.shift(timedelta(minutes=1))
    assert mailer.send_due() == 1
    assert len(server.messages) == 1


def test_a_job_that_ends_in_the_middle_gives_back_what_it_has_not_tried(
    server: Server, monkeypatch: pytest.MonkeyPatch, time: time_machine.Traveller, now: datetime
) -> None:
    enqueue(now, "alice@example.test", "bob@example.test", "carla@example.test")
    tried: list[str] = []
    usual = mailer._try

    def ended(carrier: Any, mail: OutboxMail) -> Any:
        if tried:
            raise KeyboardInterrupt  # as the queue ends a job whose time is over
        tried.append(mail.recipient)
        return usual(carrier, mail)

    monkeypatch.setattr(mailer, "_try", ended)
    with pytest.raises(KeyboardInterrupt):
        mailer.send_due()
    assert sorted((mail.status.value, mail.attempts) for mail in outbox()) == [
        ("sent", 1),
        ("waiting", 0),
        ("waiting", 1),
    ]


def test_a_slow_server_holds_the_queue_up_for_a_while_only(
    server: Server, monkeypatch: pytest.MonkeyPatch, time: time_machine.Traveller, now: datetime
) -> None:
    monkeypatch.setattr(mailer, "_SECONDS_MAX", 0.0)
    enqueue(now, "alice@example.test", "bob@example.test")
    mailer.send_due()
    assert server.messages == []
    assert {(mail.status, mail.attempts) for mail in outbox()} == {(MailStatus.WAITING, 0)}
    monkeypatch.setattr(mailer, "_SECONDS_MAX", 60.0)
    assert mailer.send_due() == 2
    assert len(server.messages) == 2


def test_a_mail_that_another_job_holds_is_left_alone_until_its_lease_ends(
    server: Server, time: time_machine.Traveller, now: datetime
) -> None:
    enqueue(now, "alice@example.test")
    with db.transaction() as session:
        (held,) = mailer._claim(session, limit=10, now=now)
        assert held.attempts == 1
    assert mailer.send_due() == 0
    time.shift(timedelta(minutes=10))  # that job died: its mail goes out under the same id
    assert mailer.send_due() == 1
    assert str(held.id) in server.messages[0]["Message-ID"]
    mailer._note(held, mailer._Failure("too late", permanent=True), now=now)
    assert outbox()[0].status is MailStatus.SENT


def test_two_jobs_never_claim_the_same_mail(server: Server, now: datetime) -> None:
    enqueue(now, "alice@example.test")
    with db.transaction() as session:
        (mail,) = session.scalars(sa.select(OutboxMail)).all()
        session.expunge(mail)  # what a slower job has read before
        assert mailer._take(session, mail, now=now)
        assert not mailer._take(session, mail, now=now)


def test_a_batch_is_bounded(server: Server, now: datetime) -> None:
    enqueue(now, *(f"person{number}@example.test" for number in range(5)))
    assert [mailer.send_due(limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_without_a_server_mails_are_files_for_the_owner_alone(settings: Settings, now: datetime) -> None:
    enqueue(now, "alice@example.test")
    assert mailer.send_due() == 1
    (path,) = (settings.data_dir / "mail").iterdir()
    assert path.suffix == ".eml"
    assert path.stat().st_mode & 0o077 == 0
    assert message_from_bytes(path.read_bytes(), policy=policy.default)["To"] == "alice@example.test"
    assert outbox()[0].status is MailStatus.SENT


def test_a_letter_says_the_same_in_text_and_html_and_escapes_what_people_typed(
    server: Server, time: time_machine.Traveller, now: datetime
) -> None:
    letter = Letter(
        subject="Zażółć gęślą jaźń",
        paragraphs=["Hello <b>Alice</b>,", "you earned €12.00."],
        act=("See the commission", "https://partners.example/portal/x?a=1&b=2"),
        why="You are a partner of X.",
    )
    with db.transaction() as session:
        mailer.post(session, recipient="alice@example.test", letter=letter, locale="pl", now=now)
    mailer.send_due()
    (message,) = server.messages
    text, html = message.get_body(("plain",)).get_content(), message.get_body(("html",)).get_content()
    assert message["Subject"] == letter.subject
    for part in ("you earned €12.00.", "See the commission", "You are a partner of X.", "Partner program"):
        assert part in text
        assert part in html
    assert "https://partners.example/portal/x?a=1&b=2" in text
    assert "Hello <b>Alice</b>," in text
    assert "Hello &lt;b&gt;Alice&lt;/b&gt;," in html
    assert '<html lang="pl">' in html
    assert "<script" not in html
