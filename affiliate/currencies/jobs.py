"""The job of exchange rates: keep the table as fresh as the operator allows."""

import logging
from datetime import date, timedelta

from affiliate import clock, db, outgoing, settings
from affiliate.currencies import ecb, queries, service, sources

FRESH = timedelta(days=1)

log = logging.getLogger(__name__)


def refresh() -> int:
    """Store the rates that are missing: the bundled history first, then, with `RATES_URL`, the bank's own. How many are new.

    The call is made outside any transaction. A machine without network goes on with what it has.
    """
    now = clock.now()
    with db.reading() as session:
        newest, since = queries.newest_day(session), service.since(session, now=now)
    stored = _store(sources.bundled(), since=since) if newest is None else 0
    url = settings.current().rates_url
    if not url or (newest is not None and now.date() - newest <= FRESH):
        return stored
    try:
        return stored + _store(sources.fetched(url), since=since)
    except (outgoing.CallFailed, ecb.BadRates) as error:
        log.warning("no new exchange rates: %s", error)
        return stored


def _store(content: bytes, *, since: date) -> int:
    days = ecb.read(content, since=since)
    with db.transaction() as session:
        return service.store(session, days=days, now=clock.now())
