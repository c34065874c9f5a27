"""The mails that tell people about their membership, each in the person's own language."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.models import User
from affiliate.partners import queries
from affiliate.partners.models import Enrollment
from affiliate.programs.models import Program


def tell_approved(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Welcome the partner's people; who has no password yet learns where to set one."""
    program = session.get_one(Program, enrollment.program_id)
    for person in queries.members_of(session, partner_id=enrollment.partner_id):
        with force_locale(person.locale or "en"):
            subject = _("Welcome to the partner program of %(program)s", program=program.name)
            lines = [_("Your application was approved. You can make your first link now.")]
            if enrollment.reason:
                lines.append(enrollment.reason)
            lines.append(_door(program, person))
            _write(session, person, subject, lines, now)


def tell_rejected(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Tell the partner's people that the program said no, with the reason."""
    program = session.get_one(Program, enrollment.program_id)
    for person in queries.members_of(session, partner_id=enrollment.partner_id):
        with force_locale(person.locale or "en"):
            subject = _("Your application to %(program)s", program=program.name)
            lines = [_("The program decided not to accept your application.")]
            if enrollment.reason:
                lines.append(_("Reason: %(reason)s", reason=enrollment.reason))
            _write(session, person, subject, lines, now)


def _door(program: Program, person: User) -> str:
    base = settings.current().base_url
    text = _("Your portal: %(url)s", url=f"{base}/portal/{program.slug}/")
    if person.password is None:
        text = _("Set a password for %(email)s here: %(url)s", email=person.email, url=f"{base}/reset")
    return text


def _write(session: Session, person: User, subject: str, lines: list[str], now: datetime) -> None:
    greeting = _("Hello %(name)s,", name=person.name)
    body = "\n\n".join([greeting, *lines]) + "\n"
    mailer.enqueue(session, recipient=person.email, subject=subject, body_text=body, now=now)
