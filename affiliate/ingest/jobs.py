"""The jobs of this stage beside its consumer: one transaction, one bounded step."""

from affiliate import clock, db
from affiliate.ingest import partitions, retention, steps

EXPIRED_AT_ONCE = 5_000
COUNTED_AT_ONCE = 1_000


def look_after_clicks() -> int:
    """Make the tables of the months to come, and let go what is past its term; how many rows went one by one."""
    now = clock.now()
    with db.transaction() as session:
        partitions.ensure(session, now=now)
    with db.transaction() as session:
        gone = retention.expire_clicks(session, limit=EXPIRED_AT_ONCE, now=now)
    return gone.clicks + gone.touches + gone.steps


def count_steps() -> int:
    """Count the steps that came before their clicks, now that these are rows; how many."""
    with db.reading() as session:
        if not steps.waits(session):
            return 0
    with db.transaction() as session:
        return steps.count_waiting(session, limit=COUNTED_AT_ONCE, now=clock.now())
