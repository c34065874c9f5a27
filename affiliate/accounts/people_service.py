"""Who works on a program: people get roles there, and lose them. Callers own the transaction."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.accounts import presets, queries, service
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import GrantRole, User
from affiliate.accounts.presets import Preset
from affiliate.accounts.words import ROLES
from affiliate.errors import Forbidden, Invalid
from affiliate.mailer import Letter
from affiliate.senders import Of

N_ = str  # marks a sentence for the translators
NAME_LENGTH_MAX = 120


class NotYours(Forbidden):
    """The actor may not give or take this role, or it is the actor's own."""

    code = "not_yours_to_give"


def add(
    session: Session, *, email: str, name: str, preset: Preset, program_id: UUID, program_name: str,
    held: Collection[GrantRole], actor: Actor, now: datetime,
) -> User:  # fmt: skip
    """Give a person the roles of a preset in a program, and tell by mail; whoever has no account gets one, without a password.

    Raises:
        Invalid: no address, or a new person without a name.
        NotYours: the actor, who holds these roles, may not give them; or gives them to itself.
    """
    address, wanted = email.strip().lower(), presets.ROLES[preset]
    if not all(presets.may_give(held, role) for role in wanted):
        raise NotYours(N_("Only an administrator gives this role."))
    person = queries.user_by_email(session, email=address)
    is_new = person is None
    if person is None:
        person = _new(session, address, name, actor=actor, now=now)
    if person.id == actor.id:
        raise NotYours(N_("Nobody changes the own roles. Ask a colleague to do it."))
    for role in wanted:
        service.grant(session, user_id=person.id, role=role, program_id=program_id, actor=actor, now=now)
    _tell(session, person, wanted, Of(program_id, program_name), is_new=is_new, now=now)
    return person


def take(
    session: Session, *, user_id: UUID, role: GrantRole, program_id: UUID, held: Collection[GrantRole], actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Take a role in a program from a person.

    Raises:
        NotYours: the actor, who holds these roles, may not take it; or would take an own one.
        NoSuchGrant: the person does not have it there.
    """
    if user_id == actor.id:
        raise NotYours(N_("Nobody changes the own roles. Ask a colleague to do it."))
    if not presets.may_give(held, role):
        raise NotYours(N_("Only an administrator takes this role."))
    service.revoke_grant(session, user_id=user_id, role=role, program_id=program_id, actor=actor, now=now)


def _new(session: Session, address: str, name: str, *, actor: Actor, now: datetime) -> User:
    named = " ".join(name.split())[:NAME_LENGTH_MAX]
    try:
        normalized = validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        normalized = ""
    if not normalized or not named:
        raise Invalid({"email": [N_("Write the address and the name of a person.")]})
    return service.create_user(session, email=normalized, name=named, actor=actor, now=now)


def _tell(
    session: Session, person: User, roles: Collection[GrantRole], program: Of, *, is_new: bool, now: datetime
) -> None:
    locale, base_url = person.locale or "en", settings.current().base_url
    with force_locale(locale):
        letter = Letter(
            _("Your access to %(program)s", program=program.name),
            [
                _("Hello %(name)s,", name=person.name),
                _(
                    "you can work on the partner program of %(program)s now. Your role: %(role)s.",
                    program=program.name,
                    role=", ".join(str(ROLES[role]) for role in roles),
                ),
            ],
            (_("Choose a password"), f"{base_url}/reset") if is_new else (_("Sign in"), f"{base_url}/console/"),
            _("You get this mail because somebody of the program gave you access."),
        )
        mailer.post(session, recipient=person.email, letter=letter, locale=locale, program=program, now=now)
