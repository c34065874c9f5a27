"""The job of this stage: one transaction, one batch."""

from affiliate import clock, db, streams
from affiliate.attribution import service

BATCH = 500


def attribute() -> int:
    """Attribute the conversions that wait; how many there were.

    What is not ingested yet is asked before the clock: a click that arrives in between is later than `clicks_until`.
    """
    now = clock.now()
    clicks_until = streams.clicks_ingested_until(streams.client(), now=now)
    with db.transaction() as session:
        return service.attribute_waiting(session, limit=BATCH, clicks_until=clicks_until, now=now)
