"""The job of this stage: one transaction, one batch."""

import logging
from datetime import datetime

from affiliate import clock, db, streams
from affiliate.attribution import service

BATCH = 500

log = logging.getLogger(__name__)


def attribute() -> int:
    """Attribute the conversions that wait; how many there were."""
    now = clock.now()
    clicks_until = _clicks_until(now)
    with db.transaction() as session:
        return service.attribute_waiting(session, limit=BATCH, clicks_until=clicks_until, now=now)


def _clicks_until(now: datetime) -> datetime:
    """How far the clicks are rows. Without an answer only the patience of the stage counts."""
    try:
        return streams.clicks_ingested_until(streams.client(), now=now)
    except streams.ERRORS as error:
        log.warning("the streams do not say how far ingest has come (%s)", error)
        return now - service.PATIENCE
