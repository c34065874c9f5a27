"""The mails that tell a partner's people that they were paid, or that money shall go elsewhere, each in the person's own language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from babel.dates import format_datetime
from babel.numbers import format_currency
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.partners import posting
from affiliate.payouts.models import NoticeKind
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say

N_ = str  # marks a sentence for the translators


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person of a paid partner, what its payout is over, and who pays."""

    user_id: UUID
    email: str
    name: str
    locale: str | None
    amount_minor: int
    currency: str
    program_id: UUID
    program: str
    slug: str
    own_host: str | None

    @property
    def language(self) -> str:
        """The language of its mails."""
        return self.locale or "en"

    @property
    def amount(self) -> str:
        """The amount as its language writes it."""
        amount = Money(self.amount_minor, self.currency)
        return format_currency(amount.decimal(), self.currency, locale=self.language)


def _letter(reader: Recipient, subject: str, sentences: tuple[str, ...], act: str, page: str) -> Letter:
    """A letter whose sentences may name the reader, the program and the amount."""
    facts = {"name": reader.name, "program": reader.program, "amount": reader.amount}
    language = reader.language
    return Letter(
        subject=say(subject, language, **facts),
        paragraphs=[say(each, language, **facts) for each in (N_("Hello %(name)s,"), *sentences)],
        act=(say(act, language), f"{addresses.pages(reader.own_host, settings.current())}/portal/{reader.slug}/{page}"),
        why=say(_WHY, language, **facts),
    )


_WHY = N_("You get this mail because you are a member of a partner of %(program)s.")


def _paid(reader: Recipient) -> Letter:
    sentences = (
        N_("%(program)s has paid you %(amount)s."),
        N_("Your portal shows each commission inside this payout and why you earned it."),
    )
    return _letter(reader, N_("You were paid %(amount)s"), sentences, N_("See the payout"), "payouts")


def _invoice_wanted(reader: Recipient) -> Letter:
    sentences = (
        N_("%(program)s is about to pay you and needs your invoice over %(amount)s."),
        N_("The payment notice says what must stand in it. Your money goes out once the invoice is accepted."),
    )
    return _letter(reader, N_("Send your invoice over %(amount)s"), sentences, N_("See the notice"), "papers")


LETTERS: dict[NoticeKind, Callable[[Recipient], Letter]] = {
    NoticeKind.PAID: _paid,
    NoticeKind.INVOICE_WANTED: _invoice_wanted,
}
"""What each kind of notice tells."""

KINDS = {NoticeKind.PAID: MailKind.PAID, NoticeKind.INVOICE_WANTED: MailKind.INVOICES}
"""Whose mail it is, and whether one may do without it."""


def tell_details_changed(
    session: Session, *, program: Program, partner_id: UUID, masked: str, usable_from: datetime, now: datetime
) -> None:
    """Tell the owners and finance people of a partner that its payment details were changed, while there is time to object."""

    def letter(person: User) -> Letter:
        locale = person.locale or "en"
        facts = {"name": person.name, "program": program.name, "masked": masked}
        facts["day"] = format_datetime(usable_from, locale=locale)
        return Letter(
            subject=say(N_("Your payment details were changed"), locale),
            paragraphs=[say(sentence, locale, **facts) for sentence in _DETAILS_CHANGED],
            act=(
                say(N_("Look at it"), locale),
                f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/payouts/details",
            ),
            why=say(_WHY, locale, **facts),
        )

    posting.tell(
        session, program=program, partner_ids=[partner_id], kind=MailKind.PAYMENT_DETAILS, letter=letter, now=now
    )


_DETAILS_CHANGED = (
    N_("Hello %(name)s,"),
    N_("From %(day)s UTC on you are paid to %(masked)s. Nothing is paid before."),
    N_("If this was not you, change your password now and write to %(program)s."),
)
