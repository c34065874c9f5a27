"""Mails that come back are understood by their reports, counted once, and end newsletters to an address where the rule says so."""

from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from newsletter_cast import make_issue, make_reader

from affiliate import db, ids
from affiliate import settings as settings_module
from affiliate.newsletters import bounces, jobs
from affiliate.newsletters.models import DeliveryStatus, NewsletterDelivery, NewsletterIssue, SuppressedAddress
from affiliate.programs.models import Program
from affiliate.settings import Settings

REPORT = """From: MAILER-DAEMON@mx.example
To: partners@localhost
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; alice@example.test
Action: {action}
Status: {code}
Diagnostic-Code: smtp; 550 {code} <alice@example.test>
 is not here

--b
Content-Type: {returned}

From: Casa
Message-ID:
 <{delivery_id}@localhost>
Subject: News

--b--
"""


def report(
    delivery_id: UUID, *, code: str = "5.1.1", action: str = "failed", returned: str = "message/rfc822"
) -> bytes:
    return REPORT.format(delivery_id=delivery_id, code=code, action=action, returned=returned).encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_final_failure_names_our_delivery_and_why(returned: str) -> None:
    delivery_id = uuid4()
    found = bounces.read(report(delivery_id, returned=returned))
    assert found == bounces.Report(delivery_id, "5.1.1", "smtp; 550 5.1.1 <alice@example.test> is not here")


@pytest.mark.parametrize(
    "message",
    [b"", b"Subject: I am on holiday\n\nBack on Monday.", report(uuid4(), action="delayed"), report(uuid4(), action="delivered"),
     report(uuid4()).replace(b"Message-ID", b"X-Other"), b"\xff\x00" * 1000],
)  # fmt: skip
def test_everything_else_is_no_report(message: bytes) -> None:
    assert bounces.read(message) is None


@pytest.mark.parametrize(
    ("codes", "is_dead"),
    [
        (["5.1.1"], True),
        (["5.2.2"], False),
        (["5.2.2", "4.4.7"], False),
        (["5.2.2", "4.4.7", "5.7.1"], True),
        ([], False),
    ],
)
def test_one_dead_mailbox_or_three_of_any_kind_end_it(codes: list[str], is_dead: bool) -> None:
    assert bounces.is_dead(codes) is is_dead


def _deliveries(program: Program, now: datetime, count: int) -> list[UUID]:
    with db.transaction() as session:
        person, partner = make_reader(session, program=program, name="Zoe Example")
        made = []
        for _ in range(count):
            issue: NewsletterIssue = make_issue(session, program=program, now=now)
            row = NewsletterDelivery(
                id=ids.new(), issue_id=issue.id, user_id=person.id, partner_id=partner.id, due_at=now
            )
            row.status = DeliveryStatus.SENT
            session.add(row)
            made.append(row.id)
        return made


def _is_suppressed() -> bool:
    with db.reading() as session:
        return session.get(SuppressedAddress, "zoe@example.test") is not None


def test_the_mailbox_is_read_once_and_the_third_full_box_suppresses(
    settings: Settings, program: Program, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = tmp_path / "Maildir"
    (box / "new").mkdir(parents=True)
    monkeypatch.setenv("AFFILIATE_BOUNCE_MAILDIR", str(box))
    settings_module.current.cache_clear()
    made = _deliveries(program, now, 3)
    for turn in range(2):  # the same report twice counts once
        for number, delivery_id in enumerate(made[:2]):
            (box / "new" / f"{turn}.{number}").write_bytes(report(delivery_id, code="5.2.2"))
        (box / "new" / f"{turn}.holiday").write_bytes(b"Subject: away\n\nBack on Monday.")
        assert jobs.read_bounces() == 3
        assert jobs.read_bounces() == 0
    assert not _is_suppressed()
    assert len(list((box / "cur").iterdir())) == 6
    (box / "new" / "last").write_bytes(report(made[2], code="5.2.2"))
    (box / "new" / "unknown").write_bytes(report(uuid4()))
    assert jobs.read_bounces() == 2
    assert _is_suppressed()
    with db.reading() as session:
        assert session.get_one(NewsletterDelivery, made[0]).bounced_at is not None


def test_without_a_mailbox_there_is_nothing_to_read(settings: Settings) -> None:
    assert jobs.read_bounces() == 0
