"""The audit trail: one row per state change by a person or key, written in the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID,
    program_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write down who did `action` (noun.verb: `enrollment.approve`) to which thing.

    `details` are plain JSON values and never hold a secret, a password or an address.
    """
    session.add(
        AuditEvent(
            id=ids.new_at(now),
            occurred_at=now,
            program_id=program_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            details=dict(details or {}),
        )
    )
