"""The proof of the books: every transfer by itself, then every balance and every cause against the rows that called for it.

Read in one transaction with a snapshot (`db.reading`), it sees one instant. The transfers are streamed once; all else
are sums made by the database, of which only what is wrong comes back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.life import NEVER_POSTED, CommissionStatus
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ledger.findings import FINDINGS_MAX, Findings
from affiliate.ledger.models import LedgerTransfer
from affiliate.ledger.postings import FAIL_NETTED, FAIL_WITHHELD, AccountName, SourceKind, TransferKind
from affiliate.ledger.proof import Account, Sums, read_audit, read_transfers
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus

Query = sa.Select[*tuple[Any, ...]]
_SENT = (PayoutStatus.APPROVED, PayoutStatus.PAID)
_SENT_MINOR = Payout.amount_minor - Payout.withheld_minor
_OPEN = (PayoutStatus.PROPOSED, PayoutStatus.APPROVED)
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
    _compare_balances(session, sums, findings)
    for prefix, sentence, query in _checks():
        for identifier, *facts in session.execute(query.limit(FINDINGS_MAX + 1)):
            findings.add(sentence.format(ids.public(prefix, identifier), *facts))
    return Proof(sums.transfers, sums.sealed, findings.texts())


# --- balances against the states of commissions, payouts and clawbacks


def _compare_balances(session: Session, sums: Sums, findings: Findings) -> None:
    expected: defaultdict[Account, int] = defaultdict(int)
    for name, program_id, partner_id, currency, amount_minor in session.execute(_states()):
        expected[Account(program_id, partner_id, AccountName(name), currency)] += amount_minor
        expected[Account(program_id, None, AccountName.EXPENSE, currency)] -= amount_minor
    for account in sorted(expected.keys() | sums.balances.keys(), key=str):
        found, due = sums.balances.get(account, 0), expected.get(account, 0)
        if found != due:
            findings.add(f"The {account} has a balance of {found}; commissions and payouts call for {due}.")


def _states() -> sa.CompoundSelect[Any]:
    """What each partner's accounts should hold, in parts to be added up."""
    left = Commission.amount_minor - Commission.reversed_minor
    proposed = sa.select(Payout.id).where(Payout.status == PayoutStatus.PROPOSED)
    not_netted = CommissionAdjustment.payout_id.is_(None) | CommissionAdjustment.payout_id.in_(proposed)
    return sa.union_all(
        _state(AccountName.PENDING, Commission, left, Commission.status.in_(_WAITING)),
        _state(AccountName.APPROVED, Commission, left, Commission.status == CommissionStatus.APPROVED),
        _state(AccountName.APPROVED, Payout, Payout.earned_minor, Payout.status == PayoutStatus.PROPOSED),
        _state(AccountName.IN_TRANSIT, Payout, _SENT_MINOR, Payout.status == PayoutStatus.APPROVED),
        _state(AccountName.PAID, Payout, _SENT_MINOR, Payout.status == PayoutStatus.PAID),
        _state(AccountName.TAX_PAYABLE, Payout, Payout.withheld_minor, Payout.status.in_(_SENT)),
        _state(
            AccountName.CLAWBACK,
            CommissionAdjustment,
            -CommissionAdjustment.amount_minor,
            sa.and_(CommissionAdjustment.is_clawback, not_netted),
        ),
    )


def _state(
    name: AccountName,
    table: type[Commission | Payout | CommissionAdjustment],
    amount: Any,
    where: sa.ColumnElement[bool],
) -> Query:
    total = sa.cast(sa.func.sum(amount), sa.BigInteger)
    whose = (table.program_id, table.partner_id, table.currency)
    return sa.select(sa.literal(name.value), *whose, total).where(where).group_by(*whose)


# --- rows against one another, and against the transfers they caused: each gives an id and the facts of a sentence


