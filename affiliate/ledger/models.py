"""Tables of the ledger: LedgerAccount, LedgerTransfer, LedgerSeal, LedgerProof, LedgerTotal, LedgerBalance.

Triggers refuse UPDATE and DELETE of all but proofs, totals and balances.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ledger.chain import ChainName
from affiliate.ledger.postings import AccountName, SourceKind, TransferKind
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = [
    "AccountName",
    "ChainName",
    "LedgerAccount",
    "LedgerBalance",
    "LedgerProof",
    "LedgerSeal",
    "LedgerTotal",
    "LedgerTransfer",
    "SourceKind",
    "TransferKind",
]


class LedgerAccount(Base):
    """One account per program, partner (null for the program's own), name and currency; its id derives from these."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (sa.UniqueConstraint("id", "program_id", "currency"),)  # what transfers refer to

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    name: Mapped[AccountName] = mapped_column(enum_column(AccountName))
    currency: Mapped[str] = mapped_column(sa.String(3))


class LedgerTransfer(Base):
    """Money moved from the debited to the credited account. Balanced by construction, never edited.

    One source makes a kind of movement once: its id derives from (kind, source kind, source id, leg). Both accounts are
    of the transfer's own program and currency: the foreign keys say so. `position` is the order in which rows were
    written; within a program it is the order in which they were committed, because its books have one writer at a time.
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        sa.UniqueConstraint("kind", "source_kind", "source_id", "leg"),
        sa.CheckConstraint("amount_minor > 0", name="amount_above_zero"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        *(
            sa.ForeignKeyConstraint(
                [side, "program_id", "currency"],
                ["ledger_accounts.id", "ledger_accounts.program_id", "ledger_accounts.currency"],
            )
            for side in ("debit_account_id", "credit_account_id")
        ),
        sa.Index("ix_ledger_transfers_of_program", "program_id", "position"),
        # with the amount, so that a balance is read from the indexes alone
        sa.Index("ix_ledger_transfers_debited", "debit_account_id", "amount_minor"),
        sa.Index("ix_ledger_transfers_credited", "credit_account_id", "amount_minor"),
    )

    position: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[TransferKind] = mapped_column(enum_column(TransferKind))
    debit_account_id: Mapped[UUID]
    credit_account_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    source_kind: Mapped[SourceKind] = mapped_column(enum_column(SourceKind))
    source_id: Mapped[UUID] = mapped_column(index=True)
    leg: Mapped[int] = mapped_column(sa.SmallInteger)
    posted_at: Mapped[datetime] = mapped_column(index=True)
    content_hash: Mapped[str] = mapped_column(sa.String(64))


class LedgerSeal(Base):
    """The rows of one chain that were committed since the last seal, hashed onto it, and the result signed.

    `digests` holds the first eight bytes of each row's hash, so that a changed row can be named and not only its seal.
    """

    __tablename__ = "ledger_seals"
    __table_args__ = (sa.UniqueConstraint("chain", "number"),)

    id: Mapped[PrimaryKey]
    chain: Mapped[ChainName] = mapped_column(enum_column(ChainName))
    number: Mapped[int]  # 1, 2, 3 within its chain
    last_position: Mapped[int]
    rows: Mapped[int]
    head: Mapped[str] = mapped_column(sa.String(64))
    digests: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(index=True)
    public_key: Mapped[str] = mapped_column(sa.String(64))  # of the one that signed, in hex
    signature: Mapped[str] = mapped_column(sa.String(128))


class LedgerProof(Base):
    """The result of one run of the proof: how many transfers were read and what was found."""

    __tablename__ = "ledger_proofs"

    id: Mapped[PrimaryKey]
    checked_at: Mapped[datetime] = mapped_column(index=True)
    transfers: Mapped[int]
    findings: Mapped[list[Any]]


class LedgerTotal(Base):
    """What a program's transfers up to the position `carried_to` add up to: currency, then name of the account, then minor units.

    Only so that a page need not add up all of them: it adds what was posted since. Nothing but such pages reads it, and the proof
    of the books holds it against the transfers. Without it pages add up everything.
    """

    __tablename__ = "ledger_totals"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    carried_to: Mapped[int]
    balances: Mapped[dict[str, Any]]


class LedgerBalance(Base):
    """What the transfers up to the position of the program's total left on one account of a partner, in minor units.

    Written with that total, read like it: a page adds what was posted since.
    """

    __tablename__ = "ledger_balances"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "name", "currency", "partner_id"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    name: Mapped[AccountName] = mapped_column(enum_column(AccountName))
    currency: Mapped[str] = mapped_column(sa.String(3))
    partner_id: Mapped[UUID]
    balance_minor: Mapped[int]
