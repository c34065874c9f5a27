"""The letters of joining, each in the language of the person who reads it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import ids, mailer, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.joining import queries, tokens
from affiliate.joining.models import ApplicationDraft, Invitation
from affiliate.joining.tokens import Purpose
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.partners import queries as partners
from affiliate.partners.models import Application, Enrollment
from affiliate.programs import addresses
from affiliate.programs.models import Program

_UNASKED_PER_HOUR_MAX = 3  # anybody can type anybody's address into a public form


def ask_to_confirm(session: Session, *, program: Program, draft: ApplicationDraft, now: datetime) -> None:
    """Ask whoever reads this mailbox whether the application is theirs. It holds nothing that the applicant typed."""
    with force_locale(draft.locale):
        letter = Letter(
            _("One step is left: your application to %(program)s", program=program.name),
            [
                _("Somebody, probably you, applied to the partner program of %(program)s with this address.", program=program.name),
                ngettext(
                    "Confirm that it is yours. Then a person reads the application, and the answer comes to this address within %(num)d day.",
                    "Confirm that it is yours. Then a person reads the application, and the answer comes to this address within %(num)d days.",
                    program.application_answer_days,
                ),
                _("If it was not you who applied, you need not do anything."),
            ],
            (_("Confirm my address"), _address(program, "confirm", Purpose.MAILBOX, draft)),
            _why(program),
        )  # fmt: skip
        _post_unasked(session, program, draft, letter, now)


def send_draft(session: Session, *, program: Program, draft: ApplicationDraft, now: datetime) -> None:
    """Send the address of a draft to whoever wants to go on later."""
    with force_locale(draft.locale):
        letter = Letter(
            _("Your unfinished application to %(program)s", program=program.name),
            [
                _("What you typed is saved. Go on whenever you like, on any device."),
                _("After 30 days without a change it is deleted."),
            ],
            (_("Go on with the application"), _address(program, "draft", Purpose.DRAFT, draft)),
            _why(program),
        )
        _post_unasked(session, program, draft, letter, now)


def ask_applicant(
    session: Session, *, program: Program, application: Application, enrollment: Enrollment, text: str, now: datetime
) -> None:
    """Send a question of the program to the applicant's people, with the address where it is answered."""
    token = tokens.write(settings.current().secret_key, Purpose.DRAFT, application.id)
    address = f"{addresses.pages(program.own_host, settings.current())}/apply/{program.slug}/status/{token}"
    for person in partners.members_of(session, partner_id=enrollment.partner_id):
        locale = person.locale or "en"
        with force_locale(locale):
            letter = Letter(
                _("A question about your application to %(program)s", program=program.name),
                [_("Hello %(name)s,", name=person.name), *_paragraphs(text)],
                (_("Answer"), address),
                _why(program),
            )
            mailer.post(session, recipient=person.email, letter=letter, locale=locale, program=program, now=now)


def tell_managers(
    session: Session, *, program: Program, enrollment: Enrollment, text: str, is_answer: bool, now: datetime
) -> None:
    """Tell the program's managers what an applicant answered, or asks before anybody asked it something."""
    partner = partners.partner_by_id(session, partner_id=enrollment.partner_id)
    name = partner.name if partner else ""
    address = (
        f"{settings.current().base_url}/console/{program.slug}/partners/{ids.public('ptn', enrollment.partner_id)}"
    )
    for person in queries.managers_of(session, program_id=program.id):
        locale = person.locale or "en"
        with force_locale(locale):
            letter = Letter(
                _("%(name)s answered", name=name) if is_answer else _("%(name)s asks something", name=name),
                _paragraphs(text),
                (_("Read the application"), address),
                _("You get this mail because you manage %(program)s.", program=program.name),
            )
            posting.post(session, person=person, letter=letter, kind=MailKind.ANSWERS, program=program, now=now)


def invite(
    session: Session, *, program: Program, invitation: Invitation, text: str, locale: str, now: datetime
) -> None:
    """Ask one person to join, in the words of the manager."""
    if invitation.email is None:
        return
    with force_locale(locale):
        letter = Letter(
            _("%(program)s invites you to its partner program", program=program.name),
            _paragraphs(text),
            (_("See the program"), f"{addresses.pages(program.own_host, settings.current())}/join/{invitation.code}"),
            _("You get this mail once, because %(program)s would like to work with you.", program=program.name),
        )
        mailer.post(session, recipient=invitation.email, letter=letter, locale=locale, program=program, now=now)


def _post_unasked(session: Session, program: Program, draft: ApplicationDraft, letter: Letter, now: datetime) -> None:
    recipient = draft.who.get("email")
    since = now - timedelta(hours=1)
    if recipient and partners.mails_since(session, recipient=recipient, since=since) < _UNASKED_PER_HOUR_MAX:
        mailer.post(session, recipient=recipient, letter=letter, locale=draft.locale, program=program, now=now)


def _address(program: Program, page: str, purpose: Purpose, draft: ApplicationDraft) -> str:
    token = tokens.write(settings.current().secret_key, purpose, draft.id)
    return f"{addresses.pages(program.own_host, settings.current())}/apply/{program.slug}/{page}/{token}"


def _paragraphs(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _why(program: Program) -> str:
    return str(
        _("You get this mail because of an application to the partner program of %(program)s.", program=program.name)
    )
