"""The letters about a membership, each in the language of the person who reads it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import queries
from affiliate.partners.models import Enrollment
from affiliate.programs.models import Program

_UNASKED_PER_HOUR_MAX = 3  # anybody can type anybody's address into a public form


def tell_approved(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Welcome the partner's people; who has no password yet is led to choose one."""
    _tell_all(session, enrollment, _welcome, now)


def tell_rejected(session: Session, *, enrollment: Enrollment, now: datetime) -> None:
    """Tell the partner's people that the program said no, with the reason."""
    _tell_all(session, enrollment, _refusal, now)


def tell_received(session: Session, *, program: Program, person: User, now: datetime) -> None:
    """Confirm a first application. It holds nothing that the applicant typed: the address is not proved yet."""
    _tell_unasked(session, person, _received, program, now)


def tell_known(session: Session, *, program: Program, person: User, now: datetime) -> None:
    """Somebody applied with the address of an account, without signing in: only its owner learns that, by this letter."""
    _tell_unasked(session, person, _known, program, now)


def _tell_all(
    session: Session, enrollment: Enrollment, letter: Callable[[Program, User, str | None], Letter], now: datetime
) -> None:
    program = session.get_one(Program, enrollment.program_id)
    for person in queries.members_of(session, partner_id=enrollment.partner_id):
        locale = person.locale or "en"
        with force_locale(locale):
            written = letter(program, person, enrollment.reason)
            mailer.post(session, recipient=person.email, letter=written, locale=locale, now=now)


def _tell_unasked(
    session: Session, person: User, letter: Callable[[Program], Letter], program: Program, now: datetime
) -> None:
    since = now - timedelta(hours=1)
    if queries.mails_since(session, recipient=person.email, since=since) >= _UNASKED_PER_HOUR_MAX:
        return
    locale = person.locale or "en"
    with force_locale(locale):
        mailer.post(session, recipient=person.email, letter=letter(program), locale=locale, now=now)


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


def _refusal(program: Program, person: User, reason: str | None) -> Letter:
    paragraphs = [_("Hello %(name)s,", name=person.name), _("The program decided not to accept your application.")]
    if reason:
        paragraphs.append(_("Reason: %(reason)s", reason=reason))
    return Letter(_("Your application to %(program)s", program=program.name), paragraphs, None, _why(program))


def _received(program: Program) -> Letter:
    paragraphs = [
        _("Your application to the partner program of %(program)s has arrived.", program=program.name),
        _("A person reads it. The answer comes to this address."),
        _("If it was not you who applied, you need not do anything."),
    ]
    return Letter(_("Your application to %(program)s", program=program.name), paragraphs, None, _why(program))


def _known(program: Program) -> Letter:
    base = settings.current().base_url
    paragraphs = [
        _(
            "Somebody, probably you, applied to the partner program of %(program)s with this address.",
            program=program.name,
        ),
        _("There is an account with this address already. Sign in, then apply: your details are filled in."),
        _("If it was not you who applied, you need not do anything."),
    ]
    act = (_("Sign in and apply"), f"{base}/login?next=/apply/{program.slug}")
    return Letter(_("Your application to %(program)s", program=program.name), paragraphs, act, _why(program))


def _why(program: Program) -> str:
    return _("You get this mail because of an application to the partner program of %(program)s.", program=program.name)
