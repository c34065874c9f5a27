"""The jobs of payouts: prove the books (here, because the proof needs the tables of every money stage), post what steps owe, and tell partners."""

from affiliate import clock, db, settings
from affiliate.ledger import keys, service
from affiliate.payouts import notices, proof, volume

VOLUME_BATCH = 500
NOTICES_BATCH, NOTICES_BATCHES = 200, 10


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


def tell() -> int:
    """Write the mails that payouts call for, in small batches; how many notices. Whoever is killed in between goes on with the rest."""
    done = 0
    for _ in range(NOTICES_BATCHES):
        now = clock.now()
        with db.reading() as session:
            letters = notices.written(session, limit=NOTICES_BATCH, now=now)
        if not letters:
            break
        with db.transaction() as session:
            done += notices.hand_over(session, letters=letters)
    return done
