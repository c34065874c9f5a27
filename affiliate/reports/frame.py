"""What stands around every page of the portal, asked in one trip: the program's logo and the last proof of the books."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ledger.models import LedgerProof
from affiliate.programs.models import ProgramBrand


@dataclass(frozen=True, slots=True)
class Frame:
    """The stored file of the logo and the newest proof, where there are such."""

    logo_id: UUID | None
    proof: LedgerProof | None


def frame(session: Session, *, program_id: UUID) -> Frame:
    """The frame of this program's pages at this moment."""
    logo_id, proof = session.execute(_frame(), {"program_id": program_id}).one()
    return Frame(logo_id, proof)


@cache
def _frame() -> sa.Select[UUID | None, LedgerProof]:
    """Built once. Each part may be missing, so both hang on a row that is always there."""
    always = sa.select(sa.literal(1).label("always")).subquery()
    newest = sa.select(LedgerProof.id).order_by(LedgerProof.checked_at.desc()).limit(1).scalar_subquery()
    return (
        sa.select(ProgramBrand.logo_id, LedgerProof)
        .select_from(always)
        .outerjoin(ProgramBrand, ProgramBrand.program_id == sa.bindparam("program_id"))
        .outerjoin(LedgerProof, LedgerProof.id == newest)
    )
