"""Tables of privacy: DataCopy and ErasureRequest."""

import enum
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.files import StoredFile
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


class DataCopy(Base):
    """A copy of everything that a partner has here: asked for by an owner, made by a job, gone after its term.

    `begun_at` is the lease of the job that makes it; without a file after `attempts` it was given up.
    """

    __tablename__ = "data_copies"
    __table_args__ = (sa.Index("ix_data_copies_partner", "partner_id", "asked_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))  # in whose portal it was asked for
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    asked_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    asked_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    file_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(StoredFile.id))
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class ErasureStatus(enum.StrEnum):
    """Where a wish to be forgotten is."""

    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    DONE = "done"


class ErasureRequest(Base):
    """A partner's wish to be forgotten. One is open at a time."""

    __tablename__ = "erasure_requests"
    __table_args__ = (
        sa.Index(
            "uq_erasure_requests_open",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("status = 'asked'"),
            sqlite_where=sa.text("status = 'asked'"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))  # in whose portal it was asked for
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    status: Mapped[ErasureStatus] = mapped_column(enum_column(ErasureStatus))
    asked_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))  # why it was refused; the partner reads it
