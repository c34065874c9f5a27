"""A letter to one of a partner's people, with the link that stops its kind where it may be stopped."""

from datetime import datetime

from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts import stops
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter, OutboxMail


def post(session: Session, *, person: User, letter: Letter, kind: MailKind, now: datetime) -> None:
    """Put a letter of this kind into the outbox. Whether the person wants it was asked before: `readers`."""
    session.add(written(person=person, letter=letter, kind=kind, now=now))


def written(*, person: User, letter: Letter, kind: MailKind, now: datetime) -> OutboxMail:
    """The same as a mail, for whoever adds it to the outbox later."""
    stop_url = stops.address(settings.current(), user_id=person.id, kind=kind)
    locale = person.locale or "en"
    return mailer.written(recipient=person.email, letter=letter, locale=locale, stop_url=stop_url, now=now)
