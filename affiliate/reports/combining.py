"""Every write of combined reports: ask, save a day, stop, go on, fail. Guarded, so that two workers count no day twice."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ingest.clickrules import RETENTION
from affiliate.programs import queries as programs
from affiliate.reports import combined, periods
from affiliate.reports import combined_queries as queries
from affiliate.reports.asked import By
from affiliate.reports.combined import Counts, Labels
from affiliate.reports.combined_models import Combination, CombinationRow, CombinationStatus
from affiliate.reports.combined_queries import Question
from affiliate.reports.periods import Period

N_ = str  # marks a sentence for the translators
_ERROR_LENGTH_MAX = 500
_COUNTS = ("clicks_raw", "clicks_valid", "conversions", "revenue_minor", "earned_minor", "reversed_minor")


class CombinationRuns(Conflict):
    """One combined report of an owner is counted at a time."""

    code = "combination_runs"

    def __init__(self) -> None:
        super().__init__(N_("Another combined report is being counted. Wait for it, or stop it."))


class WrongStatus(Conflict):
    """The report is not in the status that this step starts from."""

    code = "wrong_status"

    def __init__(self) -> None:
        super().__init__(N_("The report has moved on in between. Look at it again."))


class NoSuchCombination(NotFound):
    """There is no such report for this owner."""

    def __init__(self) -> None:
        super().__init__(N_("There is no such report."))


def kept_since(*, now: datetime, zone: str) -> date:
    """The first day of the zone of which all clicks are kept."""
    return periods.last_days(1, now=now - RETENTION, zone=zone).end


def start(
    session: Session, *, program_id: UUID, partner_id: UUID | None, dimensions: tuple[By, ...], period: Period,
    asked_by_id: UUID | None, now: datetime,
) -> Combination:  # fmt: skip
    """Ask for clicks and sales by several things at once. A job counts them; the oldest report of the owner goes for it.

    Raises:
        Invalid: the clicks of these days are not kept any more. CombinationRuns.
    """
    if period.first < kept_since(now=now, zone=period.zone):
        raise Invalid({"first": [N_("Clicks are kept for 400 days. Choose a later first day.")]})
    if queries.is_any_running(session, program_id=program_id, partner_id=partner_id):
        raise CombinationRuns
    _make_room(session, program_id=program_id, partner_id=partner_id)
    asked = Combination(
        id=ids.new_at(now), program_id=program_id, partner_id=partner_id, status=CombinationStatus.RUNNING,
        dimensions=[by.value for by in dimensions], first=period.first, last=period.days[-1], time_zone=period.zone,
        days_done=0, rows=0, asked_by_id=asked_by_id, created_at=now,
    )  # fmt: skip
    session.add(asked)
    session.flush()
    return asked


def _make_room(session: Session, *, program_id: UUID, partner_id: UUID | None) -> None:
    """Let the oldest go, so that with a new one there are as many as are shown."""
    there = queries.combinations(session, program_id=program_id, partner_id=partner_id)
    old = [one.id for one in there[queries.SHOWN_MAX - 1 :]]
    session.execute(sa.delete(CombinationRow).where(CombinationRow.combination_id.in_(old)))
    session.execute(sa.delete(Combination).where(Combination.id.in_(old)))


def question_of(session: Session, asked: Combination) -> Question:
    """What a stored report asks.

    Raises:
        NoSuchCombination: its program is gone.
    """
    program = programs.program_by_id(session, program_id=asked.program_id)
    if program is None:
        raise NoSuchCombination
    return Question(
        asked.id, asked.program_id, asked.partner_id, program.currency, tuple(By(name) for name in asked.dimensions),
        asked.first, asked.last, asked.time_zone,
    )  # fmt: skip


def save(session: Session, *, question: Question, days_done: int, counts: dict[Labels, Counts], now: datetime) -> bool:
    """Add a day to the rows; False, and nothing written, if somebody stopped the report or has saved this day already."""
    is_last = question.day(days_done + 1) is None
    values: dict[str, Any] = {"days_done": days_done + 1}
    if is_last:
        values |= {"status": CombinationStatus.DONE, "finished_at": now}
    same_place = (Combination.status == CombinationStatus.RUNNING, Combination.days_done == days_done)
    if not _guarded(session, question.id, *same_place, **values):
        return False
    rows = session.scalar(sa.select(Combination.rows).where(Combination.id == question.id)) or 0
    others = (combined.OTHERS,) * len(question.dimensions)
    keys = [combined.key_of(labels) for labels in {*counts, others}]
    known = queries.known_keys(session, combination_id=question.id, keys=keys)
    joined = combined.join(counts, known=known, rows=rows)
    _write(session, question.id, joined)
    if joined.new:
        _guarded(session, question.id, rows=rows + len(joined.new))
    return True


def _write(session: Session, combination_id: UUID, joined: combined.Joined) -> None:
    table = cast("sa.Table", CombinationRow.__table__)
    if joined.grown:
        adding = {name: table.c[name] + sa.bindparam(f"more_{name}") for name in _COUNTS}
        mine = (table.c.combination_id == combination_id, table.c.key == sa.bindparam("row_key"))
        session.connection().execute(
            sa.update(table).where(*mine).values(adding),
            [
                {"row_key": key} | {f"more_{name}": count for name, count in zip(_COUNTS, counts, strict=True)}
                for key, counts in sorted(joined.grown.items())
            ],
        )
    if joined.new:
        session.execute(
            sa.insert(CombinationRow),
            [
                {"combination_id": combination_id, "key": key, "labels": list(labels)} | dict(zip(_COUNTS, counts, strict=True))
                for key, (labels, counts) in joined.new.items()
            ],
        )  # fmt: skip


def stop(session: Session, *, combination_id: UUID, program_id: UUID, partner_id: UUID | None) -> None:
    """Stop a report where it is.

    Raises:
        NoSuchCombination: not this owner's. WrongStatus: it is not being counted.
    """
    owner = {"program_id": program_id, "partner_id": partner_id}
    _move(session, combination_id, [CombinationStatus.RUNNING], CombinationStatus.STOPPED, **owner)


def resume(session: Session, *, combination_id: UUID, program_id: UUID, partner_id: UUID | None) -> None:
    """Go on from where it stopped.

    Raises:
        NoSuchCombination: not this owner's. WrongStatus: it is counted already. CombinationRuns: another one is.
    """
    if queries.is_any_running(session, program_id=program_id, partner_id=partner_id):
        raise CombinationRuns
    stopped = [CombinationStatus.STOPPED, CombinationStatus.FAILED]
    owner = {"program_id": program_id, "partner_id": partner_id}
    _move(session, combination_id, stopped, CombinationStatus.RUNNING, **owner)


def fail(session: Session, *, combination_id: UUID, error: str, now: datetime) -> None:
    """Note that a report cannot go on, and why."""
    running = Combination.status == CombinationStatus.RUNNING
    values = {"status": CombinationStatus.FAILED, "error": error[:_ERROR_LENGTH_MAX], "finished_at": now}
    _guarded(session, combination_id, running, **values)


def _move(
    session: Session, combination_id: UUID, expected: list[CombinationStatus], to: CombinationStatus, **owner: Any
) -> None:
    mine = (Combination.program_id == owner["program_id"], Combination.partner_id == owner["partner_id"])
    if _guarded(session, combination_id, *mine, Combination.status.in_(expected), status=to, error=None):
        return
    found = queries.combination(session, combination_id=combination_id, **owner)
    raise NoSuchCombination if found is None else WrongStatus


def _guarded(session: Session, combination_id: UUID, *expected: sa.ColumnElement[bool], **values: Any) -> bool:
    change = sa.update(Combination).where(Combination.id == combination_id, *expected).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": "fetch"})
    return getattr(result, "rowcount", 0) == 1
