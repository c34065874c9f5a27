"""Every write about people, grants, sessions and keys. Callers own the transaction."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import ApiKey


def note_key_use(session: Session, *, key_id: UUID, now: datetime, every: timedelta) -> None:
    """Remember that a key was used, at most once in `every`. Not a change of the key: `updated_at` stays."""
    session.execute(
        sa.update(ApiKey)
        .where(ApiKey.id == key_id, sa.or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - every))
        .values(last_used_at=now)
    )
