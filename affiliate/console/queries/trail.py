"""The audit trail of a program."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import ApiKey, AuditEvent, User
from affiliate.console import paging


def events(
    session: Session,
    *,
    program_id: UUID,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    actions: Collection[str] = (),
    cursor: paging.Cursor | None,
) -> paging.Page:
    """What people and keys did in the program, newest first, with their names; these acts alone if any are named."""
    columns: tuple[Any, ...] = (
        AuditEvent.id, AuditEvent.occurred_at.label("at"), AuditEvent.actor_kind, AuditEvent.action, AuditEvent.subject_kind,
        AuditEvent.subject_id, AuditEvent.details, sa.func.coalesce(User.name, ApiKey.name).label("actor"),
    )  # fmt: skip
    statement = (
        sa.select(*columns)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .outerjoin(ApiKey, ApiKey.id == AuditEvent.actor_id)
        .where(AuditEvent.program_id == program_id)
    )
    if subject_kind:
        statement = statement.where(AuditEvent.subject_kind == subject_kind)
    if subject_id is not None:
        statement = statement.where(AuditEvent.subject_id == subject_id)
    if actions:
        statement = statement.where(AuditEvent.action.in_(actions))
    return paging.page_of(session, statement, by=AuditEvent.occurred_at, identifier=AuditEvent.id, cursor=cursor)


def subject_kinds(session: Session, *, program_id: UUID, limit: int = 20) -> list[str]:
    """The kinds of things that the trail of the program speaks of."""
    statement = sa.select(AuditEvent.subject_kind).where(AuditEvent.program_id == program_id)
    return list(
        session.scalars(statement.group_by(AuditEvent.subject_kind).order_by(AuditEvent.subject_kind).limit(limit))
    )


def about(session: Session, *, subject_ids: list[UUID], limit: int = 20) -> list[Any]:
    """What was done to these things, the newest first, with who did it."""
    columns: tuple[Any, ...] = (AuditEvent.occurred_at.label("at"), AuditEvent.action, User.name)
    found = sa.select(*columns).outerjoin(User, User.id == AuditEvent.actor_id)
    mine = found.where(AuditEvent.subject_kind.in_(["enrollment", "partner"]), AuditEvent.subject_id.in_(subject_ids))
    return list(session.execute(mine.order_by(AuditEvent.position.desc()).limit(limit)))
