"""Every SELECT on programs and goals."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.programs.models import Goal, Program, ProgramStatus

PROGRAMS_MAX = 500
GOALS_OPEN_MAX = 50
"""How many goals of a program run or are to come: so many are looked at together."""


def program_by_slug(session: Session, *, slug: str) -> Program | None:
    """The program of this name in addresses."""
    return session.scalar(_by_slug(), {"slug": slug})


@cache
def _by_slug() -> sa.Select[Program]:
    """Built once: nearly every request asks it."""
    return sa.select(Program).where(Program.slug == sa.bindparam("slug"))


def program_by_id(session: Session, *, program_id: UUID) -> Program | None:
    """The program of this id."""
    return session.get(Program, program_id)


def programs(session: Session, *, status: ProgramStatus | None = None, limit: int = PROGRAMS_MAX) -> Sequence[Program]:
    """The programs by name, all or those of one status."""
    wanted = sa.select(Program).order_by(Program.name, Program.id).limit(limit)
    return session.scalars(wanted if status is None else wanted.where(Program.status == status)).all()


def programs_of_ids(session: Session, *, program_ids: Sequence[UUID]) -> Sequence[Program]:
    """These programs, by name."""
    return session.scalars(sa.select(Program).where(Program.id.in_(program_ids)).order_by(Program.name)).all()


def goals_open(session: Session, *, program_id: UUID, day: date) -> Sequence[Goal]:
    """The goals of a program that are not over on this day of it, the one that ends first first."""
    mine = (Goal.program_id == program_id, Goal.ends_on > day)
    return session.scalars(sa.select(Goal).where(*mine).order_by(Goal.ends_on, Goal.id).limit(GOALS_OPEN_MAX)).all()


def goal_in(session: Session, *, program_id: UUID, goal_id: UUID) -> Goal | None:
    """One goal of the program."""
    return session.scalar(sa.select(Goal).where(Goal.id == goal_id, Goal.program_id == program_id))


def has_goal(session: Session, *, program_id: UUID) -> bool:
    """Whether the program has any goal."""
    return bool(session.scalar(sa.select(sa.exists().where(Goal.program_id == program_id))))
