"""The sealer: chains what was committed since the last seal, and signs it. Never inside the money's own transaction."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.models import AuditEvent
from affiliate.ledger import chain as rules
from affiliate.ledger import queries
from affiliate.ledger.chain import ChainName, Statement
from affiliate.ledger.models import LedgerSeal, LedgerTransfer

ROWS_MAX = 10_000
"""The most rows of one seal, which is what the proof holds in memory."""

_TABLES: dict[ChainName, type[LedgerTransfer | AuditEvent]] = {
    ChainName.TRANSFERS: LedgerTransfer,
    ChainName.AUDIT: AuditEvent,
}


def horizon(session: Session, *, chain: ChainName) -> int:
    """The position up to which every row of the chain is committed, so that none can appear below it any more.

    PostgreSQL gives out positions before the commit: the lock waits for whoever is writing, and keeps the next writer
    waiting until this transaction ends. End it at once. On SQLite a writing transaction is alone anyway.
    """
    table = _TABLES[chain]
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"LOCK TABLE {table.__tablename__} IN SHARE MODE"))
    return session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.position), 0))) or 0


def seal(session: Session, *, chain: ChainName, until: int, key: Ed25519PrivateKey, now: datetime) -> int:
    """Chain the rows after the last seal up to position `until`, at most `ROWS_MAX`, and give their number.

    Two sealers at once make one seal: its number is unique, and the second one's is passed over.
    """
    last = queries.last_seal(session, chain=chain)
    head = bytes.fromhex(last.head) if last else rules.START
    rows = list(_digests(session, chain, last.last_position if last else 0, until))
    if not rows:
        return 0
    for _position, digest in rows:
        head = rules.link(head, digest)
    said = Statement(
        chain=chain.value, number=last.number + 1 if last else 1, last_position=rows[-1][0],
        rows=len(rows), head=head.hex(), sealed_at=now,
    )  # fmt: skip
    row = {name: getattr(said, name) for name in Statement.__dataclass_fields__} | {
        "id": ids.new_at(now),
        "chain": chain,
    }
    prefixes = b"".join(digest[: rules.PREFIX_BYTES] for _position, digest in rows)
    row |= {"digests": prefixes, "public_key": key.public_key().public_bytes_raw().hex()}
    return len(rows) if db.insert_new(session, LedgerSeal, [row | {"signature": rules.sign(key, said)}]) else 0


def seal_all(session: Session, *, key: Ed25519PrivateKey, now: datetime) -> None:
    """Seal all that this very transaction can see, for whoever fills an empty database."""
    for chain in ChainName:
        until = horizon(session, chain=chain)
        while seal(session, chain=chain, until=until, key=key, now=now):
            session.flush()


def _digests(session: Session, chain: ChainName, after: int, until: int) -> Iterator[tuple[int, bytes]]:
    if chain is ChainName.TRANSFERS:
        for position, _text, content_hash in queries.transfer_texts(session, after=after, until=until, limit=ROWS_MAX):
            yield position, bytes.fromhex(content_hash)
    else:
        for row in queries.audit_rows(session, after=after, until=until, limit=ROWS_MAX):
            yield row["position"], audit.digest(row)
