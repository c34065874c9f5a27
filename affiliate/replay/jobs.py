"""The jobs of replays and of trials of fraud rules: a few seconds of the oldest one that runs. Killed half-way, the next one goes on from the last batch."""

import logging
import time
from collections.abc import Callable

from affiliate import clock, db
from affiliate.replay import engine, queries, service, trials
from affiliate.replay.engine import Totals
from affiliate.replay.queries import Cursor

BATCH = 1_000
SLICE_SECONDS = 5.0
"""How long one job works, so that mail on the same queue does not wait."""

log = logging.getLogger(__name__)


def advance() -> int:
    """Go on with the oldest replay that runs; how many orders were decided again."""
    return _slice(_batch)


def try_fraud_rules() -> int:
    """Go on with the oldest trial of fraud rules that runs; how many orders were looked at."""
    return _slice(_tried)


def _slice(batch: Callable[[], int]) -> int:
    began, done = time.monotonic(), 0
    while time.monotonic() - began < SLICE_SECONDS:
        orders = batch()
        if not orders:
            break
        done += orders
    return done


def _batch() -> int:
    """One batch: read in a reading transaction, which holds up nobody, then saved in a short one."""
    with db.reading() as session:
        replay = queries.running(session)
        if replay is None:
            return 0
        totals = Totals.of(replay.totals)
        before = Cursor(replay.cursor_at, replay.cursor_id) if replay.cursor_at and replay.cursor_id else None
        known = totals.orders
        try:
            question = service.question_of(session, replay)
            step = engine.step(session, question=question, totals=totals, after=before, limit=BATCH)
        except Exception as error:
            log.exception("replay %s fails", replay.id)
            failure, step = f"{type(error).__name__}: {error}", None
    with db.transaction() as session:
        if step is None:
            service.fail(session, replay_id=replay.id, error=failure, now=clock.now())
            return 0
        service.save(session, replay_id=replay.id, before=before, step=step, totals=totals, now=clock.now())
    return max(totals.orders - known, 1)


def _tried() -> int:
    """One batch of a trial, in two transactions as well."""
    with db.reading() as session:
        trial = trials.running(session)
        if trial is None:
            return 0
        asked, known = trial.id, trial.done
        try:
            values = trials.judged(session, trial)
        except Exception as error:
            log.exception("trial %s fails", asked)
            failure, values = f"{type(error).__name__}: {error}", {}
    with db.transaction() as session:
        if not values:
            trials.fail(session, trial_id=asked, error=failure, now=clock.now())
            return 0
        trials.save(session, trial_id=asked, done=known, values=values, now=clock.now())
    return max(int(values["done"]) - known, 1)
