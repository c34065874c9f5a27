"""The sums of a program's transfers, by account name and by partner: from any position on, so that a stored total can be gone on from.

Within a program transfers are committed in the order of their positions, because its books have one writer at a time, and none
ever changes. So what is added up to a position stays right for ever.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ledger.models import AccountName, LedgerAccount, LedgerBalance, LedgerTotal, LedgerTransfer
from affiliate.programs.models import Program

Totals = dict[str, dict[str, int]]
"""Minor units by currency and name of the account."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What came to one account, less what went from it, in minor units. Without a partner it is the program's own."""

    partner_id: UUID | None
    name: AccountName
    currency: str
    minor: int


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
    found: Totals = {}
    for currency, name, total in session.execute(_summed(here, LedgerAccount.currency, LedgerAccount.name)):
        found.setdefault(currency, {})[name.value] = total
    return found


def moved_by_account(session: Session, *, program_id: UUID, after: int, until: int) -> list[Moved]:
    """What the transfers after one position, up to another, moved into each account of a program, less what out of it."""
    here = (
        LedgerTransfer.program_id == program_id,
        LedgerTransfer.position > after,
        LedgerTransfer.position <= until,
    )
    columns = (LedgerAccount.partner_id, LedgerAccount.name, LedgerAccount.currency)
    return [Moved(*row) for row in session.execute(_summed(here, *columns))]


def _summed(here: Iterable[sa.ColumnElement[bool]], *columns: Any) -> sa.Select[*tuple[Any, ...]]:
    """What these transfers left, by these columns of the accounts."""
    both = _sides(*here).subquery()
    minor = sa.cast(sa.func.sum(both.c.minor), sa.BigInteger)
    return sa.select(*columns, minor).join(both, both.c.account_id == LedgerAccount.id).group_by(*columns)


def _sides(*here: sa.ColumnElement[bool]) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """All transfers once, not two ranges for each account: a program may have twenty thousand accounts."""
    amount = sa.cast(sa.func.sum(LedgerTransfer.amount_minor), sa.BigInteger)
    sides = ((LedgerTransfer.credit_account_id, amount), (LedgerTransfer.debit_account_id, -amount))
    return sa.union_all(
        *(
            sa.select(side.label("account_id"), minor.label("minor")).where(*here).group_by(side)
            for side, minor in sides
        )
    )


def balances_of_partners(
    program_id: UUID, *, name: AccountName, currency: str | sa.ScalarSelect[str]
) -> tuple[sa.Select[UUID, int], sa.Select[UUID, int]]:
    """What lies on this account of each partner, as two parts of one larger statement, to be added up: rows of `partner_id` and `minor`.

    The stored balances, one of each partner, and what was posted since: without a total that is all that was ever posted.
    """
    stored = sa.select(LedgerBalance.partner_id, LedgerBalance.balance_minor.label("minor")).where(
        LedgerBalance.program_id == program_id, LedgerBalance.name == name, LedgerBalance.currency == currency
    )
    total = sa.select(LedgerTotal.carried_to).where(LedgerTotal.program_id == program_id)
    stored = stored.where(total.exists())  # somebody may have taken it away, to have all of it added up anew
    known = total.scalar_subquery()
    since = _sides(LedgerTransfer.program_id == program_id, LedgerTransfer.position > sa.func.coalesce(known, 0))
    rows = since.subquery()
    mine = (LedgerAccount.id == rows.c.account_id, LedgerAccount.name == name, LedgerAccount.currency == currency)
    # Looked up row by row: the database takes them for many and would read every account for a join.
    owner = sa.select(LedgerAccount.partner_id).where(*mine).scalar_subquery()
    posted = sa.select(owner.label("partner_id"), rows.c.minor).subquery()
    return stored, sa.select(posted).where(posted.c.partner_id.is_not(None))


def moved_before(session: Session, *, program_id: UUID, at: datetime) -> Totals:
    """What all transfers of a program that were posted before this instant add up to.

    Of the two sides of the instant the shorter one is read: those before it, or those since, which are taken off the stored total
    and what came after that. Both go up to one position, so that what is posted meanwhile is on neither.
    """
    known = session.get(LedgerTotal, program_id, populate_existing=True)
    position = known.carried_to if known is not None else 0
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
    """Programs with transfers that no total holds yet: `program_id`, `newest` position; `carried_to` and `balances` of the total, if any.

    The oldest totals come first, and before these the programs without one: so each has its turn, however many are busy.
    """
    newest = sa.select(sa.func.max(LedgerTransfer.position)).where(LedgerTransfer.program_id == Program.id)
    at = newest.scalar_subquery()
    columns = (Program.id.label("program_id"), at.label("newest"), LedgerTotal.carried_to, LedgerTotal.balances)
    position = sa.func.coalesce(LedgerTotal.carried_to, 0)
    found = sa.select(*columns).outerjoin(LedgerTotal).where(at > position)
    return session.execute(found.order_by(position, Program.id).limit(limit)).all()


def since(session: Session, *, behind: Any) -> list[Moved]:
    """What the total of a row of `behind` does not hold yet, account by account."""
    return moved_by_account(session, program_id=behind.program_id, after=behind.carried_to or 0, until=behind.newest)


def totals(moves: Iterable[Moved]) -> Totals:
    """The same by currency and name."""
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in moves:
        found[each.currency][each.name.value] += each.minor
    return {currency: dict(names) for currency, names in found.items()}


def stored(session: Session) -> Sequence[LedgerTotal]:
    """The totals of all programs."""
    return session.scalars(sa.select(LedgerTotal).order_by(LedgerTotal.program_id)).all()


def stored_balances(session: Session, *, program_id: UUID) -> list[Moved]:
    """The balances of partners that stand stored beside the total of a program."""
    columns = (LedgerBalance.partner_id, LedgerBalance.name, LedgerBalance.currency, LedgerBalance.balance_minor)
    return [Moved(*row) for row in session.execute(sa.select(*columns).where(LedgerBalance.program_id == program_id))]
