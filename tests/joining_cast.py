"""What somebody types into the application form, and the addresses that its mails hold."""

import re

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.joining.accepting import Terms
from affiliate.mailer import OutboxMail

TERMS = "One.\n\nTwo."
FORM: dict[str, str | list[str]] = {
    "name": "Marta S.",
    "email": "marta@kitchen.example",
    "partner_name": "Marta's Slow Kitchen",
    "website": "kitchen.example",
    "country": "IT",
    "channels-kind": ["newsletter", "blog"],
    "channels-address": ["Slow Letter", ""],
    "channels-people": ["2,400", ""],
    "why": "I cook with it.",
    "terms": "y",
    "terms_version": Terms(TERMS, "").version,
}


def address_in_mail(session: Session, page: str) -> str:
    """The path of a page that the newest mail leads to."""
    text = session.scalars(sa.select(OutboxMail.body_text).order_by(OutboxMail.id.desc()).limit(1)).one()
    session.commit()  # SQLite has one writer, and the next request wants to be it
    found = re.search(rf"http://localhost(/[^\s]*/{page}/[^\s]+)", text)
    assert found is not None, text
    return found[1]


def apply_and_confirm(client: FlaskClient, session: Session, slug: str, **typed: str) -> str:
    """Send the form and prove the mailbox; gives the path of the page that says how it stands."""
    sent = client.post(f"/apply/{slug}", data=FORM | typed)
    assert sent.status_code == 303, sent.text
    assert client.post(address_in_mail(session, "confirm")).status_code == 303
    return str(sent.location)
