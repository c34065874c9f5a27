"""Writes of reports: what is computed beforehand for a program's pages."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions import validation_queries
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.reports import medians, partner_facts, periods, popular
from affiliate.reports.models import ProgramFigures

DAYS = 30
PARTNERS_MAX = 100_000


def stale_programs(session: Session, *, before: datetime, limit: int) -> list[UUID]:
    """Programs whose figures were computed before then, or never; these first."""
    found = (
        sa.select(Program.id)
        .outerjoin(ProgramFigures, ProgramFigures.program_id == Program.id)
        .where(sa.or_(ProgramFigures.computed_at.is_(None), ProgramFigures.computed_at < before))
        .order_by(ProgramFigures.computed_at.is_not(None), ProgramFigures.computed_at, Program.id)
    )
    return list(session.scalars(found.limit(limit)))


def figures_of(session: Session, *, program_id: UUID, now: datetime) -> ProgramFigures | None:
    """A program's figures as they are now, not stored yet; null if there is no such program."""
    program = session.get(Program, program_id)
    if program is None:
        return None
    lines = partner_facts.facts_by_partner(
        session,
        program_id=program_id,
        period=periods.last_days(DAYS, now=now, zone=program.time_zone),
        currency=program.currency,
        statuses=(EnrollmentStatus.APPROVED,),
        limit=PARTNERS_MAX,
    )
    takes = validation_queries.validation_takes(session, program_id=program_id)
    return ProgramFigures(
        program_id=program_id,
        medians=medians.medians(line.facts for line in lines),
        validation_seconds=None if takes is None else int(takes.total_seconds()),
        creatives=popular.popular(session, program=program, now=now),
        computed_at=now,
    )


def keep_figures(session: Session, *, figures: ProgramFigures) -> None:
    """Store a program's figures in the place of the ones before."""
    session.merge(figures)
