"""The letters of notifications: an address was switched off, and the summary of a day. Jobs write them, so the language is named."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.mailer import Letter
from affiliate.notifications.models import PostbackAddress, SwitchedOff
from affiliate.partners import posting, readers
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
    for person in readers.readers(session, partner_ids=[address.partner_id], kind=MailKind.POSTBACKS):
        language = person.locale or "en"
        letter = Letter(
            say(N_("A postback address is switched off"), language),
            [
                say(N_("Hello %(name)s,"), language, name=person.name),
                say(_OFF[address.switched_off or SwitchedOff.FAILING], language, **facts),
                say(N_("Nothing of what you earned is touched. Mend it, test it, and switch it on again."), language),
            ],
            (say(N_("See what it answered"), language), f"{_portal(program)}/postbacks"),
            _why(program, language),
        )
        posting.post(session, person=person, letter=letter, kind=MailKind.POSTBACKS, now=now)


def _portal(program: Program) -> str:
    return f"{settings.current().base_url}/portal/{program.slug}"


def _why(program: Program, language: str) -> str:
    sentence = N_("You get this mail because you are a member of a partner of %(program)s.")
    return say(sentence, language, program=program.name)
