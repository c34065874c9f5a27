"""The letters about newsletters that are none: a question to a partner about its story."""

from datetime import datetime
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program


def ask_about_story(session: Session, *, program: Program, partner_id: UUID, now: datetime) -> None:
    """Ask a partner's people to read a story about them and to say yes or no."""

    def letter(person: User) -> Letter:
        with force_locale(person.locale or "en"):
            return _story(program)

    posting.tell(session, program=program, partner_ids=[partner_id], kind=MailKind.STORIES, letter=letter, now=now)


def _story(program: Program) -> Letter:
    address = f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/newsletters"
    paragraphs = [
        _("%(program)s would like to tell your story in a newsletter to its partners.", program=program.name),
        _("Read it first. It is told only if you say yes, and only in these words."),
    ]
    why = _("You get this mail because you are a partner of %(program)s.", program=program.name)
    subject = _("May %(program)s tell your story?", program=program.name)
    return Letter(subject, paragraphs, (_("Read the story"), address), why)
