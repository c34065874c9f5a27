"""The jobs of this stage: one transaction, one batch each."""

import logging
from datetime import datetime
from functools import lru_cache, partial

from affiliate import clock, db, settings, streams
from affiliate.attribution import publishing, service
from affiliate.tracking.keys import Keys, email_hash

BATCH = 500

log = logging.getLogger(__name__)


def attribute() -> int:
    """Attribute the conversions that wait; how many there were."""
    now = clock.now()
    clicks_until = _clicks_until(now)
    with db.transaction() as session:
        return service.attribute_waiting(
            session, limit=BATCH, clicks_until=clicks_until, now=now, hash_email=partial(email_hash, _keys())
        )


def apply_policies() -> int:
    """Ask again for orders that a newer policy than the one that decided them is in force for; how many."""
    with db.transaction() as session:
        return publishing.apply_policies(session, limit=BATCH, now=clock.now())


@lru_cache(maxsize=1)
def _keys() -> Keys:
    return Keys.of(settings.current().secret_key)


def _clicks_until(now: datetime) -> datetime:
    """How far the clicks are rows. Without an answer only the patience of the stage counts."""
    try:
        return streams.clicks_ingested_until(streams.client(), now=now)
    except streams.ERRORS as error:
        log.warning("the streams do not say how far ingest has come (%s)", error)
        return now - service.PATIENCE
