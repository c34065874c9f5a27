"""Tells partners of creatives that come to their end, seven days before; who retires one, or many, tells them at once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.creatives import mails, queries, service
from affiliate.creatives.mails import TOLD_MAX
from affiliate.creatives.models import Creative
from affiliate.programs.models import Program
from affiliate.reports import breakdown

TOLD_BEFORE = timedelta(days=7)
USED_WITHIN = timedelta(days=90)
"""Who used a creative within so long is told of its end."""


def retire(
    session: Session, *, program: Program, creative_id: UUID, days: int, note: str, actor: Actor, now: datetime,
    tells: bool = True,
) -> tuple[datetime, int]:  # fmt: skip
    """Let a creative end in so many days, and tell who used it lately; gives its end, and how many partners are told.

    Without `tells` nobody is told here: who lets many end calls `tell_together` in the same transaction.

    Raises:
        NoSuchCreative, CreativeMoved, Invalid: as `creatives.service.retire`.
    """
    users = _users(session, program.id, creative_id, now) if tells else []
    ends_at = now + timedelta(days=days)
    service.retire(
        session, program=program, creative_id=creative_id, ends_at=ends_at, note=note, tell=users, actor=actor, now=now
    )
    return ends_at, len(users)


def tell_together(session: Session, *, program_id: UUID, creative_ids: Collection[UUID], now: datetime) -> None:
    """Tell who used any of these lately that they end: one letter to each partner, which names all that it used."""
    users: dict[UUID, list[Creative]] = {}
    for creative in queries.of_ids(session, program_id=program_id, creative_ids=creative_ids):
        for partner_id in _users(session, program_id, creative.id, now):
            users.setdefault(partner_id, []).append(creative)
    mails.tell_all_retired(session, users=users, program=session.get_one(Program, program_id), now=now)


def tell_next(session: Session, *, now: datetime) -> bool:
    """Tell of the next end that comes and that nobody was told of; whether there was one."""
    for creative in queries.ending(session, now=now, until=now + TOLD_BEFORE, limit=1):
        users = _users(session, creative.program_id, creative.id, now)
        return service.tell_end(session, creative=creative, tell=users, now=now)
    return False


def _users(session: Session, program_id: UUID, creative_id: UUID, now: datetime) -> list[UUID]:
    name, since = ids.public("crv", creative_id), now - USED_WITHIN
    return breakdown.partners_using(session, program_id=program_id, creative=name, since=since, limit=TOLD_MAX)
