"""Who among a partner's people reads a mail of a kind: by role, and by what they said they do not want. Queries only."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import mail_kinds
from affiliate.accounts import queries as accounts
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.partners.models import Member


def gets(kind: MailKind) -> sa.ColumnElement[bool]:
    """Whether the person of a row of `Member` and `User` gets mails of this kind."""
    return sa.and_(User.active, Member.role.in_(mail_kinds.roles_of(kind)), accounts.wants(kind))


def readers(session: Session, *, partner_ids: Collection[UUID], kind: MailKind) -> Sequence[User]:
    """The people of these partners who get mails of this kind, each once."""
    if not partner_ids:
        return []
    theirs = sa.select(Member.user_id).join(User, User.id == Member.user_id)
    theirs = theirs.where(Member.partner_id.in_(partner_ids), gets(kind))
    return session.scalars(sa.select(User).where(User.id.in_(theirs)).order_by(User.id)).all()
