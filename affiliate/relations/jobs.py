"""Jobs of relations: remind both sides of answers and duties that come due, and note what was missed."""

from affiliate import clock, db
from affiliate.relations import duties, service

BATCH_MAX = 100


def remind() -> int:
    """Remind of what comes due; gives how many cases."""
    with db.transaction() as session:
        return service.remind_due(session, limit=BATCH_MAX, now=clock.now())


def go_round() -> int:
    """Remind of duties that come due, and note those that were missed; gives how many."""
    with db.transaction() as session:
        return duties.go_round(session, limit=BATCH_MAX, now=clock.now())
