"""A mail provider's call takes an address out of newsletters, by the rule of the mailbox, once and with a good signature only."""

import base64
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from factories import make_program
from flask.testing import FlaskClient
from newsletter_cast import make_issue, make_reader
from sqlalchemy import select
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.app import create_app
from affiliate.newsletters.models import (
    DeliveryStatus,
    IssueKind,
    MailBounce,
    NewsletterDelivery,
    NewsletterRefusal,
    SuppressedAddress,
)
from affiliate.settings import Settings

SECRET = b"only-the-provider-and-we-know-it"


@pytest.fixture
def delivery(app_session: Session) -> NewsletterDelivery:
    """A newsletter that Alice got."""
    program = make_program(app_session, slug="casa")
    person, partner = make_reader(app_session, program=program)
    now = clock.now()
    issue = make_issue(app_session, program=program, now=now)
    row = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=person.id, partner_id=partner.id, due_at=now)
    row.status, row.claimed_at, row.settled_at = DeliveryStatus.SENT, now, now
    app_session.add(row)
    app_session.commit()
    return row


@pytest.fixture
def listening(sqlite_settings: Settings) -> FlaskClient:
    """An app that hears of bounces in our own form."""
    key = f"generic:whsec_{base64.b64encode(SECRET).decode()}"
    return create_app(replace(sqlite_settings, bounce_webhook=key)).test_client()


def told(client: FlaskClient, said: Any, *, secret: bytes = SECRET, provider: str = "generic") -> Any:
    body, moment = json.dumps(said).encode(), str(int(clock.now().timestamp()))
    digest = base64.b64encode(hmac.digest(secret, f"msg_1.{moment}.".encode() + body, "sha256")).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": f"v1,{digest}"}
    return client.post(f"/hooks/bounces/{provider}", data=body, headers=headers, content_type="application/json")


def suppressed(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(SuppressedAddress.address)))


def test_a_dead_mailbox_gets_no_more_newsletters(
    listening: FlaskClient, app_session: Session, delivery: NewsletterDelivery
) -> None:
    said = {"message_id": f"<{delivery.id}@shop.example>", "code": "5.1.1", "text": "550 5.1.1 no such person"}
    assert [told(listening, said).json for _ in range(2)] == [{"taken": 1}, {"taken": 0}]
    assert suppressed(app_session) == ["alice@example.test"]


def test_an_address_alone_names_the_last_mail_and_strangers_are_left_alone(
    listening: FlaskClient, app_session: Session, delivery: NewsletterDelivery
) -> None:
    said = [{"address": "Alice@example.test", "code": "5.2.2"}, {"address": "stranger@example.test", "code": "5.1.1"}]
    assert told(listening, said).json == {"taken": 1}
    assert suppressed(app_session) == []  # a full box, once
    assert app_session.scalars(select(MailBounce.delivery_id)).all() == [delivery.id]


def test_who_calls_it_spam_gets_no_more_and_is_not_suppressed(
    listening: FlaskClient, app_session: Session, delivery: NewsletterDelivery
) -> None:
    said = {"message_id": f"<{delivery.id}@shop.example>", "type": "complaint"}
    assert [told(listening, said).json for _ in range(2)] == [{"taken": 1}] * 2
    assert suppressed(app_session) == []
    refused = app_session.scalars(select(NewsletterRefusal)).all()
    assert {(row.user_id, row.kind, row.source) for row in refused} == {
        (delivery.user_id, kind, "complaint") for kind in IssueKind
    }
    app_session.refresh(delivery)
    assert delivery.unsubscribed_at is not None


def test_nobody_else_is_heard(
    listening: FlaskClient, client: FlaskClient, app_session: Session, delivery: NewsletterDelivery
) -> None:
    said = {"message_id": f"<{delivery.id}@shop.example>", "code": "5.1.1"}
    assert told(listening, said, secret=b"a guess").status_code == 403
    assert told(listening, said, provider="mailgun").status_code == 404
    assert told(listening, "rubbish").status_code == 400
    assert told(client, said).status_code == 404  # no key is set there
    assert suppressed(app_session) == []
