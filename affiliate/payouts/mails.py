"""The mail that tells a partner's people that money is on its way, each in the person's own language."""

from datetime import datetime
from uuid import UUID

from babel.numbers import format_currency
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.payouts import queries
from affiliate.payouts.queries import Recipient
from affiliate.programs.models import Program


def tell_paid(session: Session, *, run_id: UUID, program_id: UUID, now: datetime) -> None:
    """Write to everybody of every partner that a run has paid."""
    program = session.get_one(Program, program_id)
    for person in queries.recipients(session, run_id=run_id):
        locale = person.locale or "en"
        with force_locale(locale):
            letter = _paid(program, person, locale)
            mailer.post(session, recipient=person.email, letter=letter, locale=locale, now=now)


def _paid(program: Program, person: Recipient, locale: str) -> Letter:
    amount = format_currency(Money(person.amount_minor, person.currency).decimal(), person.currency, locale=locale)
    return Letter(
        subject=_("You were paid %(amount)s", amount=amount),
        paragraphs=[
            _("Hello %(name)s,", name=person.name),
            _("%(program)s has paid you %(amount)s.", program=program.name, amount=amount),
            _("Your portal shows each commission inside this payout and why you earned it."),
        ],
        act=(_("See the payout"), f"{settings.current().base_url}/portal/{program.slug}/payouts"),
        why=_("You get this mail because you are a member of a partner of %(program)s.", program=program.name),
    )
