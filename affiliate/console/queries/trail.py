"""The audit trail of a program."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import ApiKey, AuditEvent, User
from affiliate.console import paging
from affiliate.links.models import Coupon, Link
from affiliate.notifications.models import PostbackAddress
from affiliate.partners.models import Enrollment
from affiliate.payouts.models import Adjustment, PartnerCost, Payout
from affiliate.relations.care_models import Duty, PartnerGoal
from affiliate.relations.models import Case

_OF_PARTNER: dict[str, Any] = {
    "enrollment": Enrollment, "duty": Duty, "partner_goal": PartnerGoal, "case": Case, "link": Link, "coupon": Coupon,
    "adjustment": Adjustment, "partner_cost": PartnerCost, "payout": Payout, "postback_address": PostbackAddress,
}  # fmt: skip
"""What belongs to one partner in a program, by the name that the history has for it. Orders have pages of their own."""


def events(
    session: Session,
    *,
    program_id: UUID,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    actions: Collection[str] = (),
    partner_id: UUID | None = None,
    cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:
    """What people and keys did in the program, newest first, with their names.

    These acts alone if any are named; with `partner_id` what was done to the partner and to what is its own.
    """
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
    if partner_id is not None:
        statement = statement.where(AuditEvent.position.in_(_positions_of(program_id, partner_id)))
    return paging.page_of(
        session, statement, by=AuditEvent.occurred_at, identifier=AuditEvent.id, cursor=cursor, size=size
    )


def _positions_of(program_id: UUID, partner_id: UUID) -> sa.CompoundSelect[tuple[int]]:
    """Where the history speaks of a partner: found from its own things by the index of subjects, not by reading the history."""
    events = sa.select(AuditEvent.position)
    itself = events.where(AuditEvent.subject_kind == "partner", AuditEvent.subject_id == partner_id)
    parts = [itself]
    for kind, table in _OF_PARTNER.items():
        mine = sa.and_(table.id == AuditEvent.subject_id, AuditEvent.subject_kind == kind)
        parts.append(events.join(table, mine).where(table.program_id == program_id, table.partner_id == partner_id))
    return sa.union_all(*parts)


def subject_kinds(session: Session, *, program_id: UUID, limit: int = 20) -> list[str]:
    """The kinds of things that the trail of the program speaks of."""
    statement = sa.select(AuditEvent.subject_kind).where(AuditEvent.program_id == program_id)
    return list(
        session.scalars(statement.group_by(AuditEvent.subject_kind).order_by(AuditEvent.subject_kind).limit(limit))
    )
