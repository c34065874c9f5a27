"""The jobs of this stage. Each opens a transaction, makes one bounded call, and gives how many rows it did."""

from affiliate import clock, db
from affiliate.commissions import service

BATCH = 500


def commission() -> int:
    """Turn attributions into commissions."""
    with db.transaction() as session:
        return service.commission_waiting(session, limit=BATCH, now=clock.now())


def reverse() -> int:
    """Take refunds and cancellations from commissions."""
    with db.transaction() as session:
        return service.reverse_waiting(session, limit=BATCH, now=clock.now())


def approve_due() -> int:
    """Approve commissions whose validation period is over; first let those begin it that awaited something."""
    with db.transaction() as session:
        service.release_awaiting(session, limit=BATCH)
        return service.approve_due(session, limit=BATCH, now=clock.now())
