"""Every write of steering: watches made, checked and removed; the momentum of partners judged. Never commits."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.notifications.models import LateMark
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.reports import board, momentum, spans
from affiliate.reports.board import FIGURES
from affiliate.reports.periods import Period, last_days
from affiliate.reports.spans import Spans
from affiliate.steering import mails, queries, thresholds
from affiliate.steering.models import KpiWatch, PartnerMomentum, WatchState
from affiliate.steering.thresholds import Side, Threshold

N_ = str  # marks a sentence for the translators

MORNING_HOUR = 7  # of the program's clock
CHECK_EVERY = timedelta(hours=1)
COMPUTE_EVERY = timedelta(hours=6)
PARTNERS_AT_ONCE = 20_000
"""Partners whose days are read by one statement."""


class NoSuchWatch(NotFound):
    """There is no such watch in this program."""


class TooManyWatches(Conflict):
    """The program has as many watches as one may have."""

    code = "too_many_watches"


def add_watch(
    session: Session, *, program_id: UUID, key: str, side: Side, threshold: int | None, look_back_days: int,
    volume_min: int, actor: Actor, now: datetime,
) -> KpiWatch:  # fmt: skip
    """Watch a figure from now on; it is looked at within the hour.

    Raises:
        Invalid: names each wrong field. TooManyWatches: there are fifty.
    """
    wrong = thresholds.problems(threshold=threshold, look_back_days=look_back_days, volume_min=volume_min)
    if key not in FIGURES:
        wrong["key"] = N_("Choose a figure.")
    if wrong or threshold is None:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    if len(queries.watches_of(session, program_id=program_id)) >= queries.WATCHES_MAX:
        raise TooManyWatches(N_("Fifty figures are watched already. Remove one first."))
    watch = KpiWatch(
        id=ids.new_at(now), program_id=program_id, key=key, side=side, threshold=threshold, state=WatchState.QUIET,
        look_back_days=look_back_days, volume_min=volume_min, since=now, created_at=now,
        created_by_id=actor.id if actor.kind == "user" else None,
    )  # fmt: skip
    session.add(watch)
    session.flush()
    _audit(session, watch, "watch.add", actor=actor, now=now)
    return watch


def change_watch(
    session: Session, *, program_id: UUID, watch_id: UUID, threshold: int, look_back_days: int, volume_min: int,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Watch the same figure by another limit, over other days or from another volume on. It begins anew: what the last look found was of the old limit.

    Raises:
        Invalid: names each wrong field. NoSuchWatch: not in this program, or removed already.
    """
    wrong = thresholds.problems(threshold=threshold, look_back_days=look_back_days, volume_min=volume_min)
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    watch = queries.watch_in(session, program_id=program_id, watch_id=watch_id, locked=True)
    if watch is None:
        raise NoSuchWatch(N_("This figure is not watched any more."))
    was = (watch.threshold, watch.look_back_days, watch.volume_min)
    if was == (threshold, look_back_days, volume_min):
        return
    watch.threshold, watch.look_back_days, watch.volume_min = threshold, look_back_days, volume_min
    watch.state, watch.value, watch.since, watch.checked_at = WatchState.QUIET, None, now, None
    session.flush()
    before = {"threshold": was[0], "days": was[1], "volume": was[2]}
    _audit(session, watch, "watch.change", actor=actor, now=now, volume=volume_min, was=before)


def remove_watch(session: Session, *, program_id: UUID, watch_id: UUID, actor: Actor, now: datetime) -> None:
    """Watch this figure no longer.

    Raises:
        NoSuchWatch: not in this program, or removed already.
    """
    mine = (KpiWatch.id == watch_id, KpiWatch.program_id == program_id, KpiWatch.removed_at.is_(None))
    change = sa.update(KpiWatch).where(*mine).values(removed_at=now).returning(KpiWatch.id)
    if session.scalar(change) is None:
        raise NoSuchWatch(N_("This figure is not watched any more."))
    _audit(session, session.get_one(KpiWatch, watch_id), "watch.remove", actor=actor, now=now)


def check_due(session: Session, *, limit: int, now: datetime) -> int:
    """Look at up to `limit` watches that were not looked at for an hour, and mail where an alarm begins; gives how many."""
    due = queries.to_check(session, before=now - CHECK_EVERY, limit=limit)
    for (program_id, days), watches in groupby(due, key=lambda watch: (watch.program_id, watch.look_back_days)):
        program = session.get_one(Program, program_id)
        today = now.astimezone(ZoneInfo(program.time_zone)).date()
        period = board.days_before(today, days, program.time_zone)
        found = board.figures(session, program_id=program_id, period=period, currency=program.currency)
        for watch in watches:
            _look(session, program, watch, found, now=now)
    return len(due)


