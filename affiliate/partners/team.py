"""Every write on a partner's team: invite, join, change a role, let go. Takes session and now; never commits.

The team of a partner has one writer at a time, so that the last owner cannot go by two acts at once.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts import queries as account_queries
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.db import insert_new
from affiliate.errors import Conflict, NotFound
from affiliate.partners import team_mails, team_queries
from affiliate.partners.models import Member, MemberInvitation, Partner
from affiliate.partners.team_queries import Invited
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
INVITATION_TERM = timedelta(days=7)
PEOPLE_MAX = 50
INVITATIONS_PER_DAY_MAX = 20  # an owner can type anybody's address


class NoSuchInvitation(NotFound):
    """The link is unknown, was used, was withdrawn, or is too old."""

    def __init__(self) -> None:
        super().__init__("This invitation was used, withdrawn or is too old. Ask for a new one.")


class NoSuchMember(NotFound):
    """Nobody of this team."""

    def __init__(self) -> None:
        super().__init__("There is no such person in this team.")


class LastOwner(Conflict):
    """Somebody has to own the account."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__(N_("This is the last owner. Make somebody else an owner first."))


class AlreadyThere(Conflict):
    """The person belongs to the team."""

    code = "already_there"

    def __init__(self) -> None:
        super().__init__(N_("This person belongs to the team already."))


class TeamFull(Conflict):
    """A team has so many people, and writes so many invitations a day."""

    code = "team_full"

    def __init__(self) -> None:
        super().__init__(N_("A team has at most 50 people, and writes at most 20 invitations a day."))


class OtherAddress(Conflict):
    """Somebody else is signed in than was invited."""

    code = "other_address"

    def __init__(self) -> None:
        super().__init__(N_("The invitation is for another address. Sign in with that one."))


def invite(
    session: Session, *, program: Program, partner: Partner, email: str, role: MemberRole, actor: Actor, now: datetime
) -> None:
    """Write an invitation to an address, in the inviter's language. A second one takes the place of the first.

    Raises:
        AlreadyThere, TeamFull.
    """
    inviter = session.get_one(User, actor.id)
    address = email.strip().lower()
    _lock(session, partner.id)
    people = team_queries.people(session, partner_id=partner.id)
    if any(person.email == address for person in people):
        raise AlreadyThere
    today = team_queries.invitations_since(session, partner_id=partner.id, since=now - timedelta(days=1))
    if len(people) >= PEOPLE_MAX or today >= INVITATIONS_PER_DAY_MAX:
        raise TeamFull
    mine = (MemberInvitation.partner_id == partner.id, MemberInvitation.email == address)
    _close(session, *mine, now=now)
    token = secrets.token_urlsafe(32)
    row = MemberInvitation(
        id=ids.new_at(now), partner_id=partner.id, email=address, role=role, token_hash=hashed(token)
    )
    row.invited_by_id, row.created_at, row.expires_at = inviter.id, now, now + INVITATION_TERM
    session.add(row)
    _audit(session, "member.invite", partner_id=partner.id, details={"role": role.value}, actor=actor, now=now)
    team_mails.tell_invited(
        session, program=program, partner=partner, inviter=inviter, email=address, role=role, token=token, now=now
    )


