"""The mail that tells a partner's people why their invoice was refused, each in the person's own language."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.papers.models import FiledInvoice
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program


def tell_refused(session: Session, *, program: Program, filed: FiledInvoice, now: datetime) -> None:
    """Write to everybody of the partner, with the reason and the way to file another one."""

    def letter(person: User) -> Letter:
        with force_locale(person.locale or "en"):
            return _refused(program, person.name, filed)

    theirs = [filed.partner_id]
    posting.tell(session, program=program, partner_ids=theirs, kind=MailKind.INVOICES, letter=letter, now=now)


def _refused(program: Program, name: str, filed: FiledInvoice) -> Letter:
    return Letter(
        subject=_("Your invoice %(number)s needs a change", number=filed.number),
        paragraphs=[
            _("Hello %(name)s,", name=name),
            _("%(program)s cannot accept your invoice %(number)s:", program=program.name, number=filed.number),
            filed.reason or "",
            _("Your payout waits until you send a right one."),
        ],
        act=(
            _("Send another invoice"),
            f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/papers",
        ),
        why=_("You get this mail because you are a member of a partner of %(program)s.", program=program.name),
    )
