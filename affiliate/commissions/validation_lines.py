"""The SELECTs of validation files and their lines: what waits for the job, what came of them."""

from collections.abc import Iterator
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import ValidationFile, ValidationLine
from affiliate.commissions.validation import Verdict

_AT_ONCE = 1_000


def open_file(session: Session) -> ValidationFile | None:
    """The oldest file with lines that nobody has looked at, or that were confirmed and are not done; locked for the one who asks."""
    is_unread = ValidationFile.lines_checked < ValidationFile.lines_total
    waiting = sa.select(ValidationFile).where(
        ValidationFile.finished_at.is_(None), sa.or_(is_unread, ValidationFile.confirmed_at.is_not(None))
    )
    first = waiting.order_by(ValidationFile.uploaded_at).limit(1).with_for_update(skip_locked=True)
    return session.scalars(first, execution_options={"populate_existing": True}).one_or_none()


def batch(session: Session, *, file_id: UUID, start: int, limit: int) -> list[ValidationLine]:
    """Lines of a file from the place `start` on."""
    mine = sa.select(ValidationLine).where(ValidationLine.file_id == file_id, ValidationLine.number >= start)
    return list(session.scalars(mine.order_by(ValidationLine.number).limit(limit)))


def counts(session: Session, *, file_id: UUID) -> dict[Verdict, int]:
    """How many lines have which outcome; those that nobody has looked at yet have none."""
    outcome = sa.select(ValidationLine.verdict, sa.func.count()).where(ValidationLine.file_id == file_id)
    found = {row[0]: row[1] for row in session.execute(outcome.group_by(ValidationLine.verdict))}
    return {verdict: found[verdict] for verdict in Verdict if verdict in found}


def all_lines(session: Session, *, file_id: UUID) -> Iterator[ValidationLine]:
    """Every line of a file in its order, a bounded number at a time."""
    start = 0
    while some := batch(session, file_id=file_id, start=start, limit=_AT_ONCE):
        yield from some
        start = some[-1].number + 1
