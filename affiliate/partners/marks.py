"""Marks: by which two partners, or a partner and a customer, are found to be the same person, without keeping what says so."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, settings, signing
from affiliate.partners.models import MarkKind, PartnerMark


def device(connection: str, user_agent: str | None) -> str:
    """The mark of a browser behind a connection. The connection's hash is keyed, and so is this one with it."""
    return hashlib.sha256(f"{connection} {user_agent or ''}".encode()).hexdigest()


def vat_id(number: str) -> str:
    """The mark of a VAT number, in its one spelling. The key follows from the secret of this process."""
    return signing.keyed_hash(signing.derive(settings.current().secret_key, "vat-id-mark"), number)


def note(session: Session, *, partner_ids: Collection[UUID], kind: MarkKind, mark: str, now: datetime) -> None:
    """Keep a keyed hash of what stands behind these partners. Noted again, it is younger."""
    rows = [{"partner_id": one, "kind": kind, "mark": mark, "noted_at": now} for one in partner_ids]
    known = db.insert_new(session, PartnerMark, rows, returning=PartnerMark.partner_id)
    if len(known) < len(rows):
        same = (PartnerMark.partner_id.in_(partner_ids), PartnerMark.kind == kind, PartnerMark.mark == mark)
        younger = sa.update(PartnerMark).where(*same, PartnerMark.noted_at < now).values(noted_at=now)
        session.execute(younger, execution_options={"synchronize_session": False})


def forget(session: Session, *, kinds: Collection[MarkKind], before: datetime, limit: int) -> int:
    """Remove up to `limit` marks of these kinds that were last noted before a moment, and give their number."""
    key = (PartnerMark.partner_id, PartnerMark.kind, PartnerMark.mark)
    old = sa.select(*key).where(PartnerMark.kind.in_(kinds), PartnerMark.noted_at < before).limit(limit)
    gone = sa.delete(PartnerMark).where(sa.tuple_(*key).in_(old)).returning(PartnerMark.partner_id)
    return len(session.scalars(gone, execution_options={"synchronize_session": False}).all())
