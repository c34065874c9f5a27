"""A partner's statement: what the program owed it at the start, each line that changed that, what it owes at the end.

Owed is what lies on the accounts approved, in transit and clawback. Moves among these change nothing and are no lines; what is
still in its validation period is not owed yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ingest.models import Conversion
from affiliate.ledger.models import AccountName, LedgerAccount, LedgerTransfer, SourceKind, TransferKind
from affiliate.money import Money
from affiliate.payouts.models import Adjustment

LINES_AT_ONCE = 2_000
"""The lines of a page that a file reads."""

OWED = (AccountName.APPROVED, AccountName.IN_TRANSIT, AccountName.CLAWBACK)
_SOURCES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """What changed the balance: `amount` is above zero when it was earned. An order stands wherever there is one, else a reason."""

    posted_at: datetime
    kind: TransferKind
    amount: Money
    balance: Money
    order_id: str | None
    commission_id: UUID | None
    payout_id: UUID | None
    transfer_id: UUID
    note: str | None = None  # why an entry by hand was made
    facts: dict[str, Any] | None = None  # of a step of a plan, in place of words


@dataclass(frozen=True, slots=True)
class Statement:
    """A period, half-open. `is_whole` is false when there were more lines than asked for; the closing balance is true anyway."""

    opening: Money
    lines: list[Line]
    closing: Money
    is_whole: bool


def statement(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    currency: str,
    starts_at: datetime,
    ends_at: datetime,
    limit: int,
) -> Statement:
    """The statement of a partner in a program, oldest line first, with at most `limit` lines."""
    accounts = _accounts(session, program_id, partner_id, currency)
    opening = _owed(session, accounts, starts_at)
    rows = session.execute(_moves(accounts, starts_at, ends_at).limit(limit + 1)).all()
    lines = _lines(session, rows[:limit], opening, currency)
    closing = _owed(session, accounts, ends_at)
    return Statement(Money(opening, currency), lines, Money(closing, currency), len(rows) <= limit)


def whole(
    session: Session, *, program_id: UUID, partner_id: UUID, currency: str, starts_at: datetime, ends_at: datetime
) -> tuple[Money, Iterator[Line]]:
    """The opening balance and every line of the period, oldest first; the balance of the last line is the closing one."""
    accounts = _accounts(session, program_id, partner_id, currency)
    opening = _owed(session, accounts, starts_at)
    return Money(opening, currency), _every_line(session, _moves(accounts, starts_at, ends_at), opening, currency)


def _every_line(session: Session, moves: sa.Select[*tuple[Any, ...]], balance: int, currency: str) -> Iterator[Line]:
    """A page in memory at a time; each begins after the last row of the one before."""
    rows = session.execute(moves.limit(LINES_AT_ONCE)).all()
    while rows:
        lines = _lines(session, rows, balance, currency)
        yield from lines
        if len(rows) < LINES_AT_ONCE:
            return
        balance, last = lines[-1].balance.amount_minor, rows[-1]
        here = sa.tuple_(LedgerTransfer.posted_at, LedgerTransfer.position)
        there = sa.tuple_(
            sa.literal(last.posted_at, LedgerTransfer.posted_at.type),
            sa.literal(last.position, LedgerTransfer.position.type),
        )
        rows = session.execute(moves.where(here > there).limit(LINES_AT_ONCE)).all()


def _lines(session: Session, rows: Any, balance: int, currency: str) -> list[Line]:
    """The lines of these moves, where `balance` was owed before the first."""
    orders, notes = _orders(session, rows), _notes(session, rows)
    lines = []
    for row in rows:
        balance += row.change
        order_id, commission_id = orders.get(row.source_id, (None, None))
        payout_id = row.source_id if row.source_kind is SourceKind.PAYOUT else None
        amount, after = Money(row.change, currency), Money(balance, currency)
        why = notes.get(row.source_id, (None, None))
        lines.append(Line(row.posted_at, row.kind, amount, after, order_id, commission_id, payout_id, row.id, *why))
    return lines


def _accounts(session: Session, program_id: UUID, partner_id: UUID, currency: str) -> list[UUID]:
    mine = (LedgerAccount.program_id == program_id, LedgerAccount.partner_id == partner_id)
    these = (LedgerAccount.currency == currency, LedgerAccount.name.in_(OWED))
    return list(session.scalars(sa.select(LedgerAccount.id).where(*mine, *these)))


def _change(accounts: list[UUID]) -> sa.ColumnElement[int]:
    """What a transfer adds to what is owed."""
    credit = sa.case((LedgerTransfer.credit_account_id.in_(accounts), LedgerTransfer.amount_minor), else_=0)
    debit = sa.case((LedgerTransfer.debit_account_id.in_(accounts), LedgerTransfer.amount_minor), else_=0)
    return credit - debit


def _touching(accounts: list[UUID]) -> sa.ColumnElement[bool]:
    return sa.or_(LedgerTransfer.credit_account_id.in_(accounts), LedgerTransfer.debit_account_id.in_(accounts))


def _owed(session: Session, accounts: list[UUID], before: datetime) -> int:
    total = sa.cast(sa.func.coalesce(sa.func.sum(_change(accounts)), 0), sa.BigInteger)
    return session.scalar(sa.select(total).where(_touching(accounts), LedgerTransfer.posted_at < before)) or 0


def _moves(accounts: list[UUID], starts_at: datetime, ends_at: datetime) -> sa.Select[*tuple[Any, ...]]:
    change = _change(accounts)
    columns = (
        LedgerTransfer.id, LedgerTransfer.posted_at, LedgerTransfer.kind, LedgerTransfer.source_kind, LedgerTransfer.source_id,
        LedgerTransfer.position,
    )  # fmt: skip
    period = (LedgerTransfer.posted_at >= starts_at, LedgerTransfer.posted_at < ends_at)
    rows = sa.select(*columns, change.label("change")).where(_touching(accounts), change != 0, *period)
    return rows.order_by(LedgerTransfer.posted_at, LedgerTransfer.position)


def _orders(session: Session, rows: Any) -> dict[UUID, tuple[str, UUID]]:
    """The order and the commission behind each commission or adjustment that caused a line."""
    found: dict[UUID, tuple[str, UUID]] = {}
    for part in _sources(rows, SourceKind.COMMISSION, SourceKind.ADJUSTMENT):
        commissions = sa.select(Commission.id, Conversion.order_id, Commission.id).where(Commission.id.in_(part))
        adjustments = (
            sa.select(CommissionAdjustment.id, Conversion.order_id, Commission.id)
            .join(Commission, Commission.id == CommissionAdjustment.commission_id)
            .where(CommissionAdjustment.id.in_(part))
        )
        for query in (commissions, adjustments):
            for source_id, order_id, commission_id in session.execute(
                query.join(Conversion, Conversion.id == Commission.conversion_id)
            ):
                found[source_id] = (order_id, commission_id)
    return found


def _notes(session: Session, rows: Any) -> dict[UUID, tuple[str, dict[str, Any] | None]]:
    """The reason of each entry by hand that caused a line, and the facts of the others."""
    found: dict[UUID, tuple[str, dict[str, Any] | None]] = {}
    for part in _sources(rows, SourceKind.MANUAL):
        entries = session.execute(
            sa.select(Adjustment.id, Adjustment.reason, Adjustment.facts).where(Adjustment.id.in_(part))
        )
        found |= {row.id: (row.reason, row.facts) for row in entries}
    return found


def _sources(rows: Any, *kinds: SourceKind) -> Iterator[list[UUID]]:
    """The causes of these kinds, as many at once as a statement takes."""
    sources = list({row.source_id for row in rows if row.source_kind in kinds})
    for start in range(0, len(sources), _SOURCES_AT_ONCE):
        yield sources[start : start + _SOURCES_AT_ONCE]
