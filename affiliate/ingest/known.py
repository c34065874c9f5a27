"""What SQL holds under an id, for the tracker: it asks when Redis has forgotten, and cannot look up here by itself."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson

from affiliate import db
from affiliate.ingest.models import Conversion, OrderEvent, Refund, Trust
from affiliate.tracking.known import EventKind, KnownEvent

_TRUST = {  # order events and refunds come from servers only
    "conversion": (Conversion.__tablename__, "trust"),
    "order": (OrderEvent.__tablename__, str(int(Trust.SERVER))),
    "refund": (Refund.__tablename__, str(int(Trust.SERVER))),
}


def lookup(kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
    """Trust and fingerprint of the bodies stored under these ids.

    In plain SQL: every new order waits for this question.
    """
    table, trust = _TRUST[kind]
    question = f"SELECT id, {trust}, fingerprint FROM {table} WHERE id"  # noqa: S608 - our names
    with db.asking() as (cursor, dialect):
        if dialect == "postgresql":
            cursor.execute(f"{question} = ANY(%s)", (list(identifiers),))
            return {row_id: KnownEvent(*body) for row_id, *body in cursor.fetchall()}
        asked = orjson.dumps([identifier.hex for identifier in identifiers]).decode()
        cursor.execute(f"{question} IN (SELECT value FROM json_each(?))", (asked,))  # noqa: S608 - our names
        return {UUID(row_id): KnownEvent(*body) for row_id, *body in cursor.fetchall()}
