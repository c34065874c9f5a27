"""The letters of notifications: an address was switched off, and the summary of a day. Jobs write them, so the language is named."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from urllib.parse import urlsplit
from uuid import UUID

from babel.dates import format_date
from babel.numbers import format_currency
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.ledger.models import TransferKind
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.notifications.models import PostbackAddress, SwitchedOff
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

_OFF = {
    SwitchedOff.FAILING: N_("Your postback address at %(host)s has failed for more than a day, so it is switched off."),
    SwitchedOff.GONE: N_("Your postback address at %(host)s answered that it is gone, so it is switched off."),
}


def tell_switched_off(session: Session, *, address_id: UUID, now: datetime) -> None:
    """Tell the partner's people that an address is called no more, and why."""
    address = session.get_one(PostbackAddress, address_id, populate_existing=True)
    program = session.get_one(Program, address.program_id)
    facts = {"host": urlsplit(address.url).hostname or "", "program": program.name}

    def letter(person: User) -> Letter:
        language = person.locale or "en"
        return Letter(
            say(N_("A postback address is switched off"), language),
            [
                say(N_("Hello %(name)s,"), language, name=person.name),
                say(_OFF[address.switched_off or SwitchedOff.FAILING], language, **facts),
                say(N_("Nothing of what you earned is touched. Mend it, test it, and switch it on again."), language),
            ],
            (say(N_("See what it answered"), language), f"{_portal(program)}/postbacks"),
            _why(program, language),
        )

    theirs = [address.partner_id]
    posting.tell(session, program=program, partner_ids=theirs, kind=MailKind.POSTBACKS, letter=letter, now=now)


def _portal(program: Program) -> str:
    return f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}"


def _why(program: Program, language: str) -> str:
    sentence = N_("You get this mail because you are a member of a partner of %(program)s.")
    return say(sentence, language, program=program.name)


def of_day(program: Program, person: User, day: date, sums: Mapping[TransferKind, tuple[int, int]]) -> Letter:
    """The summary of a partner's day in a program."""
    language = person.locale or "en"
    facts = {"program": program.name, "day": format_date(day, "EEEE, d MMMM", locale=language)}
    lines = [_line(sentence, kinds, sums, program.currency, language) for sentence, kinds in _OF_DAY]
    return Letter(
        say(N_("Your %(day)s at %(program)s"), language, **facts),
        [
            say(N_("Hello %(name)s,"), language, name=person.name),
            *[line for line in lines if line],
            say(N_("Each line of your list says why."), language),
        ],
        (say(N_("See your earnings"), language), f"{_portal(program)}/commissions"),
        _why(program, language),
    )


_OF_DAY: tuple[tuple[str, tuple[TransferKind, ...]], ...] = (
    (N_("New commissions: %(count)s, together %(amount)s."), (TransferKind.ACCRUE,)),
    (N_("Approved: %(count)s, together %(amount)s."), (TransferKind.APPROVE,)),
    (N_("Taken back in whole or in part: %(count)s, together %(amount)s."), (TransferKind.REVERSE, TransferKind.CLAW_BACK)),
)  # fmt: skip


def _line(
    sentence: str, kinds: Sequence[TransferKind], sums: Mapping[TransferKind, tuple[int, int]], currency: str, language: str
) -> str:  # fmt: skip
    counts, amounts = zip(*(sums.get(kind, (0, 0)) for kind in kinds), strict=True)
    amount = format_currency(Money(sum(amounts), currency).decimal(), currency, locale=language)
    return say(sentence, language, count=sum(counts), amount=amount) if sum(counts) else ""
