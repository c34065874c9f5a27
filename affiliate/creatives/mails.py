"""The letters about creatives, each in the language of the person who reads it. A job writes them too, so the language is named."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.creatives.models import Creative
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

_BEFORE_MIDNIGHT = timedelta(microseconds=1)
TOLD_MAX = 1_000  # partners of one letter


def tell_approved(session: Session, *, creative: Creative, program: Program, now: datetime) -> None:
    """Tell who proposed it that it may be used."""
    if creative.proposed_by_id is not None:
        _tell(session, program, [creative.proposed_by_id], lambda person: _approved(creative, program, person), now)


def tell_refused(session: Session, *, creative: Creative, program: Program, now: datetime) -> None:
    """Tell who proposed it that it may not be used, and why."""
    if creative.proposed_by_id is not None:
        _tell(session, program, [creative.proposed_by_id], lambda person: _refused(creative, program, person), now)


def tell_retired(
    session: Session, *, creative: Creative, program: Program, partner_ids: Sequence[UUID], now: datetime
) -> None:
    """Tell partners that what they use comes to its end."""
    _tell(session, program, partner_ids[:TOLD_MAX], lambda person: _retired(creative, program, person), now)


def tell_all_retired(
    session: Session, *, users: Mapping[UUID, Sequence[Creative]], program: Program, now: datetime
) -> None:
    """Tell partners that all that they use of these comes to its end, in one letter. `users`: what each of them uses."""
    alike: dict[tuple[UUID, ...], list[UUID]] = {}
    for partner_id, used in users.items():
        alike.setdefault(tuple(one.id for one in used), []).append(partner_id)
    for partner_ids in alike.values():
        _tell(session, program, partner_ids, _letter_of(users[partner_ids[0]], program), now)


def _letter_of(creatives: Sequence[Creative], program: Program) -> Callable[[User], Letter]:
    if len(creatives) == 1:
        return lambda person: _retired(creatives[0], program, person)
    return lambda person: _all_retired(creatives, program, person)


def _tell(
    session: Session, program: Program, partner_ids: Sequence[UUID], letter: Callable[[User], Letter], now: datetime
) -> None:
    posting.tell(session, program=program, partner_ids=partner_ids, kind=MailKind.CREATIVES, letter=letter, now=now)


def _approved(creative: Creative, program: Program, person: User) -> Letter:
    locale = _language(person)
    done = N_("Your material “%(title)s” was approved. Its code with your link is ready.")
    paragraphs = [_hello(person), say(done, locale, title=creative.title)]
    act = (say(N_("Open it"), locale), _address(creative, program))
    return Letter(say(N_("Approved: %(title)s"), locale, title=creative.title), paragraphs, act, _why(program, person))


def _refused(creative: Creative, program: Program, person: User) -> Letter:
    locale = _language(person)
    refused = N_("The program does not want your material “%(title)s” to be used.")
    reason = say(N_("Reason: %(reason)s"), locale, reason=creative.reason)
    paragraphs = [_hello(person), say(refused, locale, title=creative.title), reason]
    subject = say(N_("Not approved: %(title)s"), locale, title=creative.title)
    return Letter(subject, paragraphs, None, _why(program, person))


def _retired(creative: Creative, program: Program, person: User) -> Letter:
    locale = _language(person)
    ends = N_("“%(title)s” ends on %(day)s. Links keep working; a banner becomes an empty picture.")
    day = _last_day(creative.ends_at, program, person)
    paragraphs = [_hello(person), say(ends, locale, title=creative.title, day=day)]
    if creative.end_note:
        paragraphs.append(creative.end_note)
    act = (say(N_("See what else there is"), locale), _library(program))
    return Letter(say(N_("It ends: %(title)s"), locale, title=creative.title), paragraphs, act, _why(program, person))


def _all_retired(creatives: Sequence[Creative], program: Program, person: User) -> Letter:
    locale = _language(person)
    end = N_("Several creatives that you use come to their end. Links keep working; a banner becomes an empty picture.")
    paragraphs = [_hello(person), say(end, locale)]
    for one in creatives:
        day = _last_day(one.ends_at, program, person)
        paragraphs.append(say(N_("“%(title)s”: until %(day)s."), locale, title=one.title, day=day))
    paragraphs += dict.fromkeys(one.end_note for one in creatives if one.end_note)
    act = (say(N_("See what else there is"), locale), _library(program))
    subject = say(N_("Several creatives end: “%(title)s” and more"), locale, title=creatives[0].title)
    return Letter(subject, paragraphs, act, _why(program, person))


def _library(program: Program) -> str:
    return f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/creatives"


def _last_day(end: datetime | None, program: Program, person: User) -> str:
    """The last day on which it is offered: a creative that may be used until the 30th ends with the midnight after it."""
    local = (end - _BEFORE_MIDNIGHT).astimezone(ZoneInfo(program.time_zone)) if end else None
    return format_date(local, "d MMM y", locale=_language(person))


def _address(creative: Creative, program: Program) -> str:
    return f"{_library(program)}/{ids.public('crv', creative.id)}"


def _hello(person: User) -> str:
    return say(N_("Hello %(name)s,"), _language(person), name=person.name)


def _language(person: User) -> str:
    return person.locale or "en"


def _why(program: Program, person: User) -> str:
    why = N_("You get this mail because you take part in the partner program of %(program)s.")
    return say(why, _language(person), program=program.name)
