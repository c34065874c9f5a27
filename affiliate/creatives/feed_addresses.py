"""A partner's own address of a product feed, for shop software and price engines, which cannot sign in. Never commits.

A signed address without a row could not be replaced: what it is made of would have to change, and nothing of a partner does. So
a row keeps a random code, and the address holds it with a signature for the program. Neither says anything about the partner.
The row alone opens nothing (not from a backup either), for the signature needs the installation's key.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids, signing
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.creatives import queries
from affiliate.creatives.models import Creative, FeedAddress

_PREFIX = "fed"


def make(session: Session, *, creative: Creative, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """Give the partner an address for this feed; in place of the one that it had, which opens nothing from now on."""
    mine = (FeedAddress.partner_id == partner_id, FeedAddress.creative_id == creative.id)
    fresh = {"code": ids.random(), "made_at": now}
    moved = sa.update(FeedAddress).where(*mine).values(fresh).returning(FeedAddress.code)
    if session.scalar(moved.execution_options(synchronize_session=False)) is None:
        row = {"partner_id": partner_id, "creative_id": creative.id, **fresh}
        db.insert_new(session, FeedAddress, [row], returning=FeedAddress.code)  # of two at once, one's address stays
    audit.record(
        session, actor=actor, action="creative.feed_address", subject_kind="creative", subject_id=creative.id,
        program_id=creative.program_id, details={"name": creative.title}, now=now,
    )  # fmt: skip


def token(secret_key: str, address: FeedAddress, *, program_id: UUID) -> str:
    """What stands in the address: `fed_<code>.<signature>`."""
    return signing.token(_key(secret_key), _PREFIX, program_id=program_id, identifier=address.code)


def found(session: Session, secret_key: str, text: str, *, program_id: UUID) -> FeedAddress | None:
    """The address of a token; null for one that is made up, of another program, or replaced. Signatures are compared in constant time."""
    try:
        code = signing.read_token(_key(secret_key), _PREFIX, text, program_id=program_id)
    except signing.BadToken:
        return None
    return queries.feed_address_by_code(session, program_id=program_id, code=code)


def _key(secret_key: str) -> bytes:
    return signing.derive(secret_key, "feed addresses")
