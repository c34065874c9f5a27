"""Removing what was never received: drafts that nobody goes on with, and their files. A job does it, without a web application."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import files
from affiliate.joining import queries

DRAFT_DAYS = 30
"""A draft that nobody goes on with, and one that nobody confirms, is removed after so many days."""


def forget_old_drafts(session: Session, *, limit: int, now: datetime) -> int:
    """Remove drafts that were never received, with their files; gives their number."""
    found = queries.old_drafts(session, before=now - timedelta(days=DRAFT_DAYS), limit=limit)
    for draft in found:
        forget_files(session, list(draft.files.values()))
        session.delete(draft)
    return len(found)


def forget_files(session: Session, kept: Sequence[Mapping[str, Any]]) -> None:
    """Remove files that no draft names any more."""
    if kept:
        unused = [UUID(file["file_id"]) for file in kept]
        session.execute(sa.delete(files.StoredFile).where(files.StoredFile.id.in_(unused)))
