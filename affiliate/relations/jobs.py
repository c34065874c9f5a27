"""Jobs of relations: remind both sides of answers that come due."""

from affiliate import clock, db
from affiliate.relations import service

BATCH_MAX = 100


def remind() -> int:
    """Remind of what comes due; gives how many cases."""
    with db.transaction() as session:
        return service.remind_due(session, limit=BATCH_MAX, now=clock.now())
