"""Mail leaves through outbox rows: written in the transaction of what it tells, sent by a job, at most a few times.

A mail is sent at least once: if the job dies between the server's answer and our note of it, it is sent again after
the lease, under the same Message-ID. Sent mails lose their text, which may hold a link that opens an account.
"""

import contextlib
import enum
import smtplib
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from affiliate import clock, db, ids, letters, senders, settings, smtp
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.senders import Named, Sender, Senders
from affiliate.settings import Settings
from affiliate.speech import say

ATTEMPTS_MAX = 6
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))  # before the second try, the third, …
_LEASE = timedelta(minutes=10)  # longer than a batch takes: nobody else touches a claimed mail meanwhile
_SECONDS_MAX = 20.0  # for one batch: a slow server holds up no other job of the queue
_AWAY = timedelta(minutes=1)  # before a server is asked again that did not answer
_PERMANENT = 500  # SMTP replies from here on will be the same next time
_ERROR_LENGTH_MAX = 500
_POLICY = policy.default.clone(max_line_length=900)  # a fold would break the long address of List-Unsubscribe


class MailStatus(enum.StrEnum):
    """Where a mail is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class OutboxMail(Base):
    """One mail to one person, finished: subject and text in the person's language."""

    __tablename__ = "outbox_mails"
    __table_args__ = (sa.Index("ix_outbox_mails_due", "status", "send_after"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID | None]  # in whose name it leaves; null: the installation's. Programs stand above mail
    recipient: Mapped[str] = mapped_column(sa.String(255))
    subject: Mapped[str] = mapped_column(sa.String(255))
    body_text: Mapped[str] = mapped_column(sa.Text)
    body_html: Mapped[str | None] = mapped_column(sa.Text)
    stop_url: Mapped[str | None] = mapped_column(sa.String(500))  # where its reader stops mails of its kind (RFC 8058)
    status: Mapped[MailStatus] = mapped_column(enum_column(MailStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    send_after: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, already in the reader's language; text and HTML are made from it alike.

    `act` is the one button: its words and its address. `why` tells at the foot why the reader gets this mail.
    `table` stands before the button, its head first.
    """

    subject: str
    paragraphs: Sequence[str]
    act: tuple[str, str] | None = None
    why: str = ""
    table: Sequence[Sequence[str]] = ()


def enqueue(
    session: Session, *, recipient: str, subject: str, body_text: str, body_html: str | None = None,
    program: Named | None = None, now: datetime,
) -> None:  # fmt: skip
    """Put a mail into the outbox; it leaves if and only if the caller's transaction commits, in the program's name if one is given."""
    text = {"recipient": recipient, "subject": subject, "body_text": body_text, "body_html": body_html}
    session.add(_mail(text, program, now))


def _mail(text: dict[str, str | None], program: Named | None, now: datetime) -> OutboxMail:
    text["subject"] = " ".join((text["subject"] or "").split())[:255]
    state = {"status": MailStatus.WAITING, "attempts": 0, "send_after": now, "created_at": now}
    return OutboxMail(id=ids.new_at(now), program_id=program.id if program else None, **text, **state)


def written(
    *, recipient: str, letter: Letter, locale: str, stop_url: str | None = None, program: Named | None = None,
    now: datetime,
) -> OutboxMail:  # fmt: skip
    """A letter as a mail, as text and as HTML, for whoever adds it to the outbox later. `stop_url`: see `OutboxMail`."""
    head = program.name if program else parseaddr(settings.current().mail_from)[0]
    values = {"letter": letter, "locale": locale, "sender": head, "stop_url": stop_url}
    values["_"] = lambda sentence: say(sentence, locale)  # jobs have no request that knows a language
    text: dict[str, str | None] = {"recipient": recipient, "subject": letter.subject, "stop_url": stop_url}
    text.update(letters.rendered(values))
    return _mail(text, program, now)


def post(
    session: Session, *, recipient: str, letter: Letter, locale: str, stop_url: str | None = None,
    program: Named | None = None, now: datetime,
) -> None:  # fmt: skip
    """Put a letter into the outbox, as text and as HTML."""
    session.add(written(recipient=recipient, letter=letter, locale=locale, stop_url=stop_url, program=program, now=now))


def retry(session: Session, *, program_id: UUID | None, since: datetime, now: datetime) -> int:
    """Try letters again that were given up and written since then, as often as new ones; gives how many.

    Those in the program's name; without one those of all, and the installation's own.
    """
    failed = [OutboxMail.status == MailStatus.FAILED, OutboxMail.created_at >= since]
    if program_id is not None:
        failed.append(OutboxMail.program_id == program_id)
    again = {"status": MailStatus.WAITING, "attempts": 0, "send_after": now}
    retrying = sa.update(OutboxMail).where(*failed).values(again).returning(OutboxMail.id)
    return len(session.scalars(retrying.execution_options(synchronize_session=False)).all())


def send_due(*, limit: int = 50, of_programs: Senders | None = None) -> int:
    """Send what is due; gives how many mails were claimed. The server is spoken to outside any transaction.

    `of_programs` tells in whose name the mails of programs leave; without it, all leave in the installation's.

    Mails that were not tried, because the server was away or slow, or the job was ended, lose no try.
    """
    now = clock.now()
    with db.transaction() as session:
        mails = _claim(session, limit=limit, now=now)
        theirs = {mail.program_id for mail in mails if mail.program_id}
        own = of_programs(session, theirs) if of_programs and theirs else {}
    if mails:
        batch = _Batch(mails, own)
        try:
            batch.send()
        finally:
            batch.give_back()
    return len(mails)


class _Batch:
    """Claimed mails that leave over one connection."""

    def __init__(self, mails: Sequence[OutboxMail], own: Mapping[UUID, Sender]) -> None:
        self._left, self._own = deque(mails), own
        self._trouble = ""

    def send(self) -> None:
        """Try one after the other, until all were or the time is over."""
        ends_at = time.monotonic() + _SECONDS_MAX
        current: OutboxMail | None = None
        try:
            with _carrier(settings.current(), self._own) as carrier:
                while self._left and time.monotonic() < ends_at:
                    current = self._left.popleft()
                    _note(current, _try(carrier, current), now=clock.now())
                    current = None
        except (OSError, smtplib.SMTPException) as error:
            self._trouble = str(error) or type(error).__name__
            if current is not None:  # the connection broke while it was being sent
                _note(current, _Failure(self._trouble, permanent=False), now=clock.now())

    def give_back(self) -> None:
        """Let the next job have what was not tried: at once, or a little later where the server is away."""
        if not self._left:
            return
        now = clock.now()
        values: dict[str, Any] = {"send_after": now}
        if self._trouble:
            values = {"send_after": now + _AWAY, "error": self._trouble[:_ERROR_LENGTH_MAX]}
        with db.transaction() as session:
            for mail in self._left:
                returned = sa.update(OutboxMail).where(*_held(mail)).values(attempts=mail.attempts - 1, **values)
                session.execute(returned.execution_options(synchronize_session=False))


def _claim(session: Session, *, limit: int, now: datetime) -> list[OutboxMail]:
    """The mails that this job now holds until its lease ends."""
    due = sa.select(OutboxMail).where(OutboxMail.status == MailStatus.WAITING, OutboxMail.send_after <= now)
    found = session.scalars(due.order_by(OutboxMail.send_after).limit(limit)).all()
    return [mail for mail in found if _take(session, mail, now=now)]


def _take(session: Session, mail: OutboxMail, *, now: datetime) -> bool:
    taking = (
        sa.update(OutboxMail)
        .where(
            OutboxMail.id == mail.id,
            OutboxMail.status == MailStatus.WAITING,
            OutboxMail.attempts == mail.attempts,  # another job may have been faster
        )
        .values(attempts=mail.attempts + 1, send_after=now + _LEASE)
    )
    result = session.execute(taking)
    return isinstance(result, CursorResult) and result.rowcount == 1


class _Carrier(Protocol):
    def __call__(self, mail: OutboxMail) -> None: ...


@dataclass(frozen=True, slots=True)
class _Failure:
    error: str
    permanent: bool


def _try(carrier: _Carrier, mail: OutboxMail) -> _Failure | None:
    try:
        carrier(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return _Failure(f"{code} {text.decode(errors='replace')}", permanent=code >= _PERMANENT)
    except smtplib.SMTPResponseException as error:
        reply = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return _Failure(f"{error.smtp_code} {reply}", permanent=error.smtp_code >= _PERMANENT)
    except (ValueError, MessageError, smtplib.SMTPNotSupportedError) as error:  # an address no server can take
        return _Failure(str(error), permanent=True)
    return None


def _note(mail: OutboxMail, failure: _Failure | None, *, now: datetime) -> None:
    """Write the outcome down, unless the mail has one already or somebody else holds it."""
    with db.transaction() as session:
        session.execute(sa.update(OutboxMail).where(*_held(mail)).values(_outcome(mail.attempts, failure, now=now)))


def _held(mail: OutboxMail) -> tuple[sa.ColumnElement[bool], ...]:
    """That this job still holds a mail which it has claimed."""
    waiting = OutboxMail.status == MailStatus.WAITING
    return (OutboxMail.id == mail.id, waiting, OutboxMail.attempts == mail.attempts)


def _outcome(attempts: int, failure: _Failure | None, *, now: datetime) -> dict[str, object]:
    if failure is None:
        return {"status": MailStatus.SENT, "sent_at": now, "error": None, "body_text": "", "body_html": None}
    error = failure.error[:_ERROR_LENGTH_MAX]
    if failure.permanent or attempts >= ATTEMPTS_MAX:
        return {"status": MailStatus.FAILED, "error": error}
    return {"send_after": now + _WAITS[attempts - 1], "error": error}


def _message(mail: OutboxMail, installation: str, own: Sender | None) -> EmailMessage:
    sender = senders.from_field(installation, own)
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.recipient)
    if own is not None and own.reply_to:
        message["Reply-To"] = Address(addr_spec=own.reply_to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.body_text)
    if mail.body_html:
        message.add_alternative(mail.body_html, subtype="html")
    return message


@contextlib.contextmanager
def _carrier(to: Settings, own: Mapping[UUID, Sender]) -> Iterator[_Carrier]:
    """One connection for the batch; without `SMTP_URL` a folder takes the mails."""

    def message(mail: OutboxMail) -> EmailMessage:
        return _message(mail, to.mail_from, own.get(mail.program_id) if mail.program_id else None)

    if not to.smtp_url:
        yield lambda mail: smtp.keep(bytes(message(mail)), folder=to.data_dir / "mail", name=str(mail.id))
        return
    returned_to = parseaddr(to.mail_from)[1]  # whoever the mail is from: what cannot be delivered comes back to us
    with smtp.connect(to.smtp_url) as server:

        def send(mail: OutboxMail) -> None:
            server.send_message(message(mail), from_addr=returned_to)

        yield send
