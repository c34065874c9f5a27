"""Every SELECT on a partner's team: its people with their roles, and the invitations that are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.partners.models import Member, MemberInvitation, Partner


@dataclass(frozen=True, slots=True)
class Person:
    """One of a partner's people."""

    member_id: UUID
    user_id: UUID
    name: str
    email: str
    role: MemberRole
    has_second_factor: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that can still be accepted, and who stands behind it."""

    invitation: MemberInvitation
    partner: Partner
    inviter: str


def people(session: Session, *, partner_id: UUID) -> list[Person]:
    """The people of a partner, oldest member first."""
    found = (
        sa.select(
            Member.id, User.id, User.name, User.email, Member.role, User.tf_primary_method.is_not(None),
            Member.created_at,
        )
        .join(User, User.id == Member.user_id)
        .where(Member.partner_id == partner_id)
        .order_by(Member.id)
    )  # fmt: skip
    return [Person(*row) for row in session.execute(found)]


def open_invitations(session: Session, *, partner_id: UUID, now: datetime) -> Sequence[MemberInvitation]:
    """The invitations of a partner that nobody has accepted yet, oldest first."""
    waiting = (MemberInvitation.partner_id == partner_id, *_open(now))
    return session.scalars(sa.select(MemberInvitation).where(*waiting).order_by(MemberInvitation.id)).all()


def invitations_since(session: Session, *, partner_id: UUID, since: datetime) -> int:
    """How many invitations a partner has written since then."""
    written = (MemberInvitation.partner_id == partner_id, MemberInvitation.created_at >= since)
    return session.scalar(sa.select(sa.func.count()).where(*written)) or 0


def invited(session: Session, *, token_hash: str, now: datetime) -> Invited | None:
    """The invitation behind a token, unless it is over."""
    found = (
        sa.select(MemberInvitation, Partner, User.name)
        .join(Partner, Partner.id == MemberInvitation.partner_id)
        .join(User, User.id == MemberInvitation.invited_by_id)
        .where(MemberInvitation.token_hash == token_hash, *_open(now))
    )
    row = session.execute(found).one_or_none()
    return None if row is None else Invited(*row)


def _open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return MemberInvitation.closed_at.is_(None), MemberInvitation.expires_at > now
