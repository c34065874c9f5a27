"""The talk with the mail server: the same answers whether it takes commands one by one or at once."""

import smtplib
from collections.abc import Iterator

import mail_server
import pytest
from mail_server import MailServer

from affiliate import smtp
from affiliate.newsletters.carrier import Verdict, carry

MESSAGE = b"Subject: News\r\n\r\nHello.\r\n..two dots\r\n.\r\nThe end.\r\n"
SENDER, ALICE, BOB = "news@shop.example", "alice@example.test", "bob@example.test"


@pytest.fixture(params=[False, True], ids=["one by one", "at once"])
def server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with mail_server.running() as server:
        server.pipelining = request.param
        yield server


@pytest.fixture
def line(server: MailServer) -> Iterator[smtplib.SMTP]:
    found = smtp.connect(f"smtp://127.0.0.1:{server.port}")
    assert found.has_extn("pipelining") is server.pipelining
    yield found
    found.close()


def test_a_mail_arrives_as_it_was_written(server: MailServer, line: smtplib.SMTP) -> None:
    assert carry(line, SENDER, ALICE, MESSAGE).verdict is Verdict.TAKEN
    assert server.raw == [MESSAGE]
    assert server.senders == {SENDER}


def test_a_refused_recipient_holds_up_no_other(server: MailServer, line: smtplib.SMTP) -> None:
    server.answers[ALICE] = "550 5.1.1 no such person"
    refused = carry(line, SENDER, ALICE, MESSAGE)
    assert (refused.verdict, refused.is_about_address) == (Verdict.REFUSED, True)
    assert refused.text == "550 5.1.1 no such person"
    server.answers[ALICE] = "451 4.2.1 busy"
    assert carry(line, SENDER, ALICE, MESSAGE).verdict is Verdict.LATER
    assert carry(line, SENDER, BOB, MESSAGE).verdict is Verdict.TAKEN
    assert server.received() == {"None": 1}


def test_a_server_that_closes_was_not_asked_for_this_mail(server: MailServer, line: smtplib.SMTP) -> None:
    server.answers[ALICE] = "421 4.7.0 not now"
    away = carry(line, SENDER, ALICE, MESSAGE)
    assert (away.verdict, away.is_about_address) == (Verdict.AWAY, False)
    assert server.messages == []


def test_what_breaks_after_the_text_is_unknown(server: MailServer, line: smtplib.SMTP) -> None:
    server.closes_at = ALICE
    assert carry(line, SENDER, ALICE, MESSAGE).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("said", "verdict"), [("252 2.6.0 taken", Verdict.TAKEN), ("354 go on", Verdict.UNKNOWN), ("well", Verdict.UNKNOWN)]
)
def test_a_mail_whose_text_was_not_refused_is_never_sent_again(
    server: MailServer, line: smtplib.SMTP, said: str, verdict: Verdict
) -> None:
    server.text_answer = said
    assert carry(line, SENDER, ALICE, MESSAGE).verdict is verdict


def test_a_refused_text_is_this_mails_matter_alone(server: MailServer, line: smtplib.SMTP) -> None:
    server.text_answer = "554 5.7.1 this is spam"
    refused = carry(line, SENDER, ALICE, MESSAGE)
    assert (refused.verdict, refused.is_about_address) == (Verdict.REFUSED, False)
    server.text_answer = "250 OK"
    assert carry(line, SENDER, ALICE, MESSAGE).verdict is Verdict.TAKEN


@pytest.mark.parametrize(
    "address", ["", "alice", "a b@example.test", "a@b>\r\nDATA", "<a@b.test>", "a@b.test\nRCPT TO:<c@d.test>"]
)
def test_what_is_no_address_never_reaches_the_server(server: MailServer, line: smtplib.SMTP, address: str) -> None:
    refused = carry(line, SENDER, address, MESSAGE)
    assert (refused.verdict, refused.is_about_address) == (Verdict.REFUSED, True)
    assert carry(line, SENDER, BOB, MESSAGE).verdict is Verdict.TAKEN
