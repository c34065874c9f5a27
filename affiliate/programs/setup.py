"""What the set-up assistant remembers. Takes session and now; never commits.

Most steps need nothing here: that a program has a plan or a goal is told by the plan and the goal.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.db import insert_new
from affiliate.programs.models import ProgramSetup, SetupWay


def of(session: Session, *, program_id: UUID) -> ProgramSetup | None:
    """What is remembered of a program; nothing where the assistant was never used."""
    return session.get(ProgramSetup, program_id, populate_existing=True)


def keep_counting(session: Session, *, program_id: UUID, now: datetime) -> None:
    """Window and validation were looked at and are meant so."""
    _remember(session, program_id, now, counting_kept_at=now)


def keep_way(session: Session, *, program_id: UUID, way: SetupWay, now: datetime) -> None:
    """The shop will report its orders in this way."""
    _remember(session, program_id, now, way=way)


def keep_link(session: Session, *, program_id: UUID, link_id: UUID, now: datetime) -> None:
    """The program's own link, on which nothing but test clicks is meant to come."""
    _remember(session, program_id, now, test_link_id=link_id)


def _remember(session: Session, program_id: UUID, now: datetime, **values: Any) -> None:
    insert_new(session, ProgramSetup, [{"program_id": program_id, "started_at": now}])
    change = sa.update(ProgramSetup).where(ProgramSetup.program_id == program_id).values(**values)
    session.execute(change, execution_options={"synchronize_session": False})
