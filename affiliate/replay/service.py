"""Every write of replays: start, save a batch, stop, go on, fail. Guarded, so that two workers count no batch twice."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import policy as policies
from affiliate.attribution import queries as attribution
from affiliate.attribution.policy import Policy
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.programs import queries as programs
from affiliate.programs.models import Program
from affiliate.replay import queries
from affiliate.replay.engine import Change, Question, Step, Totals
from affiliate.replay.models import Replay, ReplayChange, ReplayStatus
from affiliate.replay.queries import Cursor

N_ = str  # marks a sentence for the translators
CHANGES_KEPT = 5_000
"""How many changed orders a replay keeps to be shown; all are counted."""

_ERROR_LENGTH_MAX = 500


class ReplayRuns(Conflict):
    """One replay of a program at a time."""

    code = "replay_runs"


class WrongStatus(Conflict):
    """The replay is not in the status that this step starts from."""

    code = "wrong_status"


class UnknownReplay(NotFound):
    """There is no such replay in the program."""


def start(
    session: Session, *, program_id: UUID, policy: Policy | None, starts_at: datetime, ends_at: datetime, actor: Actor, now: datetime
) -> Replay:  # fmt: skip
    """Ask what this policy (none: the one of then) would have meant in a period, half-open. A job answers.

    Raises:
        Invalid: names each wrong term, or the period.
        ReplayRuns: another replay of the program runs.
    """
    wrong = policies.problems(policy) if policy else {}
    if starts_at >= ends_at:
        wrong["ends_at"] = N_("The period ends before it begins. Choose a later end.")
    if wrong:
        raise Invalid({name: [sentence] for name, sentence in wrong.items()})
    session.execute(sa.select(Program.id).where(Program.id == program_id).with_for_update())
    if queries.is_any_running(session, program_id=program_id):
        raise ReplayRuns(N_("Another replay of this program runs. Wait for it, or stop it."))
    replay = Replay(
        id=ids.new_at(now), program_id=program_id, status=ReplayStatus.RUNNING,
        base_version=attribution.newest_version(session, program_id=program_id) or 1,
        terms=policy.terms if policy else None, starts_at=starts_at, ends_at=ends_at,
        orders=queries.order_count(session, program_id=program_id, starts_at=starts_at, ends_at=ends_at),
        totals=Totals().to_json(), created_by_id=actor.id if actor.kind == "user" else None, created_at=now,
    )  # fmt: skip
    session.add(replay)
    session.flush()
    _record(session, "replay.start", replay.id, program_id=program_id, actor=actor, now=now)
    return replay


def question_of(session: Session, replay: Replay) -> Question:
    """What a stored replay asks."""
    program = programs.program_by_id(session, program_id=replay.program_id)
    if program is None:
        raise UnknownReplay(N_("There is no such replay."))
    return Question(program, proposal(replay), replay.starts_at, replay.ends_at)


def proposal(replay: Replay) -> Policy | None:
    """The policy that it asks about, numbered as if it followed the one that was newest then."""
    return None if replay.terms is None else Policy.of(replay.base_version + 1, replay.terms)


def save(
    session: Session, *, replay_id: UUID, before: Cursor | None, step: Step, totals: Totals, now: datetime
) -> bool:
    """Keep what a batch gave; False, and nothing written, if somebody stopped the replay or saved this batch already."""
    done = step.cursor is None
    values: dict[str, Any] = {"totals": totals.to_json()}
    if step.cursor is not None:
        values |= {"cursor_at": step.cursor.at, "cursor_id": step.cursor.id}
    if done:
        values |= {"status": ReplayStatus.DONE, "finished_at": now}
    same_place = Replay.cursor_id.is_(None) if before is None else Replay.cursor_id == before.id
    if not _guarded(session, replay_id, sa.and_(Replay.status == ReplayStatus.RUNNING, same_place), **values):
        return False
    room = CHANGES_KEPT - (totals.changed - len(step.changes))
    rows = [_change_row(replay_id, change) for change in step.changes[: max(room, 0)]]
    if rows:
        session.execute(sa.insert(ReplayChange), rows)
    return True


def _change_row(replay_id: UUID, change: Change) -> dict[str, Any]:
    return {
        "replay_id": replay_id,
        "conversion_id": change.decided.order.id,
        "attribution_id": change.decided.attribution_id,
        "occurred_at": change.decided.order.occurred_at,
        "today": {str(partner_id): minor for partner_id, minor in change.today.items()},
        "tomorrow": {str(partner_id): minor for partner_id, minor in change.tomorrow.items()},
        "trace": change.again.outcome.trace,
    }


def stop(session: Session, *, replay_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Stop a replay where it is.

    Raises:
        UnknownReplay: not in this program. WrongStatus: it does not run.
    """
    _move(session, replay_id, program_id, [ReplayStatus.RUNNING], ReplayStatus.STOPPED)
    _record(session, "replay.stop", replay_id, program_id=program_id, actor=actor, now=now)


def resume(session: Session, *, replay_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Go on from where it stopped.

    Raises:
        UnknownReplay: not in this program. WrongStatus: it runs, or is done.
    """
    _move(session, replay_id, program_id, [ReplayStatus.STOPPED, ReplayStatus.FAILED], ReplayStatus.RUNNING)
    _record(session, "replay.resume", replay_id, program_id=program_id, actor=actor, now=now)


def fail(session: Session, *, replay_id: UUID, error: str, now: datetime) -> None:
    """Note that a replay cannot go on, and why."""
    running = Replay.status == ReplayStatus.RUNNING
    values = {"status": ReplayStatus.FAILED, "error": error[:_ERROR_LENGTH_MAX], "finished_at": now}
    _guarded(session, replay_id, running, **values)


def _move(session: Session, replay_id: UUID, program_id: UUID, expected: list[ReplayStatus], to: ReplayStatus) -> None:
    mine = sa.and_(Replay.program_id == program_id, Replay.status.in_(expected))
    if _guarded(session, replay_id, mine, status=to, error=None, finished_at=None):
        return
    if queries.replay(session, replay_id=replay_id, program_id=program_id) is None:
        raise UnknownReplay(N_("There is no such replay."))
    raise WrongStatus(N_("The replay has moved on in between. Look at it again."))


def _guarded(session: Session, replay_id: UUID, expected: sa.ColumnElement[bool], **values: Any) -> bool:
    change = sa.update(Replay).where(Replay.id == replay_id, expected).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": "fetch"})
    return getattr(result, "rowcount", 0) == 1


def _record(session: Session, action: str, replay_id: UUID, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="replay", subject_id=replay_id, program_id=program_id, now=now
    )
