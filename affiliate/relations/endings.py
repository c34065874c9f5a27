"""Tells partners of creatives that come to their end, seven days before; who retires one, or many, tells them at once."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.creatives import queries, service
from affiliate.creatives.mails import TOLD_MAX
from affiliate.programs.models import Program
from affiliate.reports import breakdown

TOLD_BEFORE = timedelta(days=7)
USED_WITHIN = timedelta(days=90)
"""Who used a creative within so long is told of its end."""


def retire(
    session: Session, *, program: Program, creative_id: UUID, days: int, note: str, actor: Actor, now: datetime
) -> tuple[datetime, int]:
    """Let a creative end in so many days, and tell who used it lately; gives its end, and how many partners are told.

    Raises:
        NoSuchCreative, CreativeMoved, Invalid: as `creatives.service.retire`.
    """
    users = _users(session, program.id, creative_id, now)
    ends_at = now + timedelta(days=days)
    service.retire(
        session, program=program, creative_id=creative_id, ends_at=ends_at, note=note, tell=users, actor=actor, now=now
    )
    return ends_at, len(users)


def tell_next(session: Session, *, now: datetime) -> bool:
    """Tell of the next end that comes and that nobody was told of; whether there was one."""
    for creative in queries.ending(session, now=now, until=now + TOLD_BEFORE, limit=1):
        users = _users(session, creative.program_id, creative.id, now)
        return service.tell_end(session, creative=creative, tell=users, now=now)
    return False


def _users(session: Session, program_id: UUID, creative_id: UUID, now: datetime) -> list[UUID]:
    name, since = ids.public("crv", creative_id), now - USED_WITHIN
    return breakdown.partners_using(session, program_id=program_id, creative=name, since=since, limit=TOLD_MAX)