def _look(session: Session, program: Program, watch: KpiWatch, found: board.Figures, *, now: datetime) -> None:
    value = FIGURES[watch.key].of(found)
    limit = Threshold(watch.side, watch.threshold, watch.volume_min)
    crossed = thresholds.crossed(limit, value=value, volume=found.volume)
    state = WatchState.TOO_LITTLE if crossed is None else WatchState.ALARM if crossed else WatchState.QUIET
    values: dict[str, Any] = {"value": value, "checked_at": now}
    if state is not watch.state:
        values |= {"state": state, "since": now}
    here = (
        KpiWatch.id == watch.id,
        KpiWatch.state == watch.state,
        KpiWatch.checked_at.is_not_distinct_from(watch.checked_at),
    )
    begins = state is WatchState.ALARM and watch.state is not WatchState.ALARM
    if session.scalar(sa.update(KpiWatch).where(*here).values(values).returning(KpiWatch.id)) and begins:
        mails.tell_alarm(session, program=program, watch=watch, value=value, now=now)


def tell_late(session: Session, *, program: Program, now: datetime) -> bool:
    """Look once on each morning of a program what is late, and tell its managers; whether it was looked."""
    local = now.astimezone(ZoneInfo(program.time_zone))
    if local.hour < MORNING_HOUR:
        return False
    today = local.date()
    if not db.insert_new(session, LateMark, [{"program_id": program.id, "day": today}]):
        older = (LateMark.program_id == program.id, LateMark.day < today)
        moved = sa.update(LateMark).where(*older).values(day=today).returning(LateMark.program_id)
        if session.scalar(moved.execution_options(synchronize_session=False)) is None:
            return False  # told already
    promised = timedelta(days=program.application_answer_days)
    late = queries.late(session, program_id=program.id, applied_before=now - promised, today=today, now=now)
    mails.tell_late(session, program=program, late=late, day=today, now=now)
    return True


def compute_due(session: Session, *, now: datetime) -> int:
    """Judge the momentum of the partners of one program that waits for it; gives how many partners."""
    program = queries.program_to_compute(session, before=now - COMPUTE_EVERY)
    return 0 if program is None else compute_momentum(session, program=program, now=now)


def compute_momentum(session: Session, *, program: Program, now: datetime) -> int:
    """Judge every approved partner of a program; rows of those who left are removed. Gives how many were judged."""
    today = last_days(1, now=now, zone=program.time_zone).first
    period = board.days_before(today, momentum.SPAN_DAYS, program.time_zone)
    known = queries.momentum_in(session, program_id=program.id)
    fresh: list[dict[str, Any]] = []
    judged = _spans(session, program, period)
    rate = momentum.usual_rate(found.now for found in judged)
    for found in judged:
        days_in = (now - found.approved_at).days
        verdict = momentum.judge(momentum.History(found.now, found.before, found.ever, days_in, rate))
        row = {
            "momentum": verdict.momentum, "reason": verdict.reason, "now": verdict.now, "before": verdict.before,
            "weight_minor": found.revenue_minor, "earned_minor": found.earned_minor, "computed_at": now,
        }  # fmt: skip
        if (last := known.get(found.partner_id)) is None:
            fresh.append(row | {"program_id": program.id, "partner_id": found.partner_id, "since": now})
        else:
            _renew(last, row, now)
    db.insert_new(session, PartnerMomentum, fresh)
    session.flush()
    _forget(session, program.id)
    return len(judged)


def _spans(session: Session, program: Program, period: Period) -> list[Spans]:
    """What every approved partner brought, read a bounded number at a time: what is usual is known from all of them alone."""
    found: list[Spans] = []
    here: dict[str, Any] = {"program_id": program.id, "now": period, "limit": PARTNERS_AT_ONCE}
    while True:
        some = list(spans.spans_of(session, **here, after=found[-1].partner_id if found else None))
        found += some
        if len(some) < PARTNERS_AT_ONCE:
            return found


def _renew(last: PartnerMomentum, row: dict[str, Any], now: datetime) -> None:
    if (last.momentum, last.reason) != (row["momentum"], row["reason"]):
        last.since, last.seen_at = now, None
    for name, value in row.items():
        setattr(last, name, value)


def _forget(session: Session, program_id: UUID) -> None:
    """Partners that were paused or banned since have no momentum."""
    approved = sa.select(Enrollment.partner_id).where(
        Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.APPROVED
    )
    gone = (PartnerMomentum.program_id == program_id, PartnerMomentum.partner_id.not_in(approved))
    session.execute(sa.delete(PartnerMomentum).where(*gone), execution_options={"synchronize_session": False})


def look_after(session: Session, *, program_id: UUID, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """Note that somebody takes care of a partner at risk: it leaves the work list until its momentum changes."""
    here = (PartnerMomentum.program_id == program_id, PartnerMomentum.partner_id == partner_id)
    change = sa.update(PartnerMomentum).where(*here, PartnerMomentum.seen_at.is_(None)).values(seen_at=now)
    if session.scalar(change.returning(PartnerMomentum.partner_id)) is not None:
        audit.record(
            session, actor=actor, action="partner.look_after", subject_kind="partner", subject_id=partner_id,
            program_id=program_id, now=now,
        )  # fmt: skip


def _audit(session: Session, watch: KpiWatch, action: str, *, actor: Actor, now: datetime, **more: Any) -> None:
    details = {"key": watch.key, "side": watch.side.value, "threshold": watch.threshold, "days": watch.look_back_days}
    details |= more
    audit.record(
        session, actor=actor, action=action, subject_kind="watch", subject_id=watch.id, program_id=watch.program_id,
        details=details, now=now,
    )  # fmt: skip
