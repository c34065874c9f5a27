"""Who recruited the credited partners, level by level, and who was recruited with them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.partners.models import PartnerTerms

LEVELS_MAX = 5
SIBLINGS_MAX = 2_000
"""How many partners recruited with the credited ones of a batch are looked at. Beyond it one may be missed, never invented."""

Enrolled = tuple[UUID, UUID]
"""A program and a partner."""


@dataclass(slots=True)
class Kin:
    """The recruiters of a partner with their level, the nearest is 1; and those whom the nearest one recruited beside it."""

    recruiters: dict[UUID, int] = field(default_factory=dict)
    siblings: set[UUID] = field(default_factory=set)

    @property
    def everybody(self) -> set[UUID]:
        """All of them."""
        return self.recruiters.keys() | self.siblings


def of(session: Session, *, program_ids: Collection[UUID], partner_ids: Collection[UUID]) -> dict[Enrolled, Kin]:
    """The kin of each partner that was recruited by somebody; two queries."""
    found: defaultdict[Enrolled, Kin] = defaultdict(Kin)
    for program_id, partner_id, recruiter_id, level in session.execute(_upwards(session, program_ids, partner_ids)):
        found[program_id, partner_id].recruiters[recruiter_id] = level
    for program_id, partner_id, sibling_id in session.execute(_sideways(session, program_ids, partner_ids)):
        found[program_id, partner_id].siblings.add(sibling_id)
    return dict(found)


def _upwards(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID]
) -> sa.Select[*tuple[Any, ...]]:
    first, above = PartnerTerms, aliased(PartnerTerms)
    columns = (first.program_id, first.partner_id, first.recruiter_id, sa.literal(1).label("level"))
    mine = (first.program_id.in_(program_ids), db.among(session, first.partner_id, partner_ids))
    chain = sa.select(*columns).where(*mine, first.recruiter_id.is_not(None)).cte("chain", recursive=True)
    higher = sa.select(chain.c.program_id, chain.c.partner_id, above.recruiter_id, chain.c.level + 1).where(
        above.program_id == chain.c.program_id,
        above.partner_id == chain.c.recruiter_id,
        above.recruiter_id.is_not(None),
        chain.c.level < LEVELS_MAX,
    )
    whole = chain.union_all(higher)
    return sa.select(whole.c.program_id, whole.c.partner_id, whole.c.recruiter_id, whole.c.level)


def _sideways(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID]
) -> sa.Select[*tuple[Any, ...]]:
    mine, other = PartnerTerms, aliased(PartnerTerms)
    beside = sa.and_(
        other.program_id == mine.program_id,
        other.recruiter_id == mine.recruiter_id,
        other.partner_id != mine.partner_id,
    )
    found = sa.select(mine.program_id, mine.partner_id, other.partner_id).join(other, beside)
    wanted = (mine.program_id.in_(program_ids), db.among(session, mine.partner_id, partner_ids))
    return found.where(*wanted).order_by(other.partner_id.desc()).limit(SIBLINGS_MAX)
