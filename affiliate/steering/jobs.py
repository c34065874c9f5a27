"""Jobs of steering: look at watched figures, judge the momentum of partners."""

from affiliate import clock, db
from affiliate.steering import service

BATCH_MAX = 50


def check() -> int:
    """Look at watches whose hour has come; gives how many."""
    with db.transaction() as session:
        return service.check_due(session, limit=BATCH_MAX, now=clock.now())


def judge() -> int:
    """Judge the partners of one program that waits for it; gives how many."""
    with db.transaction() as session:
        return service.compute_due(session, now=clock.now())
