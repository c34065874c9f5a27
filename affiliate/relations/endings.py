"""Tells partners of creatives that come to their end, seven days before; who retires one tells them at once."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.creatives import queries, service
from affiliate.creatives.mails import TOLD_MAX
from affiliate.reports import breakdown

TOLD_BEFORE = timedelta(days=7)
USED_WITHIN = timedelta(days=90)
"""Who used a creative within so long is told of its end."""


def tell_next(session: Session, *, now: datetime) -> bool:
    """Tell of the next end that comes and that nobody was told of; whether there was one."""
    for creative in queries.ending(session, now=now, until=now + TOLD_BEFORE, limit=1):
        name, since = ids.public("crv", creative.id), now - USED_WITHIN
        users = breakdown.partners_using(
            session, program_id=creative.program_id, creative=name, since=since, limit=TOLD_MAX
        )
        return service.tell_end(session, creative=creative, tell=users, now=now)
    return False
