"""What a partner's people are told: by a letter, with the link that stops its kind where it may be stopped, and in the portal."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts import stops
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter, OutboxMail
from affiliate.partners import noticing, readers
from affiliate.programs.models import Program
from affiliate.senders import Named


def tell(
    session: Session, *, program: Program, partner_ids: Collection[UUID], kind: MailKind,
    letter: Callable[[User], Letter], now: datetime,
) -> None:  # fmt: skip
    """Write to the people of these partners who want it by mail, and leave a notice in their portals."""
    for person in readers.readers(session, partner_ids=partner_ids, kind=kind):
        post(session, person=person, letter=letter(person), kind=kind, program=program, now=now)
    noticing.note(session, program_id=program.id, partner_ids=partner_ids, kind=kind, letter=letter, now=now)


def post(session: Session, *, person: User, letter: Letter, kind: MailKind, program: Named, now: datetime) -> None:
    """Put a letter of this kind into the outbox, in the program's name. Whether the person wants it was asked before: `readers`."""
    session.add(written(person=person, letter=letter, kind=kind, program=program, now=now))


def written(*, person: User, letter: Letter, kind: MailKind, program: Named, now: datetime) -> OutboxMail:
    """The same as a mail, for whoever adds it to the outbox later."""
    stop_url = stops.address(settings.current(), user_id=person.id, kind=kind)
    locale = person.locale or "en"
    return mailer.written(
        recipient=person.email, letter=letter, locale=locale, stop_url=stop_url, program=program, now=now
    )
