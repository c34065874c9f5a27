"""Writes on invitations. Takes session and now; never commits."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.joining import mails, queries
from affiliate.joining.models import Invitation
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators

TEXT_LENGTH_MAX = 2_000
USES_MAX = 10_000
INVITATIONS_MAX = 200
_NAME_LENGTH_MAX = 80
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH = 12  # 59 bits: one that lets in at once cannot be guessed


class NoSuchInvitation(NotFound):
    """There is no such invitation in this program."""


class TooManyInvitations(Conflict):
    """The program has as many invitations as it may have."""

    code = "too_many_invitations"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an invitation allows; null limits mean none."""

    name: str
    lets_in: bool = False
    uses_max: int | None = None
    expires_at: datetime | None = None


def invite(
    session: Session,
    *,
    program: Program,
    terms: Terms,
    email: str | None = None,
    text: str = "",
    locale: str = "en",
    actor: Actor,
    now: datetime,
) -> Invitation:
    """Make an address by which people join; with `email` it is for one person, and a mail brings it with `text`.

    Raises:
        Invalid: a field is wrong. TooManyInvitations: see there.
    """
    email = _checked(terms, email, text)
    if queries.invitations_open(session, program_id=program.id) >= INVITATIONS_MAX:
        raise TooManyInvitations("This program has 200 invitations. Withdraw what is not used any more.")
    made = _add(session, program.id, terms, now=now)
    made.email, made.created_by_id = email, actor.id
    made.uses_max = 1 if email else terms.uses_max
    session.flush()
    audit.record(
        session, actor=actor, action="invitation.create", subject_kind="invitation", subject_id=made.id,
        program_id=program.id, details={"name": made.name, "lets_in": made.lets_in}, now=now,
    )  # fmt: skip
    if email:
        mails.invite(session, program=program, invitation=made, text=text, locale=locale, now=now)
    return made


def recruit(session: Session, *, program_id: UUID, partner_id: UUID, partner_name: str, now: datetime) -> Invitation:
    """The address by which a partner brings others; the existing one if there is one. A manager decides about each of them."""
    found = queries.invitation_of_recruiter(session, program_id=program_id, partner_id=partner_id)
    if found is not None:
        return found
    made = _add(session, program_id, Terms(partner_name[:_NAME_LENGTH_MAX]), now=now)
    made.recruiter_id = partner_id
    session.flush()
    return made


def withdraw(session: Session, *, program_id: UUID, invitation_id: UUID, actor: Actor, now: datetime) -> None:
    """Close an invitation: who has not sent an application by it cannot any more. Twice changes nothing.

    Raises:
        NoSuchInvitation: not in this program.
    """
    here = (Invitation.id == invitation_id, Invitation.program_id == program_id)
    closing = sa.update(Invitation).where(*here, Invitation.withdrawn_at.is_(None)).values(withdrawn_at=now)
    if session.scalar(closing.returning(Invitation.id)) is None:
        if session.scalar(sa.select(Invitation.id).where(*here)) is None:
            raise NoSuchInvitation("There is no such invitation.")
        return
    audit.record(
        session, actor=actor, action="invitation.withdraw", subject_kind="invitation", subject_id=invitation_id,
        program_id=program_id, now=now,
    )  # fmt: skip


def use(session: Session, *, invitation: Invitation, now: datetime) -> bool:
    """Count an application that came by it; whether it was still good. Guarded: the last place is given once."""
    good = (
        Invitation.id == invitation.id,
        Invitation.withdrawn_at.is_(None),
        sa.or_(Invitation.uses_max.is_(None), Invitation.uses < Invitation.uses_max),
        sa.or_(Invitation.expires_at.is_(None), Invitation.expires_at > now),
    )
    counted = sa.update(Invitation).where(*good).values(uses=Invitation.uses + 1).returning(Invitation.id)
    return session.scalar(counted, execution_options={"synchronize_session": False}) is not None


def is_good(invitation: Invitation, *, now: datetime) -> bool:
    """Whether somebody can still come by it."""
    is_used_up = invitation.uses_max is not None and invitation.uses >= invitation.uses_max
    is_over = invitation.expires_at is not None and invitation.expires_at <= now
    return invitation.withdrawn_at is None and not is_used_up and not is_over


def _add(session: Session, program_id: UUID, terms: Terms, *, now: datetime) -> Invitation:
    made = Invitation(id=ids.new_at(now), program_id=program_id, name=terms.name.strip(), lets_in=terms.lets_in)
    made.code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    made.uses, made.uses_max, made.expires_at, made.created_at = 0, terms.uses_max, terms.expires_at, now
    session.add(made)
    return made


def _checked(terms: Terms, email: str | None, text: str) -> str | None:
    """The address in its one spelling.

    Raises:
        Invalid: a field is wrong.
    """
    wrong: dict[str, list[str]] = {}
    name = terms.name.strip()
    if not name or len(name) > _NAME_LENGTH_MAX or not name.isprintable():
        wrong["name"] = [N_("Give it a name of up to 80 characters, for example the fair or the post it stands in.")]
    if terms.uses_max is not None and not 1 <= terms.uses_max <= USES_MAX:
        wrong["uses_max"] = [N_("Choose from 1 to 10,000, or leave it empty.")]
    if len(text) > TEXT_LENGTH_MAX:
        wrong["text"] = [N_("Keep it below 2,000 characters.")]
    if email and not text.strip():
        wrong["text"] = [N_("Write what the mail shall say.")]
    try:
        email = validate_email(email, check_deliverability=False).normalized.lower() if email else None
    except EmailNotValidError:
        wrong["email"] = [N_("This is not an e-mail address. Write it like name@example.com.")]
    if wrong:
        raise Invalid(wrong)
    return email
