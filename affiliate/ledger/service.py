"""Every write on the ledger: the lock of a program's books, posting, its totals, and the record of a proof."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ledger import postings as rules
from affiliate.ledger import total_queries
from affiliate.ledger.models import LedgerAccount, LedgerBalance, LedgerProof, LedgerTotal, LedgerTransfer
from affiliate.ledger.postings import Posting
from affiliate.ledger.total_queries import Moved
from affiliate.programs.models import Program

_LOOKED_UP_AT_ONCE = 5_000


class _Account(NamedTuple):
    program_id: UUID
    partner_id: UUID | None
    name: rules.AccountName
    currency: str


class PostedDifferently(Exception):  # noqa: N818 - read as a kind
    """The same cause was posted before with other content: a defect, never a caller's mistake. Nothing is written."""


def lock_books(session: Session, *, program_ids: Iterable[UUID]) -> None:
    """Become the only writer of these programs' commissions, payouts and postings until the transaction ends.

    Every service that moves money calls this first, so what it reads afterwards stays true until it commits. PostgreSQL
    locks the programs' rows, always in the order of ids so that two jobs never wait for one another; rows that only
    refer to a program are not held up. On SQLite a writing transaction is alone anyway.
    """
    books = sa.select(Program.id).where(Program.id.in_(set(program_ids))).order_by(Program.id)
    session.execute(books.with_for_update(key_share=True)).all()


def post(session: Session, *, postings: Sequence[Posting], now: datetime) -> int:
    """Write the movements that are not written yet, and give their number. Posting twice does nothing twice.

    Raises:
        PostedDifferently: a cause was posted before between other accounts or with another amount.
    """
    accounts = _accounts(postings)
    transfers = _distinct([_transfer(posting, accounts, now) for posting in postings])
    db.insert_missing(session, LedgerAccount, sorted(map(_row, accounts.items()), key=_by_id))
    inserted = db.insert_missing(session, LedgerTransfer, list(transfers.values()))
    if inserted < len(transfers):
        _refuse_other_content(session, transfers)
    return inserted


def record_proof(session: Session, *, transfers: int, findings: list[str], now: datetime) -> LedgerProof:
    """Keep the result of a proof, for health, console and command line."""
    proof = LedgerProof(id=ids.new_at(now), checked_at=now, transfers=transfers, findings=findings)
    session.add(proof)
    session.flush()
    return proof


def keep_total(session: Session, *, behind: Any, since: Sequence[Moved]) -> bool:
    """Carry a row of `total_queries.behind` on, with the balances of its partners; False, and nothing written, if somebody else has meanwhile.

    What was moved `since` may have been read in a transaction before: no transfer up to a position comes or changes afterwards.
    """
    balances = total_queries.add_up(behind.balances or {}, total_queries.totals(since))
    values = {"carried_to": behind.newest, "balances": balances}
    if behind.carried_to is None:
        kept = db.insert_missing(session, LedgerTotal, [{"program_id": behind.program_id} | values])
        if kept:  # the row may have been taken away to have all of it added up anew
            session.execute(sa.delete(LedgerBalance).where(LedgerBalance.program_id == behind.program_id))
    else:
        still = (LedgerTotal.program_id == behind.program_id, LedgerTotal.carried_to == behind.carried_to)
        result = session.execute(sa.update(LedgerTotal).where(*still).values(values))
        kept = getattr(result, "rowcount", 0)
    if kept:
        _add_to_balances(session, behind.program_id, since)
    return bool(kept)


def _add_to_balances(session: Session, program_id: UUID, since: Sequence[Moved]) -> None:
    told = [
        {"partner_id": each.partner_id.hex, "name": each.name.value, "currency": each.currency, "minor": each.minor}
        for each in since
        if each.partner_id is not None
    ]
    if not told:
        return
    balance, names = LedgerBalance, ("program_id", "partner_id", "name", "currency", "balance_minor")
    types = {"partner_id": sa.Uuid(), "name": sa.Text(), "currency": sa.Text(), "minor": sa.BigInteger()}
    moved = db.rows_of(session, "moved", told, **types)
    # With a condition: SQLite would read that of the conflict as one of the rows.
    rows = sa.select(sa.literal(program_id, sa.Uuid), *(moved.c[name] for name in types)).where(sa.true())
    insert = db.insert_into(session, balance).from_select(names, rows)
    more = {"balance_minor": balance.balance_minor + insert.excluded.balance_minor}
    key = ("program_id", "name", "currency", "partner_id")
    session.execute(insert.on_conflict_do_update(index_elements=key, set_=more))


def _accounts(postings: Sequence[Posting]) -> dict[_Account, UUID]:
    """The accounts of these postings with their ids, each derived once."""
    names = {_account(posting, name) for posting in postings for name in (posting.debit, posting.credit)}
    return {each: rules.account_id(**each._asdict()) for each in names}


def _account(posting: Posting, name: rules.AccountName) -> _Account:
    return _Account(posting.program_id, rules.owner_of(name, posting.partner_id), name, posting.amount.currency)


def _row(account: tuple[_Account, UUID]) -> dict[str, Any]:
    return {"id": account[1]} | account[0]._asdict()


def _by_id(row: dict[str, Any]) -> UUID:
    """Rows are locked in the order of ids, so that two sessions never wait for one another."""
    key: UUID = row["id"]
    return key


def _transfer(posting: Posting, accounts: dict[_Account, UUID], now: datetime) -> dict[str, Any]:
    cause: dict[str, Any] = {
        "kind": posting.kind,
        "source_kind": posting.source_kind,
        "source_id": posting.source_id,
        "leg": posting.leg,
    }
    row = cause | {
        "id": rules.transfer_id(**cause),
        "program_id": posting.program_id,
        "debit_account_id": accounts[_account(posting, posting.debit)],
        "credit_account_id": accounts[_account(posting, posting.credit)],
        "amount_minor": posting.amount.amount_minor,
        "currency": posting.amount.currency,
        "posted_at": now,
    }
    return row | {"content_hash": rules.content_hash(row)}


def _distinct(rows: list[dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if found.setdefault(row["id"], row) != row:
            raise PostedDifferently(f"{row['kind']} of {row['source_kind']} {row['source_id']}")
    return found


def _refuse_other_content(session: Session, rows: dict[UUID, dict[str, Any]]) -> None:
    """What was there before must say the same, apart from the moment of posting; what was just inserted does."""
    keys = list(rows)
    for start in range(0, len(keys), _LOOKED_UP_AT_ONCE):
        part = LedgerTransfer.id.in_(keys[start : start + _LOOKED_UP_AT_ONCE])
        before = sa.select(LedgerTransfer.id, LedgerTransfer.posted_at, LedgerTransfer.content_hash).where(part)
        for transfer_id, posted_at, content_hash in session.execute(before):
            row = rows[transfer_id]
            if rules.content_hash(row | {"posted_at": posted_at}) != content_hash:
                raise PostedDifferently(f"{row['kind']} of {row['source_kind']} {row['source_id']}")
