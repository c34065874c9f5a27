"""Jobs of accounts: forget old sessions."""

from affiliate import clock, db
from affiliate.accounts import service

_BATCH = 1_000


def sweep() -> int:
    """Delete a batch of sessions that ended or expired long ago; gives how many."""
    with db.transaction() as session:
        return service.sweep_sessions(session, limit=_BATCH, now=clock.now())
