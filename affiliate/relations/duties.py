"""Every write on duties: agreed, moved, done, missed; and the reminders. Never commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.programs.models import Program
from affiliate.relations import care_mails, care_queries, rounds
from affiliate.relations.care_models import Duty, DutyStatus
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence, Outcome

N_ = str  # marks a sentence for the translators

TASK_LENGTH_MAX = 200
_WITHOUT_DAY = (Cadence.CONTINUOUS,)


class NoSuchDuty(NotFound):
    """There is no such duty here."""


class DutyMoved(Conflict):
    """The duty is over, or somebody was faster."""

    code = "duty_moved"


class TooManyDuties(Conflict):
    """A partner has as many open duties as one may have."""

    code = "too_many_duties"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done, by which side (by a person of the program, if one is named), how often, and when first."""

    text: str
    side: Side
    cadence: Cadence
    first_on: date | None = None
    owner_id: UUID | None = None


def agree(session: Session, *, program: Program, partner_id: UUID, task: Task, actor: Actor, now: datetime) -> Duty:
    """Put a line into the table of responsibilities.

    Raises:
        Invalid: names each wrong field. TooManyDuties: fifty are open.
    """
    text = " ".join(task.text.split())
    _check(session, program, task, text)
    if len(care_queries.duties_of(session, program_id=program.id, partner_id=partner_id)) >= care_queries.DUTIES_MAX:
        raise TooManyDuties(N_("Fifty responsibilities are open with this partner. End one first."))
    first_on = None if task.cadence in _WITHOUT_DAY else task.first_on
    duty = Duty(
        id=ids.new_at(now), program_id=program.id, partner_id=partner_id, task=text, side=task.side, cadence=task.cadence,
        owner_id=task.owner_id if task.side is Side.PROGRAM else None, first_on=first_on, due_on=first_on,
        status=DutyStatus.PENDING, rounds=[], created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(duty)
    session.flush()
    _audit(session, duty, "duty.agree", actor=actor, now=now)
    return duty


def move(
    session: Session, *, program: Program, duty_id: UUID, status: DutyStatus, actor: Actor, now: datetime,
    partner_id: UUID | None = None,
) -> Duty:  # fmt: skip
    """Say how a duty stands. With `partner_id` the partner does it, for what is its own.

    Done ends the round: what comes round again is due on its next day, what does not is over.

    Raises:
        NoSuchDuty: not here, or not this side's. DutyMoved: it is over, or somebody was faster.
    """
    duty = care_queries.duty_in(session, program_id=program.id, duty_id=duty_id, partner_id=partner_id)
    if duty is None or (partner_id is not None and duty.side is not Side.PARTNER):
        raise NoSuchDuty(N_("There is no such responsibility."))
    today = _today(program, now)
    values: dict[str, Any] = {"status": status}
    if status is DutyStatus.DONE and duty.due_on is not None:
        outcome = Outcome.LATE if duty.due_on < today else Outcome.DONE
        values = _round_over(duty, outcome, after=max(duty.due_on, today - timedelta(days=1)))
    moved = _guarded(session, duty, values, now=now)
    _audit(session, moved, "duty.move", actor=actor, now=now, status=status.value)
    return moved


def change(session: Session, *, program: Program, duty_id: UUID, task: Task, actor: Actor, now: datetime) -> Duty:
    """Agree on another task, side, person, cadence or next day (`task.first_on`). What became of its rounds stays with it.

    A day or cadence that is new begins the count of days anew; else what is due on the 31st stays so.

    Raises:
        NoSuchDuty: not here. Invalid: names each wrong field. DutyMoved: it is over, or somebody was faster.
    """
    duty = care_queries.duty_in(session, program_id=program.id, duty_id=duty_id)
    if duty is None:
        raise NoSuchDuty(N_("There is no such responsibility."))
    text = " ".join(task.text.split())
    _check(session, program, task, text)
    due_on = None if task.cadence in _WITHOUT_DAY else task.first_on
    values: dict[str, Any] = {"task": text, "side": task.side, "cadence": task.cadence, "due_on": due_on}
    values["owner_id"] = task.owner_id if task.side is Side.PROGRAM else None
    if (task.cadence, due_on) != (duty.cadence, duty.due_on):
        values["first_on"] = due_on
    before = _told(duty)
    changed = _guarded(session, duty, values, now=now)
    _audit(session, changed, "duty.change", actor=actor, now=now, before=before, after=_told(changed))
    return changed


def _told(duty: Duty) -> dict[str, Any]:
    """What was agreed, as the history keeps it."""
    due_on = duty.due_on.isoformat() if duty.due_on else None
    owner = str(duty.owner_id) if duty.owner_id else None
    return {
        "task": duty.task,
        "side": duty.side.value,
        "how_often": duty.cadence.value,
        "due_on": due_on,
        "owner_id": owner,
    }


def end(session: Session, *, program: Program, duty_id: UUID, actor: Actor, now: datetime) -> None:
    """Take a line out of the table.

    Raises:
        NoSuchDuty, DutyMoved: as above.
    """
    duty = care_queries.duty_in(session, program_id=program.id, duty_id=duty_id)
    if duty is None:
        raise NoSuchDuty(N_("There is no such responsibility."))
    _guarded(session, duty, {"status": DutyStatus.DONE, "due_on": None}, now=now)
    _audit(session, duty, "duty.end", actor=actor, now=now)


def go_round(session: Session, *, limit: int, now: datetime) -> int:
    """Remind of duties that are due tomorrow or today, and note the misses of those whose day has passed; gives how many.

    Each program's own midnight counts. What was missed and comes round again is due on its next day; what was to be done
    once stays due until it is done, and is missed once.
    """
    latest = (now + timedelta(days=2)).date()
    done = 0
    for duty, program in care_queries.duties_to_close(session, today=latest, limit=limit):
        today = _today(program, now)
        if duty.due_on is None:
            continue
        if duty.cadence is Cadence.ONCE and _is_noted(duty):
            continue
        if duty.due_on < today:
            done += _miss(session, duty, program, today, now=now)
        elif duty.due_on <= today + timedelta(days=1) and duty.reminded_on != duty.due_on:
            done += _remind(session, duty, program, now=now)
    return done


def _miss(session: Session, duty: Duty, program: Program, today: date, *, now: datetime) -> int:
    values = _round_over(duty, Outcome.MISSED, after=today - timedelta(days=1))
    if duty.cadence is Cadence.ONCE:
        values |= {"due_on": duty.due_on, "status": duty.status, "reminded_on": duty.due_on}
    moved = _try(session, duty, values, now=now)
    if moved is None:
        return 0
    _audit(session, moved, "duty.miss", actor=SYSTEM, now=now)
    care_mails.tell_missed(session, duty=moved, program=program, again=rounds.is_repeated(moved.rounds), now=now)
    return 1


def _remind(session: Session, duty: Duty, program: Program, *, now: datetime) -> int:
    moved = _try(session, duty, {"reminded_on": duty.due_on}, now=now)
    if moved is None:
        return 0
    care_mails.remind_of_duty(session, duty=moved, program=program, now=now)
    return 1


def _round_over(duty: Duty, outcome: Outcome, *, after: date) -> dict[str, Any]:
    """What a duty becomes when its round ends. A miss that was noted before was no end: this takes its place."""
    found = None if duty.first_on is None else rounds.next_due(duty.cadence, first_on=duty.first_on, after=after)
    status = DutyStatus.DONE if found is None else DutyStatus.PENDING
    before = duty.rounds[:-1] if _is_noted(duty) else duty.rounds
    told = {"rounds": rounds.kept(before, outcome), "settled_on": duty.due_on}
    return told | {"due_on": found, "status": status}


def _is_noted(duty: Duty) -> bool:
    """Whether a miss of the present day stands in the rounds already."""
    return duty.due_on is not None and duty.settled_on == duty.due_on


def _check(session: Session, program: Program, task: Task, text: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not 0 < len(text) <= TASK_LENGTH_MAX:
        wrong["task"] = [N_("Write the task, in up to 200 characters.")]
    if task.cadence not in _WITHOUT_DAY and (task.first_on is None or not days.is_ours(task.first_on)):
        wrong["first_on"] = [N_("Choose a day.")]
    known: Iterable[UUID] = (one.user_id for one in care_queries.managers(session, program_id=program.id))
    if task.side is Side.PROGRAM and task.owner_id is not None and task.owner_id not in known:
        wrong["owner"] = [N_("Choose somebody who manages this program.")]
    if wrong:
        raise Invalid(wrong)


def _guarded(session: Session, duty: Duty, values: dict[str, Any], *, now: datetime) -> Duty:
    moved = _try(session, duty, values, now=now)
    if moved is None:
        raise DutyMoved(N_("This responsibility is over, or somebody was faster. Nothing was changed."))
    return moved


def _try(session: Session, duty: Duty, values: dict[str, Any], *, now: datetime) -> Duty | None:
    """The duty with the values, if it still is as it was read."""
    here = [Duty.id == duty.id, Duty.status == duty.status]
    here += [
        column.is_not_distinct_from(was)
        for column, was in ((Duty.due_on, duty.due_on), (Duty.settled_on, duty.settled_on))
    ]
    open_ = Duty.status != DutyStatus.DONE
    change = sa.update(Duty).where(*here, open_).values(**values, updated_at=now).returning(Duty.id)
    if session.scalar(change, execution_options={"synchronize_session": False}) is None:
        return None
    return session.get_one(Duty, duty.id, populate_existing=True)


def _today(program: Program, now: datetime) -> date:
    return now.astimezone(ZoneInfo(program.time_zone)).date()


def _audit(session: Session, duty: Duty, action: str, *, actor: Actor, now: datetime, **details: Any) -> None:
    told = {"partner_id": str(duty.partner_id), "task": duty.task, **details}
    audit.record(
        session, actor=actor, action=action, subject_kind="duty", subject_id=duty.id, program_id=duty.program_id,
        details=told, now=now,
    )  # fmt: skip
