"""Events that did not become rows: refused ones, and dead letters, of a program or of the whole installation."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.console import paging
from affiliate.ingest.models import DeadLetter, RejectedEvent


def rejected(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """Events of the program that were refused, newest first."""
    at, of_program = RejectedEvent.received_at, RejectedEvent.program_id == program_id
    statement = sa.select(
        RejectedEvent.id, at.label("at"), RejectedEvent.kind, RejectedEvent.reason, RejectedEvent.payload
    )
    return paging.page_of(session, statement.where(of_program), by=at, identifier=RejectedEvent.id, cursor=cursor)


def dead_letters(session: Session, *, program_id: UUID | None, cursor: paging.Cursor | None) -> paging.Page:
    """Events of the program that could not be stored, newest first; without one those of all, and those of nobody."""
    at = DeadLetter.failed_at
    statement = sa.select(
        DeadLetter.id, at.label("at"), DeadLetter.stream, DeadLetter.entry_id, DeadLetter.payload, DeadLetter.error
    )
    return paging.page_of(session, statement.where(*_of(program_id)), by=at, identifier=DeadLetter.id, cursor=cursor)


def dead_letters_left(session: Session, *, program_id: UUID | None, until: datetime) -> int:
    """How many of them failed last until this moment."""
    there = (*_of(program_id), DeadLetter.failed_at <= until)
    return session.scalar(sa.select(sa.func.count()).select_from(DeadLetter).where(*there)) or 0


def oldest_dead_letter(session: Session, *, program_id: UUID | None) -> tuple[int, datetime | None]:
    """How many events of the program (without one: of all, and of nobody) could not be stored, and since when the oldest waits."""
    count, oldest, _place = session.execute(dead_letters_placed(program_id)).one()
    return count, oldest


def dead_letters_placed(program_id: UUID | None) -> sa.Select[*tuple[Any, ...]]:
    """The same as a statement to be asked beside others: `count`, `oldest`, `place`."""
    oldest = sa.type_coerce(sa.func.min(DeadLetter.failed_at), DeadLetter.failed_at.type).label("oldest")
    counted = sa.select(sa.func.count().label("count"), oldest, sa.literal(1).label("place"))
    return counted.select_from(DeadLetter).where(*_of(program_id))


def _of(program_id: UUID | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if program_id is None else (DeadLetter.program_id == program_id,)
