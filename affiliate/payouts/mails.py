"""The mails that tell a partner's people that they were paid, or that money shall go elsewhere, each in the person's own language."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from babel.dates import format_datetime
from babel.numbers import format_currency
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.payouts import queries
from affiliate.payouts.queries import Recipient
from affiliate.programs.models import Program


def tell_paid(session: Session, *, run_id: UUID, program_id: UUID, now: datetime) -> None:
    """Write to everybody of every partner that a run has paid just `now`."""
    program = session.get_one(Program, program_id)
    for locale, people in _by_language(queries.recipients(session, run_id=run_id, paid_at=now)):
        with force_locale(locale):
            for person in people:
                letter = _paid(program, person, locale)
                mailer.post(session, recipient=person.email, letter=letter, locale=locale, now=now)


def _by_language(people: Sequence[Recipient]) -> Iterator[tuple[str, Iterator[Recipient]]]:
    """The people of each language together: to change the language costs as much as a letter."""
    return groupby(sorted(people, key=_language), key=_language)


def _language(person: Recipient) -> str:
    return person.locale or "en"


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


def ask_for_invoices(session: Session, *, run_id: UUID, program: Program, now: datetime) -> None:
    """Write to everybody of every partner whose payout in a proposed run waits for its invoice."""
    for locale, people in _by_language(queries.awaited(session, run_id=run_id)):
        with force_locale(locale):
            for person in people:
                letter = _invoice_wanted(program, person, locale)
                mailer.post(session, recipient=person.email, letter=letter, locale=locale, now=now)


def _invoice_wanted(program: Program, person: Recipient, locale: str) -> Letter:
    amount = format_currency(Money(person.amount_minor, person.currency).decimal(), person.currency, locale=locale)
    return Letter(
        subject=_("Send your invoice over %(amount)s", amount=amount),
        paragraphs=[
            _("Hello %(name)s,", name=person.name),
            _(
                "%(program)s is about to pay you and needs your invoice over %(amount)s.",
                program=program.name,
                amount=amount,
            ),
            _("The payment notice says what must stand in it. Your money goes out once the invoice is accepted."),
        ],
        act=(_("See the notice"), f"{settings.current().base_url}/portal/{program.slug}/papers"),
        why=_("You get this mail because you are a member of a partner of %(program)s.", program=program.name),
    )


def tell_details_changed(
    session: Session, *, program: Program, partner_id: UUID, masked: str, usable_from: datetime, now: datetime
) -> None:
    """Write to everybody of a partner that its payment details were changed, while there is time to object."""
    for person in partners.members_of(session, partner_id=partner_id):
        locale = person.locale or "en"
        with force_locale(locale):
            letter = _details_changed(program, person.name, masked, format_datetime(usable_from, locale=locale))
            mailer.post(session, recipient=person.email, letter=letter, locale=locale, now=now)


def _details_changed(program: Program, name: str, masked: str, usable_from: str) -> Letter:
    return Letter(
        subject=_("Your payment details were changed"),
        paragraphs=[
            _("Hello %(name)s,", name=name),
            _(
                "From %(day)s UTC on you are paid to %(masked)s. Nothing is paid before.",
                day=usable_from,
                masked=masked,
            ),
            _("If this was not you, change your password now and write to %(program)s.", program=program.name),
        ],
        act=(_("Look at it"), f"{settings.current().base_url}/portal/{program.slug}/payouts/details"),
        why=_("You get this mail because you are a member of a partner of %(program)s.", program=program.name),
    )
