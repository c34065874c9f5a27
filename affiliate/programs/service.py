"""Every write on programs and goals. Each changes the row only in the state it expects, and leaves an audit row."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts import queries as accounts
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.programs import archive, queries, rules
from affiliate.programs.models import AttributionPolicy, Goal, GoalMetric, Program, ProgramStatus

N_ = str  # marks a sentence for the translators


class UnknownProgram(NotFound):
    """There is no such program."""


class SlugTaken(Conflict):
    """Another program has this name in its addresses."""

    code = "slug_taken"


class SettingsMoved(Conflict):
    """Somebody else changed the settings in between; nothing was written."""

    code = "settings_moved"


class NoGoal(Conflict):
    """A program goes live with at least one goal."""

    code = "no_goal"


class GoalOver(Conflict):
    """The days of the goal are over."""

    code = "goal_over"


class WrongStatus(Conflict):
    """The program is not in the status that this step starts from."""

    code = "wrong_status"

    def __init__(self, status: ProgramStatus) -> None:
        super().__init__(f"The program is {status}.")
        self.status = status


def create(
    session: Session,
    *,
    slug: str,
    name: str,
    currency: str,
    shop_url: str,
    allowed_hosts: list[str],
    attribution_window_days: int = 30,
    actor: Actor,
    now: datetime,
    **settings: Any,
) -> Program:
    """A new program, in draft. `settings` are further names of `rules.SETTINGS`; its first attribution policy is the last click.

    Raises:
        Invalid: names each wrong setting.
        SlugTaken: the slug is another program's.
    """
    first = {"name": name, "shop_url": shop_url, "allowed_hosts": allowed_hosts}
    fixed: dict[str, Any] = {"slug": slug, "currency": currency, "attribution_window_days": attribution_window_days}
    values = fixed | _checked(first | settings, **fixed)
    program_id = ids.new()
    row = {"id": program_id, "status": ProgramStatus.DRAFT, "created_at": now, "updated_at": now} | values
    if not db.insert_new(session, Program, [row]):
        raise SlugTaken(f"Another program is called {slug!r}. Choose another name for the address.")
    session.add(first_policy(program_id, attribution_window_days, created_at=now))
    _record(
        session,
        "program.create",
        program_id=program_id,
        actor=actor,
        now=now,
        details={"slug": slug, "name": values["name"]},
    )
    return _program(session, program_id)


def first_policy(program_id: UUID, window_days: int, *, created_at: datetime) -> AttributionPolicy:
    """The policy that every program begins with: the last click within this window, for orders of any time."""
    return AttributionPolicy(
        id=ids.derived(program_id, "attribution_policy", "1"), program_id=program_id, version=1,
        effective_from=datetime.fromtimestamp(0, UTC), terms={"window_days": window_days},
        created_at=created_at, applied_at=created_at,
    )  # fmt: skip


def update_settings(
    session: Session,
    *,
    program_id: UUID,
    changes: dict[str, Any],
    actor: Actor,
    now: datetime,
    expected_at: datetime | None = None,
) -> Program:
    """Change settings; what stays the same is left alone.

    `expected_at` is the `updated_at` that the person saw.

    Raises:
        Invalid: names each wrong setting.
        SettingsMoved: the program was changed since `expected_at`.
    """
    program = _program(session, program_id)
    seen_at = expected_at or program.updated_at
    wanted = _checked(changes, beside={"shop_url": program.shop_url, "allowed_hosts": program.allowed_hosts})
    new = {name: value for name, value in wanted.items() if getattr(program, name) != value}
    if not new:
        return program
    before = {name: getattr(program, name) for name in new}
    if not _guarded(session, program_id, Program.updated_at == seen_at, updated_at=now, **new):
        raise SettingsMoved("Somebody else changed these settings in between. Look at them again, then save.")
    _record(
        session, "program.update", program_id=program_id, actor=actor, now=now, details={"before": before, "after": new}
    )
    return program


def rotate_pixel_secret(
    session: Session, *, program_id: UUID, expected_version: int, actor: Actor, now: datetime
) -> None:
    """Make the present pixel secret worthless and a new one valid.

    Raises:
        SettingsMoved: the secret is no longer at `expected_version` (a double submission rotates once).
    """
    version = expected_version + 1
    same = Program.pixel_secret_version == expected_version
    if not _guarded(session, program_id, same, pixel_secret_version=version, updated_at=now):
        raise SettingsMoved("The secret was already replaced. The page shows the present one.")
    _record(
        session,
        "program.rotate_pixel_secret",
        program_id=program_id,
        actor=actor,
        now=now,
        details={"version": version},
    )


def rotate_postback_token(
    session: Session, *, program_id: UUID, expected_version: int, actor: Actor, now: datetime
) -> None:
    """Make the present postback token worthless and a new one valid.

    Raises:
        SettingsMoved: the token is no longer at `expected_version` (a double submission rotates once).
    """
    version = expected_version + 1
    same = Program.postback_token_version == expected_version
    if not _guarded(session, program_id, same, postback_token_version=version, updated_at=now):
        raise SettingsMoved("The token was already replaced. The page shows the present one.")
    _record(
        session,
        "program.rotate_postback_token",
        program_id=program_id,
        actor=actor,
        now=now,
        details={"version": version},
    )


def add_goal(
    session: Session,
    *,
    program_id: UUID,
    metric: GoalMetric,
    target: int,
    starts_on: date,
    ends_on: date,
    owner_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Goal:
    """A measurable target for the days from `starts_on` until before `ends_on`; money in minor units, a share in basis points.

    Raises:
        Invalid: the target is not above zero, the period is empty, the owner does not manage this program, or it has
            as many goals as one looks at.
    """
    is_share = metric is GoalMetric.NEW_CUSTOMER_SHARE
    wrong = rules.goal_problems(target=target, starts_on=starts_on, ends_on=ends_on, is_share=is_share)
    wrong |= _owner_problems(session, program_id, owner_id) | _number_problems(session, program_id, ends_on, now)
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    goal = Goal(
        id=ids.new(), program_id=program_id, metric=metric, target=target,
        starts_on=starts_on, ends_on=ends_on, owner_id=owner_id, created_at=now,
    )  # fmt: skip
    session.add(goal)
    session.flush()
    details = {"metric": metric, **_asked_for(goal), "owner_id": owner_id and str(owner_id)}
    audit.record(
        session, actor=actor, action="goal.create", subject_kind="goal", subject_id=goal.id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
    return goal


def change_goal(
    session: Session, *, program_id: UUID, goal_id: UUID, target: int, starts_on: date, ends_on: date, actor: Actor,
    now: datetime,
) -> Goal:  # fmt: skip
    """Ask for another number, or in other days, while the goal is not over; the history keeps what was asked before.

    Raises:
        NotFound: it is not this program's, or gone. GoalOver: its days are over. Invalid: as a new one would be.
    """
    goal = _locked_goal(session, program_id, goal_id)
    if goal.ends_on <= _day_of(session, program_id, now):
        raise GoalOver(N_("This goal is over. What it asked for stays."))
    is_share = goal.metric is GoalMetric.NEW_CUSTOMER_SHARE
    if wrong := rules.goal_problems(target=target, starts_on=starts_on, ends_on=ends_on, is_share=is_share):
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    before = _asked_for(goal)
    goal.target, goal.starts_on, goal.ends_on = target, starts_on, ends_on
    after = _asked_for(goal)
    if after != before:
        session.flush()
        details = {"metric": goal.metric, "before": before, "after": after}
        audit.record(
            session, actor=actor, action="goal.change", subject_kind="goal", subject_id=goal.id, program_id=program_id,
            details=details, now=now,
        )  # fmt: skip
    return goal


def _asked_for(goal: Goal) -> dict[str, Any]:
    """What a goal asks for, as the history keeps it."""
    named = "target_minor" if goal.metric in {GoalMetric.REVENUE, GoalMetric.COST} else "target"
    return {named: goal.target, "starts_on": goal.starts_on.isoformat(), "ends_on": goal.ends_on.isoformat()}


def _locked_goal(session: Session, program_id: UUID, goal_id: UUID) -> Goal:
    mine = (Goal.id == goal_id, Goal.program_id == program_id)
    goal = session.scalar(sa.select(Goal).where(*mine).with_for_update().execution_options(populate_existing=True))
    if goal is None:
        raise NotFound("This goal is gone already.")
    return goal


def give_goal(
    session: Session, *, program_id: UUID, goal_id: UUID, owner_id: UUID, actor: Actor, now: datetime
) -> Goal:
    """Let somebody else answer for a goal. Who answers for it already: nothing happens.

    Raises:
        NotFound: it is not this program's, or gone. Invalid: the new owner does not manage this program.
    """
    goal = _locked_goal(session, program_id, goal_id)
    if wrong := _owner_problems(session, program_id, owner_id):
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    if goal.owner_id == owner_id:
        return goal
    details = {
        "metric": goal.metric,
        "owner_id": str(owner_id),
        "owner_before_id": goal.owner_id and str(goal.owner_id),
    }
    goal.owner_id = owner_id
    session.flush()
    audit.record(
        session, actor=actor, action="goal.give", subject_kind="goal", subject_id=goal.id, program_id=program_id,
        details=details, now=now,
    )  # fmt: skip
    return goal


def _number_problems(session: Session, program_id: UUID, ends_on: date, now: datetime) -> dict[str, str]:
    day = _day_of(session, program_id, now)
    waits = ends_on > day
    if not waits or len(queries.goals_open(session, program_id=program_id, day=day)) < queries.GOALS_OPEN_MAX:
        return {}
    return {"metric": N_("Fifty goals run or are to come. Remove one of them first.")}


def _day_of(session: Session, program_id: UUID, now: datetime) -> date:
    """The present day of a program."""
    zone = session.get_one(Program, program_id).time_zone
    return now.astimezone(ZoneInfo(zone)).date()


def _owner_problems(session: Session, program_id: UUID, owner_id: UUID | None) -> dict[str, str]:
    if owner_id is None or accounts.may_manage(session, user_id=owner_id, program_id=program_id):
        return {}
    return {"owner": N_("Choose somebody who manages this program.")}


def remove_goal(session: Session, *, program_id: UUID, goal_id: UUID, actor: Actor, now: datetime) -> None:
    """Take a goal away; the audit trail keeps what it was.

    Raises:
        NotFound: it is not this program's, or gone already. NoGoal: it is the last one of a program that is not in draft.
    """
    draft = sa.exists().where(Program.id == program_id, Program.status == ProgramStatus.DRAFT)
    other = sa.exists().where(Goal.program_id == program_id, Goal.id != goal_id).correlate(None)
    mine = (Goal.id == goal_id, Goal.program_id == program_id)
    # Two people who remove the last two at once wait for one another here.
    session.execute(sa.select(Program.id).where(Program.id == program_id).with_for_update())
    if session.scalar(sa.select(sa.exists().where(*mine))) is not True:
        raise NotFound("This goal is gone already.")
    if session.scalar(sa.delete(Goal).where(*mine, sa.or_(draft, other)).returning(Goal.id)) is None:
        raise NoGoal("A program that runs keeps at least one goal. Add another one first.")
    audit.record(
        session,
        actor=actor,
        action="goal.remove",
        subject_kind="goal",
        subject_id=goal_id,
        program_id=program_id,
        now=now,
    )


def go_live(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Let the program count clicks.

    Raises:
        NoGoal: it has no goal yet.
        ProgramArchived: it has to be opened again first.
        WrongStatus: it is live already.
    """
    has_goal = sa.exists().where(Goal.program_id == program_id)
    stopped = Program.status.in_([ProgramStatus.DRAFT, ProgramStatus.PAUSED])
    ready = sa.and_(stopped, has_goal, Program.archived_at.is_(None))
    if not _guarded(session, program_id, ready, status=ProgramStatus.LIVE, updated_at=now):
        archive.require_open(session, program_id=program_id)
        status = _program(session, program_id).status
        if status is ProgramStatus.LIVE:
            raise WrongStatus(status)
        raise NoGoal("A program goes live with at least one goal. Add one first.")
    _record(session, "program.go_live", program_id=program_id, actor=actor, now=now, details={})


