"""The letters about duties and shared goals, to whom they concern. Jobs write them too, so the language is named."""

from collections.abc import Callable, Sequence
from datetime import datetime

from babel.dates import format_date
from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.relations import queries
from affiliate.relations.care_models import Duty, PartnerGoal
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.speech import say

N_ = str  # marks a sentence for the translators


def remind_of_duty(session: Session, *, duty: Duty, program: Program, now: datetime) -> None:
    """Tell who has to do it, that its day comes."""
    subject = N_("To do: %(task)s")
    said = [N_("“%(task)s” is due on %(day)s.")]
    _tell(session, duty, program, (subject, said), now=now)


def tell_missed(session: Session, *, duty: Duty, program: Program, again: bool, now: datetime) -> None:
    """Tell who had to do it that its day has passed; when it happens again and again, the managers too."""
    subject = N_("Not done: %(task)s")
    again_on = N_("The day for “%(task)s” has passed. The next one is %(day)s.")
    still = N_("The day for “%(task)s” has passed. It stays on the list until it is done.")
    said = [still if duty.cadence is Cadence.ONCE else again_on]
    _tell(session, duty, program, (subject, said), now=now)
    if again and duty.side is Side.PARTNER:
        told = [N_("“%(task)s” was missed again by a partner. Talk to them now: it does not get better by itself.")]
        _tell_managers(session, duty, program, (N_("Missed again: %(task)s"), told), now=now)


def tell_goal(session: Session, *, goal: PartnerGoal, program: Program, to: Side, sentence: str, now: datetime) -> None:
    """Tell the other side what became of a shared goal."""
    to_partner = to is Side.PARTNER
    url = (
        f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/together"
        if to_partner
        else _console(program, goal)
    )

    def letter(person: User) -> Letter:
        locale = person.locale or "en"
        return Letter(
            say(N_("A shared goal with %(program)s"), locale, program=program.name),
            [say(N_("Hello %(name)s,"), locale, name=person.name), say(sentence, locale)],
            (say(N_("Open the goal"), locale), url),
            _why(program, locale),
        )

    if to_partner:
        _tell_partner(session, goal, program, letter, now)
    else:
        managers = queries.managers_of(session, program_id=program.id, kind=MailKind.DUTIES)
        _write(session, program, managers, letter, now)


def _tell_partner(
    session: Session, about: Duty | PartnerGoal, program: Program, letter: Callable[[User], Letter], now: datetime
) -> None:
    theirs = [about.partner_id]
    posting.tell(session, program=program, partner_ids=theirs, kind=MailKind.AGREED, letter=letter, now=now)


def _write(
    session: Session, program: Program, people: Sequence[User], letter: Callable[[User], Letter], now: datetime
) -> None:
    for person in people:
        posting.post(session, person=person, letter=letter(person), kind=MailKind.DUTIES, program=program, now=now)


def _tell(session: Session, duty: Duty, program: Program, said: tuple[str, list[str]], *, now: datetime) -> None:
    """Tell who has to do it."""
    if duty.side is Side.PARTNER:
        url = f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/together"
        _tell_partner(session, duty, program, _of_duty(duty, program, said, url), now)
        return
    owner = session.get(User, duty.owner_id) if duty.owner_id else None
    if owner is not None and owner.active:
        _write(session, program, [owner], _of_duty(duty, program, said, _console(program, duty)), now)
    else:
        _tell_managers(session, duty, program, said, now=now)


def _tell_managers(
    session: Session, duty: Duty, program: Program, said: tuple[str, list[str]], *, now: datetime
) -> None:
    managers = queries.managers_of(session, program_id=program.id, kind=MailKind.DUTIES)
    _write(session, program, managers, _of_duty(duty, program, said, _console(program, duty)), now)


def _of_duty(duty: Duty, program: Program, said: tuple[str, list[str]], url: str) -> Callable[[User], Letter]:
    day = duty.due_on

    def letter(person: User) -> Letter:
        locale = person.locale or "en"
        values = {"task": duty.task, "day": format_date(day, "d MMM y", locale=locale) if day else "–"}
        return Letter(
            say(said[0], locale, **values),
            [say(N_("Hello %(name)s,"), locale, name=person.name), *(say(one, locale, **values) for one in said[1])],
            (say(N_("Open the list"), locale), url),
            _why(program, locale),
        )

    return letter


def _console(program: Program, about: Duty | PartnerGoal) -> str:
    return f"{settings.current().base_url}/console/{program.slug}/partners/{ids.public('ptn', about.partner_id)}/care"


def _why(program: Program, locale: str) -> str:
    sentence = N_("You get this mail because of what was agreed in the partner program of %(program)s.")
    return say(sentence, locale, program=program.name)
