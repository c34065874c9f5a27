"""The letters about duties and shared goals, to whom they concern. Jobs write them too, so the language is named."""

from collections.abc import Sequence
from datetime import datetime

from babel.dates import format_date
from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import posting, readers
from affiliate.programs.models import Program
from affiliate.relations import queries
from affiliate.relations.care_models import Duty, PartnerGoal
from affiliate.relations.models import Side
from affiliate.speech import say

N_ = str  # marks a sentence for the translators


def remind_of_duty(session: Session, *, duty: Duty, program: Program, now: datetime) -> None:
    """Tell who has to do it, that its day comes."""
    subject = N_("To do: %(task)s")
    said = [N_("“%(task)s” is due on %(day)s.")]
    _post(session, _people(session, duty, program), duty, program, (subject, said), now=now)


def tell_missed(session: Session, *, duty: Duty, program: Program, again: bool, now: datetime) -> None:
    """Tell who had to do it that its day has passed; when it happens again and again, the managers too."""
    subject = N_("Not done: %(task)s")
    said = [N_("The day for “%(task)s” has passed. The next one is %(day)s.")]
    people = list(_people(session, duty, program))
    _post(session, people, duty, program, (subject, said), now=now)
    if again and duty.side is Side.PARTNER:
        managers = queries.managers_of(session, program_id=program.id, kind=MailKind.DUTIES)
        told = [N_("“%(task)s” was missed again by a partner. Talk to them now: it does not get better by itself.")]
        _post(
            session,
            managers,
            duty,
            program,
            (N_("Missed again: %(task)s"), told),
            now=now,
            side=Side.PROGRAM,
        )


def tell_goal(session: Session, *, goal: PartnerGoal, program: Program, to: Side, sentence: str, now: datetime) -> None:
    """Tell the other side what became of a shared goal."""
    if to is Side.PARTNER:
        people: Sequence[User] = _partners_people(session, goal)
        url = f"{settings.current().base_url}/portal/{program.slug}/together"
    else:
        people = queries.managers_of(session, program_id=program.id, kind=MailKind.DUTIES)
        url = _console(program, goal)
    for person in people:
        locale = person.locale or "en"
        letter = Letter(
            say(N_("A shared goal with %(program)s"), locale, program=program.name),
            [say(N_("Hello %(name)s,"), locale, name=person.name), say(sentence, locale)],
            (say(N_("Open the goal"), locale), url),
            _why(program, locale),
        )
        _send(session, person, letter, to_partner=to is Side.PARTNER, now=now)


def _partners_people(session: Session, about: Duty | PartnerGoal) -> Sequence[User]:
    return readers.readers(session, partner_ids=[about.partner_id], kind=MailKind.AGREED)


def _send(session: Session, person: User, letter: Letter, *, to_partner: bool, now: datetime) -> None:
    kind = MailKind.AGREED if to_partner else MailKind.DUTIES
    posting.post(session, person=person, letter=letter, kind=kind, now=now)


def _people(session: Session, duty: Duty, program: Program) -> Sequence[User]:
    if duty.side is Side.PARTNER:
        return _partners_people(session, duty)
    owner = session.get(User, duty.owner_id) if duty.owner_id else None
    return (
        [owner]
        if owner is not None and owner.active
        else queries.managers_of(session, program_id=program.id, kind=MailKind.DUTIES)
    )


def _post(
    session: Session, people: Sequence[User], duty: Duty, program: Program, said: tuple[str, list[str]],
    *, now: datetime, side: Side | None = None,
) -> None:  # fmt: skip
    to_partner = (side or duty.side) is Side.PARTNER
    url = f"{settings.current().base_url}/portal/{program.slug}/together" if to_partner else _console(program, duty)
    day = duty.due_on
    for person in people:
        locale = person.locale or "en"
        values = {"task": duty.task, "day": format_date(day, "d MMM y", locale=locale) if day else "–"}
        letter = Letter(
            say(said[0], locale, **values),
            [say(N_("Hello %(name)s,"), locale, name=person.name), *(say(one, locale, **values) for one in said[1])],
            (say(N_("Open the list"), locale), url),
            _why(program, locale),
        )
        _send(session, person, letter, to_partner=to_partner, now=now)


def _console(program: Program, about: Duty | PartnerGoal) -> str:
    return f"{settings.current().base_url}/console/{program.slug}/partners/{ids.public('ptn', about.partner_id)}/care"


def _why(program: Program, locale: str) -> str:
    sentence = N_("You get this mail because of what was agreed in the partner program of %(program)s.")
    return say(sentence, locale, program=program.name)
