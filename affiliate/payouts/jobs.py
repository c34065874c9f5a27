"""The job that proves the books. It stands here because the proof needs the tables of every money stage."""

from affiliate import clock, db, settings
from affiliate.ledger import keys, service
from affiliate.payouts import proof, volume

VOLUME_BATCH = 500


def prove() -> int:
    """Prove the books of all programs, keep the result, and give the number of findings.

    The reading transaction sees one instant and holds up nobody; the result is written in a short one of its own.
    """
    with db.reading() as session:
        found = proof.verify(session, trusted=keys.trusted(settings.current()))
    with db.transaction() as session:
        service.record_proof(session, transfers=found.transfers, findings=found.findings, now=clock.now())
    return len(found.findings)


def post_volume() -> int:
    """Post what steps for all units still owe for periods that are over; how many entries."""
    with db.transaction() as session:
        return volume.post_due(session, limit=VOLUME_BATCH, now=clock.now())
