"""Tables of the ledger: LedgerAccount, LedgerTransfer, LedgerProof. Triggers refuse UPDATE and DELETE of transfers."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ledger.postings import AccountName, SourceKind, TransferKind
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = ["AccountName", "LedgerAccount", "LedgerProof", "LedgerTransfer", "SourceKind", "TransferKind"]


class LedgerAccount(Base):
    """One account per program, partner (null for the program's own), name and currency; its id derives from these."""

    __tablename__ = "ledger_accounts"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    name: Mapped[AccountName] = mapped_column(enum_column(AccountName))
    currency: Mapped[str] = mapped_column(sa.String(3))


class LedgerTransfer(Base):
    """Money moved from the debited to the credited account. Balanced by construction, never edited.

    One source makes a kind of movement once: its id derives from (kind, source kind, source id, leg).
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        sa.UniqueConstraint("kind", "source_kind", "source_id", "leg"),
        sa.CheckConstraint("amount_minor > 0", name="amount_above_zero"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[TransferKind] = mapped_column(enum_column(TransferKind))
    debit_account_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LedgerAccount.id), index=True)
    credit_account_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LedgerAccount.id), index=True)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    source_kind: Mapped[SourceKind] = mapped_column(enum_column(SourceKind))
    source_id: Mapped[UUID] = mapped_column(index=True)
    leg: Mapped[int] = mapped_column(sa.SmallInteger)
    posted_at: Mapped[datetime] = mapped_column(index=True)
    content_hash: Mapped[str] = mapped_column(sa.String(64))


class LedgerProof(Base):
    """The result of one run of the proof: how many transfers were read and what was found."""

    __tablename__ = "ledger_proofs"

    id: Mapped[PrimaryKey]
    checked_at: Mapped[datetime] = mapped_column(index=True)
    transfers: Mapped[int]
    findings: Mapped[list[Any]]