def hashed(token: str) -> str:
    """What is kept of a token: 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def withdraw(session: Session, *, partner_id: UUID, invitation_id: UUID, actor: Actor, now: datetime) -> None:
    """Take an invitation back.

    Raises:
        NoSuchInvitation: it is over.
    """
    if not _close(session, MemberInvitation.id == invitation_id, MemberInvitation.partner_id == partner_id, now=now):
        raise NoSuchInvitation
    _audit(session, "member.withdraw", partner_id=partner_id, details={}, actor=actor, now=now)


def _close(session: Session, *which: sa.ColumnElement[bool], now: datetime) -> bool:
    closing = sa.update(MemberInvitation).where(*which, MemberInvitation.closed_at.is_(None)).values(closed_at=now)
    closed = closing.returning(MemberInvitation.id).execution_options(synchronize_session=False)
    return session.scalars(closed).first() is not None


def _close_of(session: Session, member: Member, *, now: datetime) -> None:
    """Close what this person has written: whoever may not invite any more leaves no door open."""
    mine = (MemberInvitation.partner_id == member.partner_id, MemberInvitation.invited_by_id == member.user_id)
    _close(session, *mine, now=now)


def invitation(session: Session, *, token: str, now: datetime) -> Invited:
    """The invitation behind a token.

    Raises:
        NoSuchInvitation: unknown or over.
    """
    found = team_queries.invited(session, token_hash=hashed(token), now=now)
    if found is None:
        raise NoSuchInvitation
    return found


def register(session: Session, *, invited: Invited, name: str, password: str, locale: str, now: datetime) -> UUID:
    """An account for the invited address, which the mail has proved; gives the person's id.

    Raises:
        EmailTaken: there is one by now. PasswordRefused.
    """
    address = invited.invitation.email
    person = accounts.create_user(session, email=address, name=name, password=password, locale=locale, now=now)
    return person.id


def join(session: Session, *, invited: Invited, user_id: UUID, now: datetime) -> None:
    """Accept an invitation; it is used up.

    Raises:
        NoSuchInvitation: somebody was faster. OtherAddress: it is for somebody else. TeamFull: fifty people are there by now.
    """
    person = session.get_one(User, user_id)
    open_one = invited.invitation
    if person.email != open_one.email:
        raise OtherAddress
    _lock(session, open_one.partner_id)
    if not _close(session, MemberInvitation.id == open_one.id, now=now):
        raise NoSuchInvitation
    if len(team_queries.people(session, partner_id=open_one.partner_id)) >= PEOPLE_MAX:
        raise TeamFull
    row = {"id": ids.new_at(now), "user_id": user_id, "partner_id": open_one.partner_id, "role": open_one.role}
    insert_new(session, Member, [row | {"created_at": now}])
    actor = Actor(kind="user", id=user_id)
    _audit(
        session,
        "member.join",
        partner_id=open_one.partner_id,
        details={"role": open_one.role.value},
        actor=actor,
        now=now,
    )


def has_account(session: Session, *, email: str) -> bool:
    """Whether there is an account with this address."""
    return account_queries.user_by_email(session, email=email) is not None


def change_role(
    session: Session, *, partner_id: UUID, member_id: UUID, role: MemberRole, actor: Actor, now: datetime
) -> None:
    """Give a person another role. All their sessions end: rights change only at a sign-in. So do their invitations, unless they own.

    Raises:
        NoSuchMember. LastOwner: nobody would own the account.
    """
    member = _member(session, partner_id, member_id)
    if member.role is role:
        return
    _keep_an_owner(session, member)
    details = {"user_id": str(member.user_id), "before": member.role.value, "role": role.value}
    member.role = role
    if role is not MemberRole.OWNER:
        _close_of(session, member, now=now)
    accounts.end_sessions(session, user_id=member.user_id, now=now)
    _audit(session, "member.change_role", partner_id=partner_id, details=details, actor=actor, now=now)


def remove(session: Session, *, partner_id: UUID, member_id: UUID, actor: Actor, now: datetime) -> None:
    """Let a person go (also oneself). Their sessions end, and the invitations that they wrote.

    Raises:
        NoSuchMember. LastOwner: nobody would own the account.
    """
    member = _member(session, partner_id, member_id)
    _keep_an_owner(session, member)
    session.execute(sa.delete(Member).where(Member.id == member.id))
    _close_of(session, member, now=now)
    accounts.end_sessions(session, user_id=member.user_id, now=now)
    _audit(
        session, "member.remove", partner_id=partner_id, details={"user_id": str(member.user_id)}, actor=actor, now=now
    )


def _lock(session: Session, partner_id: UUID) -> None:
    session.execute(sa.select(Partner.id).where(Partner.id == partner_id).with_for_update())


def _member(session: Session, partner_id: UUID, member_id: UUID) -> Member:
    _lock(session, partner_id)
    found = sa.select(Member).where(Member.id == member_id, Member.partner_id == partner_id)
    member = session.scalar(found.execution_options(populate_existing=True))
    if member is None:
        raise NoSuchMember
    return member


def _keep_an_owner(session: Session, member: Member) -> None:
    """Refuse what would leave nobody in charge; `member` is about to go or to change."""
    others = (Member.partner_id == member.partner_id, Member.role == MemberRole.OWNER, Member.id != member.id)
    if member.role is MemberRole.OWNER and not session.scalar(sa.select(sa.exists().where(*others))):
        raise LastOwner


def _audit(
    session: Session, action: str, *, partner_id: UUID, details: dict[str, str], actor: Actor, now: datetime
) -> None:
    """Never with an address: that would outlive the person's wish to be forgotten."""
    audit.record(
        session, actor=actor, action=action, subject_kind="partner", subject_id=partner_id, details=details, now=now
    )
