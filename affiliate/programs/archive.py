"""Closing a program for good, and opening it again. Takes session and now; never commits.

An archived program counts no clicks and takes no orders, applications or links; its links lead where unknown ones do. What
became of orders from before is still taken, and what is owed is still paid.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid
from affiliate.programs import queries
from affiliate.programs.models import Program, ProgramStatus

N_ = str  # marks a sentence for the translators
REASON_LENGTH_MAX = 500


class ProgramArchived(Conflict):
    """The program is archived: it can be read, and what is owed is paid, but nothing new is taken."""

    code = "program_archived"

    def __init__(self) -> None:
        super().__init__(N_("This program is archived: it can be read, but takes nothing new."))


class NotArchived(Conflict):
    """The program is open already."""

    code = "not_archived"


def require_open(session: Session, *, program_id: UUID) -> None:
    """Refuse what would be new in an archived program.

    Raises:
        ProgramArchived: it is one.
    """
    program = queries.program_by_id(session, program_id=program_id)
    if program is not None and program.archived_at is not None:
        raise ProgramArchived


def archive(session: Session, *, program_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Close the program for everything new.

    Raises:
        Invalid: no reason is given.
        ProgramArchived: it is archived already.
    """
    reason = reason.strip()[:REASON_LENGTH_MAX]
    if not reason:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    status = sa.case((Program.status == ProgramStatus.LIVE, ProgramStatus.PAUSED), else_=Program.status)
    if not _moved(session, program_id, Program.archived_at.is_(None), status=status, archived_at=now, updated_at=now):
        raise ProgramArchived
    _record(session, "program.archive", program_id, actor=actor, now=now, details={"reason": reason})


def reopen(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Let the program be used again; it stays paused until somebody sets it live.

    Raises:
        NotArchived: it is open.
    """
    if not _moved(session, program_id, Program.archived_at.is_not(None), archived_at=None, updated_at=now):
        raise NotArchived("This program is not archived.")
    _record(session, "program.reopen", program_id, actor=actor, now=now, details={})


def _moved(session: Session, program_id: UUID, expected: sa.ColumnElement[bool], **values: object) -> bool:
    change = sa.update(Program).where(Program.id == program_id, expected).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": "fetch"})
    return isinstance(result, CursorResult) and result.rowcount == 1


def _record(
    session: Session, action: str, program_id: UUID, *, actor: Actor, now: datetime, details: dict[str, str]
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="program", subject_id=program_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
