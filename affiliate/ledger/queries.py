"""Every SELECT on the ledger. Balances are sums, made by the database; those of a whole program go on from a stored total."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.models import AuditEvent
from affiliate.ledger import postings, total_queries
from affiliate.ledger.chain import ChainName
from affiliate.ledger.models import (
    AccountName,
    LedgerAccount,
    LedgerProof,
    LedgerSeal,
    LedgerTotal,
    LedgerTransfer,
    SourceKind,
    TransferKind,
)
from affiliate.programs.models import Program

_IN_CURRENCY = (Program.id == LedgerAccount.program_id, Program.currency == LedgerAccount.currency)
PARTNER_ACCOUNTS = tuple(name for name in AccountName if name not in postings.OWN)


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One movement of money, with the names of its accounts."""

    id: UUID
    program_id: UUID
    partner_id: UUID
    kind: TransferKind
    debit: AccountName
    credit: AccountName
    amount_minor: int
    currency: str
    source_kind: SourceKind
    source_id: UUID
    posted_at: datetime


def _balance() -> sa.ColumnElement[int]:
    """The balance of the account in the outer query, two index ranges."""
    total = sa.func.coalesce(sa.func.sum(LedgerTransfer.amount_minor), 0)
    into = sa.select(total).where(LedgerTransfer.credit_account_id == LedgerAccount.id).scalar_subquery()
    out = sa.select(total).where(LedgerTransfer.debit_account_id == LedgerAccount.id).scalar_subquery()
    return sa.cast(into - out, sa.BigInteger)


def _accounts(program_id: UUID) -> sa.Select[UUID | None, AccountName, int]:
    accounts = sa.select(LedgerAccount.partner_id, LedgerAccount.name, _balance())
    return accounts.join(Program, sa.and_(*_IN_CURRENCY)).where(LedgerAccount.program_id == program_id)


def balances_of(session: Session, *, program_id: UUID, partner_id: UUID) -> dict[AccountName, int]:
    """A partner's balances in minor units of the program's currency, zero where nothing moved yet."""
    rows = session.execute(_accounts(program_id).where(LedgerAccount.partner_id == partner_id))
    return dict.fromkeys(PARTNER_ACCOUNTS, 0) | {name: balance for _, name, balance in rows}


def balance_of(*, program_id: UUID, partner_id: UUID, name: AccountName) -> sa.ScalarSelect[int]:
    """One balance of a partner as a part of a larger statement; null where nothing moved yet."""
    mine = (LedgerAccount.partner_id == partner_id, LedgerAccount.name == name)
    return _accounts(program_id).where(*mine).with_only_columns(_balance()).scalar_subquery()


def balances_of_partners(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID]
) -> dict[UUID, dict[AccountName, int]]:
    """The balances of those of these partners that ever earned something, in one query."""
    found: dict[UUID, dict[AccountName, int]] = {}
    of_them = _accounts(program_id).where(db.among(session, LedgerAccount.partner_id, partner_ids))
    for partner_id, name, balance in session.execute(of_them):
        if partner_id is not None:
            found.setdefault(partner_id, dict.fromkeys(PARTNER_ACCOUNTS, 0))[name] = balance
    return found


def approved_balances(*, program_id: UUID) -> sa.Select[UUID | None, int]:
    """What is owed to each partner of a program and waits for a payout, as a part of a larger statement: `partner_id`, `balance`."""
    currency = sa.select(Program.currency).where(Program.id == program_id).scalar_subquery()
    parts = total_queries.balances_of_partners(program_id, name=AccountName.APPROVED, currency=currency)
    both = sa.union_all(*parts).subquery()
    balance = sa.cast(sa.func.sum(both.c.minor), sa.BigInteger).label("balance")
    return sa.select(both.c.partner_id, balance).group_by(both.c.partner_id)


def program_balances(session: Session, *, program_id: UUID) -> dict[AccountName, int]:
    """A program's balances by account name, over all partners; they add up to zero. What stands added up, and what came since."""
    known = sa.select(Program.currency, LedgerTotal.carried_to, LedgerTotal.balances)
    row = session.execute(known.outerjoin(LedgerTotal).where(Program.id == program_id)).one()
    since = total_queries.moved(session, program_id=program_id, after=row.carried_to or 0)
    balances = total_queries.add_up(row.balances or {}, since).get(row.currency, {})
    return {name: balances.get(name.value, 0) for name in AccountName}


def program_balances_at(session: Session, *, program_id: UUID, at: datetime) -> dict[AccountName, int]:
    """The same as they stood at an instant: of what was posted before it. They add up to zero as well."""
    currency = sa.select(Program.currency).where(Program.id == program_id)
    found = total_queries.moved_before(session, program_id=program_id, at=at)
    balances = found.get(session.scalars(currency).one(), {})
    return {name: balances.get(name.value, 0) for name in AccountName}


def transfers_of(session: Session, *, source_ids: Sequence[UUID]) -> list[TransferLine]:
    """The movements that these commissions, adjustments or payouts caused, oldest first."""
    if not source_ids:
        return []
    lines = _lines().where(LedgerTransfer.source_id.in_(source_ids))
    return [TransferLine(*row) for row in session.execute(lines.order_by(LedgerTransfer.posted_at, LedgerTransfer.id))]