def pause(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Stop counting clicks; visitors still reach the shop, orders of earlier clicks still count.

    Raises:
        WrongStatus: the program is not live.
    """
    if not _guarded(
        session, program_id, Program.status == ProgramStatus.LIVE, status=ProgramStatus.PAUSED, updated_at=now
    ):
        raise WrongStatus(_program(session, program_id).status)
    _record(session, "program.pause", program_id=program_id, actor=actor, now=now, details={})


def _program(session: Session, program_id: UUID) -> Program:
    program = queries.program_by_id(session, program_id=program_id)
    if program is None:
        raise UnknownProgram(str(program_id))
    return program


def _checked(values: dict[str, Any], *, beside: dict[str, Any] | None = None, **fixed: Any) -> dict[str, Any]:
    """The settings as they are stored, or Invalid. `beside` are present values that the new ones must agree with."""
    strange = values.keys() - set(rules.SETTINGS)
    if strange:
        raise Invalid({name: ["This setting does not exist."] for name in sorted(strange)})
    stored = {name: rules.clean(name, value) for name, value in values.items()}
    wrong = rules.problems((beside or {}) | stored | fixed)
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    return stored


def _guarded(session: Session, program_id: UUID, expected: sa.ColumnElement[bool], **values: Any) -> bool:
    """Whether the program was in the expected state and now has the values."""
    change = sa.update(Program).where(Program.id == program_id, expected).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": "fetch"})
    return isinstance(result, CursorResult) and result.rowcount == 1


def _record(
    session: Session, action: str, *, program_id: UUID, actor: Actor, now: datetime, details: dict[str, Any]
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="program", subject_id=program_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
