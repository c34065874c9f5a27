"""Other fraud rules tried on the orders of the last month: at once where they are few, else by a job, a batch a time.

Both ways judge the same batches, the oldest first, and keep nothing but sums: the numbers are the same, however a trial is cut.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions import queries as commissions
from affiliate.fraud import effects, policy, queries
from affiliate.fraud.effects import Effect, Question
from affiliate.fraud.policy import Policy
from affiliate.fraud.queries import Cursor
from affiliate.fraud.signals import Verdict
from affiliate.programs.models import Program
from affiliate.replay.models import FraudTrial, ReplayStatus

AT_ONCE_MAX = 5_000
"""Of so many orders the effect is told while somebody waits."""

SIDES = ("before", "after")
"""The settings in force, and the wanted ones."""

_ERROR_LENGTH_MAX = 500


@dataclass(slots=True)
class Totals:
    """By side and verdict how many orders are stopped and what their commissions were reckoned at, in minor units; how often each rule speaks."""

    orders: Counter[str] = field(default_factory=Counter)
    minor: Counter[str] = field(default_factory=Counter)
    spoke: Counter[str] = field(default_factory=Counter)

    def of(self, side: str, verdict: Verdict) -> tuple[int, int]:
        """How many orders a side stops with this verdict, and their commissions in minor units."""
        return self.orders[_key(side, verdict)], self.minor[_key(side, verdict)]

    def add(self, effect: Effect, amounts: Mapping[queries.Pair, int]) -> None:
        """Count what a batch gave."""
        for side, stopped in zip(SIDES, (effect.before, effect.after), strict=True):
            for pair, verdict in stopped.items():
                self.orders[_key(side, verdict)] += 1
                self.minor[_key(side, verdict)] += amounts.get(pair, 0)
        self.spoke.update(effect.spoke)

    def to_json(self) -> dict[str, Any]:
        """As a trial stores them."""
        return {name: dict(getattr(self, name)) for name in ("orders", "minor", "spoke")}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Totals":
        """Read them back."""
        return cls(*(Counter(stored.get(name, {})) for name in ("orders", "minor", "spoke")))


def _key(side: str, verdict: Verdict) -> str:
    return f"{side}.{verdict.value}"


def ask(session: Session, *, program_id: UUID, wanted: Policy, now: datetime) -> FraudTrial:
    """What these settings would have done to the orders of the last 30 days: all of it, and nothing stored, where they are few.

    Else a job answers, one trial of a program at a time: the same question goes on, another one begins anew in its place.
    """
    trial = _trial(session, program_id=program_id, wanted=wanted, now=now)
    if _count(session, trial, most=AT_ONCE_MAX + 1) > AT_ONCE_MAX:
        return _stored(session, trial)
    while trial.status is ReplayStatus.RUNNING:
        for name, value in judged(session, trial).items():
            setattr(trial, name, value)
    return trial


def _stored(session: Session, trial: FraudTrial) -> FraudTrial:
    """The trial for the job, in the place of the one before; that one itself if it runs and asks the same."""
    session.execute(sa.select(Program.id).where(Program.id == trial.program_id).with_for_update())
    before = of_program(session, program_id=trial.program_id)
    if before is not None and before.status is ReplayStatus.RUNNING and _asks_the_same(before, trial):
        return before
    session.execute(sa.delete(FraudTrial).where(FraudTrial.program_id == trial.program_id))
    trial.total = _count(session, trial)
    session.add(trial)
    session.flush()
    return trial


def _count(session: Session, trial: FraudTrial, *, most: int | None = None) -> int:
    return queries.credit_count(
        session, program_id=trial.program_id, starts_at=trial.starts_at, ends_at=trial.ends_at, most=most
    )


def _asks_the_same(one: FraudTrial, other: FraudTrial) -> bool:
    return (one.base_version, one.wanted) == (other.base_version, other.wanted)


def of_program(session: Session, *, program_id: UUID) -> FraudTrial | None:
    """The last trial of a program that a job answered or answers."""
    mine = sa.select(FraudTrial).where(FraudTrial.program_id == program_id)
    return session.scalar(mine.execution_options(populate_existing=True))


def running(session: Session) -> FraudTrial | None:
    """The oldest trial that runs."""
    waiting = sa.select(FraudTrial).where(sa.text("status = 'running'")).order_by(FraudTrial.created_at).limit(1)
    return session.scalar(waiting)


def judged(session: Session, trial: FraudTrial) -> dict[str, Any]:
    """The columns of a trial after its next batch. Reads only."""
    effect = effects.step(session, question=_question(session, trial), after=_cursor(trial), limit=effects.BATCH)
    amounts = commissions.reckoned(
        session, program_id=trial.program_id, pairs=effect.before.keys() | effect.after.keys()
    )
    totals, done = Totals.read(trial.totals), trial.done + effect.tried
    totals.add(effect, amounts)
    values: dict[str, Any] = {"totals": totals.to_json(), "done": done}
    if (last := effect.cursor) is None:  # orders that came late, of days gone by, are not among those that were counted
        return values | {"status": ReplayStatus.DONE, "total": done}
    return values | {
        "cursor_at": last.occurred_at, "cursor_id": last.conversion_id, "cursor_partner_id": last.partner_id,
    }  # fmt: skip


def save(session: Session, *, trial_id: UUID, done: int, values: Mapping[str, Any], now: datetime) -> bool:
    """Keep what the batch behind the first `done` credits gave; False, and nothing written, if it was kept before, or another question was asked."""
    finished_at = now if values.get("status") is ReplayStatus.DONE else None
    return _guarded(session, trial_id, FraudTrial.done == done, **values, finished_at=finished_at)


def fail(session: Session, *, trial_id: UUID, error: str, now: datetime) -> None:
    """Note that a trial cannot go on, and why."""
    _guarded(session, trial_id, sa.true(), status=ReplayStatus.FAILED, error=error[:_ERROR_LENGTH_MAX], finished_at=now)


def wanted_of(trial: FraudTrial) -> Policy:
    """The settings that it asks about, with the version that the person saw."""
    return policy.read(trial.wanted, version=trial.base_version)


def _trial(session: Session, *, program_id: UUID, wanted: Policy, now: datetime) -> FraudTrial:
    """Nothing judged yet."""
    present = queries.policies(session, program_ids={program_id})[program_id]
    return FraudTrial(
        program_id=program_id, id=ids.new_at(now), status=ReplayStatus.RUNNING, base_version=present.version,
        wanted=policy.document(wanted), starts_at=now - effects.PERIOD, ends_at=now, done=0, total=0,
        totals=Totals().to_json(), created_at=now,
    )  # fmt: skip


def _question(session: Session, trial: FraudTrial) -> Question:
    present = queries.policy_of(session, program_id=trial.program_id, version=trial.base_version)
    return Question(trial.program_id, present, wanted_of(trial), trial.starts_at, trial.ends_at)


def _cursor(trial: FraudTrial) -> Cursor | None:
    if trial.cursor_at is None or trial.cursor_id is None or trial.cursor_partner_id is None:
        return None
    return Cursor(trial.cursor_at, trial.cursor_id, trial.cursor_partner_id)


def _guarded(session: Session, trial_id: UUID, expected: sa.ColumnElement[bool], **values: Any) -> bool:
    here = (FraudTrial.id == trial_id, FraudTrial.status == ReplayStatus.RUNNING, expected)
    change = sa.update(FraudTrial).where(*here).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": False})
    return getattr(result, "rowcount", 0) == 1
