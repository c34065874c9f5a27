"""The validation of many orders, by file or by a filter: looked at, confirmed, done, each a batch of lines a transaction.

The first batch is worked on at once, so that a small file needs no waiting; `advance` goes on with the others in a job.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import validation, validation_acts, validation_lines, validation_queries
from affiliate.commissions.models import ValidationFile, ValidationLine
from affiliate.commissions.takings import BooksMoved
from affiliate.commissions.validation import LINES_MAX, REASON_LENGTH_MAX, Line, Word
from affiliate.commissions.validation_acts import Previewed
from affiliate.commissions.validation_queries import Wanted
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ledger import service as ledger_service

N_ = str  # marks a sentence for the translators
NAME_LENGTH_MAX = 200
BATCH = 500
"""Lines a transaction: orders of other programs wait no longer than that takes."""


class UnknownFile(NotFound):
    """There is no such file in this program."""


class AlreadyConfirmed(Conflict):
    """The file was confirmed before: its results stand."""

    code = "already_confirmed"

    def __init__(self) -> None:
        super().__init__(N_("This file was confirmed before. Its results stand below."))


class StillReading(Conflict):
    """Not every line of the file was looked at yet."""

    code = "still_reading"

    def __init__(self) -> None:
        super().__init__(N_("This file is still being read. Confirm it when every line was looked at."))


class NothingToStop(Conflict):
    """Nothing is at work with the file."""

    code = "nothing_to_stop"

    def __init__(self) -> None:
        super().__init__(N_("This file is through already. Its results stand below."))


def upload(
    session: Session,
    *,
    program_id: UUID,
    name: str,
    content: bytes,
    currency: str,
    actor: Actor,
    now: datetime,
    limit: int = BATCH,
) -> ValidationFile:
    """Keep a file to look at what it would do; nothing changes yet. Of its lines `limit` are looked at now.

    Raises:
        BadTable: it is no list of orders.
    """
    lines = validation.read(content, currency=currency)
    return _keep(session, program_id=program_id, name=name, lines=lines, actor=actor, now=now, limit=limit)


def choose(
    session: Session,
    *,
    program_id: UUID,
    wanted: Wanted,
    word: Word,
    reason: str,
    name: str,
    actor: Actor,
    now: datetime,
    limit: int = BATCH,
) -> ValidationFile:
    """A list of the orders that a filter finds, with one word about all of them, to look at what it would do.

    From here on it is like a file: what each line would do is shown, and confirmed, and each has its result.

    Raises:
        Invalid: the filter finds nothing or too much, or nothing says why orders are declined.
    """
    if word is Word.DECLINED and not reason.strip():
        raise Invalid({"reason": [N_("Say why, in up to 500 characters. The partner will read it.")]})
    orders = validation_queries.pending(session, program_id=program_id, wanted=wanted, limit=LINES_MAX + 1)
    if not orders:
        raise Invalid({"ends_on": [N_("No order waits for its validation in these days.")]})
    if len(orders) > LINES_MAX:
        raise Invalid({"ends_on": [N_("These are more than 50,000 orders. Choose fewer days.")]})
    lines = [Line(order_id, word, None, reason.strip()[:REASON_LENGTH_MAX]) for order_id in orders]
    return _keep(session, program_id=program_id, name=name, lines=lines, actor=actor, now=now, limit=limit)


def _keep(
    session: Session, *, program_id: UUID, name: str, lines: Sequence[Line], actor: Actor, now: datetime, limit: int
) -> ValidationFile:
    file = ValidationFile(
        id=ids.new_at(now), program_id=program_id, name=name[:NAME_LENGTH_MAX], lines_total=len(lines), lines_checked=0,
        lines_done=0, uploaded_by_id=actor.id if actor.kind == "user" else None, uploaded_at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    session.execute(sa.insert(ValidationLine), list(_rows(file.id, lines)))
    _record(session, "validation.upload", file.id, program_id, {"lines": len(lines)}, actor=actor, now=now)
    _check(session, file, limit=limit, now=now)
    return file


def _rows(file_id: UUID, lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for number, line in enumerate(lines):
        yield {
            "file_id": file_id, "number": number, "order_id": line.order_id, "word": line.word,
            "amount_minor": line.amount_minor, "reason": line.reason, "is_repeated": line.order_id in seen, "verdict": None,
        }  # fmt: skip
        if line.word is not None:
            seen.add(line.order_id)


def preview(session: Session, *, file: ValidationFile, start: int, limit: int) -> list[Previewed]:
    """What up to `limit` lines of a file from a place on mean as the orders stand now."""
    rows = validation_lines.batch(session, file_id=file.id, start=start, limit=limit)
    orders = validation_queries.orders(session, program_id=file.program_id, order_ids={row.order_id for row in rows})
    states = validation_queries.states(session, conversion_ids=set(orders.values()))
    found = []
    for row in rows:
        line = Line(row.order_id, row.word, row.amount_minor, row.reason)
        conversion_id = orders.get(line.order_id)
        state = states.get(conversion_id) if conversion_id else None
        decision = validation.decide(line, state, is_known=conversion_id is not None, seen=row.is_repeated)
        found.append(Previewed(row.number, line, conversion_id, decision))
    return found


def confirm(
    session: Session, *, file_id: UUID, program_id: UUID, actor: Actor, now: datetime, limit: int = BATCH
) -> ValidationFile:
    """Let a file count: its first `limit` lines are done now, a job does the others. Each is decided as its order stands then.

    Raises:
        UnknownFile: not in this program.
        AlreadyConfirmed: somebody did before.
        StillReading: not every line was looked at yet.
    """
    change = (
        sa.update(ValidationFile)
        .where(ValidationFile.id == file_id, ValidationFile.program_id == program_id)
        .where(ValidationFile.confirmed_at.is_(None), ValidationFile.lines_checked == ValidationFile.lines_total)
        .values(confirmed_at=now, confirmed_by_id=actor.id if actor.kind == "user" else None)
    )
    is_mine = cast("CursorResult[Any]", session.execute(change)).rowcount == 1
    file = validation_queries.file(session, file_id=file_id, program_id=program_id)
    if file is None:
        raise UnknownFile(N_("There is no such file."))
    session.refresh(file)
    if not is_mine:
        raise AlreadyConfirmed if file.confirmed_at is not None else StillReading
    _record(session, "validation.confirm", file_id, program_id, {"lines": file.lines_total}, actor=actor, now=now)
    _do(session, file, limit=limit, now=now)
    return file


def stop(session: Session, *, file_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> ValidationFile:
    """Do nothing more of a file that is read or done; the lines that were done stay as they are.

    Raises:
        UnknownFile: not in this program.
        NothingToStop: it is through, or waits for somebody to confirm it.
    """
    at_work = sa.or_(
        ValidationFile.confirmed_at.is_not(None), ValidationFile.lines_checked < ValidationFile.lines_total
    )
    mine = (ValidationFile.id == file_id, ValidationFile.program_id == program_id)
    change = sa.update(ValidationFile).where(*mine, ValidationFile.finished_at.is_(None), at_work)
    stopped = cast("CursorResult[Any]", session.execute(change.values(finished_at=now))).rowcount == 1
    file = validation_queries.file(session, file_id=file_id, program_id=program_id)
    if file is None:
        raise UnknownFile(N_("There is no such file."))
    if not stopped:
        raise NothingToStop
    _record(session, "validation.stop", file_id, program_id, {"lines": file.lines_done}, actor=actor, now=now)
    return file


def advance(session: Session, *, limit: int, now: datetime) -> int:
    """Go on with the oldest open file by up to `limit` lines, and give how many: looked at, or done once it is confirmed."""
    file = validation_lines.open_file(session)
    if file is None:
        return 0
    return (_check if file.confirmed_at is None else _do)(session, file, limit=limit, now=now)


def _check(session: Session, file: ValidationFile, *, limit: int, now: datetime) -> int:  # noqa: ARG001 - as `_do`
    found = preview(session, file=file, start=file.lines_checked, limit=limit)
    _told(session, file, found, ValidationFile.lines_checked, {})
    return len(found)


def _do(session: Session, file: ValidationFile, *, limit: int, now: datetime) -> int:
    """The next lines, in one transaction with the mark of how far the file has come: a job that is killed did nothing."""
    ledger_service.lock_books(session, program_ids=[file.program_id])
    found = preview(session, file=file, start=file.lines_done, limit=limit)
    validation_acts.do(session, file=file, found=found, now=now)
    is_end = file.lines_done + len(found) == file.lines_total
    _told(session, file, found, ValidationFile.lines_done, {"finished_at": now} if is_end else {})
    return len(found)


def _told(
    session: Session,
    file: ValidationFile,
    found: Sequence[Previewed],
    mark: InstrumentedAttribute[int],
    values: dict[str, Any],
) -> None:
    """Write the outcome of each line, and move the mark that says how far the file has come."""
    expected = getattr(file, mark.key)
    change = sa.update(ValidationFile).where(ValidationFile.id == file.id, mark == expected)
    moved = session.execute(
        change.values({mark.key: expected + len(found)} | values), execution_options={"synchronize_session": False}
    )
    if cast("CursorResult[Any]", moved).rowcount != 1:
        raise BooksMoved
    rows = [{"file_id": file.id, "number": one.number, "verdict": one.decision.verdict} for one in found]
    session.execute(sa.update(ValidationLine), rows)
    session.expire(file, [mark.key, *values])


def _record(
    session: Session,
    action: str,
    file_id: UUID,
    program_id: UUID,
    details: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="validation", subject_id=file_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
