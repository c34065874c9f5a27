"""The letters of privacy: a copy is ready (it waits in the portal, and travels in no mail), and somebody wants to be forgotten."""

from datetime import datetime

from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.relations import queries as relations
from affiliate.speech import say

N_ = str  # marks a sentence for the translators


def tell_ready(session: Session, *, person: User, program: Program, now: datetime) -> None:
    """Tell who asked."""
    language = person.locale or "en"
    letter = Letter(
        say(N_("The copy of your data is ready"), language),
        [
            say(N_("Hello %(name)s,"), language, name=person.name),
            say(N_("It waits in your portal for seven days. You type your password before you get it."), language),
        ],
        (
            say(N_("Get the copy"), language),
            f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/data",
        ),
        say(N_("You get this mail because you asked for a copy of your data."), language),
    )
    mailer.post(session, recipient=person.email, letter=letter, locale=language, program=program, now=now)


def tell_asked(session: Session, *, program: Program, now: datetime) -> None:
    """Tell the program's managers that a partner wants to be forgotten. Which one it is, no mail says: that would outlive it."""
    for person in relations.managers_of(session, program_id=program.id):
        language = person.locale or "en"
        facts = {"program": program.name}
        letter = Letter(
            say(N_("A partner wants to be forgotten"), language),
            [
                say(N_("Hello %(name)s,"), language, name=person.name),
                say(N_("A partner asks the partner program of %(program)s to erase its data."), language, **facts),
                say(N_("Law gives you a month to answer. Nobody is erased while money is on its way."), language),
            ],
            (say(N_("See the request"), language), f"{settings.current().base_url}/console/{program.slug}/erasures"),
            say(N_("You get this mail because you manage the partner program of %(program)s."), language, **facts),
        )
        mailer.post(session, recipient=person.email, letter=letter, locale=language, program=program, now=now)
