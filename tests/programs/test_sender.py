"""Mails of a program leave in its name, and under an address only when its reader has agreed."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import factories
import pytest
import sqlalchemy as sa
import time_machine
from flask_babel import force_locale
from sqlalchemy.orm import Session

from affiliate import db, mailer
from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.mailer import Letter, OutboxMail
from affiliate.programs import jobs, sender
from affiliate.programs.models import Program
from affiliate.programs.sender import AskedTooOften, ProofOver, Wanted
from affiliate.senders import Of, Sender, from_field
from affiliate.settings import Settings

NOW = factories.NOW
SECRET = "another-secret-of-tests-0123456789abcdef"


@pytest.fixture
def program(app_session: Session) -> Program:
    """A program without a sender of its own."""
    made = factories.make_program(app_session, slug="ondera", name="Casa Ondera")
    app_session.commit()
    return made


def keep(session: Session, program: Program, *, at: datetime = NOW, **wanted: str) -> bool:
    with force_locale("en"):
        asked = sender.keep(
            session, program=program, wanted=Wanted(**wanted), locale="en", actor=SYSTEM, now=at
        )  # fmt: skip
    session.commit()
    return asked


def token_of(session: Session) -> str:
    """The token in the newest mail."""
    mail = session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id.desc())).first()
    assert mail is not None
    found = re.search(r"/sender/(\S+)", mail.body_text)
    assert found
    return found[1]


def sent(session: Session, sqlite_settings: Settings, program: Program) -> EmailMessage:
    """A letter of the program as it leaves now."""
    named = Of(program.id, program.name)
    session.commit()
    with db.transaction() as writing:
        letter = Letter("Hello", ["One line."])
        mailer.post(writing, recipient="marta@example.test", letter=letter, locale="en", program=named, now=NOW)
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        jobs.send_mails()
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (sqlite_settings.data_dir / "mail").iterdir()
    ]
    (mine,) = [each for each in found if each["To"] == "marta@example.test"]
    return mine


def test_without_anything_set_the_programs_name_stands_before_our_address(
    app_session: Session, program: Program, sqlite_settings: Settings
) -> None:
    mail = sent(app_session, sqlite_settings, program)
    assert mail["From"] == "Casa Ondera <partners@localhost>"
    assert mail["Reply-To"] is None


def test_name_and_answers_count_at_once_and_an_address_when_it_agreed(
    app_session: Session, program: Program, sqlite_settings: Settings
) -> None:
    assert keep(
        app_session, program, name=" Ondera\r\n partners ", address="hi@shop.example", reply_to="me@shop.example"
    )
    row = sender.row_of(app_session, program_id=program.id)
    assert row is not None
    assert (row.name, row.address, row.asked_address) == ("Ondera partners", None, "hi@shop.example")
    token = token_of(app_session)
    secret = sqlite_settings.secret_key
    sender.prove(app_session, secret_key=secret, token=token, now=NOW + timedelta(days=6))
    app_session.commit()
    with pytest.raises(ProofOver):  # once
        sender.prove(app_session, secret_key=secret, token=token, now=NOW)
    mail = sent(app_session, sqlite_settings, program)
    assert mail["From"] == "Ondera partners <hi@shop.example>"
    assert mail["Reply-To"] == "me@shop.example"
    assert not keep(app_session, program, address="hi@shop.example")  # the same again is not asked again
    assert not keep(app_session, program)
    assert sender.of_programs(app_session, [program.id])[program.id] == Sender("Casa Ondera")


def test_a_link_that_is_old_changed_or_about_another_address_proves_nothing(
    app_session: Session, program: Program, sqlite_settings: Settings
) -> None:
    keep(app_session, program, address="one@shop.example")
    first = token_of(app_session)
    keep(app_session, program, address="two@shop.example", at=NOW + timedelta(minutes=1))
    second = token_of(app_session)
    secret = sqlite_settings.secret_key
    for text, at, key in (
        (first, NOW, secret), (second + "x", NOW, secret), (second, NOW, SECRET), ("", NOW, secret),
        (second, NOW + timedelta(days=7, minutes=1), secret),
    ):  # fmt: skip
        with pytest.raises(ProofOver):
            sender.prove(app_session, secret_key=key, token=text, now=at)
    sender.prove(app_session, secret_key=secret, token=second, now=NOW + timedelta(days=7))
    assert sender.of_programs(app_session, [program.id])[program.id].address == "two@shop.example"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("address", "a@shop.example\r\nBcc: x@evil.example"), ("address", "a@shop.example, b@shop.example"),
        ("address", "Casa <a@shop.example>"), ("address", "no address"), ("reply_to", "a@shop.example\nX: y"),
        ("address", "żółw@shop.example"), ("name", "x" * 121), ("name", "security@bank.example"), ("name", "a\x00b"),
    ],
)  # fmt: skip
def test_what_a_header_cannot_carry_is_refused(app_session: Session, program: Program, field: str, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        keep(app_session, program, at=NOW, **{field: text})
    assert list(refusal.value.errors) == [field]


def test_a_line_break_gets_into_no_header() -> None:
    with pytest.raises(ValueError, match="CR or LF"):
        from_field("Ours <us@localhost>", Sender("Casa\r\nBcc: x@evil.example"))


def test_a_mailbox_is_asked_three_times_an_hour(app_session: Session, program: Program) -> None:
    for number in range(3):
        keep(app_session, program, address="hi@shop.example", at=NOW + timedelta(minutes=number))
    with pytest.raises(AskedTooOften):
        keep(app_session, program, address="hi@shop.example", at=NOW + timedelta(minutes=5))
