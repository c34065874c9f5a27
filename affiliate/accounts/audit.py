"""The audit trail: one row per state change by a person or key, written in the transaction of the change.

Every row has a digest that a chain of seals can be made of. It covers the details by their own salted hash alone, so
that these can be erased and the chain still holds.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
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

    `details` are plain JSON values and never hold a secret, a password or an address. Whoever acts for a partner is named
    with it.
    """
    told, salt = dict(details or {}), secrets.token_hex(16)
    if actor.acting_for is not None:
        told["acting_for"] = str(actor.acting_for)
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
            details=told,
            salt=salt,
            details_hash=details_hash(salt, told),
        )
    )


def details_hash(salt: str, details: Mapping[str, Any]) -> str:
    """The hex SHA-256 over the salt and the details, in whatever order these were written."""
    return hashlib.sha256(salt.encode() + orjson.dumps(details, option=orjson.OPT_SORT_KEYS)).hexdigest()


def erase(session: Session, *, event_ids: Collection[UUID]) -> None:
    """Forget what was said with these acts, for a person who asks for it. That they happened stays, and stays proven."""
    change = sa.update(AuditEvent).where(AuditEvent.id.in_(event_ids)).values(details={}, salt=None)
    session.execute(change, execution_options={"synchronize_session": False})


HASHED = (
    "id", "occurred_at", "program_id", "actor_kind", "actor_id", "action", "subject_kind", "subject_id", "details_hash",
)  # fmt: skip
"""The columns that a row's digest covers, in this order."""


def digest(event: Mapping[Any, Any]) -> bytes:
    """The SHA-256 over all that an audit row says, its details by their hash."""
    moment: datetime = event["occurred_at"]
    texts = {name: str(event[name]) for name in HASHED} | {"occurred_at": moment.astimezone(UTC).isoformat()}
    return hashlib.sha256("|".join(texts.values()).encode()).digest()


def is_intact(event: Mapping[Any, Any]) -> bool:
    """Whether the details are those that were written, or erased."""
    if event["salt"] is None:
        return not event["details"]
    return bool(details_hash(event["salt"], event["details"]) == event["details_hash"])
