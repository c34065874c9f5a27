"""What is counted beforehand of whole programs: kept between the hours at which it is counted, each kind as one row."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission
from affiliate.errors import Unavailable
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports.written_models import CountedGrid

N_ = str  # marks a sentence for the translators

COUNT_EVERY = timedelta(hours=1)
SALES_READ_MAX = 5_000
HOURS_READ_MAX = 100_000
"""How many sales, and hours of partners with clicks, are read while somebody waits: some tenths of a second."""


class NotCounted(Unavailable):
    """A program that is too large to be counted while somebody waits, before the job has counted it for the first time."""

    code = "not_counted"
    retry_after_seconds = 300

    def __init__(self) -> None:
        super().__init__(N_("This is being counted. Look again in some minutes."))


def kept(session: Session, *, program_id: UUID, kind: str) -> CountedGrid | None:
    """What was counted last; null where nothing was, and the program is small enough to be counted now.

    Raises:
        NotCounted: nothing was, and it is not.
    """
    row = session.get(CountedGrid, (program_id, kind))
    if row is None and _is_large(session, program_id):
        raise NotCounted
    return row


def _is_large(session: Session, program_id: UUID) -> bool:
    """Whether there is one row more than may be read: so many index entries are looked at, and no more."""
    more = (
        sa.select(sa.literal(1)).where(table.program_id == program_id).offset(most).limit(1)
        for table, most in ((Commission, SALES_READ_MAX), (PartnerClickHour, HOURS_READ_MAX))
    )
    return bool(session.scalar(sa.select(sa.or_(*(sa.exists(rows) for rows in more)))))


def stale(session: Session, *, kind: str, now: datetime, limit: int) -> list[UUID]:
    """The programs of which this was not counted for an hour, or never: also paused ones, whose orders still come back. Drafts have none."""
    due = sa.or_(CountedGrid.computed_at.is_(None), CountedGrid.computed_at < now - COUNT_EVERY)
    mine = sa.and_(CountedGrid.program_id == Program.id, CountedGrid.kind == kind)
    rows = sa.select(Program.id).outerjoin(CountedGrid, mine).where(Program.status != ProgramStatus.DRAFT, due)
    return list(session.scalars(rows.order_by(Program.id).limit(limit)))


def keep(session: Session, *, grid: CountedGrid) -> None:
    """Store what was counted in the place of what was before. Of two jobs at once the one that began later is kept."""
    key = {"program_id": grid.program_id, "kind": grid.kind}
    values = {"grid": grid.grid, "computed_at": grid.computed_at}
    if db.insert_new(session, CountedGrid, [key | values]):
        return
    mine = (CountedGrid.program_id == grid.program_id, CountedGrid.kind == grid.kind)
    session.execute(sa.update(CountedGrid).where(*mine, CountedGrid.computed_at < grid.computed_at).values(values))
