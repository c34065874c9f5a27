"""The job of this stage beside the judging itself, which happens where commissions are made."""

from affiliate import clock, db
from affiliate.fraud import service

BATCH = 500


def look_again() -> int:
    """Have orders judged again that nobody confirmed in time; forget the connections of old ones."""
    with db.transaction() as session:
        now = clock.now()
        service.forget_places(session, limit=BATCH, now=now)
        service.forget_sightings(session, limit=BATCH, now=now)
        return service.look_again(session, limit=BATCH, now=now)
