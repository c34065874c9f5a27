"""Jobs of relations: remind both sides of answers and duties that come due, tell of creatives that end, note what was missed, go on with acts on many."""

from affiliate import clock, db
from affiliate.relations import bulk, duties, endings, service

BATCH_MAX = 100
BULK_BATCHES = 10
"""How many batches of an act on many one job does, so that mail on the same queue does not wait."""


def remind() -> int:
    """Remind of what comes due; gives how many cases."""
    with db.transaction() as session:
        return service.remind_due(session, limit=BATCH_MAX, now=clock.now())


def tell_ends() -> int:
    """Tell partners of creatives that end soon; gives how many creatives. A transaction each."""
    done = 0
    for _ in range(BATCH_MAX):
        with db.transaction() as session:
            if not endings.tell_next(session, now=clock.now()):
                break
        done += 1
    return done


def act_in_bulk() -> int:
    """Go on with acts on many; gives how many subjects were looked at."""
    done = 0
    for _ in range(BULK_BATCHES):
        with db.transaction() as session:
            step = bulk.advance(session, limit=bulk.BATCH, now=clock.now())
        done += step
        if not step:
            break
    return done


def go_round() -> int:
    """Remind of duties that come due, and note those that were missed; gives how many."""
    with db.transaction() as session:
        return duties.go_round(session, limit=BATCH_MAX, now=clock.now())