def transfers(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, before: UUID | None = None, limit: int = 50
) -> list[TransferLine]:
    """The newest movements of a program, or of one partner in it; `before` is the id of the last one already seen."""
    lines = _lines().where(LedgerTransfer.program_id == program_id)
    if partner_id is not None:
        lines = lines.where(_partner() == partner_id)
    if before is not None:
        last = sa.select(LedgerTransfer.posted_at, LedgerTransfer.id).where(LedgerTransfer.id == before)
        lines = lines.where(sa.tuple_(LedgerTransfer.posted_at, LedgerTransfer.id) < last.scalar_subquery())
    newest = lines.order_by(LedgerTransfer.posted_at.desc(), LedgerTransfer.id.desc()).limit(limit)
    return [TransferLine(*row) for row in session.execute(newest)]


def every_transfer(session: Session, *, program_id: UUID) -> Iterator[TransferLine]:
    """All movements of a program, oldest first, streamed."""
    lines = _lines().where(LedgerTransfer.program_id == program_id).order_by(LedgerTransfer.position)
    for row in session.execute(lines, execution_options={"yield_per": _READ_AT_ONCE}):
        yield TransferLine(*row)


_debit, _credit = aliased(LedgerAccount), aliased(LedgerAccount)


def _partner() -> sa.ColumnElement[UUID]:
    return sa.func.coalesce(_debit.partner_id, _credit.partner_id, type_=sa.Uuid())


def _lines() -> sa.Select[*tuple[Any, ...]]:
    moved = sa.select(
        LedgerTransfer.id, LedgerTransfer.program_id, _partner(), LedgerTransfer.kind, _debit.name, _credit.name,
        LedgerTransfer.amount_minor, LedgerTransfer.currency,
        LedgerTransfer.source_kind, LedgerTransfer.source_id, LedgerTransfer.posted_at,
    )  # fmt: skip
    return moved.join(_debit, _debit.id == LedgerTransfer.debit_account_id).join(
        _credit, _credit.id == LedgerTransfer.credit_account_id
    )


def latest_proof(session: Session) -> LedgerProof | None:
    """The newest proof of the books, if there was one."""
    return session.scalar(sa.select(LedgerProof).order_by(LedgerProof.checked_at.desc()).limit(1))


# --- what is chained

_READ_AT_ONCE = 5_000
_IDS = ("id", "program_id", "debit_account_id", "credit_account_id", "source_id")
_TEXTS = {
    "sqlite": dict.fromkeys(_IDS, "{}"),
    "postgresql": dict.fromkeys(_IDS, "replace({}::text, '-', '')")
    | {"posted_at": "to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"},
}


def _transfer_text(dialect: str) -> str:
    """`postings.canonical` in the words of this database: a million rows are not worth a million Python objects each."""
    return " || '|' || ".join(_TEXTS[dialect].get(name, "{}").format(name) for name in postings.HASHED)


def transfer_texts(
    session: Session, *, after: int = 0, until: int | None = None, limit: int | None = None
) -> Iterator[tuple[int, str, str]]:
    """Position, canonical text and content hash of the transfers in their order, streamed."""
    text = sa.literal_column(_transfer_text(session.get_bind().dialect.name), sa.String())
    columns = LedgerTransfer.__table__.c  # of the table: what maps rows to objects would take a fifth of the proof
    rows = _between(sa.select(columns.position, text, columns.content_hash), columns.position, after, until).limit(
        limit
    )
    found = session.execute(rows, execution_options={"yield_per": _READ_AT_ONCE})
    yield from cast("Iterator[tuple[int, str, str]]", found)


def audit_rows(
    session: Session, *, after: int = 0, until: int | None = None, limit: int | None = None
) -> Iterator[sa.RowMapping]:
    """The rows of the audit trail in their order, streamed."""
    columns = [getattr(AuditEvent, name) for name in ("position", *audit.HASHED, "salt", "details")]
    rows = _between(sa.select(*columns), AuditEvent.position, after, until).limit(limit)
    yield from session.execute(rows, execution_options={"yield_per": _READ_AT_ONCE}).mappings()


def _between(rows: Any, position: Any, after: int, until: int | None) -> Any:
    rows = rows.where(position > after).order_by(position)
    return rows if until is None else rows.where(position <= until)


def seals(session: Session, *, chain: ChainName) -> Iterator[LedgerSeal]:
    """The seals of a chain, first to last, streamed."""
    rows = sa.select(LedgerSeal).where(LedgerSeal.chain == chain).order_by(LedgerSeal.number)
    yield from session.scalars(rows, execution_options={"yield_per": 100})


def last_seal(session: Session, *, chain: ChainName) -> LedgerSeal | None:
    """The newest seal of a chain, if there is one."""
    rows = sa.select(LedgerSeal).where(LedgerSeal.chain == chain).order_by(LedgerSeal.number.desc())
    return session.scalar(rows.limit(1))


def oldest_unsealed_at(session: Session) -> datetime | None:
    """When the first transfer was posted that no seal covers yet."""
    sealed = sa.select(sa.func.coalesce(sa.func.max(LedgerSeal.last_position), 0))
    sealed = sealed.where(LedgerSeal.chain == ChainName.TRANSFERS)
    rows = sa.select(LedgerTransfer.posted_at).where(LedgerTransfer.position > sealed.scalar_subquery())
    return session.scalar(rows.order_by(LedgerTransfer.position).limit(1))
