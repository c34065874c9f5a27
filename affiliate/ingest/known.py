"""What SQL holds under an id, for the tracker: it asks when Redis has forgotten, and cannot look up here by itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from affiliate import db
from affiliate.ingest import queries
from affiliate.ingest.models import OrderEvent, Refund, Trust
from affiliate.tracking.known import EventKind, KnownEvent


def lookup(kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
    """Trust and fingerprint of the bodies stored under these ids. Order events and refunds come from servers only."""
    with db.reading() as session:
        if kind == "conversion":
            bodies = queries.bodies(session, conversion_ids=identifiers)
            return {row_id: KnownEvent(trust, fingerprint) for row_id, (trust, fingerprint) in bodies.items()}
        table = Refund if kind == "refund" else OrderEvent
        found = queries.fingerprints(session, table=table, row_ids=identifiers)
        return {row_id: KnownEvent(Trust.SERVER, fingerprint) for row_id, fingerprint in found.items()}
