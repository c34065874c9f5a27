"""The job of replays: a few seconds of the oldest one that runs. Killed half-way, the next one goes on from the last batch."""

import logging
import time

from affiliate import clock, db
from affiliate.replay import engine, queries, service
from affiliate.replay.engine import Totals
from affiliate.replay.queries import Cursor

BATCH = 1_000
SLICE_SECONDS = 5.0
"""How long one job works, so that mail on the same queue does not wait."""

log = logging.getLogger(__name__)


def advance() -> int:
    """Go on with the oldest replay that runs; how many orders were decided again."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < SLICE_SECONDS:
        orders = _batch()
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
