"""Files that people upload, kept in the database: one backup holds everything, and every web process can serve them.

They are small (a request's body is bounded) and checked before they come here: pictures were drawn anew, documents leave as
attachments only. Who may read a file is decided by the row that points to it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from affiliate import ids
from affiliate.db import Base, PrimaryKey

_NAME_LENGTH_MAX = 120


class StoredFile(Base):
    """One file. Nothing edits it: another content is another row."""

    __tablename__ = "stored_files"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(_NAME_LENGTH_MAX))
    media_type: Mapped[str] = mapped_column(sa.String(80))
    byte_count: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class File:
    """A checked file on its way into the database."""

    name: str
    media_type: str
    content: bytes


def keep(session: Session, file: File, *, now: datetime) -> UUID:
    """Store a file and give its id."""
    row = StoredFile(id=ids.new_at(now), name=file.name[-_NAME_LENGTH_MAX:], media_type=file.media_type)
    row.byte_count, row.sha256 = len(file.content), hashlib.sha256(file.content).hexdigest()
    row.content, row.created_at = file.content, now
    session.add(row)
    session.flush()
    return row.id


def file_by_id(session: Session, *, file_id: UUID) -> File | None:
    """A stored file with its content."""
    wanted = sa.select(StoredFile.name, StoredFile.media_type, StoredFile.content).where(StoredFile.id == file_id)
    row = session.execute(wanted).one_or_none()
    return None if row is None else File(row.name, row.media_type, row.content)
