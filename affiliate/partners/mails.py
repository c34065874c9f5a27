"""The letters about a membership, each in the language of the person who reads it."""

from collections.abc import Callable
from datetime import datetime

from babel.dates import format_date
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import queries
from affiliate.partners.models import Enrollment
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say

N_ = str  # marks a sentence for the translators


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
        written = letter(program, person, enrollment.reason)
        mailer.post(session, recipient=person.email, letter=written, locale=locale, program=program, now=now)


def _welcome(program: Program, person: User, reason: str | None) -> Letter:
    base, locale = addresses.pages(program.own_host, settings.current()), person.locale or "en"
    paragraphs = [
        say(N_("Hello %(name)s,"), locale, name=person.name),
        say(N_("Your application was approved. You can make your first link now."), locale),
    ]
    if reason:
        paragraphs.append(reason)
    act = (say(N_("Open your portal"), locale), f"{base}/portal/{program.slug}/")
    if person.password is None:
        paragraphs.append(
            say(N_("Your account is %(email)s. It has no password yet: choose one first."), locale, email=person.email)
        )
        act = (say(N_("Choose a password"), locale), f"{base}/reset")
    return Letter(
        say(N_("Welcome to the partner program of %(program)s"), locale, program=program.name),
        paragraphs,
        act,
        _why(program, locale),
    )


def _taken_in(program: Program, person: User, _reason: str | None) -> Letter:
    base, locale = addresses.pages(program.own_host, settings.current()), person.locale or "en"
    paragraphs = [
        say(N_("Hello %(name)s,"), locale, name=person.name),
        say(
            N_("You are a partner of %(program)s. Your links, sales and payouts are in your portal."),
            locale,
            program=program.name,
        ),
        say(N_("Your account is %(email)s. It has no password yet: choose one first."), locale, email=person.email),
    ]
    why = say(N_("You get this mail because %(program)s added you as a partner."), locale, program=program.name)
    subject = say(N_("Your partner portal of %(program)s"), locale, program=program.name)
    return Letter(subject, paragraphs, (say(N_("Choose a password"), locale), f"{base}/reset"), why)


def _refusal(program: Program, person: User, reason: str | None, again: datetime | None) -> Letter:
    locale = person.locale or "en"
    paragraphs = [
        say(N_("Hello %(name)s,"), locale, name=person.name),
        say(N_("The program decided not to accept your application."), locale),
    ]
    if reason:
        paragraphs.append(say(N_("Reason: %(reason)s"), locale, reason=reason))
    act = None
    if again is not None:
        paragraphs.append(
            say(N_("You can apply again from %(day)s."), locale, day=format_date(again, "d MMM y", locale=locale))
        )
        act = (
            say(N_("See the program"), locale),
            f"{addresses.pages(program.own_host, settings.current())}/p/{program.slug}",
        )
    return Letter(
        say(N_("Your application to %(program)s"), locale, program=program.name), paragraphs, act, _why(program, locale)
    )


def _why(program: Program, locale: str) -> str:
    return say(
        N_("You get this mail because of an application to the partner program of %(program)s."),
        locale,
        program=program.name,
    )
