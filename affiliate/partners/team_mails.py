"""The letter that invites somebody to a partner's team, in the inviter's language: we do not know the reader's yet."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts import role_words
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.mailer import Letter
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


def tell_invited(
    session: Session, *, program: Program, partner: Partner, inviter: User, email: str, role: MemberRole, token: str,
    now: datetime,
) -> None:  # fmt: skip
    """Lead the invited to the page where they accept: at the installation, as the team is the partner's in all its programs."""
    locale = inviter.locale or "en"
    with force_locale(locale):
        named = {"inviter": inviter.name, "partner": partner.name, "program": program.name}
        letter = Letter(
            _("Work with %(partner)s", partner=partner.name),
            [
                _("%(inviter)s invites you to work for %(partner)s in the partner program of %(program)s.", **named),
                _("Your role: %(role)s", role=role_words.role(role)),
                _("The link works once, for seven days. If you do not know what this is about, do nothing."),
            ],
            (_("See the invitation"), f"{settings.current().base_url}/portal/join/{token}"),
            _("You get this mail because %(inviter)s typed this address.", inviter=inviter.name),
        )
        mailer.post(session, recipient=email, letter=letter, locale=locale, program=program, now=now)
