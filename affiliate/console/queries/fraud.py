"""The money that stands behind verdicts."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission

Pair = tuple[UUID, UUID]
"""A conversion and the partner who is credited for it."""


def reckoned(session: Session, *, program_id: UUID, pairs: Collection[Pair]) -> dict[Pair, int]:
    """What the commissions in force of these orders were reckoned at, in minor units of the program's currency."""
    if not pairs:
        return {}
    mine = (Commission.program_id == program_id, Commission.is_live, Commission.level == 1)
    rows = session.execute(
        sa.select(Commission.conversion_id, Commission.partner_id, Commission.amount_minor).where(
            *mine, db.among(session, Commission.conversion_id, {conversion_id for conversion_id, _ in pairs})
        )
    )
    return {(row[0], row[1]): row[2] for row in rows if (row[0], row[1]) in pairs}


def commission_id(session: Session, *, conversion_id: UUID, partner_id: UUID) -> UUID | None:
    """The commission in force of a partner for an order."""
    mine = (Commission.conversion_id == conversion_id, Commission.partner_id == partner_id)
    return session.scalar(sa.select(Commission.id).where(*mine, Commission.is_live).order_by(Commission.level).limit(1))