def _checks() -> Iterator[tuple[str, str, Query]]:
    yield "com", "Commission {} says that {} was taken from it; its adjustments add up to {}.", _reversals()
    yield "com", "Commission {} is {}, but its payout is {}.", _statuses()
    yield "com", "Commission {} belongs to another partner, program or currency than its payout.", _strangers()
    yield "pay", "Payout {} says that {} was earned; its commissions add up to {}.", _earned()
    yield "pay", "Payout {} says that {} was netted; its clawbacks add up to {}.", _netted()
    yield "pay", "Payout {} is {}, its run is {}.", _run_statuses()
    yield "run", "Run {} pays {}; its payouts add up to {}.", _run_totals()
    yield "com", "Commission {} calls for an accrual of {}; the ledger has {}.", _accruals()
    yield "adj", "Adjustment {} calls for a movement of {}; the ledger has {}.", _adjusted()
    for name, due, moved in _payout_movements():
        yield (
            "pay",
            f"Payout {{}} calls for {{}} {name}; the ledger has {{}}.",
            _differing(Payout, due, moved, SourceKind.PAYOUT),
        )
    for kind, table in _SOURCES.items():
        yield "led", f"Transfer {{}} was caused by a {kind} that does not exist.", _orphans(kind, table)


_SOURCES: dict[SourceKind, type[Commission | CommissionAdjustment | Payout]] = {
    SourceKind.COMMISSION: Commission,
    SourceKind.ADJUSTMENT: CommissionAdjustment,
    SourceKind.PAYOUT: Payout,
}


def _sum(column: Any) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


def _unequal(owner: Any, due: Any, parts: sa.Subquery) -> Query:
    """Rows whose `due` is not the total of their parts (a subquery of owner id and total)."""
    total = sa.func.coalesce(parts.c.total, 0)
    rows = sa.select(owner.id, due, total).outerjoin(parts, parts.c.owner_id == owner.id)
    return rows.where(due != total)


def _parts(owner_id: Any, amount: Any, *where: Any) -> sa.Subquery:
    parts = sa.select(owner_id.label("owner_id"), _sum(amount).label("total")).where(*where)
    return parts.group_by(owner_id).subquery()


def _reversals() -> Query:
    taken = _parts(CommissionAdjustment.commission_id, CommissionAdjustment.amount_minor)
    return _unequal(Commission, Commission.reversed_minor, taken)


def _statuses() -> Query:
    rows = sa.select(Commission.id, Commission.status, Payout.status)
    wrong = sa.or_(
        Payout.id.is_(None),
        sa.and_(Commission.status == CommissionStatus.IN_PAYOUT, Payout.status.not_in(_OPEN)),
        sa.and_(Commission.status == CommissionStatus.PAID, Payout.status != PayoutStatus.PAID),
    )
    return rows.outerjoin(Payout, Payout.id == Commission.payout_id).where(Commission.payout_id.is_not(None), wrong)


def _strangers() -> Query:
    columns = [Commission.program_id, Commission.partner_id, Commission.currency]
    same = sa.and_(*(column == getattr(Payout, column.key) for column in columns))
    return sa.select(Commission.id).join(Payout, Payout.id == Commission.payout_id).where(sa.not_(same))


def _earned() -> Query:
    """A payout's amount was fixed when it was proposed; what was clawed back since is added again."""
    own = _parts(
        CommissionAdjustment.commission_id, CommissionAdjustment.amount_minor, CommissionAdjustment.is_clawback
    )
    then = Commission.amount_minor - Commission.reversed_minor + sa.func.coalesce(own.c.total, 0)
    held = (
        sa.select(Commission.payout_id.label("owner_id"), _sum(then).label("total"))
        .outerjoin(own, own.c.owner_id == Commission.id)
        .where(Commission.payout_id.is_not(None))
        .group_by(Commission.payout_id)
        .subquery()
    )
    return _unequal(Payout, _unless_cancelled(Payout.earned_minor), held)


def _netted() -> Query:
    netted = _parts(
        CommissionAdjustment.payout_id, CommissionAdjustment.amount_minor, CommissionAdjustment.payout_id.is_not(None)
    )
    return _unequal(Payout, _unless_cancelled(Payout.clawed_back_minor), netted)


