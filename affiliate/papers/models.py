"""Tables of papers: FiledInvoice (the partner's own), Paper (ours) and PaperSeries (its numbers). A paper is never changed."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.files import StoredFile
from affiliate.partners.models import Partner
from affiliate.payouts.models import Payout
from affiliate.programs.models import Program


class FiledStatus(enum.StrEnum):
    """Where a filed invoice is."""

    FILED = "filed"  # finance looks at it
    ACCEPTED = "accepted"
    REFUSED = "refused"  # with a reason; the partner files another one


class FiledInvoice(Base):
    """A partner's own invoice for a payout. Its number counts once per partner, unless it was refused."""

    __tablename__ = "filed_invoices"
    __table_args__ = (
        sa.Index(
            "uq_filed_invoices_payout",
            "payout_id",
            unique=True,
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        ),
        sa.Index(
            "uq_filed_invoices_number",
            "program_id",
            "partner_id",
            "number",
            unique=True,
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        ),
        sa.Index("ix_filed_invoices_status", "program_id", "status"),
        sa.CheckConstraint("(status = 'filed') = (decided_at IS NULL)", name="decided_once"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Payout.id), index=True)
    number: Mapped[str] = mapped_column(sa.String(60))
    invoiced_on: Mapped[date]
    total_minor: Mapped[int]  # with VAT and stamp duty, before withholding
    currency: Mapped[str] = mapped_column(sa.String(3))
    vat_id: Mapped[str | None] = mapped_column(sa.String(20))
    file_id: Mapped[UUID] = mapped_column(sa.ForeignKey(StoredFile.id))
    status: Mapped[FiledStatus] = mapped_column(enum_column(FiledStatus))
    filed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    filed_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))


class DocumentKind(enum.StrEnum):
    """What kind of paper of ours."""

    INVOICE = "invoice"  # self-billed: in the partner's name, to us
    RECEIPT = "receipt"  # of a person without VAT number
    CORRECTION = "correction"  # takes part or all of one of them back: its amounts are below zero


class Paper(Base):
    """A numbered paper that we wrote. `document` is all of it, apart from how it looks; the PDF follows, and then stays.

    The id derives from the payout and what the paper is for, so that a job run twice writes nothing twice.
    """

    __tablename__ = "papers"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "series", "year", "number"),
        sa.Index(
            "ix_papers_unrendered",
            "issued_at",
            postgresql_where=sa.text("file_id IS NULL"),
            sqlite_where=sa.text("file_id IS NULL"),
        ),
        sa.Index("ix_papers_partner", "program_id", "partner_id", "issued_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Payout.id), index=True)
    kind: Mapped[DocumentKind] = mapped_column(enum_column(DocumentKind))
    series: Mapped[str] = mapped_column(sa.String(8))
    year: Mapped[int]
    number: Mapped[int]
    corrects_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("papers.id"), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    taxable_minor: Mapped[int]
    vat_minor: Mapped[int]
    stamp_minor: Mapped[int]
    withheld_minor: Mapped[int]
    document: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    file_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(StoredFile.id))
    sha256: Mapped[str | None] = mapped_column(sa.String(64))  # of the PDF

    @property
    def to_pay_minor(self) -> int:
        """What the partner gets by it."""
        return self.taxable_minor + self.vat_minor + self.stamp_minor - self.withheld_minor


class PaperSeries(Base):
    """The last number of a series in a year. Counted up in the transaction of the paper, so that no number is ever missing."""

    __tablename__ = "paper_series"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    series: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]
