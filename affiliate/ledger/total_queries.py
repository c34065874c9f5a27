"""The sums of a program's transfers by account name: counted from any position on, so that a stored total can be gone on from.

Within a program transfers are committed in the order of their positions, because its books have one writer at a time, and none
ever changes. So what is added up to a position stays right for ever.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ledger.models import LedgerAccount, LedgerTotal, LedgerTransfer
from affiliate.programs.models import Program

Totals = dict[str, dict[str, int]]
"""Minor units by currency and name of the account."""


def moved(
    session: Session, *, program_id: UUID, after: int = 0, until: int | None = None, since: datetime | None = None,
    before: datetime | None = None,
) -> Totals:  # fmt: skip
    """What the transfers after one position, up to another, moved into the accounts of a program, less what out of them.

    Only those posted at `since` or later, and only those posted before `before`, where these are given.
    """
    here = [LedgerTransfer.program_id == program_id, LedgerTransfer.position > after]
    if until is not None:
        here.append(LedgerTransfer.position <= until)
    if since is not None:
        here.append(LedgerTransfer.posted_at >= since)
    if before is not None:
        here.append(LedgerTransfer.posted_at < before)
    # All of them once, not two ranges for each account: a program may have twenty thousand accounts.
    amount = sa.func.sum(LedgerTransfer.amount_minor)
    into, out = LedgerTransfer.credit_account_id, LedgerTransfer.debit_account_id
    sides = (sa.select(side, minor).where(*here).group_by(side) for side, minor in ((into, amount), (out, -amount)))
    both = sa.union_all(*sides).subquery()
    account_id, minor = both.c
    columns = (LedgerAccount.currency, LedgerAccount.name)
    summed = sa.select(*columns, sa.cast(sa.func.sum(minor), sa.BigInteger)).join(both, account_id == LedgerAccount.id)
    found: Totals = {}
    for currency, name, total in session.execute(summed.group_by(*columns)):
        found.setdefault(currency, {})[name.value] = total
    return found


def moved_before(session: Session, *, program_id: UUID, at: datetime) -> Totals:
    """What all transfers of a program that were posted before this instant add up to.

    Of the two sides of the instant the shorter one is read: those before it, or those since, which are taken off the stored total
    and what came after that. Both go up to one position, so that what is posted meanwhile is on neither.
    """
    known = session.get(LedgerTotal, program_id, populate_existing=True)
    position = known.position if known is not None else 0
    mine = LedgerTransfer.program_id == program_id
    ends: Any = sa.select(sa.func.min(LedgerTransfer.position), sa.func.max(LedgerTransfer.position)).where(mine)
    first = sa.select(LedgerTransfer.position).where(LedgerTransfer.posted_at >= at).order_by(LedgerTransfer.posted_at)
    oldest, newest, border = session.execute(ends.add_columns(first.limit(1).scalar_subquery())).one()
    if newest is None:
        return {}
    if border is not None and border - oldest < newest - border:
        return moved(session, program_id=program_id, until=newest, before=at)
    here: dict[str, Any] = {"program_id": program_id, "until": newest}
    later = moved(session, **here, since=at) if border is not None else {}
    less = {currency: {name: -minor for name, minor in names.items()} for currency, names in later.items()}
    return add_up(add_up(known.balances if known else {}, moved(session, **here, after=position)), less)


def add_up(some: Mapping[str, Mapping[str, int]], others: Mapping[str, Mapping[str, int]]) -> Totals:
    """Both together."""
    return {
        currency: {
            name: some.get(currency, {}).get(name, 0) + others.get(currency, {}).get(name, 0)
            for name in {*some.get(currency, {}), *others.get(currency, {})}
        }
        for currency in {*some, *others}
    }


def behind(session: Session, *, limit: int) -> Sequence[Any]:
    """Programs with transfers that no total holds yet: `program_id`, `newest` position; `position` and `balances` of the total, if any.

    The oldest totals come first, and before these the programs without one: so each has its turn, however many are busy.
    """
    newest = sa.select(sa.func.max(LedgerTransfer.position)).where(LedgerTransfer.program_id == Program.id)
    at = newest.scalar_subquery()
    columns = (Program.id.label("program_id"), at.label("newest"), LedgerTotal.position, LedgerTotal.balances)
    position = sa.func.coalesce(LedgerTotal.position, 0)
    found = sa.select(*columns).outerjoin(LedgerTotal).where(at > position)
    return session.execute(found.order_by(position, Program.id).limit(limit)).all()


def carried(session: Session, *, behind: Any) -> Totals:
    """What the total of a row of `behind` is to hold: all up to its newest transfer."""
    since = moved(session, program_id=behind.program_id, after=behind.position or 0, until=behind.newest)
    return add_up(behind.balances or {}, since)


def stored(session: Session) -> Sequence[LedgerTotal]:
    """The totals of all programs."""
    return session.scalars(sa.select(LedgerTotal).order_by(LedgerTotal.program_id)).all()
