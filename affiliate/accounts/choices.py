"""Every write on which mails and notices a person wants. Takes session and now; never commits."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.mail_kinds import OPTIONAL, MailKind
from affiliate.accounts.models import MailRefusal, NoticeRefusal, User


def choose(
    session: Session, *, user_id: UUID, offered: Collection[MailKind], wanted: Collection[MailKind], now: datetime
) -> None:
    """Of the kinds that were offered these, and no others, but for those that nobody can switch off. Doing it twice changes nothing."""
    _choose(session, MailRefusal, user_id, (offered, wanted), now)


def choose_notices(
    session: Session, *, user_id: UUID, offered: Collection[MailKind], wanted: Collection[MailKind], now: datetime
) -> None:
    """The same for what is told in the portal."""
    _choose(session, NoticeRefusal, user_id, (offered, wanted), now)


def _choose(
    session: Session,
    table: type[MailRefusal | NoticeRefusal],
    user_id: UUID,
    choice: tuple[Collection[MailKind], Collection[MailKind]],
    now: datetime,
) -> None:
    offered, wanted = choice
    session.execute(sa.delete(table).where(table.user_id == user_id, table.kind.in_(list(wanted))))
    refused = [kind for kind in offered if kind in OPTIONAL and kind not in wanted]
    db.insert_new(session, table, [{"user_id": user_id, "kind": kind, "created_at": now} for kind in refused])


def stop(session: Session, *, user_id: UUID, kind: MailKind, now: datetime) -> None:
    """No more mails of this kind, by a link in one of them. Whoever is gone is left alone."""
    if kind in OPTIONAL and session.get(User, user_id) is not None:
        db.insert_new(session, MailRefusal, [{"user_id": user_id, "kind": kind, "created_at": now}])
