"""The letters about a membership, each in the language of the person who reads it."""

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_date
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import queries
from affiliate.partners.models import Enrollment
from affiliate.programs.models import Program


def tell_approved(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Welcome the partner's people; who has no password yet is led to choose one."""
    _tell_all(session, enrollment, _welcome, now)


def tell_taken_in(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Tell people whom the program took in by itself that they have a portal, and how they come in."""
    _tell_all(session, enrollment, _taken_in, now)


def tell_rejected(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Tell the partner's people that the program said no, with the reason and when to try again."""
    again = enrollment.apply_again_at

    def letter(program: Program, person: User, reason: str | None) -> Letter:
        return _refusal(program, person, reason, again)

    _tell_all(session, enrollment, letter, now)


def _tell_all(
    session: Session, enrollment: Enrollment, letter: Callable[[Program, User, str | None], Letter], now: datetime
) -> None:
    program = session.get_one(Program, enrollment.program_id)
    for person in queries.members_of(session, partner_id=enrollment.partner_id):
        locale = person.locale or "en"
        with force_locale(locale):
            written = letter(program, person, enrollment.reason)
            mailer.post(session, recipient=person.email, letter=written, locale=locale, now=now)


def _welcome(program: Program, person: User, reason: str | None) -> Letter:
    base = settings.current().base_url
    paragraphs = [
        _("Hello %(name)s,", name=person.name),
        _("Your application was approved. You can make your first link now."),
    ]
    if reason:
        paragraphs.append(reason)
    act = (_("Open your portal"), f"{base}/portal/{program.slug}/")
    if person.password is None:
        paragraphs.append(_("Your account is %(email)s. It has no password yet: choose one first.", email=person.email))
        act = (_("Choose a password"), f"{base}/reset")
    return Letter(
        _("Welcome to the partner program of %(program)s", program=program.name), paragraphs, act, _why(program)
    )


def _taken_in(program: Program, person: User, _reason: str | None) -> Letter:
    base = settings.current().base_url
    paragraphs = [
        _("Hello %(name)s,", name=person.name),
        _("You are a partner of %(program)s. Your links, sales and payouts are in your portal.", program=program.name),
        _("Your account is %(email)s. It has no password yet: choose one first.", email=person.email),
    ]
    why = _("You get this mail because %(program)s added you as a partner.", program=program.name)
    subject = _("Your partner portal of %(program)s", program=program.name)
    return Letter(subject, paragraphs, (_("Choose a password"), f"{base}/reset"), why)


def _refusal(program: Program, person: User, reason: str | None, again: datetime | None) -> Letter:
    paragraphs = [_("Hello %(name)s,", name=person.name), _("The program decided not to accept your application.")]
    if reason:
        paragraphs.append(_("Reason: %(reason)s", reason=reason))
    act = None
    if again is not None:
        paragraphs.append(
            _("You can apply again from %(day)s.", day=format_date(again, "d MMM y", locale=person.locale or "en"))
        )
        act = (_("See the program"), f"{settings.current().base_url}/p/{program.slug}")
    return Letter(_("Your application to %(program)s", program=program.name), paragraphs, act, _why(program))


def _why(program: Program) -> str:
    return _("You get this mail because of an application to the partner program of %(program)s.", program=program.name)
