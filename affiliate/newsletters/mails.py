"""The letters about newsletters that are none: a question to a partner about its story, an issue as a test to who writes it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter, MailStatus, OutboxMail
from affiliate.newsletters.content import LANGUAGES
from affiliate.newsletters.rendering import Mail
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say


def ask_about_story(session: Session, *, program: Program, partner_id: UUID, now: datetime) -> None:
    """Ask a partner's people to read a story about them and to say yes or no."""

    def letter(person: User) -> Letter:
        with force_locale(person.locale or "en"):
            return _story(program)

    posting.tell(session, program=program, partner_ids=[partner_id], kind=MailKind.STORIES, letter=letter, now=now)


def post_test(session: Session, *, program: Program, recipient: str, mail: Mail, now: datetime) -> None:
    """Send an issue as a test, said in the language of who asks for it."""
    mailer.enqueue(
        session, recipient=recipient, subject=_("Test: %(subject)s", subject=mail.subject), body_text=mail.text,
        body_html=mail.html, program=program, now=now,
    )  # fmt: skip


def forget_tests(session: Session, *, program_ids: Collection[UUID]) -> None:
    """Drop the tests of these programs that have not left: they may tell a story that is told no more. Nobody but who writes waits for one."""
    starts = [say("Test: %(subject)s", language, subject="").strip() for language in LANGUAGES]
    tests = sa.or_(*(OutboxMail.subject.startswith(start, autoescape=True) for start in starts))
    # Every newsletter says how to stop it; a letter that is called a test by chance does not.
    here = (OutboxMail.program_id.in_(program_ids), tests, OutboxMail.body_text.contains("/mail/"))
    gone = sa.delete(OutboxMail).where(*here, OutboxMail.status != MailStatus.SENT)
    session.execute(gone.execution_options(synchronize_session=False))


def _story(program: Program) -> Letter:
    address = f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/newsletters"
    paragraphs = [
        _("%(program)s would like to tell your story in a newsletter to its partners.", program=program.name),
        _("Read it first. It is told only if you say yes, and only in these words."),
    ]
    why = _("You get this mail because you are a partner of %(program)s.", program=program.name)
    subject = _("May %(program)s tell your story?", program=program.name)
    return Letter(subject, paragraphs, (_("Read the story"), address), why)
