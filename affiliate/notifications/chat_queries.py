"""Every SELECT on chat hooks and their messages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.notifications.chats import ChatEvent
from affiliate.notifications.models import ChatDelivery, ChatHook, DeliveryStatus

LOG_SHOWN = 50


def hooks(session: Session, *, program_id: UUID, partner_id: UUID | None = None) -> Sequence[ChatHook]:
    """The hooks of a program's managers, or of one of its partners; oldest first."""
    mine = (ChatHook.program_id == program_id, ChatHook.partner_id == partner_id)
    return session.scalars(sa.select(ChatHook).where(*mine).order_by(ChatHook.id)).all()


def languages(session: Session, *, program_id: UUID, event: ChatEvent) -> set[str]:
    """In which languages the managers' live hooks that want an event are told of it: none where nobody is."""
    found = hooks(session, program_id=program_id)
    return {hook.locale for hook in found if hook.is_live and event.value in hook.events}


def live_of(session: Session, *, partner_ids: Collection[UUID]) -> Sequence[ChatHook]:
    """The live hooks of these partners, in all their programs."""
    found = sa.select(ChatHook).where(db.among(session, ChatHook.partner_id, list(partner_ids)), ChatHook.is_live)
    return session.scalars(found.order_by(ChatHook.id)).all()


def hook_in(session: Session, *, hook_id: UUID, program_id: UUID, partner_id: UUID | None = None) -> ChatHook | None:
    """One hook, if it is the managers' of this program, or this partner's there; as it stands in the database now."""
    mine = (ChatHook.program_id == program_id, ChatHook.partner_id == partner_id)
    found = sa.select(ChatHook).where(ChatHook.id == hook_id, *mine)
    return session.scalar(found.execution_options(populate_existing=True))


def log(session: Session, *, hook_id: UUID) -> Sequence[ChatDelivery]:
    """The newest messages of a hook."""
    found = sa.select(ChatDelivery).where(ChatDelivery.hook_id == hook_id).order_by(ChatDelivery.id.desc())
    return session.scalars(found.limit(LOG_SHOWN)).all()


def is_test_waiting(session: Session, *, hook_id: UUID) -> bool:
    """Whether a test of a hook is still to be sent."""
    waiting = (ChatDelivery.event == ChatEvent.TEST, ChatDelivery.status == DeliveryStatus.WAITING)
    return session.scalar(sa.select(sa.exists().where(ChatDelivery.hook_id == hook_id, *waiting))) or False


def due(session: Session, *, limit: int, now: datetime) -> Sequence[tuple[ChatDelivery, ChatHook]]:
    """Messages that are due, oldest first."""
    found = (
        sa.select(ChatDelivery, ChatHook)
        .join(ChatHook, ChatHook.id == ChatDelivery.hook_id)
        .where(ChatDelivery.status == DeliveryStatus.WAITING, ChatDelivery.send_after <= now)
        .order_by(ChatDelivery.send_after, ChatDelivery.id)
        .limit(limit)
    )
    rows = session.execute(found.execution_options(populate_existing=True))
    return [(row[0], row[1]) for row in rows]
