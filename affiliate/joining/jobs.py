"""Jobs of joining: drafts that nobody goes on with are removed."""

from affiliate import clock, db
from affiliate.joining import forgetting

BATCH = 200


def forget_old_drafts() -> int:
    """Remove up to a batch of old drafts with their files; gives their number."""
    with db.transaction() as session:
        return forgetting.forget_old_drafts(session, limit=BATCH, now=clock.now())
