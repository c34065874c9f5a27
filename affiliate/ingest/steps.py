"""Writes of the steps of visits: each once, and the rollups moved with them. Called by `service` and `clicks`.

A step counts in the transaction in which both it and its click can be seen first: mostly that of the step itself. One that came
before its click waits, and a job looks for it. Rows of clicks are taken only where nobody holds them (SKIP LOCKED), so that no batch
waits for another crosswise; what is skipped is counted by the job.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ids import digits, repeated_digits
from affiliate.ingest import bulk, partitions
from affiliate.ingest.clickrules import RETENTION, ClickVerdict
from affiliate.ingest.devices import device
from affiliate.ingest.models import Click
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, SHARD
from affiliate.ingest.step_models import STEP_ROLLUPS, VisitStep, VisitStepKind
from affiliate.tracking.codec import StepEvent
from affiliate.tracking.steps import up_to

Key = tuple[Any, ...]

_ROLLUPS: Sequence[Any] = STEP_ROLLUPS
_WAITS = (sa.text("counted_at IS NULL AND NOT is_test"),)  # in the words of the index, which SQLite wants


def store(session: Session, *, events: Sequence[StepEvent], now: datetime) -> int:
    """Store what is new of these steps and of those before them, and count the visits that are rows already; how many are new."""
    told = {(event.click_id, step, event.is_test): event for event in events for step in up_to(event.step)}
    rows = [
        {
            "click_id": key[0], "step": VisitStepKind(key[1]), "is_test": key[2], "program_id": event.program_id,
            "received_at": event.received_at, "counted_at": None,
        }
        for key, event in sorted(told.items(), key=lambda pair: pair[0])
    ]  # fmt: skip
    new = db.insert_new(session, VisitStep, rows, returning=VisitStep.click_id)
    count_waiting(session, limit=len(rows), now=now, click_ids=set(new))
    return len(new)


def split(events: Sequence[StepEvent], *, now: datetime) -> tuple[list[StepEvent], list[StepEvent]]:
    """Those whose click is kept, and those whose click is past its term."""
    oldest = partitions.first_id(now - RETENTION)
    return [event for event in events if event.click_id >= oldest], [e for e in events if e.click_id < oldest]


def waits(session: Session) -> bool:
    """Whether a step waits for its click."""
    waiting = sa.select(VisitStep.click_id).where(*_WAITS)
    return session.scalar(sa.select(sa.exists(waiting))) is True


def count_waiting(session: Session, *, limit: int, now: datetime, click_ids: Collection[UUID] | None = None) -> int:
    """Count steps that wait, of these clicks or of any, where their click is a row; how many."""
    if click_ids is not None and not click_ids:
        return 0
    found = _of_clicks().where(*_WAITS).order_by(VisitStep.click_id, VisitStep.step).limit(limit)
    if click_ids is not None:
        found = found.where(db.among(session, VisitStep.click_id, click_ids))
    rows = session.execute(found.with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    for kind in VisitStepKind:
        of_kind = {row.click_id for row in rows if row.step is kind}
        if of_kind:
            mine = (*_WAITS, VisitStep.step == kind, db.among(session, VisitStep.click_id, of_kind))
            session.execute(sa.update(VisitStep).where(*mine).values(counted_at=now))
    _add(session, Counter(_key(row, row.verdict) for row in rows))
    return len(rows)


def move(session: Session, *, click_ids: Collection[UUID], before: ClickVerdict, after: ClickVerdict) -> None:
    """Count the steps of clicks whose verdict has changed under the new one. The clicks' rows are ours by now."""
    if not click_ids:
        return
    counted = _of_clicks().where(VisitStep.counted_at.is_not(None), db.among(session, VisitStep.click_id, click_ids))
    deltas: Counter[Key] = Counter()
    for row in session.execute(counted):
        deltas[_key(row, before)] -= 1
        deltas[_key(row, after)] += 1
    _add(session, deltas)


def drop_oldest(session: Session, *, moment: datetime, limit: int) -> int:
    """Delete up to `limit` steps of clicks from before this moment; the rollups stay."""
    oldest = sa.select(VisitStep.click_id).where(VisitStep.click_id < partitions.first_id(moment))
    gone = sa.delete(VisitStep).where(VisitStep.click_id.in_(oldest.order_by(VisitStep.click_id).limit(limit)))
    return len(session.execute(gone.returning(VisitStep.click_id)).all())


def _of_clicks() -> sa.Select[Any]:
    """Steps with what their click says of the visit."""
    return sa.select(
        VisitStep.click_id,
        VisitStep.step,
        Click.program_id,
        Click.partner_id,
        Click.occurred_at,
        Click.verdict,
        sa.func.substr(Click.referrer_host, 1, LABEL_LENGTH_MAX).label("source"),
        device().label("device"),
    ).join(Click, Click.id == VisitStep.click_id)


def _key(row: Any, verdict: ClickVerdict) -> Key:
    """What a step is counted under: the columns of all rollups, as the drivers take them."""
    hour = row.occurred_at.replace(minute=0, second=0, microsecond=0)
    return (
        repeated_digits(row.program_id.int), digits(row.partner_id.int), row.device, row.source, row.step.value, hour,
        verdict.value,
    )  # fmt: skip


_NAMES = ("program_id", "partner_id", "device", "source", "step", "hour", "verdict")


def _add(session: Session, deltas: Mapping[Key, int]) -> None:
    """Add to each rollup, in the order of their keys. Tests count nowhere."""
    counted = [(dict(zip(_NAMES, key, strict=True)), clicks) for key, clicks in deltas.items()]
    counted = [(key, clicks) for key, clicks in counted if key["verdict"] != ClickVerdict.TEST.value]
    for rollup in _ROLLUPS:
        names = (*rollup.DIMENSIONS, "hour", "verdict")
        sums: Counter[Key] = Counter()
        for key, clicks in counted:
            sums[tuple(key[name] for name in names)] += clicks
        bulk.add_counts(session, rollup.__table__, (*names, "shard", "clicks"), _rows(sums.items()))


def _rows(sums: Iterable[tuple[Key, int]]) -> list[Key]:
    return [(*key, SHARD, clicks) for key, clicks in sorted(sums) if clicks]