def _unless_cancelled(amount: Any) -> sa.ColumnElement[int]:
    return sa.case((Payout.status.in_((PayoutStatus.CANCELLED, PayoutStatus.FAILED)), 0), else_=amount)


_FITTING = {
    PayoutStatus.PROPOSED: (PayoutStatus.PROPOSED,),
    PayoutStatus.APPROVED: (PayoutStatus.APPROVED, PayoutStatus.PAID, PayoutStatus.FAILED),
    PayoutStatus.PAID: (PayoutStatus.PAID, PayoutStatus.FAILED),
    PayoutStatus.CANCELLED: (PayoutStatus.CANCELLED, PayoutStatus.FAILED),
}
"""Where the payouts of a run may be that were not taken out of it."""


def _run_statuses() -> Query:
    rows = sa.select(Payout.id, Payout.status, PayoutRun.status).join(PayoutRun, PayoutRun.id == Payout.run_id)
    fits = sa.or_(*(sa.and_(PayoutRun.status == run, Payout.status.in_(those)) for run, those in _FITTING.items()))
    taken_out = sa.and_(Payout.taken_out_at.is_not(None), Payout.status == PayoutStatus.CANCELLED)
    return rows.where(sa.not_(sa.or_(fits, taken_out)))


def _run_totals() -> Query:
    parts = _parts(Payout.run_id, Payout.amount_minor, Payout.taken_out_at.is_(None))
    return _unequal(PayoutRun, PayoutRun.total_minor, parts)


def _accruals() -> Query:
    due = sa.case((Commission.status.in_(NEVER_POSTED), 0), else_=Commission.amount_minor)
    return _differing(Commission, due, _amount_if(TransferKind.ACCRUE), SourceKind.COMMISSION)


def _adjusted() -> Query:
    unposted = sa.select(Commission.id).where(Commission.status.in_(NEVER_POSTED))
    due = sa.case((CommissionAdjustment.commission_id.in_(unposted), 0), else_=CommissionAdjustment.amount_minor)
    moved = _amount_if(TransferKind.REVERSE) + _amount_if(TransferKind.CLAW_BACK)
    return _differing(CommissionAdjustment, due, moved, SourceKind.ADJUSTMENT)


def _payout_movements() -> Iterator[tuple[str, Any, sa.ColumnElement[int]]]:
    sent = Payout.status.in_(_SENT)
    paid = Payout.status == PayoutStatus.PAID
    for name, amount, kind, leg in (
        ("sent", _SENT_MINOR, TransferKind.SEND, 0),
        ("netted", Payout.clawed_back_minor, TransferKind.OFFSET, FAIL_NETTED),
        ("withheld", Payout.withheld_minor, TransferKind.WITHHOLD, FAIL_WITHHELD),
    ):
        yield name, sa.case((sent, amount), else_=0), _amount_if(kind) - _amount_if(TransferKind.FAIL, leg=leg)
    yield "settled", sa.case((paid, _SENT_MINOR), else_=0), _amount_if(TransferKind.SETTLE)


def _amount_if(kind: TransferKind, *, leg: int = 0) -> sa.ColumnElement[int]:
    """The amount of a transfer of this kind and leg, nothing for others."""
    this = sa.and_(LedgerTransfer.kind == kind, LedgerTransfer.leg == leg)
    return sa.case((this, LedgerTransfer.amount_minor), else_=0)


def _differing(owner: Any, due: Any, moved: sa.ColumnElement[int], kind: SourceKind) -> Query:
    """Rows for which the ledger moved another amount than they call for."""
    caused = _parts(LedgerTransfer.source_id, moved, LedgerTransfer.source_kind == kind)
    return _unequal(owner, due, caused)


def _orphans(kind: SourceKind, table: Any) -> Query:
    rows = sa.select(LedgerTransfer.id).outerjoin(table, table.id == LedgerTransfer.source_id)
    return rows.where(LedgerTransfer.source_kind == kind, table.id.is_(None))
