"""The proof of the books: every transfer by itself, then every balance and every cause against the rows that called for it.

Read in one transaction with a snapshot (`db.reading`), it sees one instant. The transfers are streamed once; all else
are sums made by the database, of which only what is wrong comes back.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.life import CommissionStatus
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ledger.findings import Findings
from affiliate.ledger.postings import AccountName
from affiliate.ledger.proof import Account, Sums, check_totals, read_audit, read_transfers
from affiliate.payouts import causes
from affiliate.payouts.causes import ADDED_MINOR, SENT, SENT_MINOR
from affiliate.payouts.models import Adjustment, AdjustmentKind, Payout, PayoutStatus
from affiliate.payouts.queries import bonuses, debts, posted

_WAITING = (CommissionStatus.UNDER_REVIEW, CommissionStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Proof:
    """How many transfers were read and how many of them are sealed, and what is wrong in plain sentences; no findings, no doubt."""

    transfers: int
    sealed: int
    findings: list[str]


def verify(session: Session, *, trusted: Collection[str] | None = None) -> Proof:
    """Prove the books of all programs as of this transaction; seals must be signed by a `trusted` key if any is given."""
    findings = Findings()
    sums = read_transfers(session, findings=findings, trusted=trusted)
    read_audit(session, findings=findings, trusted=trusted)
    check_totals(session, findings=findings)
    _compare_balances(session, sums, findings)
    for prefix, sentence, query in causes.checks():
        for identifier, *facts in session.execute(query):
            findings.add(sentence.format(ids.public(prefix, identifier), *facts))
    return Proof(sums.transfers, sums.sealed, findings.texts())


def _compare_balances(session: Session, sums: Sums, findings: Findings) -> None:
    expected: defaultdict[Account, int] = defaultdict(int)
    for name, program_id, partner_id, currency, amount_minor in session.execute(_states()):
        expected[Account(program_id, partner_id, AccountName(name), currency)] += amount_minor
        expected[Account(program_id, None, AccountName.EXPENSE, currency)] -= amount_minor
    for account in sorted(expected.keys() | sums.balances.keys(), key=str):
        found, due = sums.balances.get(account, 0), expected.get(account, 0)
        if found != due:
            findings.add(f"The {account} has a balance of {found}; commissions and payouts call for {due}.")


@cache
def _states() -> sa.CompoundSelect[Any]:
    """What every account but the expense should hold, in parts to be added up. The expense is what all others are not."""
    left = Commission.amount_minor - Commission.reversed_minor
    entered = Adjustment.amount_minor
    written_off = Adjustment.kind == AdjustmentKind.WRITE_OFF
    return sa.union_all(
        _state(AccountName.PENDING, Commission, left, Commission.status.in_(_WAITING)),
        _state(AccountName.APPROVED, Commission, left, Commission.status == CommissionStatus.APPROVED),
        _state(AccountName.APPROVED, Payout, Payout.earned_minor, Payout.status == PayoutStatus.PROPOSED),
        _state(AccountName.IN_TRANSIT, Payout, SENT_MINOR, Payout.status == PayoutStatus.APPROVED),
        _state(AccountName.PAID, Payout, SENT_MINOR, Payout.status == PayoutStatus.PAID),
        _state(AccountName.TAX_PAYABLE, Payout, Payout.withheld_minor, Payout.status.in_(SENT)),
        _state(
            AccountName.CLAWBACK,
            CommissionAdjustment,
            -CommissionAdjustment.amount_minor,
            sa.and_(CommissionAdjustment.is_clawback, _not_netted(CommissionAdjustment.payout_id)),
        ),
        _state(AccountName.APPROVED, Adjustment, entered, sa.and_(bonuses(), Adjustment.payout_id.is_(None))),
        _state(AccountName.CLAWBACK, Adjustment, entered, sa.and_(debts(), _not_netted(Adjustment.payout_id))),
        _own(AccountName.ADJUSTMENTS, -entered, sa.and_(posted(), sa.not_(written_off))),
        _own(AccountName.WRITE_OFF, -entered, sa.and_(posted(), written_off)),
        _own(AccountName.VAT, -ADDED_MINOR, Payout.status.in_(SENT), table=Payout),
    )


def _not_netted(payout_id: Any) -> sa.ColumnElement[bool]:
    """What is owed moves when the payout that nets it is approved."""
    proposed = sa.select(Payout.id).where(Payout.status == PayoutStatus.PROPOSED)
    return sa.or_(payout_id.is_(None), payout_id.in_(proposed))


def _state(
    name: AccountName,
    table: type[Commission | Payout | CommissionAdjustment | Adjustment],
    amount: Any,
    where: sa.ColumnElement[bool],
) -> causes.Query:
    total = sa.cast(sa.func.sum(amount), sa.BigInteger)
    whose = (table.program_id, table.partner_id, table.currency)
    return sa.select(sa.literal(name.value), *whose, total).where(where).group_by(*whose)


def _own(
    name: AccountName, amount: Any, where: sa.ColumnElement[bool], *, table: type[Adjustment | Payout] = Adjustment
) -> causes.Query:
    """The same of an account of the program itself."""
    nobody = sa.cast(sa.null(), table.partner_id.type)
    total = sa.cast(sa.func.sum(amount), sa.BigInteger)
    whose = (table.program_id, table.currency)
    return sa.select(sa.literal(name.value), whose[0], nobody, whose[1], total).where(where).group_by(*whose)
