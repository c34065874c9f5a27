"""The jobs of notifications, all on the slow queue: read the ledger on, make the calls that are due, forget old ones."""

from affiliate import clock, db, settings
from affiliate.notifications import collecting, delivering, service

_ROWS = 500
_CALLS = 24
_SWEPT = 1_000


def collect() -> int:
    """Write down the calls that new rows of the ledger ask for; how many rows."""
    with db.transaction() as session:
        return collecting.collect(session, limit=_ROWS, now=clock.now())


def deliver() -> int:
    """Make calls that are due, and give their number. Nobody's database waits while they are made."""
    configured = settings.current()
    with db.transaction() as session:
        calls = delivering.claim(session, limit=_CALLS, secret_key=configured.secret_key, now=clock.now())
    if not calls:
        return 0
    outcomes = delivering.make(calls, loopback=configured.env == "test")
    with db.transaction() as session:
        for call, outcome in zip(calls, outcomes, strict=True):
            delivering.note(session, call=call, outcome=outcome, now=clock.now())
    return len(calls)


def sweep() -> int:
    """Forget calls that ended long ago; how many."""
    with db.transaction() as session:
        return service.sweep(session, limit=_SWEPT, now=clock.now())
